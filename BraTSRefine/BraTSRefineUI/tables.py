"""Scores and flags as rows that a panel only has to print."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .casedata import CaseData
from .measures import DICE
from .overview import withoutPaths

if TYPE_CHECKING:
    import pandas as pd

    from BraTSRefineLib.cohort.case import Cohort
    from BraTSRefineLib.cohort.workspace import Workspace

NOT_COMPUTED = "-"
GOOD_DICE = 0.8
NEAR_MM = 5.0
FAR_MM = 15.0
CLEARLY = 0.1
BOX = ("x_low_mm", "y_low_mm", "z_low_mm", "x_high_mm", "y_high_mm", "z_high_mm")
STATUS_WORDS = {
    "prediction empty": "missed completely",
    "reference empty": "false alarm: nothing is there",
    "both empty": "rightly empty",
}


@dataclass(frozen=True)
class CaseRow:
    """A case in the ranking of one model and region; ``values`` by metric, ``error`` says why there are none.

    ``convention``: by which its Dice was taken.
    """

    case: str
    center: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    status: str = ""
    versus: str = ""
    error: str = ""
    convention: str = ""

    @property
    def milliliters(self) -> float:
        """Volume of the region in the reference."""
        return self.values.get("volume_reference_ml", math.nan)

    @property
    def isBroken(self) -> bool:
        """Whether something is wrong with its files, as against a prediction that was never made."""
        return bool(self.error) and not self.isUnpredicted and not self.error.startswith("not scored")

    @property
    def isUnpredicted(self) -> bool:
        """Whether the model never predicted this case."""
        return self.error.startswith("no prediction")

    @property
    def distance(self) -> str:
        """HD95 in mm; where a region is empty the number is a convention's and not a distance, which is said."""
        text = f"{number(self.values.get('hd95_mm', math.nan), 1)} mm"
        return text if self.status in ("", "ok") else f"{text} (by rule)"

    @property
    def words(self) -> str:
        """What is wrong, in two to four words."""
        if self.error:
            return withoutPaths(self.error)
        if "dice" not in self.values:
            return "no prediction"
        return STATUS_WORDS.get(self.status) or _pattern(self.values)

    def tipOf(self, text: str, how: str = "") -> str:
        """What a number stands for and ``how`` it was made, or why there is none."""
        if text == NOT_COMPUTED:
            return self.words or "not computed"
        against = self.versus or "the reference"
        tip = f"{text} against {against}" + (f" ({self.status})" if self.status not in ("", "ok") else "")
        return f"{tip}, {how}" if how else tip


def _pattern(values: Mapping[str, float]) -> str:
    dice, far = values.get("dice", math.nan), values.get("hd95_mm", math.nan)
    lean = values.get("sensitivity", math.nan) - values.get("precision", math.nan)
    parts = []
    if lean > CLEARLY:
        parts.append("too much")
    elif lean < -CLEARLY:
        parts.append("too little")
    if far > FAR_MM:
        parts.append("far off")
    if parts:
        return ", ".join(parts)
    if dice >= GOOD_DICE and far <= NEAR_MM:
        return "boundary only"
    return "" if math.isnan(dice) else "wrong both ways"


@dataclass(frozen=True)
class FlagRow:
    """A place to look at; ``center`` is LPS in mm, ``box`` the lowest and the highest x, y, z or () where not known.

    ``model``: whose own maps it was found in, empty where it compares the cohort's models.
    """

    rank: int
    why: str
    quantity: str
    milliliters: float
    mean: float
    maximum: float
    center: tuple[float, float, float]
    region: str = ""
    kind: str = ""
    score: float = math.nan
    box: tuple[float, ...] = ()
    model: str = ""

    @property
    def id(self) -> str:
        """Its name in the records of a review."""
        from BraTSRefineLib.review.flag_names import flag_id

        return flag_id(self.region, self.center)

    @property
    def radius(self) -> float:
        """In mm, of a ball of its volume."""
        return (self.milliliters * 1000 * 3 / (4 * math.pi)) ** (1 / 3)


def number(value: float, decimals: int = 2) -> str:
    """The number with that many decimals; ``-`` where there is none."""
    return NOT_COMPUTED if value is None or not math.isfinite(value) else f"{value:.{decimals}f}"


def milliliters(value: float) -> str:
    """A volume with two significant decimals: 212, 33, 1.8, 0.04."""
    if value is None or not math.isfinite(value):
        return NOT_COMPUTED
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.1f}" if abs(value) >= 1 else f"{value:.2f}"


def signedMilliliters(value: float | None) -> str:
    """A difference in volume with its sign."""
    text = milliliters(value)
    return text if text.startswith("-") else f"+{text}"


def readFlags(workspace: Workspace) -> pd.DataFrame | None:
    """The workspace's flags; None where no uncertainty was computed yet."""
    from BraTSRefineLib.review import read_flags

    return read_flags(workspace.flags_csv) if workspace.flags_csv.is_file() else None


