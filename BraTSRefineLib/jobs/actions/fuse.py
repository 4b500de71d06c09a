"""Fuse the members, region by region: by the mean of their probabilities, fitted weights, or votes on label maps."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from ...cohort import Case, Cohort, case_geometry, read_probabilities
from ...cohort.volumes import Geometry
from ...fusion import majority, mean_probability, simple_regions, staple_regions
from ...regions import REGIONS
from ..context import Context
from ..description import JobError
from .comparing import KEYS, Standard, before_after, member_scores, score_rows, standard_for, unscored_row
from .members import (
    CASE_ERRORS,
    CaseError,
    chosen_models,
    known_regions,
    label_stacks,
    painting_convention,
    usable_members,
)
from .results import CaseResult, Results
from .weighting import GivenWeights, given_weights, weighted_fusion

VOTES = {"majority": majority, "staple": staple_regions, "simple": simple_regions}
WEIGHTED = ("weighted", "select")
MAJORITY_INSTEAD = 'fuse with the method "majority" instead, which needs label maps only'


def run(context: Context) -> dict[str, object]:
    """Label maps, scores and before/after of every case; ``before`` is the mean of the members.

    A case without reference has nothing to be scored against, since every model is a member: instead, ``agreement``
    says how well the members agree with each other (before) and with the fusion (after), by mean Dice.
    """
    cohort, method = context.cohort(), context.job.parameters["method"]
    if context.job.parameters["weights"] and method not in WEIGHTED:
        raise JobError(f'fuse: the method "{method}" takes no weights; use {" or ".join(WEIGHTED)}')
    given = given_weights(context, cohort) if method in WEIGHTED else None
    models = list(given.weights.models) if given else chosen_models(context, cohort)
    if method == "mean":
        _check_probabilities(cohort, models)
    results, done = Results(context), []
    for case in context.cases(cohort, models):
        try:
            result = _fused(context, case, models, given)
        except CASE_ERRORS as error:
            context.problem(case.case, str(error))
            continue
        results.add(result)
        done.append(case.case)
    return results.write() | {"members": models, "method": method} | (_of_weights(given, done) if given else {})


def _of_weights(given: GivenWeights, cases: list[str]) -> dict[str, object]:
    remark = given.remark(cases)
    return {"weights": given.source} | ({"optimistic": remark} if remark else {})


def _check_probabilities(cohort: Cohort, models: list[str]) -> None:
    without = [model for model in models if not any(model in case.probabilities for case in cohort.cases)]
    if without:
        raise JobError(f"fuse: {', '.join(without)} left no probability maps, so there is no mean; {MAJORITY_INSTEAD}")


def _fused(context: Context, case: Case, models: list[str], given: GivenWeights | None) -> CaseResult:
    members = usable_members(context, case, models)
    if len(members) < 2:
        raise CaseError(f"not fused: it takes two models, {len(members)} can be used here")
    labels, geometry = painting_convention(case), case_geometry(case)
    label_map = labels.paint(_regions(context, case, members, given))
    if label_map.shape != geometry.size[::-1]:
        raise CaseError(f"not fused: the members have {label_map.shape} voxels, the case {geometry.size[::-1]}")
    standard = standard_for(case, [], geometry, context.convention())
    scores, changes = _worth(context, case, members, label_map, standard, geometry)
    made_from = [model for model in members if given is None or model in given.weights.used]
    return CaseResult(case.case, label_map, geometry, made_from, scores, changes)


def _regions(context: Context, case: Case, members: list[str], given: GivenWeights | None) -> np.ndarray:
    if given:
        return weighted_fusion(context, case, given.weights, members)
    vote = VOTES.get(context.job.parameters["method"])
    if vote:
        return vote(label_stacks(case, members))
    without = [model for model in members if model not in case.probabilities]
    if without:
        raise CaseError(f"not fused: no probability map of {', '.join(without)}; {MAJORITY_INSTEAD}")
    return mean_probability(read_probabilities(case.probabilities[model], case) for model in members) > 0.5


def _worth(
    context: Context,
    case: Case,
    members: list[str],
    label_map: np.ndarray,
    standard: Standard | None,
    geometry: Geometry,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows for ``scores.csv`` and for ``before_after.csv``."""
    name, policy = context.job.name, context.convention()
    if standard is None:
        changes = _agreement(case, members, label_map, geometry)
        return unscored_row(case.case, name, policy), changes
    after = standard.scores(label_map, case.labels)
    changes = before_after(case.case, member_scores(case, members, standard), after)
    return score_rows(case.case, name, after), changes


def _agreement(case: Case, members: list[str], label_map: np.ndarray, geometry: Geometry) -> pd.DataFrame:
    """Mean Dice of the members with each other and with the fusion; mean volume of the members and of the fusion."""
    fused = np.stack([case.labels.mask(label_map, r) if r in case.labels.regions else label_map < 0 for r in REGIONS])
    sizes, pairs, with_fused = _overlaps(list(label_stacks(case, members)), fused)
    voxel_ml = float(np.prod(geometry.spacing)) / 1000
    rows = []
    for region in known_regions(case, members):
        level = REGIONS.index(region)
        volumes = (np.mean(sizes[:, level]) * voxel_ml, fused[level].sum() * voxel_ml)
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
