"""The metrics by which a person may rank cases: how they are called, and which way is better."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

DICE = "dice"
HD95 = "hd95_mm"
SURFACE_DICE = "nsd_"


@dataclass(frozen=True)
class Measure:
    """A metric in words and as the heading of its column; a share runs from 0 to 1, anything else is best at 0."""

    words: str
    heading: str
    isShare: bool = False

    def goodness(self, value: float | None) -> float:
        """The number so that more of it is better; NaN where there is none."""
        if value is None or not math.isfinite(value):
            return math.nan
        return value if self.isShare else -abs(value)

    @property
    def decimals(self) -> int:
        return 2 if self.isShare else 1


MEASURES = {
    DICE: Measure("Dice", "Dice", isShare=True),
    HD95: Measure("HD95", "HD95\nmm"),
    "assd_mm": Measure("ASSD", "ASSD\nmm"),
    "volume_error_ml": Measure("volume error", "Error\nml"),
    "lesionwise_dice": Measure("lesion-wise Dice", "Lesion\nDice", isShare=True),
    "lesionwise_hd95_mm": Measure("lesion-wise HD95", "Lesion\nHD95"),
    "lesion_f1": Measure("F1 per lesion", "Lesion\nF1", isShare=True),
    "panoptic_quality": Measure("panoptic quality", "PQ", isShare=True),
}
"""What is offered of all that may have been scored; surface Dice comes with each of its tolerances."""


def measure(metric: str) -> Measure:
    """What is known of a metric; one that is not ``offered`` for ranking is called as the reports call it."""
    if metric in MEASURES:
        return MEASURES[metric]
    if metric.startswith(SURFACE_DICE):
        tolerance = f"{_tolerance(metric):g} mm"
        return Measure(f"surface Dice at {tolerance}", f"NSD\n{tolerance}", isShare=True)
    return _ofReports(metric)


def _ofReports(metric: str) -> Measure:
    from BraTSRefineLib.analysis.metrics import is_share, metric_name

    words = metric_name(metric)
    return Measure(words, f"{words}\n{unitOf(metric)}".strip(), isShare=is_share(metric))


def unitOf(metric: str) -> str:
    """``mm``, ``ml`` or nothing; known before the packages of the backend are installed."""
    unit = metric.rpartition("_")[2]
    return unit if unit in ("mm", "ml") else ""


def orderOf(metrics: Iterable[str]) -> list[str]:
    """The metrics by which cases can be ranked, in the order in which they are offered."""
    surface = sorted((name for name in metrics if name.startswith(SURFACE_DICE)), key=_tolerance)
    return [*list(MEASURES)[:2], *surface, *list(MEASURES)[2:]]


def offered(scores: pd.DataFrame | None) -> list[str]:
    """The metrics of the scores by which cases can be ranked, Dice first; Dice alone where nothing was scored."""
    scored = [] if scores is None else list(scores["metric"].unique())
    return [name for name in orderOf(scored) if name in scored] or [DICE]


def _tolerance(metric: str) -> float:
    return float(metric.removeprefix(SURFACE_DICE).removesuffix("mm"))
