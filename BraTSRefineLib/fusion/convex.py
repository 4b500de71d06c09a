"""Weights of the lowest Brier score: a convex problem with one optimum, whatever the start.

Minimises w'Qw - 2c'w with w >= 0 and sum 1, where Q = E[p p'] and c = E[p g] over the contested voxels, every case
counting alike. The best Brier score is not the best Dice; the plain mean often has the better one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .contested import Contested

NEGLIGIBLE = 1e-6


def convex_weights(cases: Sequence[Contested]) -> np.ndarray:
    """Weights ``(member,)`` from 0 on that sum to 1; uniform where the members differ nowhere."""
    contested = [case for case in cases if case.truth.size]
    if not contested:
        return np.full(cases[0].members, 1 / cases[0].members)
    squares, products = (np.mean(parts, axis=0) for parts in zip(*map(_moments, contested), strict=True))
    return minimum_on_simplex(squares, products)


def minimum_on_simplex(squares: np.ndarray, products: np.ndarray) -> np.ndarray:
    """The w >= 0 of sum 1 with least w'Qw - 2c'w, for ``squares`` Q ``(m, m)`` and ``products`` c ``(m,)``."""
    from scipy.optimize import minimize

    start = np.full(len(products), 1 / len(products))
    found = minimize(
        lambda w: w @ squares @ w - 2 * products @ w,
        start,
        jac=lambda w: 2 * (squares @ w - products),
        method="SLSQP",
        bounds=[(0.0, 1.0)] * len(start),
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    return _polished(np.clip(found.x, 0.0, None), squares, products)


def _polished(weights: np.ndarray, squares: np.ndarray, products: np.ndarray) -> np.ndarray:
    """The exact solution among the members that have weight, where that is one; else the weights as they are."""
    support = np.flatnonzero(weights > NEGLIGIBLE)
    size = len(support)
    system = np.ones((size + 1, size + 1))
    system[:size, :size], system[size, size] = 2 * squares[np.ix_(support, support)], 0.0
    solution = np.linalg.lstsq(system, np.append(2 * products[support], 1.0), rcond=None)[0][:size]
    exact = np.zeros_like(weights)
    exact[support] = solution
    return exact if solution.min() >= 0 else weights / weights.sum()


def _moments(case: Contested) -> tuple[np.ndarray, np.ndarray]:
    """E[p p'] and E[p g] over the contested voxels."""
    shares = case.voxels / case.voxels.sum()
    values = case.values.astype(np.float64)
    return (values * shares) @ values.T, values @ (shares * case.truth)
