"""Scores and flags as rows that a panel only has to print."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from .casedata import CHANNEL_NAMES, CaseData

if TYPE_CHECKING:
    import pandas as pd

    from BraTSRefineLib.cohort.case import Cohort
    from BraTSRefineLib.cohort.workspace import Workspace

NOT_COMPUTED = "-"
GOOD_DICE = 0.9
FAR_MM = 15.0
CLEARLY = 0.1
STATUS_WORDS = {
    "prediction empty": "missed completely",
    "reference empty": "false alarm: nothing is there",
    "both empty": "rightly empty",
}


@dataclass(frozen=True)
class CaseRow:
    """A case in the ranking of one model and region; ``values`` by metric, ``error`` says why there are none."""

    case: str
    center: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    status: str = ""
    versus: str = ""
    error: str = ""

    @property
    def milliliters(self) -> float:
        """Volume of the region in the reference."""
        return self.values.get("volume_reference_ml", math.nan)

    @property
    def isBroken(self) -> bool:
        """Whether something is wrong with its files, as against a prediction that was never made."""
        return bool(self.error) and not self.error.startswith(("no prediction", "not scored"))

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

    def tipOf(self, text: str) -> str:
        """What a number stands for, or why there is none."""
        if text == NOT_COMPUTED:
            return self.words or "not computed"
        against = self.versus or "the reference"
        return f"{text} against {against}" + (f" ({self.status})" if self.status not in ("", "ok") else "")


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
    if dice >= GOOD_DICE:
        return "boundary only"
    return "" if math.isnan(dice) else "wrong both ways"


@dataclass(frozen=True)
class FlagRow:
    """A place to look at; ``center`` is LPS in mm."""

    rank: int
    why: str
    quantity: str
    milliliters: float
    mean: float
    maximum: float
    center: tuple[float, float, float]


@dataclass(frozen=True)
class Change:
    """One case before and after a run."""

    case: str
    before: float
    after: float
    change: float

    @property
    def isKnown(self) -> bool:
        return math.isfinite(self.change)


@dataclass(frozen=True)
class ChosenCase:
    """A case that was chosen for annotation, and why."""

    rank: int
    case: str
    center: str
    uncertainty: float
    reason: str


@dataclass(frozen=True)
class ProblemRow:
    """One thing that is wrong, once, however many cases it concerns; ``everywhere`` names them all."""

    isError: bool
    where: str
    message: str
    everywhere: str


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


def scoresWithRuns(workspace: Workspace) -> pd.DataFrame | None:
    """The workspace's scores and those of its finished runs; None where nothing was scored yet."""
    import pandas as pd

    from BraTSRefineLib.scoring import read_scores

    tables = [read_scores(workspace)] if workspace.scores_parquet.is_file() else []
    for path in sorted(workspace.runs.glob("*/outputs/scores.csv")):
        tables.append(_readScores(path))
    return pd.concat(tables, ignore_index=True) if tables else None


def _readScores(path: Path) -> pd.DataFrame:
    import pandas as pd

    names = {"case": str, "model": str}
    return pd.read_csv(path, dtype=names, keep_default_na=False, na_values={"value": [""]})


def readFlags(workspace: Workspace) -> pd.DataFrame | None:
    """The workspace's flags; None where no uncertainty was computed yet."""
    from BraTSRefineLib.review import read_flags

    return read_flags(workspace.flags_csv) if workspace.flags_csv.is_file() else None


def flagRows(flags: pd.DataFrame | None, case: str, region: str) -> list[FlagRow]:
    if flags is None:
        return []
    found = flags[(flags["case"] == case) & (flags["region"] == region)].sort_values("rank", kind="stable")
    return [
        FlagRow(int(f.rank), f.why, f.quantity, f.volume_ml, f.mean, f.maximum, (f.x_mm, f.y_mm, f.z_mm))
        for f in found.itertuples(index=False)
    ]