def flagRows(flags: pd.DataFrame | None, case: str, region: str, model: str) -> list[FlagRow]:
    """The flags of a case in one region, by rank: those of the model's own maps, then those across the models."""
    if flags is None:
        return []
    found = flags[(flags["case"] == case) & (flags["region"] == region)].sort_values("rank", kind="stable")
    rows = [_flagRow(flag) for flag in found.itertuples(index=False)]
    return [row for source in dict.fromkeys((model, "")) for row in rows if row.model == source]


def caseFlags(flags: pd.DataFrame | None, case: str, model: str) -> list[FlagRow]:
    """The flags of a case in all regions, across the models and of the model's own maps, the weightiest first."""
    if flags is None:
        return []
    rows = [_flagRow(flag) for flag in flags[flags["case"] == case].itertuples(index=False)]
    known = {row.id: row for row in rows if row.model in ("", model)}
    return sorted(known.values(), key=lambda row: (-row.score if math.isfinite(row.score) else 0.0, row.rank))


def flagsOfModel(flags: pd.DataFrame | None, model: str) -> pd.DataFrame | None:
    """The flags across the models and of the model's own maps."""
    return flags if flags is None or "model" not in flags else flags[flags["model"].isin(["", model])]


def _flagRow(flag) -> FlagRow:
    box = tuple(getattr(flag, name, math.nan) for name in BOX)
    return FlagRow(
        *(int(flag.rank), flag.why, flag.quantity, flag.volume_ml, flag.mean, flag.maximum),
        *((flag.x_mm, flag.y_mm, flag.z_mm), flag.region, flag.type, flag.score),
        *(box if all(map(math.isfinite, box)) else (), getattr(flag, "model", "") or ""),
    )


def caseRows(cohort: Cohort, scores: pd.DataFrame | None, model: str, region: str, metric: str = DICE) -> list[CaseRow]:
    """One row a case: the worst of the model and region by the metric first, then what could not be scored."""
    reasons = {case.case: _reason(case, model, scores is None) for case in cohort.cases}
    rows = {case.case: CaseRow(case.case, case.center, error=reasons[case.case]) for case in cohort.cases}
    if scores is None or scores.empty:
        return list(rows.values())
    ofModel = scores[scores["model"] == model]
    ofRegion = ofModel[ofModel["region"] == region]
    rows |= _scoredRows(cohort, ofRegion)
    rows |= _failedRows(cohort, ofModel)
    ranked = [case for case in _ranked(ofRegion, region, metric, len(rows)) if case in rows]
    return [rows.pop(case) for case in dict.fromkeys(ranked)] + list(rows.values())


def _reason(case, model: str, unscored: bool) -> str:
    if case.error_of(model):
        return case.error_of(model)
    if model not in case.predictions:
        return f"no prediction of {model}" if model else "no prediction"
    return "not scored yet" if unscored else "not scored"


def _ranked(scores: pd.DataFrame, region: str, metric: str, count: int) -> list[str]:
    from BraTSRefineLib.analysis import worst_cases

    if not (scores["metric"] == metric).any():
        return []
    worst = worst_cases(scores, metric=metric, region=region, worst=count)
    return [str(case) for case in worst["case"]]


def _scoredRows(cohort: Cohort, scores: pd.DataFrame) -> dict[str, CaseRow]:
    """By case, from the scores of one model and region."""
    centers = {case.case: case.center for case in cohort.cases}
    rows = {}
    values: dict[str, dict[str, float]] = {}
    statuses, conventions = {}, {}
    named = ("case", "metric", "value", "status", "convention")
    for case, metric, value, status, convention in zip(*(scores[name].tolist() for name in named), strict=True):
        values.setdefault(case, {})[metric] = value
        conventions.setdefault(case, convention)
        if metric == DICE:
            statuses[case], conventions[case] = status, convention
    for case in values:
        if case in centers:
            convention, _vs, against = str(conventions[case]).partition(" vs ")
            status = statuses.get(case, "")
            rows[case] = CaseRow(case, centers[case], values[case], status, against, convention=convention)
    return rows


def _failedRows(cohort: Cohort, scores: pd.DataFrame) -> dict[str, CaseRow]:
    failed = scores[scores["metric"] == ""]
    centers = {case.case: case.center for case in cohort.cases}
    pairs = zip(failed["case"], failed["status"], strict=True)
    return {case: CaseRow(case, centers[case], error=status) for case, status in pairs if case in centers}


def verdict(data: CaseData, region: str) -> tuple[str, str]:
    """What is wrong with the shown prediction in this region, and what it calls for; empty where nothing is known."""
    from BraTSRefineLib.analysis import describe_error, verdict

    reference, prediction = data.reference, data.prediction
    if reference is None or prediction is None or not reference.on(prediction):
        return "", ""
    if region not in reference.regions or region not in prediction.regions:
        return "", ""
    masks = reference.regions[region], prediction.regions[region]
    against = "consensus" if data.consensus else "reference"
    return tuple(verdict(describe_error(*masks, reference.geometry, region), against=against))


def thirds(values: Sequence[float]) -> tuple[float, float]:
    """Below which the worst third and the worst two thirds lie (more is better); no tint under four values."""
    if len(values) < 4:
        return -math.inf, -math.inf
    ordered = sorted(values)
    return ordered[len(ordered) // 3 - 1], ordered[2 * len(ordered) // 3 - 1]
