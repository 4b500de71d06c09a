"""What a metric's number means: which direction is better, how it is called, and the bad input of this room."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from ..regions import REGIONS
from ..scoring import METRICS

HIGHER_IS_BETTER = ("dice", "nsd_", "sensitivity", "precision")
LOWER_IS_BETTER = ("hd95_mm", "assd_mm", "volume_error_ml")
FAILED_BELOW_DICE = 0.5

METRIC_NAMES = {
    "dice": "Dice",
    "hd95_mm": "HD95",
    "assd_mm": "ASSD",
    "sensitivity": "sensitivity",
    "precision": "precision",
    "volume_error_ml": "volume error",
}


class AnalysisError(ValueError):
    """A question that the scores cannot answer; the message names what is known."""


def higher_is_better(metric: str) -> bool:
    """The direction of a metric. Raises AnalysisError for one that says how large and not how good (a volume)."""
    if metric.startswith(HIGHER_IS_BETTER):
        return True
    if metric in LOWER_IS_BETTER:
        return False
    known = ", ".join(name for name in METRICS if name.startswith(HIGHER_IS_BETTER) or name in LOWER_IS_BETTER)
    raise AnalysisError(f"cases cannot be ranked by '{metric}': use one of {known}")


def badness(values: pd.Series, metric: str) -> pd.Series:
    """Numbers that grow as the prediction gets worse; of a volume error the size counts, not the sign."""
    if metric == "volume_error_ml":
        return values.abs()
    return -values if higher_is_better(metric) else values


def metric_name(metric: str) -> str:
    """``hd95_mm`` -> ``HD95``, ``nsd_1mm`` -> ``surface Dice at 1 mm``."""
    if metric.startswith("nsd_"):
        return f"surface Dice at {metric.removeprefix('nsd_').removesuffix('mm')} mm"
    return METRIC_NAMES.get(metric, metric)


def metric_unit(metric: str) -> str:
    """``mm``, ``ml`` or nothing."""
    unit = metric.rpartition("_")[2]
    return unit if unit in ("mm", "ml") else ""


def check_metric(scores: pd.DataFrame, metric: str) -> None:
    """Raises AnalysisError for a metric that is neither among the scores nor known at all."""
    _check(metric, [*METRICS, *(name for name in scores["metric"].unique() if name)], "metric")


def check_region(scores: pd.DataFrame, region: str) -> None:
    """Raises AnalysisError for a region that no label convention and no score knows."""
    _check(region, [*REGIONS, *(name for name in scores["region"].unique() if name)], "region")


def check_model(scores: pd.DataFrame, model: str) -> None:
    """Raises AnalysisError for a model without a row."""
    _check(model, sorted(name for name in scores["model"].unique() if name), "model")


def _check(name: str, known: Iterable[str], what: str) -> None:
    known = list(dict.fromkeys(known))
    if name not in known:
        raise AnalysisError(f"no {what} '{name}' in these scores; known: {', '.join(known) or 'none'}")
