"""Weights of one region fitted on cases with a reference: how they are found, not whether they are worth having.

All methods seek the mean Dice over the cases, but for ``convex``, which seeks the Brier score. A weighting that is no
better on these cases than the plain mean gives way to it. Random search after card E5's Dirichlet draws; greedy
selection with replacement: Caruana et al. 2004, "Ensemble selection from libraries of models", ICML.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from .contested import Contested
from .convex import convex_weights
from .members import FusionError
from .soft_dice import soft_dice_weights

Cases = Sequence[Contested]
SPARSENESS = (1.0, 0.3)
"""Concentrations of the Dirichlet distributions: every weighting alike, and such as favour few members."""
REFINING, REFINED = 50.0, 100
LARGEST_SUBSET = 3
STEPS = 20
"""Members that greedy selection adds, so weights are multiples of at least a twentieth."""


def uniform(members: int) -> np.ndarray:
    """The plain mean."""
    return np.full(members, 1 / members)


def mean_dice(cases: Cases, weights: np.ndarray) -> np.ndarray:
    """Mean Dice over the cases ``(draw,)`` of each row of ``weights`` ``(draw, member)``."""
    return np.mean([case.dice(weights) for case in cases], axis=0)


def fit(cases: Cases, method: str, *, seed: int = 0, max_models: int | None = None) -> np.ndarray:
    """Weights ``(member,)`` that sum to 1, fitted on the cases; the same for the same cases and seed.

    ``max_models`` keeps the best so many single members of these cases and leaves the others without weight. Where no
    reference has the region there is nothing to learn, and the weights are uniform. Raises FusionError for no case,
    cases of other members and an unknown method.
    """
    members = _checked(cases, method, max_models)
    if not any(case.size for case in cases):
        return uniform(members)
    kept = _best_members(cases, max_models)
    fitted = METHODS[method]([case.of(kept) for case in cases] if len(kept) < members else cases, seed)
    weights = np.zeros(members)
    weights[kept] = fitted
    return weights


def _checked(cases: Cases, method: str, max_models: int | None) -> int:
    if method not in METHODS:
        raise FusionError(f"no method '{method}' to fit weights; use one of {', '.join(METHODS)}")
    if max_models is not None and max_models < 1:
        raise FusionError(f"max_models is {max_models}: keep at least 1 model")
    if not cases:
        raise FusionError("there is no case to fit weights on")
    if len({case.members for case in cases}) > 1:
        raise FusionError("the cases have different numbers of members; leave out those that lack one")
    return cases[0].members


def _best_members(cases: Cases, at_most: int | None) -> list[int]:
    members = cases[0].members
    if at_most is None or at_most >= members:
        return list(range(members))
    ranked = np.argsort(-mean_dice(cases, np.eye(members)), kind="stable")
    return sorted(ranked[:at_most].tolist())


def _best(cases: Cases, candidates: np.ndarray) -> np.ndarray:
    """The candidate of highest mean Dice, the first of equals."""
    return candidates[int(np.argmax(mean_dice(cases, candidates)))]


def _simplest(members: int) -> np.ndarray:
    """The plain mean, then each member alone: what wins over anything that is no better."""
    return np.vstack([uniform(members), np.eye(members)])


def subset_means(members: int, at_most: int) -> np.ndarray:
    """Weights ``(subset, member)`` of the plain mean of every subset of at most so many members, the smallest first."""
    sizes = range(1, min(members, at_most) + 1)
    subsets = [chosen for size in sizes for chosen in itertools.combinations(range(members), size)]
    weights = np.zeros((len(subsets), members))
    for row, chosen in zip(weights, subsets, strict=True):
        row[list(chosen)] = 1 / len(chosen)
    return weights


def dirichlet_weights(cases: Cases, seed: int) -> np.ndarray:
    """The best of the plain means of few members and of random weightings, then of such as lie near it.

    Members that are masks can tie, which no random weighting finds: the mean of two of them is what both set.
    """
    members, random = cases[0].members, np.random.default_rng(seed)
    draws = 300 if members <= 4 else 1000 if members <= 8 else 2000
    drawn = [random.dirichlet(np.full(members, each), draws // len(SPARSENESS)) for each in SPARSENESS]
    best = _best(cases, np.vstack([uniform(members), subset_means(members, LARGEST_SUBSET), *drawn]))
    near = random.dirichlet(REFINING * best + 1e-3, REFINED)
    return _best(cases, np.vstack([uniform(members), best, near]))


def selected_weights(cases: Cases, seed: int) -> np.ndarray:
    """Greedy forward selection with replacement: the best of its steps. Nothing is drawn; ``seed`` has no effect."""
    members = cases[0].members
    counts, steps = np.zeros(members), []
    for step in range(1, STEPS + 1):
        counts = counts + np.eye(members)[np.argmax(mean_dice(cases, (counts + np.eye(members)) / step))]
        steps.append(counts / step)
    return _best(cases, np.vstack([uniform(members), *steps]))


def _soft_dice(cases: Cases, seed: int) -> np.ndarray:
    """What gradient descent found, by its true Dice, from the plain mean and from each member."""
    simplest = _simplest(cases[0].members)
    return _best(cases, np.vstack([simplest, *(soft_dice_weights(cases, start) for start in simplest)]))


def _convex(cases: Cases, seed: int) -> np.ndarray:
    return convex_weights(cases)


METHODS: dict[str, Callable[[Cases, int], np.ndarray]] = {
    "dirichlet": dirichlet_weights,
    "select": selected_weights,
    "soft-dice": _soft_dice,
    "convex": _convex,
}
