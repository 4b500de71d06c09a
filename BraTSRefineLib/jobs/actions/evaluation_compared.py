"""Sources of uncertainty side by side, on the cases that all of them have."""

from __future__ import annotations

import pandas as pd

from .evaluation_flags import CALIBRATED

MEANS = ["dice", "qu_brats", "aurc", "e_aurc", "ece", "brier"]
MEDIANS = ["coverage", "precision", "rank_correlation"]
COMPARED_COLUMNS = ["region", "source", "cases", *MEANS, *MEDIANS]


def compared(cases: pd.DataFrame, worths: pd.DataFrame) -> pd.DataFrame:
    """``COMPARED_COLUMNS``, region by region the sources, each on the cases where every source says something.

    Means of the maps' scores and medians of what the calibrated flags are worth; the latter are NaN where the flags
    were not calibrated, the rank correlation also where no case has three flags. ``cases`` and ``worths`` are the
    tables of maps and flags case by case; a region without a common case has no rows.
    """
    flags = worths[worths["way"] == CALIBRATED][["case", "source", "region", *MEDIANS]]
    rows = []
    for region, group in cases.merge(flags, how="left", on=["case", "source", "region"]).groupby("region", sort=False):
        sources = group["source"].nunique()
        common = group[group.groupby("case")["source"].transform("nunique") == sources]
        for source, found in common.groupby("source", sort=False):
            numbers = found[MEANS].mean().to_dict() | found[MEDIANS].median().to_dict()
            rows.append({"region": region, "source": source, "cases": len(found)} | numbers)
    return pd.DataFrame(rows, columns=COMPARED_COLUMNS)
