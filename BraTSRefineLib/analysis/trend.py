"""Whether small regions are segmented worse than large ones: rank correlation of a metric with the volume."""

from __future__ import annotations

from math import factorial

import numpy as np
import pandas as pd

from .consistency import check_unique
from .factors import region_sizes
from .metrics import check_metric, magnitude, region_place
from .multiple import benjamini_hochberg

TREND_COLUMNS = ("region", "model", "n", "spearman", "spearman_p", "kendall", "kendall_p", "q", "warning")
FEWEST = 5


def size_trend(scores: pd.DataFrame, *, metric: str = "dice") -> pd.DataFrame:
    """Correlation of a metric with the reference volume by region and model: columns of ``TREND_COLUMNS``.

    Spearman's rho and Kendall's tau-b (ranks, so volume and its logarithm are the same) with two-sided p values;
    ``q`` adjusts Kendall's over all rows (Benjamini-Hochberg). A positive Dice trend: small regions are worse. Only
    cases that have the region count. Fewer than 5 of them, or numbers that are all equal, give NaN and a warning.
    Raises AnalysisError for an unknown metric.
    """
    check_metric(scores, metric)
    chosen = scores[(scores["metric"] == metric) & (scores["model"] != "") & scores["value"].notna()]
    check_unique(chosen)
    rows = []
    for region in sorted(chosen["region"].unique(), key=region_place):
        of_region = chosen[chosen["region"] == region]
        sizes = of_region["case"].map(region_sizes(scores, region))
        present = of_region.assign(size=sizes, value=magnitude(of_region["value"], metric))[sizes > 0]
        for model, group in present.groupby("model"):
            rows.append((region, model, len(group), *_correlations(group["size"], group["value"])))
    table = pd.DataFrame(rows, columns=[name for name in TREND_COLUMNS if name != "q"])
    table.insert(len(TREND_COLUMNS) - 2, "q", benjamini_hochberg(table["kendall_p"]))
    return table


def _correlations(sizes: pd.Series, values: pd.Series) -> tuple[float, float, float, float, str]:
    from scipy.stats import kendalltau, spearmanr

    if len(sizes) < FEWEST:
        return np.nan, np.nan, np.nan, np.nan, f"fewer than {FEWEST} cases: no trend can be told"
    if values.nunique() == 1 or sizes.nunique() == 1:
        return np.nan, np.nan, np.nan, np.nan, "all equal: no trend can be told"
    spearman, kendall = spearmanr(sizes, values), kendalltau(sizes, values)
    # The t distribution gives 0 for a perfect order; no permutation of n cases can be rarer than 2 in n!.
    rarest = 2 / factorial(len(sizes))
    return float(spearman[0]), max(float(spearman[1]), rarest), float(kendall[0]), float(kendall[1]), ""
