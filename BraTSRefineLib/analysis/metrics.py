"""What a metric's number means: which direction is better, how it is called, and the bad input of this room."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from ..regions import SCORED_REGIONS
from ..scoring import METRICS

HIGHER_IS_BETTER = (
    "dice",
    "jaccard",
    "nsd_",
    "boundary_iou",
    "sensitivity",
    "specificity",
    "precision",
    "lesionwise_dice",
    "lesionwise_nsd_",
    "lesion_f1",
    "panoptic_quality",
    "segmentation_quality",
    "recognition_quality",
    "qu_brats",
)
"""Beginnings of the names of metrics from 0 (worst) to 1 (best)."""

LOWER_IS_BETTER = (
    "hd_mm",
    "hd95_mm",
    "assd_mm",
    "masd_mm",
    "centroid_distance_mm",
    "lesionwise_hd95_mm",
    "lesion_false_positives",
    "lesion_false_negatives",
    "ece_brain",
    "ece_band",
    "brier_brain",
    "brier_band",
    "nll_brain",
    "nll_band",
    "qu_brats_ftp_auc",
    "qu_brats_ftn_auc",
)
SIZE_COUNTS = (
    "volume_error_ml",
    "relative_volume_error",
    "betti0_error",
    "betti1_error",
    "betti2_error",
    "euler_error",
    "cavity_volume_error_ml",
)
"""Differences between prediction and reference: the best is 0, and the sign says only in which direction it errs."""

COUNTED_HITS = ("lesion_true_positives",)

FAILED_BELOW_DICE = 0.5
FAILED_ABOVE_HD95_MM = 20.0

METRIC_NAMES = {
    "dice": "Dice",
    "jaccard": "Jaccard",
    "hd_mm": "HD",
    "hd95_mm": "HD95",
    "assd_mm": "ASSD",
    "masd_mm": "MASD",
    "boundary_iou": "boundary IoU",
    "volume_reference_ml": "reference volume",
    "volume_prediction_ml": "predicted volume",
    "volume_error_ml": "volume error",
    "relative_volume_error": "relative volume error",
    "centroid_distance_mm": "distance of centroids",
    "lesionwise_dice": "lesion-wise Dice",
    "lesionwise_hd95_mm": "lesion-wise HD95",
    "lesion_true_positives": "lesions found",
    "lesion_false_positives": "false lesions",
    "lesion_false_negatives": "lesions missed",
    "lesion_f1": "F1 per lesion",
    "panoptic_quality": "panoptic quality",
    "segmentation_quality": "segmentation quality",
    "recognition_quality": "recognition quality",
    "betti0_error": "error in components (Betti 0)",
    "betti1_error": "error in tunnels (Betti 1)",
    "betti2_error": "error in cavities (Betti 2)",
    "euler_error": "error in Euler characteristic",
    "cavity_volume_error_ml": "error in the volume of cavities",
    "ece_brain": "ECE in the brain",
    "ece_band": "ECE around the tumour",
    "brier_brain": "Brier score in the brain",
    "brier_band": "Brier score around the tumour",
    "nll_brain": "NLL in the brain",
    "nll_band": "NLL around the tumour",
    "qu_brats": "QU-BraTS score",
    "qu_brats_dice_auc": "QU-BraTS Dice (area)",
    "qu_brats_ftp_auc": "QU-BraTS filtered true positives (area)",
    "qu_brats_ftn_auc": "QU-BraTS filtered true negatives (area)",
    "confidence": "mean certainty of what is predicted",
}


class AnalysisError(ValueError):
    """A question that the scores cannot answer; the message names what is known."""


def higher_is_better(metric: str) -> bool:
    """The direction of a metric. Raises AnalysisError for one that says how large and not how good (a volume)."""
    if is_share(metric) or metric in COUNTED_HITS:
        return True
    if _lower_is_better(metric):
        return False
    known = ", ".join(name for name in METRICS if is_share(name) or _lower_is_better(name))
    raise AnalysisError(f"cases cannot be ranked by '{metric}': use one of {known}")


def _lower_is_better(metric: str) -> bool:
    return metric in (*LOWER_IS_BETTER, *SIZE_COUNTS)


def is_share(metric: str) -> bool:
    """Whether a metric runs from 0 (worst) to 1 (best)."""
    return metric.startswith(HIGHER_IS_BETTER) and not _lower_is_better(metric)


def magnitude(values: pd.Series, metric: str) -> pd.Series:
    """The numbers that are compared: of a difference (a volume error) the size, not the sign; else as they are."""
    return values.abs() if metric in SIZE_COUNTS else values


def badness(values: pd.Series, metric: str) -> pd.Series:
    """Numbers that grow as the prediction gets worse; of a volume error the size counts, not the sign."""
    return -values if higher_is_better(metric) else magnitude(values, metric)


def metric_name(metric: str) -> str:
    """``hd95_mm`` -> ``HD95``, ``nsd_1mm`` -> ``surface Dice at 1 mm``."""
    for beginning, name in (("nsd_", "surface Dice"), ("lesionwise_nsd_", "lesion-wise surface Dice")):
        if metric.startswith(beginning):
            return f"{name} at {metric.removeprefix(beginning).removesuffix('mm')} mm"
    return METRIC_NAMES.get(metric, metric)


def metric_unit(metric: str) -> str:
    """``mm``, ``ml`` or nothing."""
    unit = metric.rpartition("_")[2]
    return unit if unit in ("mm", "ml") else ""


def region_place(region: str) -> int:
    """Where a region stands among all that are scored; one that is not known comes last."""
    return SCORED_REGIONS.index(region) if region in SCORED_REGIONS else len(SCORED_REGIONS)


def check_metric(scores: pd.DataFrame, metric: str) -> None:
    """Raises AnalysisError for a metric that is neither among the scores nor known at all."""
    _check(metric, [*METRICS, *(name for name in scores["metric"].unique() if name)], "metric")


def check_region(scores: pd.DataFrame, region: str) -> None:
    """Raises AnalysisError for a region that no label convention and no score knows."""
    _check(region, [*SCORED_REGIONS, *(name for name in scores["region"].unique() if name)], "region")


def check_model(scores: pd.DataFrame, model: str) -> None:
    """Raises AnalysisError for a model without a row."""
    _check(model, sorted(name for name in scores["model"].unique() if name), "model")


def _check(name: str, known: Iterable[str], what: str) -> None:
    known = list(dict.fromkeys(known))
    if name not in known:
        raise AnalysisError(f"no {what} '{name}' in these scores; known: {', '.join(known) or 'none'}")