def caseRows(cohort: Cohort, scores: pd.DataFrame | None, model: str, region: str) -> list[CaseRow]:
    """One row a case: the worst Dice of the model and region first, then what could not be scored."""
    reasons = {case.case: _reason(case, model, scores is None) for case in cohort.cases}
    rows = {case.case: CaseRow(case.case, case.center, error=reasons[case.case]) for case in cohort.cases}
    if scores is None or scores.empty:
        return list(rows.values())
    rows |= _scoredRows(cohort, scores, model, region)
    rows |= _failedRows(cohort, scores, model)
    ranked = [case for case in _ranked(scores, model, region, len(rows)) if case in rows]
    return [rows.pop(case) for case in dict.fromkeys(ranked)] + list(rows.values())


def _reason(case, model: str, unscored: bool) -> str:
    if case.error_of(model):
        return case.error_of(model)
    if model not in case.predictions:
        return f"no prediction of {model}" if model else "no prediction"
    return "not scored yet" if unscored else "not scored"


def _ranked(scores: pd.DataFrame, model: str, region: str, count: int) -> list[str]:
    from BraTSRefineLib.analysis import worst_cases

    scored = scores[(scores["model"] == model) & (scores["metric"] == "dice") & (scores["region"] == region)]
    if scored.empty:
        return []
    worst = worst_cases(scores, metric="dice", region=region, worst=count, model=model)
    return [str(case) for case in worst["case"]]


def _scoredRows(cohort: Cohort, scores: pd.DataFrame, model: str, region: str) -> dict[str, CaseRow]:
    chosen = scores[(scores["model"] == model) & (scores["region"] == region)]
    centers = {case.case: case.center for case in cohort.cases}
    rows = {}
    for case, group in chosen.groupby("case", sort=False):
        if case in centers:
            values = dict(zip(group["metric"], group["value"], strict=True))
            status = dict(zip(group["metric"], group["status"], strict=True)).get("dice", "")
            rows[case] = CaseRow(case, centers[case], values, status, _versus(str(group["convention"].iloc[0])))
    return rows


def _failedRows(cohort: Cohort, scores: pd.DataFrame, model: str) -> dict[str, CaseRow]:
    failed = scores[(scores["model"] == model) & (scores["metric"] == "")]
    centers = {case.case: case.center for case in cohort.cases}
    pairs = zip(failed["case"], failed["status"], strict=True)
    return {case: CaseRow(case, centers[case], error=status) for case, status in pairs if case in centers}


def _versus(convention: str) -> str:
    return convention.partition(" vs ")[2]


def verdict(data: CaseData, region: str) -> tuple[str, str]:
    """What is wrong with the shown prediction in this region, and what it calls for; empty where nothing is known."""
    from BraTSRefineLib.analysis import describe_error, verdict

    reference, prediction = data.reference, data.prediction
    if reference is None or prediction is None or not reference.on(prediction):
        return "", ""
    if region not in reference.regions or region not in prediction.regions:
        return "", ""
    masks = reference.regions[region], prediction.regions[region]
    return tuple(verdict(describe_error(*masks, reference.geometry, region)))


def spread(rows: list[CaseRow], metric: str) -> list[float]:
    """The metric's finite values over the cohort."""
    return [row.values[metric] for row in rows if math.isfinite(row.values.get(metric, math.nan))]


def withoutPaths(text: str) -> str:
    """A message without the files that it names, for a place where there is no room for them."""
    words = [word for word in text.split() if not re.search(r"[/\\].*\.(nii|npz|mha|nrrd)", word)]
    return " ".join(words)


def thirds(values: Sequence[float]) -> tuple[float, float]:
    """The values below which the worst third and the worst two thirds lie; nothing is tinted under four values."""
    if len(values) < 4:
        return -math.inf, -math.inf
    ordered = sorted(values)
    return ordered[len(ordered) // 3 - 1], ordered[2 * len(ordered) // 3 - 1]


def shortNames(names: Sequence[str]) -> dict[str, str]:
    """Each name without the beginning that all of them share, cut behind a separator; unchanged where little is won."""
    first, last = min(names, default=""), max(names, default="")
    shared = first[: next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)]
    cut = max((shared.rfind(separator) for separator in "_-/"), default=-1) + 1
    return {name: name[cut:] or name for name in names} if cut > 4 else {name: name for name in names}


