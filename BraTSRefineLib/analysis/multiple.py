"""Many tests at once: p values adjusted so that few of what is called different is so by chance."""

from __future__ import annotations

import numpy as np

SIGNIFICANT = 0.05


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """Adjusted p values (Benjamini and Hochberg 1995): calling q < 0.05 different keeps false calls at 5 % of calls.

    A test that could not be made (NaN) is not counted and stays NaN.
    """
    from statsmodels.stats.multitest import multipletests

    p_values = np.asarray(p_values, dtype=float)
    adjusted = np.full(p_values.shape, np.nan)
    made = ~np.isnan(p_values)
    if made.any():
        adjusted[made] = multipletests(p_values[made], method="fdr_bh")[1]
    return adjusted
