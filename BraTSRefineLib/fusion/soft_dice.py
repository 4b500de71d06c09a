"""Weights by gradient descent on a Dice that is smooth: the step at one half becomes a steep sigmoid.

Only contested voxels are smoothed; where every weighting agrees the counts are certain. The sigmoid is made steeper in
stages, since a steep one from the start gives no direction to go.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .contested import Contested

STEEPNESSES = (5.0, 20.0, 50.0)
SMOOTHING = 1.0
"""Voxels added above and below the fraction, so that an empty case has a Dice."""
PULL = 1e-2
"""How much the squared distance from the plain mean costs."""
INNERMOST = 0.8
"""Share of its favourite that a start has: at a corner of the simplex the softmax has no gradient."""


def soft_dice_weights(cases: Sequence[Contested], start: np.ndarray) -> np.ndarray:
    """Weights ``(member,)`` that sum to 1, at a local minimum of the loss near ``start`` ``(member,)``."""
    from scipy.optimize import minimize
    from scipy.special import softmax

    members = len(start)
    logits = np.log(INNERMOST * start + (1 - INNERMOST) / members)
    for steepness in STEEPNESSES:
        found = minimize(loss_and_gradient, logits, (cases, steepness), jac=True, method="L-BFGS-B")
        logits = found.x
    return softmax(logits)


def loss_and_gradient(logits: np.ndarray, cases: Sequence[Contested], steepness: float) -> tuple[float, np.ndarray]:
    """Mean of 1 - soft Dice over the cases plus the pull to the plain mean, and its gradient by ``logits``."""
    from scipy.special import softmax

    weights = softmax(logits)
    parts = [_of_case(case, weights, steepness) for case in cases]
    off = weights - 1 / len(weights)
    loss = np.mean([part[0] for part in parts]) + PULL * off @ off
    by_weight = np.mean([part[1] for part in parts], axis=0) + 2 * PULL * off
    return float(loss), weights * (by_weight - weights @ by_weight)


def _of_case(case: Contested, weights: np.ndarray, steepness: float) -> tuple[float, np.ndarray]:
    """1 - soft Dice and its gradient by the weights."""
    from scipy.special import expit

    level = expit(steepness * (weights @ case.values - 0.5))
    inside = case.voxels * case.truth
    above = 2 * (case.sure_hits + level @ inside) + SMOOTHING
    below = case.sure + level @ case.voxels + case.size + SMOOTHING
    by_level = (above / below * case.voxels - 2 * inside) / below
    return 1 - above / below, case.values @ (by_level * steepness * level * (1 - level))
