from itertools import pairwise

import numpy as np
import pytest

from BraTSRefineLib.cohort.volumes import read_geometry, read_label_map
from BraTSRefineLib.regions import LabelError, label_convention
from BraTSRefineLib.scoring import METRICS, ScoringError, compare_masks, score_pair

COMPARED = ("dice", "hd95_mm", "assd_mm", "nsd_1mm")
PERMUTED = "NCR=3,ED=1,ET=2"


def value(scores, region, metric="dice"):
    [number] = scores.query("region == @region and metric == @metric")["value"]
    return number


def pair_of(folder, case, model):
    reference = folder / "cases" / case / f"{case}_seg.nii.gz"
    spacing = read_geometry(reference).array_spacing
    return read_label_map(reference), read_label_map(folder / "predictions" / model / f"{case}.nii.gz"), spacing


@pytest.fixture
def nested():
    """ET in TC in WT, in labels of BraTS 2021."""
    label_map = np.zeros((14, 15, 16), np.uint8)
    label_map[2:12, 2:13, 2:14] = 2
    label_map[4:10, 4:11, 4:12] = 4
    label_map[6:8, 6:9, 6:10] = 1
    return label_map


@pytest.mark.parametrize("engine", ["numba", "scipy"])
def test_each_region_scores_as_its_mask_does(nested, engine):
    moved = np.roll(nested, (1, 2), axis=(0, 2))
    scores = score_pair(nested, moved, (2, 1, 1), labels="brats2021", engine=engine)
    convention = label_convention("brats2021")
    for region in ("WT", "TC", "ET"):
        alone = compare_masks(convention.mask(nested, region), convention.mask(moved, region), (2, 1, 1))
        assert {m: value(scores, region, m) for m in METRICS} == pytest.approx({m: alone[m].value for m in METRICS})


def test_rows_name_region_metric_status_and_convention(nested):
    scores = score_pair(nested, nested, (1, 1, 1), labels="brats2021")
    assert list(scores.columns) == ["region", "metric", "value", "status", "convention"]
    assert list(scores["region"].unique()) == ["WT", "TC", "ET"]
    assert list(scores["metric"][: len(METRICS)]) == list(METRICS)
    assert set(scores["convention"]) == {"brats2023"}


def test_a_region_that_a_convention_does_not_know_has_no_rows(nested):
    core = np.where(nested == 2, 2, (nested > 0).astype(np.uint8))
    scores = score_pair(core, nested, (1, 1, 1), labels="core-rest", prediction_labels="brats2021")
    assert list(scores["region"].unique()) == ["WT", "TC"]
    assert value(scores, "TC") == 1


def test_a_label_outside_the_convention_is_refused_by_name(nested):
    with pytest.raises(ScoringError, match=r"prediction: label 4 is not in .*labels 1, 2, 3.*--labels"):
        score_pair(np.where(nested == 4, 3, nested), nested, (1, 1, 1), labels="brats2023")


def test_an_unknown_label_convention_is_refused(nested):
    with pytest.raises(LabelError, match="brats1999"):
        score_pair(nested, nested, (1, 1, 1), labels="brats1999")


@pytest.mark.parametrize("kind", [np.int16, np.int64, np.float32, np.float64])
def test_label_maps_of_any_number_type_score_alike(nested, kind):
    stored = nested.astype(kind)
    if np.issubdtype(kind, np.floating):
        stored[stored == 0] = -0.0
    assert score_pair(stored, nested, (1, 1, 1), labels="brats2021")["value"].equals(
        score_pair(nested, nested, (1, 1, 1), labels="brats2021")["value"]
    )


@pytest.mark.parametrize("wrong", [0.5, -1, 300, np.nan])
def test_numbers_that_are_no_labels_are_refused(nested, wrong):
    broken = nested.astype(float)
    broken[5, 5, 5] = wrong
    with pytest.raises(ScoringError, match="reference: not a label map"):
        score_pair(broken, nested, (1, 1, 1), labels="brats2021")


def test_an_empty_region_and_a_region_of_one_voxel_are_scored(nested):
    reference, prediction = (np.where(nested == 4, 1, nested) for _ in range(2))
    prediction[5, 5, 5] = 4
    scores = score_pair(reference, prediction, (1, 1, 1), labels="brats2021").set_index(["region", "metric"])
    assert scores.loc[("ET", "dice"), ["value", "status"]].tolist() == [0, "reference empty"]
    assert scores.loc[("ET", "hd95_mm"), "value"] == 374
    assert scores.loc[("ET", "volume_prediction_ml"), "value"] == pytest.approx(0.001)
    assert scores.loc[("WT", "dice"), ["value", "status"]].tolist() == [1, "ok"]


