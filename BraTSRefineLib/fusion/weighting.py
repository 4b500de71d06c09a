"""Weighted means of the members: of their probabilities, or of their masks as 0 and 1, which is a weighted vote."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .boxes import nested
from .members import FusionError, checked_probability

ABOVE_A_TIE = 0.5 + 1e-6
"""What a weighted mean must exceed: votes that tie are background, however their weights are rounded."""


def weighted_regions(stacks: Iterable[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Boolean stack ``(region, z, y, x)``, nested: where the weighted mean of the members is above one half.

    Raises FusionError as ``weighted_mean``.
    """
    return nested(weighted_mean(stacks, weights) > ABOVE_A_TIE)


def weighted_mean(stacks: Iterable[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Weighted mean, float32 ``(region, z, y, x)``, of probability or boolean stacks; one member in memory at a time.

    ``weights`` ``(member, region)`` count in proportion. Raises FusionError for weights that are negative or sum to
    nothing, another number of members, another shape, NaN or values outside 0-1.
    """
    shares = _shares(np.asarray(weights, dtype=np.float64))
    total, members = None, 0
    for members, stack in enumerate(stacks, start=1):
        stack = checked_probability(stack, None if total is None else total.shape, members)
        total = np.zeros(stack.shape, dtype=np.float32) if total is None else total
        _add(total, stack, shares, members)
    if members != len(shares):
        raise FusionError(f"{len(shares)} members have weights, {members} came")
    return np.clip(total, 0.0, 1.0, out=total)


def _add(total: np.ndarray, stack: np.ndarray, shares: np.ndarray, number: int) -> None:
    if number > len(shares) or len(stack) != shares.shape[1]:
        raise FusionError(f"member {number} with {len(stack)} regions; the weights are {_by(shares)} members x regions")
    for region, share in enumerate(shares[number - 1]):
        if share:
            total[region] += np.float32(share) * stack[region].astype(np.float32, copy=False)


def _shares(weights: np.ndarray) -> np.ndarray:
    """The weights so that each region's sum to 1."""
    if weights.ndim != 2 or not weights.size:
        raise FusionError(f"weights of shape {weights.shape}, expected one for each member and region")
    sums = weights.sum(axis=0)
    if not (np.isfinite(weights).all() and (weights >= 0).all() and (sums > 0).all()):
        raise FusionError("weights must be numbers from 0 on, and above 0 for at least one member of each region")
    return weights / sums


def _by(weights: np.ndarray) -> str:
    return "x".join(str(length) for length in weights.shape)
