"""Lesions, instances, topology and calibration of a small cohort on disk."""

from dataclasses import replace

import numpy as np
import pytest

from BraTSRefineLib.cohort.case import Case, Cohort
from BraTSRefineLib.cohort.volumes import Geometry, write_volume
from BraTSRefineLib.regions import REGIONS, LabelConvention, label_convention
from BraTSRefineLib.scoring import CONSENSUS, ScoringError, calibration_scores, lesionwise, qu_brats, score_cohort
from BraTSRefineLib.scoring.case_scores import case_scores
from BraTSRefineLib.scoring.cohort_scores import checked_settings
from BraTSRefineLib.scoring.lesion_table import lesion_table

IDENTITY = (1.0, 0, 0, 0, 1, 0, 0, 0, 1)
FLIPPED = (-1.0, 0, 0, 0, -1, 0, 0, 0, 1)
GRID = Geometry((24, 22, 20), (1.0, 1.0, 2.0), (5.0, -7.0, 30.0), IDENTITY)
NEW, OLD = label_convention("brats2023"), label_convention("brats2021")
LARGE = (slice(2, 8), slice(3, 9), slice(4, 10))
SMALL = (slice(12, 16), slice(14, 18), slice(15, 19))


def tumour(shift=0, *, second=True, enhancing=3):
    """A lesion of oedema around an enhancing core with a necrotic voxel, and a second one of oedema alone."""
    voxels = np.zeros(GRID.size[::-1], np.uint8)
    voxels[LARGE] = 2
    voxels[3:6, 4:7, 5:8] = enhancing
    voxels[4, 5, 6] = 1
    if second:
        voxels[SMALL] = 2
    return np.roll(voxels, shift, 2)


def probabilities(label_map, certainty=0.9, labels=NEW):
    return np.where(labels.masks(label_map), certainty, 1 - certainty).astype(np.float16)


@pytest.fixture
def written(tmp_path):
    """Writes a case of label maps by model, with or without a reference and probabilities."""

    def write(name, maps, reference=None, grid=GRID, labels=NEW, certainty=None):
        paths = {model: tmp_path / model / f"{name}.nii.gz" for model in maps}
        for model, path in paths.items():
            write_volume(path, maps[model], grid)
        truth = tmp_path / f"{name}-seg.nii.gz"
        if reference is not None:
            write_volume(truth, reference, grid)
        image = tmp_path / f"{name}-t1n.nii.gz"
        brain = np.zeros(grid.size[::-1], np.int16)
        brain[1:-1, 1:-1, 1:-1] = 100
        write_volume(image, brain, grid)
        stacks = {}
        for model in maps if certainty else ():
            stacks[model] = paths[model].with_suffix("").with_suffix(".npz")
            np.savez_compressed(stacks[model], probabilities=probabilities(maps[model], certainty, labels))
        return Case(
            name,
            images={"t1n": image},
            reference=truth if reference is not None else None,
            predictions=paths,
            probabilities=stacks,
            labels=labels,
        )

    return write


def measured(case, *measures, lesion_preset="", convention="brats2023"):
    """The rows of a case beyond its metrics, by (model, region, metric), and its lesions."""
    cohort = Cohort(case.predictions["unet"].parent, "test", (case,))
    settings = checked_settings(cohort, convention, measures=measures, lesion_preset=lesion_preset)
    plain = case_scores(case, replace(settings, measures=()))
    scored = case_scores(case, settings)
    rows = [row for row in scored.rows if row not in plain.rows]
    return {row[1:4]: row[4:] for row in rows}, lesion_table(scored.lesions)


def test_without_measures_there_are_the_metrics_alone(written):
    rows, lesions = measured(written("A", {"unet": tumour()}, tumour()))
    assert rows == {}
    assert lesions.empty


