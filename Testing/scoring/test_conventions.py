"""Each convention against the library or the script that it is named after, on every kind of mask."""

import warnings
from math import inf, isnan, nan

import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from BraTSRefineLib.scoring import CONVENTIONS, ScoringError, compare_masks, explain_convention
from BraTSRefineLib.scoring.edges import edge_distances

ENGINES = ("numba", "scipy")
EDGE_METRICS = ("hd_mm", "hd95_mm", "assd_mm", "nsd_1mm")


def close(ours, theirs, tolerance=1e-6):
    if isnan(ours) or isnan(theirs):
        return isnan(ours) and isnan(theirs)
    return ours == theirs or abs(ours - theirs) <= tolerance * max(1.0, abs(theirs))


def check(pairs, convention, theirs, engine="numba", **options):
    """Every metric that ``theirs`` (a function of a pair) names, on every pair."""
    for name, reference, prediction, spacing in pairs:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            expected = theirs(reference, prediction, spacing)
        ours = compare_masks(reference, prediction, spacing, convention=convention, engine=engine, **options)
        for metric, value in expected.items():
            assert close(ours[metric].value, float(value)), (name, metric, ours[metric], value)


def monai_scores(reference, prediction, spacing):
    import torch
    from monai import metrics

    theirs, ours = (
        torch.from_numpy(np.ascontiguousarray(mask[None, None])).float() for mask in (prediction, reference)
    )
    options = {"include_background": True, "spacing": list(spacing)}
    confusion = metrics.get_confusion_matrix(theirs, ours)
    return {
        "dice": metrics.compute_dice(theirs, ours),
        "jaccard": metrics.compute_iou(theirs, ours),
        "hd_mm": metrics.compute_hausdorff_distance(theirs, ours, **options),
        "hd95_mm": metrics.compute_hausdorff_distance(theirs, ours, percentile=95, **options),
        "assd_mm": metrics.compute_average_surface_distance(theirs, ours, symmetric=True, **options),
        "nsd_1mm": metrics.compute_surface_dice(theirs, ours, [1.0], **options),
    } | {
        name: metrics.compute_confusion_matrix_metric(name, confusion)
        for name in ("sensitivity", "specificity", "precision")
    }


def not_at_the_tolerance(pairs):
    """MONAI compares distances in single precision: at exactly the tolerance its rounding decides."""
    return [pair for pair in pairs if pair[3] in ((1.0, 1.0, 1.0), (0.5, 1.25, 2.0))]


def test_monai(fuzz_pairs):
    check(not_at_the_tolerance(fuzz_pairs), "monai", monai_scores)


