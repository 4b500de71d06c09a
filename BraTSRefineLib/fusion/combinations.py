"""The best single model or the best pair, as nnU-Net chooses among configurations: no weights, no fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .contested import Contested
from .fitting import subset_means


def best_combination(regions: Mapping[str, Sequence[Contested]], largest: int = 2) -> tuple[tuple[int, ...], float]:
    """Which members to average, at most ``largest`` of them, and their mean foreground Dice.

    The mean over the regions of the mean over the cases; a case whose region is empty in both is left out, and so is a
    region without any. Of equals the smaller combination wins, then the earlier (Isensee et al. 2021).
    """
    members = next(case.members for cases in regions.values() for case in cases)
    weights = subset_means(members, largest)
    of_regions = [_mean_dice(cases, weights) for cases in regions.values() if cases]
    scores = _mean(np.array(of_regions))
    best = int(np.argmax(np.where(np.isnan(scores), -1.0, scores)))
    return tuple(np.flatnonzero(weights[best]).tolist()), float(scores[best])


def _mean_dice(cases: Sequence[Contested], weights: np.ndarray) -> np.ndarray:
    dice = np.array([case.dice(weights) for case in cases])
    nothing_there = np.array([[case.size == 0] for case in cases])
    return _mean(np.where(nothing_there & (dice == 1.0), np.nan, dice))


def _mean(values: np.ndarray) -> np.ndarray:
    """Over the first axis, NaN left out; NaN where there is nothing else."""
    there = ~np.isnan(values)
    counts = there.sum(axis=0)
    return np.where(counts > 0, np.where(there, values, 0.0).sum(axis=0) / np.maximum(counts, 1), np.nan)