def test_lesions_are_scored_by_the_rules_of_the_challenge_and_listed(written):
    truth, prediction = tumour(), tumour(second=False)
    rows, lesions = measured(written("A", {"unet": prediction}, truth), "lesions")
    expected = lesionwise(truth > 0, prediction > 0, (2.0, 1.0, 1.0), preset="brats2023-gli")
    assert (
        rows["unet", "WT", "lesionwise_dice"] == (expected.dice, "ok", "brats2023-gli") == (0.5, "ok", "brats2023-gli")
    )
    assert rows["unet", "WT", "lesionwise_hd95_mm"][0] == expected.hd95_mm == 374 / 2
    counts = [
        rows["unet", "WT", f"lesion_{kind}"][0] for kind in ("true_positives", "false_positives", "false_negatives")
    ]
    assert counts == [1, 0, 1]
    assert rows["unet", "WT", "lesion_f1"][0] == pytest.approx(2 / 3)
    assert rows["unet", "ET", "lesion_f1"][0] == 1
    assert lesions.query("region == 'WT'")["status"].tolist() == ["matched", "missed"]
    assert set(lesions["convention"]) == {"brats2023-gli"}


def test_regions_without_any_lesion_are_perfect(written):
    nothing = np.zeros_like(tumour())
    rows, lesions = measured(written("A", {"unet": nothing}, nothing), "lesions")
    assert [rows["unet", region, "lesion_f1"][0] for region in REGIONS] == [1, 1, 1]
    assert lesions.empty


def test_rules_by_tissue_take_labels_of_an_older_convention_in_their_own(written):
    """Necrosis and oedema of 2017 to 2023 are the non-enhancing core and the hyperintensity of 2024."""
    new = written("new", {"unet": tumour(1)}, tumour())
    old = written("old", {"unet": tumour(1, enhancing=4)}, tumour(enhancing=4), labels=OLD)
    (of_new, _), (of_old, lesions) = (measured(case, "lesions", lesion_preset="brats2024-gli") for case in (new, old))
    assert repr(of_new) == repr(of_old)
    assert {region for _, region, _ in of_old} == {"WT", "TC", "ET", "NETC", "SNFH", "RC"}
    assert {"lesionwise_nsd_0.5mm", "lesionwise_nsd_1mm"} < {metric for _, _, metric in of_old}
    assert of_old["unet", "WT", "lesionwise_dice"][2] == "brats2024-gli"
    assert set(lesions["region"]) == {"WT", "TC", "ET", "NETC", "SNFH"}


def test_the_conventions_own_rules_are_the_default(written):
    case = written("A", {"unet": tumour(1)}, tumour())
    assert measured(case, "lesions", convention="brats2024-gli")[0]["unet", "ET", "lesion_f1"][2] == "brats2024-gli"
    assert measured(case, "lesions", convention="nan")[0]["unet", "ET", "lesion_f1"][2] == "brats2023-gli"


@pytest.mark.parametrize(
    ("preset", "labels", "message"),
    [
        ("brats2024-men-rt", NEW, "brats2024-men-rt knows no NCR (labels brats2023): choose other rules for lesions"),
        ("brats2024-ssa", label_convention("brats2024-gli"), "brats2024-ssa knows no NETC (labels brats2024-gli)"),
        ("brats2024-gli", label_convention("brats2024-ped"), "brats2024-gli knows no CC (labels brats2024-ped)"),
        ("brats2024-gli", label_convention("brats2013"), "brats2024-gli knows no NET (labels brats2013)"),
    ],
)
def test_rules_that_do_not_fit_the_labels_are_a_row_that_says_so(written, preset, labels, message):
    rows, lesions = measured(written("A", {"unet": tumour()}, tumour(), labels=labels), "lesions", lesion_preset=preset)
    [(key, (value, status, rules))] = rows.items()
    assert key == ("unet", "WT", "lesionwise_dice")
    assert np.isnan(value)
    assert status.startswith(message)
    assert rules == preset
    assert lesions.empty


def test_a_measure_that_cannot_be_taken_stops_no_other(written):
    case = written("A", {"unet": tumour()}, tumour())
    rows, _ = measured(case, "lesions", "topology", lesion_preset="brats2024-men-rt")
    assert rows["unet", "WT", "betti0_error"][:2] == (0, "ok")


