"""How many of its members' failures a fusion removed, region by region, for the summary of a job."""

from __future__ import annotations

import pandas as pd

from ...fusion import outlier_suppression
from ...fusion.audit import FEWEST_CASES

METRIC = "dice"


def suppressed_outliers(members: pd.DataFrame, fused: pd.DataFrame) -> dict[str, object]:
    """``outliers``: a row a region; a note where the cases are too few to tell what an outlier is.

    Both tables have the columns of scores; the fusion's may have rows of cases that were not scored. A case counts
    where the fusion and every member have a Dice of the region.
    """
    of_members = members[members["metric"] == METRIC].pivot(index=["region", "case"], columns="model", values="value")
    of_fusion = fused[fused["metric"] == METRIC].set_index(["region", "case"])["value"].reindex(of_members.index)
    scored = of_members.notna().all(axis=1) & of_fusion.notna()
    regions = [region for region in members["region"].unique() if scored.get(region, pd.Series(dtype=bool)).any()]
    if not regions:
        return {}
    rows = {region: _row(of_members.loc[region], of_fusion.loc[region]) for region in regions}
    return {"outliers": rows} | _note(int(scored.groupby("region").sum().max()))


def _row(members: pd.DataFrame, fused: pd.Series) -> dict[str, object]:
    found = outlier_suppression(members.to_numpy(), fused.to_numpy())
    return {
        "dice_at_most": found.threshold,
        "at_risk": len(found.at_risk),
        "rescued": len(found.rescued),
        "rate": found.rate,
        "low": found.low,
        "high": found.high,
        "broken": ", ".join(str(members.index[place]) for place in found.broken),
    }


def _note(cases: int) -> dict[str, str]:
    if cases >= FEWEST_CASES:
        return {}
    return {"outliers_note": f"{cases} cases are too few to call the worst twentieth of their scores outliers"}
