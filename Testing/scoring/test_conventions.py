"""Each convention against the library or the script that it is named after, on every kind of mask."""

import warnings

import numpy as np
import peers
import pytest
from scipy.ndimage import binary_erosion

from BraTSRefineLib.scoring import CONVENTIONS, ScoringError, compare_masks, explain_convention
from BraTSRefineLib.scoring.edges import edge_distances

ENGINES = ("numba", "scipy")
EDGE_METRICS = ("hd_mm", "hd95_mm", "assd_mm", "nsd_1mm")


def differing(pairs, convention, theirs, engine="numba", **options):
    """Our score and theirs, a function of a pair, of every metric that this names, where they are not the same."""
    found = []
    for name, reference, prediction, spacing in pairs:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            expected = theirs(reference, prediction, spacing)
        ours = compare_masks(reference, prediction, spacing, convention=convention, engine=engine, **options)
        found += [
            (name, metric, ours[metric], value)
            for metric, value in expected.items()
            if not peers.close(ours[metric].value, float(value))
        ]
    return found


def not_at_the_tolerance(pairs):
    """MONAI compares distances in single precision: at exactly the tolerance its rounding decides."""
    return [pair for pair in pairs if pair[3] in ((1.0, 1.0, 1.0), (0.5, 1.25, 2.0))]


def test_monai(fuzz_pairs):
    assert not differing(not_at_the_tolerance(fuzz_pairs), "monai", peers.monai)


@pytest.mark.parametrize("engine", ENGINES)
def test_medpy(fuzz_pairs, engine):
    assert not differing(fuzz_pairs, "medpy", peers.medpy, engine)


def test_panoptica_with_the_spacing_honoured(fuzz_pairs):
    assert not differing(fuzz_pairs, "panoptica", peers.panoptica)


def test_nnunet(fuzz_pairs):
    assert not differing(fuzz_pairs, "nnunet", peers.nnunet)


@pytest.mark.parametrize("task", ["gli", "met", "ped", "ssa", "men-rt"])
def test_brats_2024_has_nsd_at_two_tolerances_and_hd95_on_faces(fuzz_pairs, task):
    convention = f"brats2024-{task}"
    assert not differing(fuzz_pairs[::4], convention, peers.surface_dice_of_brats_2024)
    for _, reference, prediction, spacing in fuzz_pairs[::4]:
        if reference.any() and prediction.any():
            ours, theirs = (
                compare_masks(reference, prediction, spacing, convention=c)["hd95_mm"] for c in (convention, "deepmind")
            )
            assert ours == theirs


def test_simpleitk_on_masks_with_voxels(fuzz_pairs):
    """Its Hausdorff distance is taken over all voxels, which for the largest distance makes no difference here."""
    pairs = [pair for pair in fuzz_pairs if pair[1].any() and pair[2].any()]
    for name, reference, prediction, spacing in pairs[::3]:
        theirs = peers.simpleitk(reference, prediction, spacing)
        ours = compare_masks(reference, prediction, spacing, convention="medpy")
        for metric in ("dice", "jaccard", "relative_volume_error"):
            assert peers.close(ours[metric].value, theirs[metric]), (name, metric)
        outside = (reference ^ prediction).any()
        assert theirs["hd_mm"] <= ours["hd_mm"].value + 1e-5 or not outside, name


@pytest.mark.parametrize("engine", ENGINES)
def test_boundary_iou_is_the_jaccard_index_of_the_edge_voxels(fuzz_pairs, engine):
    for name, reference, prediction, spacing in fuzz_pairs:
        if not (reference.any() and prediction.any()):
            continue
        edges = [mask & ~binary_erosion(mask) for mask in (reference, prediction)]
        expected = (edges[0] & edges[1]).sum() / (edges[0] | edges[1]).sum()
        ours = compare_masks(reference, prediction, spacing, engine=engine)["boundary_iou"].value
        assert ours == pytest.approx(expected, abs=1e-12), name


@pytest.mark.parametrize("engine", ENGINES)
def test_centroid_distance_is_in_mm(fuzz_pairs, engine):
    for name, reference, prediction, spacing in fuzz_pairs:
        if not (reference.any() and prediction.any()):
            continue
        centroids = [np.argwhere(mask).mean(axis=0) * spacing for mask in (reference, prediction)]
        expected = np.linalg.norm(centroids[0] - centroids[1])
        ours = compare_masks(reference, prediction, spacing, engine=engine)["centroid_distance_mm"].value
        assert ours == pytest.approx(expected, abs=1e-9), name


@pytest.mark.parametrize("engine", ENGINES)
def test_edge_distances_are_those_of_medpy(fuzz_pairs, engine):
    from medpy.metric import binary

    distances = getattr(binary, "__surface_distances")
    for name, reference, prediction, spacing in fuzz_pairs:
        if reference.any() and prediction.any():
            ours = edge_distances(reference, prediction, spacing, engine)
            theirs = distances(reference, prediction, spacing), distances(prediction, reference, spacing)
            for mine, others in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(mine, np.sort(others), atol=1e-9, err_msg=name)


def test_the_maximum_is_the_largest_distance_between_faces(surface_distance, fuzz_pairs):
    from surface_distance import metrics

    for name, reference, prediction, spacing in fuzz_pairs[::3]:
        if reference.any() and prediction.any():
            theirs = metrics.compute_surface_distances(reference, prediction, spacing)
            expected = metrics.compute_robust_hausdorff(theirs, 100)
            assert peers.close(compare_masks(reference, prediction, spacing)["hd_mm"].value, expected, 1e-9), name


def test_several_tolerances_are_several_metrics():
    mask = np.ones((4, 4, 4), bool)
    scores = compare_masks(mask, mask, (1, 1, 1), tolerance_mm=(0.5, 2))
    assert [name for name in scores if name.startswith("nsd_")] == ["nsd_0.5mm", "nsd_2mm"]


def test_brats_is_another_name_of_brats2023():
    mask = np.ones((4, 4, 4), bool)
    nothing = np.zeros_like(mask)
    assert compare_masks(mask, nothing, (1, 1, 1), convention="brats")["hd95_mm"].value == 374
    assert explain_convention("brats").startswith("brats2023:")


def test_an_unknown_convention_is_refused_with_the_known_ones():
    mask = np.ones((2, 2, 2), bool)
    with pytest.raises(ScoringError, match=r"brats2023, brats2024-gli, .*panoptica, nnunet, brats"):
        compare_masks(mask, mask, (1, 1, 1), convention="dice")


@pytest.mark.parametrize("name", CONVENTIONS)
def test_an_explanation_says_surface_percentile_and_empty_masks(name):
    text = explain_convention(name)
    assert text.startswith(f"{name}: ")
    assert all(word in text for word in ("Surfaces", "HD95 =", "ASSD =", "NSD =", "empt"))


def test_the_fill_of_the_2024_metastases_and_meningiomas_is_the_images_diagonal():
    mask = np.zeros((10, 20, 30), bool)
    mask[0, 0, 0] = True
    for task in ("met", "men-rt"):
        scores = compare_masks(mask, np.zeros_like(mask), (2, 1, 1), convention=f"brats2024-{task}")
        assert scores["hd95_mm"].value == pytest.approx((100 + 400 + 900) ** 0.5)