def test_instances_are_matched_one_to_one_as_panoptica_does(written):
    rows, _ = measured(written("A", {"unet": tumour(second=False)}, tumour()), "instances")
    quality = {metric: row for (_, region, metric), row in rows.items() if region == "WT"}
    assert quality["recognition_quality"] == (pytest.approx(2 / 3), "ok", "panoptica")
    assert quality["segmentation_quality"][0] == 1
    assert quality["panoptic_quality"][0] == pytest.approx(2 / 3)


def test_topology_counts_a_hole_and_a_missed_piece(written):
    prediction = tumour(second=False)
    prediction[3, 4, 5] = 0
    prediction[4, 5, 6] = 0
    rows, _ = measured(written("A", {"unet": prediction}, tumour()), "topology")
    errors = {metric: row[0] for (_, region, metric), row in rows.items() if region == "WT" and "error" in metric}
    assert errors["betti0_error"] == 1
    assert errors["betti2_error"] == 2
    assert rows["unet", "WT", "betti0_error"][2] == "brats2023"


def test_calibration_is_that_of_the_saved_probabilities_in_the_brain_of_the_images(written):
    truth, prediction = tumour(), tumour(1)
    rows, _ = measured(written("A", {"unet": prediction}, truth, certainty=0.8), "calibration")
    brain = np.zeros(truth.shape, bool)
    brain[1:-1, 1:-1, 1:-1] = True
    for region, stored in zip(REGIONS, probabilities(prediction, 0.8).astype(np.float32), strict=True):
        expected = calibration_scores(stored, NEW.mask(truth, region), (2.0, 1.0, 1.0), brain=brain)
        found = {metric: value for (_, of, metric), (value, *_) in rows.items() if of == region}
        assert expected.items() <= found.items()
        entropy = -(0.8 * np.log2(0.8) + 0.2 * np.log2(0.2))
        assert found["confidence"] == pytest.approx(1 - entropy, abs=1e-3)
        uncertainty = np.full(truth.shape, 100 * entropy)
        worth = qu_brats(NEW.mask(truth, region), NEW.mask(prediction, region), uncertainty, brain)
        assert found["qu_brats"] == pytest.approx(worth.score, abs=1e-3)


def test_a_region_that_is_not_predicted_has_no_confidence(written):
    nothing = np.zeros_like(tumour())
    rows, _ = measured(written("A", {"unet": nothing}, tumour(), certainty=0.9), "calibration")
    assert np.isnan(rows["unet", "WT", "confidence"][0])


def test_models_without_probabilities_have_no_calibration(written):
    assert measured(written("A", {"unet": tumour()}, tumour()), "calibration")[0] == {}


UNUSABLE = {
    "no image": "no image shows where the brain is; add the images to the cohort",
    "damaged": "not a readable .npz",
    "logits": "were logits saved?",
    "another size": "of the case; predict it again",
}


@pytest.mark.parametrize("fault", UNUSABLE)
def test_probabilities_that_cannot_be_used_are_a_row_that_says_why(written, fault):
    case = written("A", {"unet": tumour()}, tumour(), certainty=0.9)
    path = case.probabilities["unet"]
    stack = probabilities(tumour())
    if fault == "no image":
        case = replace(case, images={})
    elif fault == "damaged":
        path.write_bytes(path.read_bytes()[:100])
    else:
        np.savez(path, probabilities=stack[:, 1:] if fault == "another size" else 20 * stack)
    rows, _ = measured(case, "calibration")
    [(key, (value, status, _))] = rows.items()
    assert key == ("unet", "WT", "ece_brain")
    assert np.isnan(value)
    assert UNUSABLE[fault] in status


@pytest.fixture
def consensus(written):
    """A case of three models and no reference; two agree."""
    maps = {"unet": tumour(), "nnunet": tumour(), "far": tumour(second=False)}
    return written("A", maps, certainty=0.9)


