"""Fuse the members, region by region: by the mean of their probabilities, fitted weights, or votes on label maps."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ...cohort import Case, Cohort, case_geometry, read_probabilities
from ...cohort.volumes import Geometry
from ...fusion import majority, mean_probability, simple_regions, staple_regions
from ...regions import REGIONS
from ...scoring import SCORE_COLUMNS
from ..context import Context
from ..description import JobError
from .comparing import (
    KEYS,
    before_after,
    each_member_s_scores,
    mean_of_members,
    score_rows,
    standard_for,
    unscored_row,
)
from .members import (
    CASE_ERRORS,
    CaseError,
    chosen_models,
    known_regions,
    label_stacks,
    painting_convention,
    region_stack,
    usable_members,
)
from .outliers import suppressed_outliers
from .results import CaseResult, Results, joined, write_table
from .weighting import GivenWeights, given_weights, weighted_fusion

VOTES = {"majority": majority, "staple": staple_regions, "simple": simple_regions}
WEIGHTED = ("weighted", "select")
MAJORITY_INSTEAD = 'fuse with the method "majority" instead, which needs label maps only'


@dataclass
class Fusing:
    """What is asked for, and the members' own scores of the cases done so far."""

    context: Context
    models: list[str]
    given: GivenWeights | None
    member_scores: list[pd.DataFrame] = field(default_factory=list)

    @property
    def method(self) -> str:
        return self.context.job.parameters["method"]


def run(context: Context) -> dict[str, object]:
    """Label maps, scores and before/after of every case; ``before`` is the mean of the members.

    A case without reference has nothing to be scored against, since every model is a member: instead, ``agreement``
    says how well the members agree with each other (before) and with the fusion (after), by mean Dice.
    ``member_scores.csv`` has the members' own scores, ``outliers`` of the summary how many of their failures remain.
    """
    cohort = context.cohort()
    fusing = _asked_for(context, cohort)
    results, done = Results(context), []
    for case in context.cases(cohort, fusing.models):
        try:
            result = _fused(fusing, case)
        except CASE_ERRORS as error:
            context.problem(case.case, str(error))
            continue
        results.add(result)
        done.append(case.case)
    summary = results.write() | {"members": fusing.models, "method": fusing.method}
    return summary | _of_weights(fusing.given, done) | _of_outliers(fusing, results)


def _asked_for(context: Context, cohort: Cohort) -> Fusing:
    method = context.job.parameters["method"]
    if method in WEIGHTED:
        given = given_weights(context, cohort)
        return Fusing(context, list(given.weights.models), given)
    if context.job.parameters["weights"]:
        raise JobError(f'fuse: the method "{method}" takes no weights; use {" or ".join(WEIGHTED)}')
    models = chosen_models(context, cohort)
    if method == "mean":
        _check_probabilities(cohort, models)
    return Fusing(context, models, None)


def _of_weights(given: GivenWeights | None, cases: list[str]) -> dict[str, object]:
    remark = given.remark(cases) if given else ""
    return ({"weights": given.source} if given else {}) | ({"optimistic": remark} if remark else {})


def _of_outliers(fusing: Fusing, results: Results) -> dict[str, object]:
    """Writes ``member_scores.csv``; nothing where no case has a reference."""
    if not fusing.member_scores:
        return {}
    scores = joined(fusing.member_scores, list(SCORE_COLUMNS))
    write_table(scores, fusing.context.outputs / "member_scores.csv")
    return suppressed_outliers(scores, joined(results.scores, list(SCORE_COLUMNS)))


def _check_probabilities(cohort: Cohort, models: list[str]) -> None:
    without = [model for model in models if not any(model in case.probabilities for case in cohort.cases)]
    if without:
        raise JobError(f"fuse: {', '.join(without)} left no probability maps, so there is no mean; {MAJORITY_INSTEAD}")


def _fused(fusing: Fusing, case: Case) -> CaseResult:
    members = usable_members(fusing.context, case, fusing.models)
    if len(members) < 2:
        raise CaseError(f"not fused: it takes two models, {len(members)} can be used here")
    labels, geometry = painting_convention(case), case_geometry(case)
    label_map = labels.paint(_regions(fusing, case, members))
    if label_map.shape != geometry.array_shape:
        raise CaseError(f"not fused: the members have {label_map.shape} voxels, the case {geometry.array_shape}")
    scores, changes = _worth(fusing, case, members, label_map, geometry)
    made_from = [model for model in members if fusing.given is None or model in fusing.given.weights.used]
    return CaseResult(case.case, label_map, geometry, made_from, scores, changes)


def _regions(fusing: Fusing, case: Case, members: list[str]) -> np.ndarray:
    if fusing.given:
        return weighted_fusion(fusing.context, case, fusing.given.weights, members)
    if fusing.method in VOTES:
        return VOTES[fusing.method](label_stacks(case, members))
    without = [model for model in members if model not in case.probabilities]
    if without:
        raise CaseError(f"not fused: no probability map of {', '.join(without)}; {MAJORITY_INSTEAD}")
    return mean_probability(read_probabilities(case.probabilities[model], case) for model in members) > 0.5


def _worth(
    fusing: Fusing, case: Case, members: list[str], label_map: np.ndarray, geometry: Geometry
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows for ``scores.csv`` and for ``before_after.csv``."""
    name, policy = fusing.context.job.name, fusing.context.convention()
    standard = standard_for(case, [], geometry, policy)
    if standard is None:
        return unscored_row(case.case, name, policy), _agreement(case, members, label_map, geometry)
    of_members, after = each_member_s_scores(case, members, standard), standard.scores(label_map, case.labels)
    fusing.member_scores.append(of_members)
    return score_rows(case.case, name, after), before_after(case.case, mean_of_members(of_members), after)


def _agreement(case: Case, members: list[str], label_map: np.ndarray, geometry: Geometry) -> pd.DataFrame:
    """Mean Dice of the members with each other and with the fusion; mean volume of the members and of the fusion."""
    fused = region_stack(label_map, case.labels)
    sizes, pairs, with_fused = _overlaps(list(label_stacks(case, members)), fused)
    rows = []
    for region in known_regions(case, members):
        level = REGIONS.index(region)
        volumes = (np.mean(sizes[:, level]) * geometry.voxel_ml, fused[level].sum() * geometry.voxel_ml)
        rows.append((region, "agreement", pairs[:, level].mean(), with_fused[:, level].mean()))
        rows.append((region, "volume_prediction_ml", *volumes))
    table = pd.DataFrame(rows, columns=[*KEYS, "before", "after"])
    before, after = (table.rename(columns={name: "value"}) for name in ("before", "after"))
    return before_after(case.case, before, after)


def _overlaps(members: list[np.ndarray], fused: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sizes ``(member, region)``, Dice of every pair ``(pair, region)``, Dice with the fusion ``(member, region)``."""
    sizes = np.array([_sizes(member) for member in members])
    pairs = [_dice(first, second) for first, second in itertools.combinations(members, 2)]
    return sizes, np.array(pairs), np.array([_dice(member, fused) for member in members])


def _sizes(stack: np.ndarray) -> np.ndarray:
    return stack.reshape(len(stack), -1).sum(axis=1)


def _dice(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Dice of each region of two stacks; 1 where both are empty."""
    total = _sizes(first) + _sizes(second)
    return np.where(total > 0, 2 * _sizes(first & second) / np.maximum(total, 1), 1.0)
