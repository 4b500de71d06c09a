"""Is it the model or the data? Suspicions that explain bad numbers without a bad model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pandas as pd

from ..cohort import Case, Cohort
from ..regions import REGION_NAMES, SCORED_REGIONS
from ..scoring.workers import default_workers, outcomes
from .case_findings import GOOD_ENOUGH, CaseFindings, read_case_findings
from .finding import KINDS, NEVER_PREDICTED, NOT_CHECKED, OF_PREDICTIONS, Finding
from .labelling import only_one_region
from .persons import duplicate_ids, find_likenesses, identical_references, same_person_by_name

FINDING_COLUMNS = Finding._fields

CASES_WORTH_A_PROCESS = 60
"""A worker process takes a second or two to start, as long as this many cases take to be checked."""

AGREEING_SHARE = 0.5
"""Labels that look swapped by one region alone are told where this share of the model's cases show it."""


def findings(
    cohort: Cohort,
    scores: pd.DataFrame,
    *,
    progress: Callable[[int, int, str], None] | None = None,
    workers: int | None = None,
) -> pd.DataFrame:
    """What looks wrong with the data: columns case, model, kind, message, evidence; kinds in the order of ``KINDS``.

    Reads each reference, and the predictions with a mean Dice below ``GOOD_ENOUGH`` or none. A case that cannot be
    checked is a finding itself and stops nothing. ``workers`` are processes (default: by the number of cases);
    ``progress(done, total, case)`` is called in this process after each case.
    """
    suspects = _suspects(scores)
    items = [(case, suspects.get(case.case, frozenset())) for case in cohort.cases]
    processes = workers or max(1, min(default_workers(), len(items) // CASES_WORTH_A_PROCESS))
    collected: list[CaseFindings] = [CaseFindings(case.case) for case in cohort.cases]
    for done, (index, outcome) in enumerate(outcomes(_read, items, processes), 1):
        case = cohort.cases[index].case
        collected[index] = _failed(case, outcome) if isinstance(outcome, Exception) else outcome
        if progress is not None:
            progress(done, len(items), case)
    return findings_of_cohort(cohort, scores, collected)


def findings_of_cohort(cohort: Cohort, scores: pd.DataFrame, collected: Iterable[CaseFindings]) -> pd.DataFrame:
    """The table of ``findings`` from what was found case by case, and from what only the cohort shows.

    Reads no file: persons by their names, references by their signatures, and regions that a model never outputs by
    the scores.
    """
    collected = list(collected)
    likenesses = find_likenesses({one.case: one.signature for one in collected if one.signature is not None})
    by_case = _confirmed([finding for one in collected for finding in one.findings], scores)
    found = [
        *_blaming_references(list(by_case), cohort, scores),
        *_never_predicted(scores),
        *identical_references(cohort, likenesses),
        *duplicate_ids(cohort, likenesses),
        *same_person_by_name(cohort),
    ]
    found.sort(key=lambda finding: KINDS.index(finding.kind))
    return pd.DataFrame(found, columns=list(FINDING_COLUMNS))


def _read(item: tuple[Case, frozenset[str]]) -> CaseFindings:
    return read_case_findings(*item)


def _failed(case: str, error: Exception) -> CaseFindings:
    message = f"not checked ({type(error).__name__}: {error})"
    return CaseFindings(case, (Finding(case, "", NOT_CHECKED, message),))


def _suspects(scores: pd.DataFrame) -> dict[str, frozenset[str]]:
    """The models of each case whose predictions are worth a second look: poor ones, and those without a score."""
    dice = scores[(scores["metric"] == "dice") & (scores["model"] != "")]
    mean = dice.groupby(["case", "model"], sort=False)["value"].mean()
    unscored = scores[(scores["metric"] == "") & (scores["model"] != "")]
    suspects: dict[str, set[str]] = {}
    for case, model in [*mean[mean < GOOD_ENOUGH].index, *zip(unscored["case"], unscored["model"], strict=True)]:
        suspects.setdefault(case, set()).add(model)
    return {case: frozenset(models) for case, models in suspects.items()}


def _confirmed(found: list[Finding], scores: pd.DataFrame) -> Iterator[Finding]:
    """A model writes its labels alike in every case: what rests on one region has to show in many of its cases."""
    cases = scores[scores["metric"] == "dice"].groupby("model")["case"].nunique()
    shown: dict[str, int] = {}
    for finding in filter(only_one_region, found):
        shown[finding.model] = shown.get(finding.model, 0) + 1
    for finding in found:
        if not only_one_region(finding) or shown[finding.model] >= AGREEING_SHARE * cases.get(finding.model, 0):
            yield finding


def _blaming_references(found: list[Finding], cohort: Cohort, scores: pd.DataFrame) -> Iterator[Finding]:
    """Where all models of a case look wrong in one way, their common reference is the likelier one."""
    dice = scores[scores["metric"] == "dice"]
    models = {case: set(group) for case, group in dice.groupby("case")["model"]}
    with_reference = {case.case for case in cohort.cases if case.reference is not None}
    looking: dict[tuple[str, str], set[str]] = {}
    for finding in found:
        looking.setdefault((finding.case, finding.kind), set()).add(finding.model)
    for finding in found:
        alike = looking[finding.case, finding.kind]
        everybody = finding.kind in OF_PREDICTIONS and finding.case in with_reference and len(alike) > 1
        if everybody and alike >= models.get(finding.case, set()):
            told = f"; so do all {len(alike)} models of this case, so look at its reference first"
            finding = finding._replace(message=finding.message + told)
        yield finding


def _never_predicted(scores: pd.DataFrame) -> Iterator[Finding]:
    """Regions of which a model has no voxel in any case although the reference or other models have."""
    predicted = _volumes(scores, "volume_prediction_ml")
    truth = _volumes(scores, "volume_reference_ml")
    for model in predicted.index.get_level_values("model").unique():
        own = predicted.xs(model, level="model")
        for region in [region for region in SCORED_REGIONS if region in own and (own[region].dropna() == 0).all()]:
            others = predicted.drop(index=model, level="model")[region]
            seen = {*others[others > 0].index.get_level_values("case")}
            seen |= {*truth[truth[region] > 0].index.get_level_values("case")}
            there = sorted(seen & {*own[region].dropna().index})
            if len(there) > 1:
                yield Finding("", model, NEVER_PREDICTED, *_never(region, own[region].count(), len(there)))


def _never(region: str, cases: int, there: int) -> tuple[str, str]:
    message = (
        f"it outputs no {REGION_NAMES[region]} ({region}) in any of its {cases} cases, though the reference or other "
        f"models have it in {there}: is a label missing in its output or in its convention?"
    )
    return message, f"region={region}; cases={cases}; expected_in={there}"


def _volumes(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Volumes in ml, (case, model) x region."""
    rows = scores[(scores["metric"] == metric) & (scores["model"] != "")]
    return rows.pivot_table(index=["case", "model"], columns="region", values="value", sort=False)