def medpy_scores(reference, prediction, spacing):
    from medpy.metric import binary

    def or_nan(measure, *arguments):
        try:
            return measure(prediction, reference, *arguments)
        except RuntimeError:
            return nan

    scores = {
        "dice": binary.dc,
        "jaccard": binary.jc,
        "sensitivity": binary.sensitivity,
        "specificity": binary.specificity,
        "precision": binary.precision,
        "relative_volume_error": binary.ravd,
    }
    distances = {"hd_mm": binary.hd, "hd95_mm": binary.hd95, "assd_mm": binary.assd}
    return {name: or_nan(measure) for name, measure in scores.items()} | {
        name: or_nan(measure, spacing) for name, measure in distances.items()
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_medpy(fuzz_pairs, engine):
    check(fuzz_pairs, "medpy", medpy_scores, engine)


def panoptica_scores(reference, prediction, spacing):
    from panoptica.metrics import assd, dice, hausdorff_distance, iou, normalized_surface_dice

    masks = (reference, prediction)
    if not (reference.any() and prediction.any()):
        one = reference.any() or prediction.any()
        return {"dice": 0.0 if one else nan, "jaccard": 0.0 if one else nan, "assd_mm": inf if one else nan}
    return {
        "dice": dice._compute_dice_coefficient(*masks),
        "jaccard": iou._compute_iou(*masks),
        "assd_mm": assd._average_symmetric_surface_distance(*masks, voxelspacing=spacing),
        "hd_mm": hausdorff_distance._compute_hausdorff_distance(*masks, voxelspacing=spacing),
        "hd95_mm": hausdorff_distance._compute_hausdorff_distance95(*masks, voxelspacing=spacing),
        "nsd_1mm": normalized_surface_dice._compute_normalized_surface_dice(*masks, spacing, threshold=1.0),
    }


def test_panoptica_with_the_spacing_honoured(fuzz_pairs):
    check(fuzz_pairs, "panoptica", panoptica_scores)


def nnunet_scores(reference, prediction, spacing):
    from nnunetv2.evaluation.evaluate_predictions import compute_tp_fp_fn_tn

    tp, fp, fn, _ = (int(count) for count in compute_tp_fp_fn_tn(reference, prediction))
    if tp + fp + fn == 0:
        return {"dice": nan, "jaccard": nan}
    return {"dice": 2 * tp / (2 * tp + fp + fn), "jaccard": tp / (tp + fp + fn)}


def test_nnunet(fuzz_pairs):
    check(fuzz_pairs, "nnunet", nnunet_scores)


def surface_dice_of_brats_2024(reference, prediction, spacing):
    """nnU-Net v1's formula on medpy's distances, and the official values for empty masks."""
    from medpy.metric import binary

    if not (reference.any() and prediction.any()):
        both = not (reference.any() or prediction.any())
        return {f"nsd_{tolerance}mm": float(both) for tolerance in ("0.5", "1")}
    distances = getattr(binary, "__surface_distances")
    sides = distances(reference, prediction, spacing), distances(prediction, reference, spacing)
    return {
        f"nsd_{tolerance:g}mm": sum((side <= tolerance).mean() for side in sides) / (2 + 1e-8)
        for tolerance in (0.5, 1.0)
    }


@pytest.mark.parametrize("task", ["gli", "met", "ped", "ssa", "men-rt"])
def test_brats_2024_has_nsd_at_two_tolerances_and_hd95_on_faces(fuzz_pairs, task):
    convention = f"brats2024-{task}"
    check(fuzz_pairs[::4], convention, surface_dice_of_brats_2024)
    for _, reference, prediction, spacing in fuzz_pairs[::4]:
        if reference.any() and prediction.any():
            ours, theirs = (
                compare_masks(reference, prediction, spacing, convention=c)["hd95_mm"] for c in (convention, "deepmind")
            )
            assert ours == theirs


def simpleitk_scores(reference, prediction, spacing):
    import SimpleITK

    images = [SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in (reference, prediction)]
    for image in images:
        image.SetSpacing(spacing[::-1])
    overlap, distance = SimpleITK.LabelOverlapMeasuresImageFilter(), SimpleITK.HausdorffDistanceImageFilter()
    overlap.Execute(*images)
    distance.Execute(*images)
    return {
        "dice": overlap.GetDiceCoefficient(),
        "jaccard": overlap.GetJaccardCoefficient(),
        "relative_volume_error": -overlap.GetVolumeSimilarity(),
        "hd_mm": distance.GetHausdorffDistance(),
    }


def test_simpleitk_on_masks_with_voxels(fuzz_pairs):
    """Its Hausdorff distance is taken over all voxels, which for the largest distance makes no difference here."""
    pairs = [pair for pair in fuzz_pairs if pair[1].any() and pair[2].any()]
    for name, reference, prediction, spacing in pairs[::3]:
        theirs = simpleitk_scores(reference, prediction, spacing)
        ours = compare_masks(reference, prediction, spacing, convention="medpy")
        assert close(ours["dice"].value, theirs["dice"]), name
        assert close(ours["jaccard"].value, theirs["jaccard"]), name
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
            assert close(compare_masks(reference, prediction, spacing)["hd_mm"].value, expected, 1e-9), name


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
