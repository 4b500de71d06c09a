"""What fitted weights gain on cases that had no part in the fit, and whether to use them at all.

Nested cross-validation (Cawley and Talbot 2010, "On over-fitting in model selection ...", JMLR 11): everything that
is chosen, also which members are kept, is chosen anew without the fold that is judged. All of a person's cases lie in
one fold, and the bootstrap draws persons: voxels or cases as units would make every gain look certain. The fits of
two folds share most of their cases, so held-out gains are not independent: the standard error is raised as Nadeau and
Bengio 2003, "Inference for the generalization error", Machine Learning 52, propose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .contested import Contested
from .fitting import fit, mean_dice, uniform
from .members import FusionError

FEWEST_PERSONS = 10
"""With fewer nothing is learnt: the interval of any gain would hold nearly everything."""
RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Judgement:
    """The weights to use for a region, and why.

    ``plain``, ``inner`` and ``outer`` are mean Dice: of the plain mean; of fitted weights on the cases that they were
    fitted on; and on those that they were not. ``gains`` ``(case,)`` are the held-out gains over the plain mean.
    ``low`` and ``high`` bound their mean ``gain`` (95 %, bootstrap over persons). NaN where nothing was learnt.
    """

    weights: np.ndarray
    accepted: bool
    why: str
    gains: np.ndarray
    fold_weights: np.ndarray
    plain: float = np.nan
    inner: float = np.nan
    outer: float = np.nan
    gain: float = np.nan
    standard_error: float = np.nan
    low: float = np.nan
    high: float = np.nan

    @property
    def optimism(self) -> float:
        """By how much the cases of the fit promise more than others keep."""
        return self.inner - self.outer


def held_out_folds(groups: Sequence[str], folds: int | None, seed: int = 0) -> np.ndarray:
    """The fold ``(case,)`` of each case; cases of one group share it. ``folds`` None: each group is a fold.

    Raises FusionError for fewer than two folds or groups.
    """
    names = sorted(set(groups))
    count = len(names) if folds is None else min(folds, len(names))
    if count < 2:
        raise FusionError(f"cross-validation needs at least two folds; there is {count}")
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {names[place]: number % count for number, place in enumerate(order)}
    return np.array([fold[group] for group in groups])


def judge(
    cases: Sequence[Contested],
    persons: Sequence[str],
    folds: np.ndarray,
    method: str,
    *,
    seed: int = 0,
    max_models: int | None = None,
    fewest: int = FEWEST_PERSONS,
) -> Judgement:
    """Fit one region's weights, judge them on held-out folds, and fall back to the plain mean where they gain nothing.

    They are used if their mean held-out gain in Dice over the plain mean exceeds its standard error: the bootstrap's
    over persons times the root of 1 + k / (k - 1), for k folds. Raises FusionError as ``fit``.
    """
    refusal = _refusal(cases, persons, folds, fewest)
    if refusal:
        members = cases[0].members if cases else 1
        return Judgement(uniform(members), False, refusal, np.zeros(len(cases)), np.empty((0, members)))
    plain = _dice(cases, uniform(cases[0].members))
    outer, inner, fold_weights = _cross_validated(cases, folds, method, seed, max_models)
    gains = outer - plain
    gain, error, low, high = person_bootstrap(gains, persons, seed)
    error *= _overlap(len(fold_weights))
    accepted = gain > error
    weights = fit(cases, method, seed=seed, max_models=max_models) if accepted else uniform(cases[0].members)
    figures = (float(plain.mean()), inner, float(outer.mean()), gain, error, low, high)
    return Judgement(weights, accepted, _why(accepted, gain, error), gains, fold_weights, *figures)


def person_bootstrap(values: np.ndarray, persons: Sequence[str], seed: int = 0) -> tuple[float, float, float, float]:
    """Mean over persons of their cases' mean, its standard error, and its 95 % percentile interval."""
    _, of_person = np.unique(np.asarray(persons), return_inverse=True)
    means = np.bincount(of_person, weights=values) / np.bincount(of_person)
    drawn = np.random.default_rng(seed).integers(len(means), size=(RESAMPLES, len(means)))
    resampled = means[drawn].mean(axis=1)
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(means.mean()), float(resampled.std()), float(low), float(high)


def _refusal(cases: Sequence[Contested], persons: Sequence[str], folds: np.ndarray, fewest: int) -> str:
    if not any(case.size for case in cases):
        return "no reference has this region, so there is nothing to learn: the plain mean"
    if len(set(persons)) < fewest:
        return f"{len(set(persons))} patients are too few to learn from (at least {fewest}): the plain mean"
    if len(np.unique(folds)) < 2:
        return "all cases lie in one fold, so none can be held out: the plain mean"
    return ""


def _cross_validated(
    cases: Sequence[Contested], folds: np.ndarray, method: str, seed: int, max_models: int | None
) -> tuple[np.ndarray, float, np.ndarray]:
    """Held-out Dice of each case, mean Dice on the cases of the fits, and the weights of each fold."""
    outer, inner, found = np.empty(len(cases)), [], []
    for fold in np.unique(folds):
        seen = [case for case, number in zip(cases, folds, strict=True) if number != fold]
        weights = fit(seen, method, seed=seed, max_models=max_models)
        found.append(weights)
        inner.append(mean_dice(seen, weights[None])[0])
        held_out = np.flatnonzero(folds == fold)
        outer[held_out] = _dice([cases[number] for number in held_out], weights)
    return outer, float(np.mean(inner)), np.array(found)


def _overlap(folds: int) -> float:
    """What the standard error of a cross-validated mean is too small by."""
    return float(np.sqrt(1 + folds / (folds - 1)))


def _dice(cases: Sequence[Contested], weights: np.ndarray) -> np.ndarray:
    return np.array([case.dice(weights[None])[0] for case in cases])


def _why(accepted: bool, gain: float, error: float) -> str:
    told = f"gain {gain:+.4f} Dice on held-out cases, standard error {error:.4f}"
    return f"{told}: used" if accepted else f"{told}: not more than its error, so the plain mean"