def headline(cohort: Cohort) -> str:
    """The cohort in one line: its name, how much there is, how it is read."""
    labels = sorted({case.labels.name for case in cohort.cases if case.labels})
    parts = [
        f"{len(cohort.cases)} cases",
        f"{len(cohort.models)} models" if len(cohort.models) != 1 else "1 model",
        labels[0] if len(labels) == 1 else f"{len(labels)} label conventions" if labels else "no labels",
    ]
    return f"<b>{escape(cohort.root.name)}</b> · " + " · ".join(escape(part) for part in parts)


def summary(cohort: Cohort) -> list[tuple[str, str]]:
    """What was found: layout, cases, channels, references, models, conventions."""
    cases = cohort.cases
    withReference = sum(case.reference is not None for case in cases)
    pairs = [
        ("Layout", cohort.layout),
        ("Cases", f"{len(cases)}" + (f" from {len(cohort.centers)} centres" if cohort.centers else "")),
        ("Images", _channels(cases)),
        ("References", f"{withReference} of {len(cases)}" + ("" if withReference else ": scored against a consensus")),
        ("Models", _counted([model for case in cases for model in case.predictions], len(cases)) or "none"),
        ("Probabilities", _counted([model for case in cases for model in case.probabilities], len(cases)) or "none"),
        ("Labels", _counted([c.labels.name for c in cases if c.labels], len(cases)) or "not known: state them above"),
    ]
    return pairs


def problemRows(cohort: Cohort) -> list[ProblemRow]:
    """Everything that was found wrong, equal messages together, the errors first."""
    short = shortNames([case.case for case in cohort.cases])
    alike: dict[tuple, list] = {}
    for problem in cohort.all_problems():
        key = (problem.level != "error", withoutPaths(problem.message), problem.model)
        alike.setdefault(key, []).append(problem)
    return [_problemRow(*key, problems, short) for key, problems in sorted(alike.items(), key=lambda item: item[0][0])]


def _problemRow(isNote: bool, message: str, model: str, problems: list, short: Mapping[str, str]) -> ProblemRow:
    cases = [short.get(problem.case, problem.case) for problem in problems if problem.case]
    where = f"{len(cases)} cases" if len(cases) > 2 else ", ".join(cases)
    where = " / ".join(part for part in (where, model) if part) or "cohort"
    return ProblemRow(not isNote, where, message, "\n".join(str(problem) for problem in problems[:30]))


def _channels(cases) -> str:
    counted = _counted([CHANNEL_NAMES.get(channel, channel) for case in cases for channel in case.images], len(cases))
    return counted or "none: label maps are shown on an empty ground"


def _counted(names: Sequence[str], cases: int) -> str:
    """``unet, fold_0 (3 of 8)``: each name once, with how many cases have it unless all do."""
    counts = Counter(names)
    return ", ".join(name if n == cases else f"{name} ({n} of {cases})" for name, n in sorted(counts.items()))


def runsWith(workspace: Workspace, output: str) -> list[str]:
    """Names of the finished runs that left that output, the newest first."""
    found = sorted(workspace.runs.glob(f"*/outputs/{output}"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.parent.parent.name for path in found]


def changes(path: Path, region: str) -> list[Change]:
    """Dice (or agreement, where there is no reference) of a region before and after, the largest loss first."""
    import pandas as pd

    table = pd.read_csv(path, dtype={"case": str})
    table = table[table["region"] == region]
    metric = "dice" if (table["metric"] == "dice").any() else "agreement"
    rows = table[table["metric"] == metric].sort_values("change", kind="stable", na_position="last")
    return [Change(r.case, r.before, r.after, r.change) for r in rows.itertuples(index=False)]


def chosen(path: Path) -> list[ChosenCase]:
    """The rows of a selection."""
    import pandas as pd

    table = pd.read_csv(path, dtype={"case": str, "center": str, "reason": str}).fillna({"center": "", "reason": ""})
    return [
        ChosenCase(int(r.rank), r.case, r.center, float(r.uncertainty), r.reason) for r in table.itertuples(index=False)
    ]