def test_two_empty_label_maps_are_both_empty():
    empty = np.zeros((4, 5, 6), np.uint8)
    scores = score_pair(empty, empty, (1, 1, 1), labels="brats2023")
    assert set(scores.query("metric == 'dice'")["status"]) == {"both empty"}
    assert set(scores.query("metric == 'dice'")["value"]) == {1.0}


@pytest.mark.parametrize(
    ("case", "model", "dice"),
    [
        ("002", "baseline_attention", (0.53, 0.82, 0.62)),
        ("003", "baseline_no_attention", (0.22, 0.07, 0.25)),
        ("005", "waveloss_attention", (0.37, 0.67, 0.64)),
        ("008", "waveloss_no_attention", (0.26, 0.02, 0.14)),
    ],
)
def test_real_dice_values_are_those_computed_independently(real_data, case, model, dice):
    scores = score_pair(*pair_of(real_data / "brats2020", f"BraTS20_Training_{case}", model), labels="brats2020")
    assert [value(scores, region) for region in ("WT", "TC", "ET")] == pytest.approx(dice, abs=0.0055)


def test_permuted_labels_score_well_once_they_are_spelled_out(real_data):
    pair = pair_of(real_data / "brats2020", "BraTS20_Training_001", "deepscan")
    scores = score_pair(*pair, labels="brats2020", prediction_labels=PERMUTED)
    assert [value(scores, region) for region in ("WT", "TC", "ET")] == pytest.approx((0.93, 0.96, 0.90), abs=0.0055)


@pytest.mark.parametrize("model", ["baseline_attention", "waveloss_no_attention"])
def test_real_pairs_with_floods_agree_with_surface_distance(real_data, surface_distance, model):
    reference, prediction, spacing = pair_of(real_data / "brats2020", "BraTS20_Training_008", model)
    assert not _differing(reference, prediction, spacing, surface_distance)


@pytest.mark.parametrize("case", ["TCGA-DU-7294", "TCGA-FG-6692"])
def test_real_pairs_of_models_agree_with_surface_distance(real_data, surface_distance, case):
    files = sorted((real_data / "tcga-lgg" / "predictions").glob(f"*/{case}.nii.gz"))
    assert len(files) > 1
    for one, other in pairwise(read_label_map(path) for path in files):
        assert not _differing(one, other, (1.0, 1.0, 1.0), surface_distance)


def test_real_pair_with_thick_slices_agrees_with_surface_distance(real_data, surface_distance):
    reference, prediction, _ = pair_of(real_data / "utsw-glioma", "BT0002", "fets")
    thick = np.ascontiguousarray(reference[::4]), np.ascontiguousarray(prediction[::4])
    assert not _differing(*thick, (4.0, 0.9, 0.9), surface_distance)


def _differing(reference, prediction, spacing, surface_distance):
    """Region, engine, metric, our value and the peer's where they are not the same."""
    labels, found = label_convention("brats2021"), []
    engines = {e: score_pair(reference, prediction, spacing, labels=labels, engine=e) for e in ("numba", "scipy")}
    for region in ("WT", "TC", "ET"):
        masks = labels.mask(reference, region), labels.mask(prediction, region)
        if not (masks[0].any() and masks[1].any()):
            continue
        theirs = surface_distance.scores(*masks, spacing)
        values = [(engine, metric, value(engines[engine], region, metric)) for engine in engines for metric in COMPARED]
        found += [
            (region, engine, metric, ours, theirs[metric])
            for engine, metric, ours in values
            if ours != pytest.approx(theirs[metric], rel=0, abs=1e-9)
        ]
    return found


def test_the_same_truth_in_two_label_conventions_is_identical(real_data):
    folder = real_data / "brats2021" / "cases" / "BraTS2021_00006"
    old, new = (read_label_map(folder / f"BraTS2021_00006_{name}.nii.gz") for name in ("seg", "seg-label3"))
    scores = score_pair(old, new, (1, 1, 1), labels="brats2021", prediction_labels="brats2023")
    assert set(scores.query("metric == 'dice'")["value"]) == {1.0}
    assert set(scores.query("metric == 'hd95_mm'")["value"]) == {0.0}


def test_the_same_truth_without_its_convention_is_refused(real_data):
    folder = real_data / "brats2021" / "cases" / "BraTS2021_00006"
    old, new = (read_label_map(folder / f"BraTS2021_00006_{name}.nii.gz") for name in ("seg", "seg-label3"))
    with pytest.raises(ScoringError, match="label 3 is not in the convention brats2021"):
        score_pair(old, new, (1, 1, 1), labels="brats2021")
