"""Intervals by resampling: how far a figure would move with other cases of the same kind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

RESAMPLES = 1000
LEVEL = 0.95
SEED = 20240607
FEWEST = 5
"""Resamples of fewer values tell less of their spread than the values themselves, and look surer than they are."""

MOST_DRAWN = 2_000_000
"""Values that are drawn at a time, which bounds the memory."""

Statistic = Callable[..., np.ndarray]


def median_interval(values: np.ndarray, *, level: float = LEVEL, resamples: int = RESAMPLES) -> tuple[float, float]:
    """Percentile bootstrap interval of the median (Efron and Tibshirani 1993, chapter 13); NaN below five values.

    The seed is fixed and the order of the values does not matter: the same values give the same interval.
    """
    return _interval(values, np.median, level, resamples)


def mean_interval(values: np.ndarray, *, level: float = LEVEL, resamples: int = RESAMPLES) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean, as ``median_interval``."""
    return _interval(values, np.mean, level, resamples)


def quartiles(values: np.ndarray) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile; where a distance is infinite, as the nearest value and not between."""
    if not len(values):
        return np.nan, np.nan, np.nan
    q25, q50, q75 = np.quantile(values, [0.25, 0.5, 0.75], method=_method(values))
    return float(q25), float(q50), float(q75)


def resampling_weights(cases: int, resamples: int, seed: int = SEED) -> np.ndarray:
    """How often each case is drawn in each resample, (resamples, cases): rows that add up to ``cases``."""
    random = np.random.default_rng(seed)
    return random.multinomial(cases, np.full(cases, 1 / cases), size=resamples)


def _interval(values: np.ndarray, statistic: Statistic, level: float, resamples: int) -> tuple[float, float]:
    values = np.sort(np.asarray(values, dtype=float))
    if len(values) < FEWEST:
        return np.nan, np.nan
    random = np.random.default_rng(SEED)
    at_once = max(1, MOST_DRAWN // len(values))
    found = [
        statistic(values[random.integers(len(values), size=(min(at_once, resamples - start), len(values)))], axis=1)
        for start in range(0, resamples, at_once)
    ]
    figures = np.concatenate(found)
    tail = (1 - level) / 2
    low, high = np.quantile(figures, [tail, 1 - tail], method=_method(figures))
    return float(low), float(high)


def _method(values: np.ndarray) -> str:
    return "linear" if np.isfinite(values).all() else "inverted_cdf"