def test_against_the_consensus_every_row_says_so(consensus):
    rows, lesions = measured(consensus, "lesions", "instances", "topology", "calibration")
    assert {row[2] for row in rows.values()} == {
        name + CONSENSUS for name in ("brats2023", "brats2023-gli", "panoptica")
    }
    assert set(lesions["convention"]) == {"brats2023-gli" + CONSENSUS}
    assert {row[1] for row in rows.values()} == {"ok"}
    assert rows["unet", "WT", "lesion_false_positives"][0] == 1
    assert rows["far", "WT", "lesion_false_negatives"][0] == 1
    assert "dice" not in {metric for _, _, metric in rows}, "the metrics depend on the measures"


def test_calibration_against_the_consensus_is_that_against_its_map(consensus, written):
    """The consensus is taken in the box of all labels; probabilities and brain are whole."""
    rows, _ = measured(consensus, "calibration")
    with_reference = written("B", {"unet": tumour(second=False)}, tumour(), certainty=0.9)
    expected, _ = measured(with_reference, "calibration")
    for (model, region, metric), (value, *_) in expected.items():
        assert rows["far", region, metric][0] == pytest.approx(value, nan_ok=True), (model, region, metric)


def test_rules_by_tissue_do_not_fit_a_consensus_of_regions(consensus):
    rows, _ = measured(consensus, "lesions", lesion_preset="brats2024-gli")
    assert {row[1:] for row in rows.values()} == {
        (
            "brats2024-gli goes by tissues, and a consensus of models has none: choose other rules",
            "brats2024-gli" + CONSENSUS,
        )
    }


def centre_of(place, grid):
    """LPS position in mm of the middle of a box of voxels (z, y, x)."""
    middle = [(side.start + side.stop - 1) / 2 for side in place]
    direction = np.reshape(grid.direction, (3, 3))
    return np.array(grid.origin) + direction @ (np.array(grid.spacing) * middle[::-1])


@pytest.mark.parametrize("direction", [IDENTITY, FLIPPED, (0.0, 0, 1, 1, 0, 0, 0, 1, 0)])
@pytest.mark.parametrize("with_reference", [True, False])
def test_lesions_lie_where_the_header_says_cut_out_or_not(written, direction, with_reference):
    grid = replace(GRID, direction=direction)
    maps = {"unet": tumour(), "nnunet": tumour(), "far": tumour(second=False)}
    case = written("A", maps, tumour() if with_reference else None, grid=grid)
    _, lesions = measured(case, "lesions")
    chosen = lesions.query("region == 'WT' and model == 'far'").sort_values("volume_ml", ascending=False)
    positions = chosen[["l_mm", "p_mm", "s_mm"]].to_numpy()
    assert positions == pytest.approx(np.array([centre_of(LARGE, grid), centre_of(SMALL, grid)]))


def test_a_convention_without_the_inner_regions_is_measured_in_those_it_has(written):
    metastases = label_convention("core-rest")
    voxels = np.where(tumour() == 3, 1, tumour())
    rows, _ = measured(written("A", {"unet": voxels}, voxels, labels=metastases), "lesions", "topology", "instances")
    assert {region for _, region, _ in rows} == {"WT", "TC"}


def test_conventions_that_share_no_region_are_a_row(written):
    case = written("A", {"unet": tumour()}, tumour())
    other = LabelConvention("cyst only", {"CC": 1}, {}, ("CC",))
    scores = case_scores(
        replace(case, model_labels={"unet": replace(other, tissues={"CC": 1, "b": 2, "c": 3})}),
        checked_settings(Cohort(case.reference.parent, "test", (case,)), measures=("lesions",)),
    )
    [row] = scores.rows
    assert row[5] == "brats2023 and cyst only have no region in common"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"measures": ("lesion",)}, "unknown measure 'lesion': use any of lesions, instances, topology, calibration"),
        ({"lesion_preset": "brats2022"}, "unknown rules for lesions 'brats2022': use one of brats2023-gli"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(written, options, message):
    case = written("A", {"unet": tumour()}, tumour())
    with pytest.raises(ScoringError, match=message):
        score_cohort(Cohort(case.reference.parent, "test", (case,)), **options)
