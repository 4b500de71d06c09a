"""Is it the model or the data? Suspicions that explain bad numbers without a bad model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import pandas as pd

from ..cohort import Case, Cohort, case_geometry
from ..regions import REGION_NAMES, REGIONS
from .alignment import shifted_prediction
from .finding import EMPTY_REGION, KINDS, NEVER_PREDICTED, NOT_CHECKED, SINGLE_VOXEL, Finding
from .labelling import permuted_labels
from .pairs import CaseReader, Pair
from .persons import identical_references, reference_volumes, same_person_by_name

FINDING_COLUMNS = Finding._fields
GOOD_ENOUGH = 0.95
"""A prediction whose mean Dice over the regions reaches this is not suspected of anything."""

SPECK_ML = 0.05
"""Only regions below this volume are looked at for being a single voxel."""


def findings(
    cohort: Cohort, scores: pd.DataFrame, *, progress: Callable[[int, int, str], None] | None = None
) -> pd.DataFrame:
    """What looks wrong with the data: columns case, model, kind, message; kinds in the order of ``KINDS``.

    Label orders that fit far better, predictions beside their place, regions that a model never outputs, one person
    in several cases, and, as remarks, regions of a single voxel or none. Only predictions with a mean Dice below
    ``GOOD_ENOUGH`` are read again. A case that cannot be checked is a finding itself and stops nothing.
    ``progress(done, total, case)`` is called after each case.
    """
    found = [*_never_predicted(scores), *same_person_by_name(cohort), *identical_references(cohort, scores)]
    suspects, volumes = _suspects(scores), reference_volumes(cohort, scores)
    for done, case in enumerate(cohort.cases, 1):
        found += _of_case(case, suspects.get(case.case, []), volumes.get(case.case, {}))
        if progress is not None:
            progress(done, len(cohort.cases), case.case)
    found.sort(key=lambda finding: KINDS.index(finding.kind))
    return pd.DataFrame(found, columns=list(FINDING_COLUMNS))


def _suspects(scores: pd.DataFrame) -> dict[str, list[str]]:
    """The models of each case whose predictions are worth a second look."""
    dice = scores[(scores["metric"] == "dice") & (scores["model"] != "")]
    mean = dice.groupby(["case", "model"], sort=False)["value"].mean()
    suspects: dict[str, list[str]] = {}
    for case, model in mean[mean < GOOD_ENOUGH].index:
        suspects.setdefault(case, []).append(model)
    return suspects


def _of_case(case: Case, models: list[str], volumes: Mapping[str, float]) -> Iterator[Finding]:
    reader = CaseReader(case)
    for model in models:
        yield from _guarded(case, model, lambda model=model: _of_pair(reader.pair(model)))
    yield from _guarded(case, "", lambda: _of_reference(case, volumes))


def _guarded(case: Case, model: str, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """The findings of a check, or the one that it could not be done; whatever is wrong here, the others go on."""
    try:
        return list(check())
    except Exception as error:
        return [Finding(case.case, model, NOT_CHECKED, f"not checked ({type(error).__name__}: {error})")]


def _of_pair(pair: Pair) -> Iterator[Finding]:
    finding = permuted_labels(pair) or shifted_prediction(pair)
    if finding:
        yield finding


def _never_predicted(scores: pd.DataFrame) -> Iterator[Finding]:
    """Regions of which a model has no voxel in any case although the reference or other models have."""
    predicted = _volumes(scores, "volume_prediction_ml")
    truth = _volumes(scores, "volume_reference_ml")
    for model in predicted.index.get_level_values("model").unique():
        own = predicted.xs(model, level="model")
        for region in [region for region in REGIONS if region in own and (own[region] == 0).all()]:
            others = predicted.drop(index=model, level="model")[region]
            seen = {*others[others > 0].index.get_level_values("case")}
            seen |= {*truth[truth[region] > 0].index.get_level_values("case")}
            there = sorted(seen & {*own.index})
            if len(there) > 1:
                yield Finding("", model, NEVER_PREDICTED, _never(region, len(own), len(there)))


def _never(region: str, cases: int, there: int) -> str:
    return (
        f"it outputs no {REGION_NAMES[region]} ({region}) in any of its {cases} cases, though the reference or other "
        f"models have it in {there}: is a label missing in its output or in its convention?"
    )


def _volumes(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Volumes in ml, (case, model) x region."""
    rows = scores[(scores["metric"] == metric) & (scores["model"] != "")]
    return rows.pivot_table(index=["case", "model"], columns="region", values="value", sort=False)


def _of_reference(case: Case, volumes: Mapping[str, float]) -> Iterator[Finding]:
    """Remarks on regions that the reference (its volumes in ml by region) lacks or has one voxel of."""
    absent = [region for region, ml in volumes.items() if ml == 0]
    if absent:
        names = " and no ".join(f"{REGION_NAMES[region]} ({region})" for region in absent)
        yield Finding(case.case, "", EMPTY_REGION, f"the reference has no {names}")
    for region in [region for region, ml in volumes.items() if 0 < ml < SPECK_ML]:
        if round(volumes[region] / _voxel_ml(case)) == 1:
            name = f"{REGION_NAMES[region]} ({region})"
            message = f"the reference has a single voxel of {name}: its Dice is 0 or nearly so by chance"
            yield Finding(case.case, "", SINGLE_VOXEL, message)


def _voxel_ml(case: Case) -> float:
    x, y, z = case_geometry(case).spacing
    return x * y * z / 1000
