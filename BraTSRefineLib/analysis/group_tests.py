"""Rank tests between independent groups of cases: two of them, all of them, every two of them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np


def mann_whitney(here: np.ndarray, rest: np.ndarray) -> float:
    """Two-sided p of the Mann-Whitney U test; neither group may be empty."""
    from scipy.stats import mannwhitneyu

    if _all_equal(np.concatenate([here, rest])):
        return 1.0
    return float(mannwhitneyu(here, rest, alternative="two-sided").pvalue)


def cliffs_delta(here: np.ndarray, rest: np.ndarray) -> float:
    """How much more often a value of ``here`` is the higher one of a pair than the lower one, -1 to 1 (Cliff 1993)."""
    ordered = np.sort(rest)
    below, upto = np.searchsorted(ordered, here, side="left"), np.searchsorted(ordered, here, side="right")
    return float((below + upto).sum() / (len(here) * len(rest)) - 1)


def kruskal_wallis(groups: Mapping[str, np.ndarray]) -> tuple[float, float, float]:
    """H, p and epsilon^2 = H / (N - 1) (Tomczak and Tomczak 2014); NaN for fewer than two groups."""
    from scipy.stats import kruskal

    if len(groups) < 2:
        return np.nan, np.nan, np.nan
    together = np.concatenate(list(groups.values()))
    if _all_equal(together):
        return 0.0, 1.0, 0.0
    statistic, p = map(float, kruskal(*groups.values()))
    return statistic, p, statistic / (len(together) - 1)


def dunn(groups: Mapping[str, np.ndarray]) -> dict[tuple[str, str], float]:
    """p of Dunn's test, corrected for ties, for every two groups; not adjusted. Empty for fewer than two groups."""
    pairs = list(combinations(groups, 2))
    if not pairs:
        return {}
    if _all_equal(np.concatenate(list(groups.values()))):
        return dict.fromkeys(pairs, 1.0)
    from scikit_posthocs import posthoc_dunn

    table = posthoc_dunn(list(groups.values())).to_numpy()
    place = {name: index for index, name in enumerate(groups)}
    return {(one, other): float(table[place[one], place[other]]) for one, other in pairs}


def _all_equal(values: np.ndarray) -> bool:
    return len(np.unique(values)) == 1
