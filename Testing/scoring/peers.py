"""The scores of other libraries on a pair of masks (z, y, x), under the names of ours; what one lacks is left out."""

from math import inf, isnan, nan

import numpy as np


def close(ours, theirs, tolerance=1e-6):
    if isnan(ours) or isnan(theirs):
        return isnan(ours) and isnan(theirs)
    return ours == theirs or abs(ours - theirs) <= tolerance * max(1.0, abs(theirs))


def monai(reference, prediction, spacing):
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


def medpy(reference, prediction, spacing):
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


def panoptica(reference, prediction, spacing):
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


def nnunet(reference, prediction, spacing):
    from nnunetv2.evaluation.evaluate_predictions import compute_tp_fp_fn_tn

    tp, fp, fn, _ = (int(count) for count in compute_tp_fp_fn_tn(reference, prediction))
    if tp + fp + fn == 0:
        return {"dice": nan, "jaccard": nan}
    return {"dice": 2 * tp / (2 * tp + fp + fn), "jaccard": tp / (tp + fp + fn)}


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


def simpleitk(reference, prediction, spacing):
    import SimpleITK

    images = [SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in (reference, prediction)]
    for image in images:
        image.SetSpacing(spacing[::-1])
    overlap, distance = SimpleITK.LabelOverlapMeasuresImageFilter(), SimpleITK.HausdorffDistanceImageFilter()
    overlap.Execute(*images)
    distance.Execute(*images)
    similarity = overlap.GetVolumeSimilarity()  # twice the difference of the volumes by their sum
    return {
        "dice": overlap.GetDiceCoefficient(),
        "jaccard": overlap.GetJaccardCoefficient(),
        "relative_volume_error": -2 * similarity / (2 + similarity),
        "hd_mm": distance.GetHausdorffDistance(),
    }
