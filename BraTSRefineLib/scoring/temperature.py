"""Temperature scaling of a region's probability: p -> sigmoid(logit(p) / T), T fitted on validation cases.

Guo et al. 2017, "On calibration of modern neural networks". To be fitted after members were averaged: averaging already
softens. T above 1 softens, below 1 sharpens; the mask at one half does not change.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, log

import numpy as np
from numpy.typing import ArrayLike

from .arrays import numbers, same_shape, zeros_and_ones
from .calibration import CLIP
from .conventions import ScoringError

LOWEST, HIGHEST = 0.25, 20.0
"""Where the search ends: probabilities that separate the outcomes perfectly have no temperature above zero."""


@dataclass(frozen=True)
class Temperature:
    """``value`` T; ``nll_before`` and ``nll_after`` in nats; ``at_bound``: the best lies beyond what was searched."""

    value: float
    nll_before: float
    nll_after: float
    at_bound: bool = False


def fit_temperature(probability: ArrayLike, outcome: ArrayLike, weights: ArrayLike | None = None) -> Temperature:
    """The T of the least negative log-likelihood, which is convex in 1/T; never worse than T = 1.

    ``probability`` in 0..1 and ``outcome`` (boolean or 0 and 1) of voxels of one region, ``weights`` of at least 0.
    Where no outcome is true there is nothing to fit: T is 1. Raises ScoringError for shapes that differ, no voxels,
    NaN, or weights that are negative or all 0.
    """
    from scipy.optimize import minimize_scalar

    probability, outcome, weights = _checked(probability, outcome, weights)
    logits = _logits(probability)

    def nll(log_temperature: float) -> float:
        signed = np.where(outcome, logits, -logits) / exp(log_temperature)
        return float(np.average(np.logaddexp(0, -signed), weights=weights))

    before = nll(0.0)
    if not outcome.any():
        return Temperature(1.0, before, before)
    found = minimize_scalar(nll, bounds=(log(LOWEST), log(HIGHEST)), method="bounded", options={"xatol": 1e-5})
    if found.fun >= before:
        return Temperature(1.0, before, before)
    value = exp(float(found.x))
    return Temperature(value, before, float(found.fun), value < LOWEST * 1.001 or value > HIGHEST * 0.999)


def with_temperature(probability: np.ndarray, temperature: float) -> np.ndarray:
    """The scaled probability, float64, same shape. Raises ScoringError for a temperature that is not above 0."""
    if not 0 < temperature < inf:
        raise ScoringError(f"temperature {temperature}: must be a number above 0")
    return 1 / (1 + np.exp(-_logits(numbers(np.asarray(probability), "probability", 0, 1)) / temperature))


def _logits(probability: np.ndarray) -> np.ndarray:
    clipped = np.clip(probability.astype(np.float64), CLIP, 1 - CLIP)
    return np.log(clipped) - np.log1p(-clipped)


def _checked(probability, outcome, weights) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    probability, outcome = np.asarray(probability), np.asarray(outcome)
    same_shape(probability=probability, outcome=outcome)
    if not probability.size:
        raise ScoringError("there is no voxel to fit a temperature to")
    if weights is not None:
        weights = np.asarray(weights, dtype=np.float64)
        same_shape(probability=probability, weights=weights)
        if not (np.isfinite(weights).all() and weights.min() >= 0 and weights.sum() > 0):
            raise ScoringError("weights: must be numbers of at least 0, not all of them 0")
        weights = weights.ravel()
    probability = numbers(probability, "probability", 0, 1).ravel()
    return probability, zeros_and_ones(outcome, "outcome").ravel(), weights
