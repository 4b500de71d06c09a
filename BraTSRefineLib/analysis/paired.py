"""Two numbers a case: is one side better than the other, and by how much."""

from __future__ import annotations

import numpy as np


def signed_rank_p(differences: np.ndarray) -> float:
    """Two-sided p of Wilcoxon's signed-rank test, cases without a difference left out; 1 where none differs.

    Exact up to 50 cases without ties, else by the normal approximation (scipy). NaN without a case.
    """
    from scipy.stats import wilcoxon

    differences = np.asarray(differences, dtype=float)
    if not len(differences):
        return np.nan
    if not differences.any():
        return 1.0
    return float(wilcoxon(differences).pvalue)


def rank_biserial(differences: np.ndarray) -> float:
    """Matched-pairs rank-biserial correlation, -1 to 1 (Kerby 2014): the share of ranks for less those against."""
    from scipy.stats import rankdata

    differing = differences[differences != 0]
    if not len(differing):
        return 0.0 if len(differences) else np.nan
    ranks = rankdata(np.abs(differing))
    return float((np.sign(differing) * ranks).sum() / ranks.sum())
