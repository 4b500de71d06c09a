"""Where a model fails: its scores by region, by size of the region, by centre, by any attribute, or by two of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..cohort import Cohort
from ..regions import REGION_NAMES
from ..scoring.conventions import OK, PREDICTION_EMPTY
from .bootstrap import median_interval, quartiles
from .consistency import check_unique
from .factors import Cuts, divide
from .metrics import (
    FAILED_ABOVE_HD95_MM,
    FAILED_BELOW_DICE,
    AnalysisError,
    check_metric,
    check_region,
    region_place,
)

STRATA_COLUMNS = (
    "region",
    "model",
    "stratum",
    "second",
    "n",
    "median",
    "low",
    "high",
    "q25",
    "q75",
    "mean",
    "failure_rate",
    "dice_below_half",
    "missed",
    "hd95_above_20mm",
    "warning",
)
FEW = 5
"""Below this many cases a stratum's figures hang on single cases."""


def strata(
    scores: pd.DataFrame,
    cohort: Cohort,
    *,
    by: str | Sequence[str] = "size",
    metric: str = "dice",
    region: str = "WT",
    cuts: Cuts = None,
) -> pd.DataFrame:
    """A metric by stratum and model: columns of ``STRATA_COLUMNS``, strata in their natural order.

    ``by="size"`` divides by the reference volume of ``region``: at ``cuts`` in ml, at ``SIZE_CUTS_ML`` without them,
    or into ``"tertiles"`` of this cohort (sizes differ by at most one case); an empty region is "absent". Without a
    reference the size is the median of what the models were compared with. ``"center"``, ``"split"`` and any
    attribute of the cases (``"scanner"``) divide by its values, ``"region"`` gives a stratum to each region. Two of
    them, as ``("size", "center")``, make a two-way table: ``stratum`` and ``second`` name its rows and columns.

    ``n`` counts cases; ``low`` to ``high`` is the 95 % bootstrap interval of the median. ``failure_rate`` is the share
    of scored cases that fail in any of three ways, each with a column of its own: Dice below 0.5; no voxel predicted
    of a region that is there; HD95 above 20 mm between regions that both have voxels. Whatever the metric, cases
    without a defined Dice do not count there. Cases that no model predicted are counted under an empty model.
    Raises AnalysisError for an unknown metric, region or ``by``, for cuts that do not ascend, and for a case that has
    two numbers of a kind.
    """
    check_metric(scores, metric)
    check_region(scores, region)
    factors = [by] if isinstance(by, str) else list(by)
    if len(factors) not in (1, 2) or len(set(factors)) < len(factors):
        raise AnalysisError(f"strata are by one or by two different factors, not by {', '.join(factors) or 'none'}")
    values = _values(scores, metric)
    if "region" not in factors:
        values = values[values["region"] == region]
    orders = []
    for column, factor in zip(("stratum", "second"), [*factors, None][:2], strict=True):
        values, order = _divided(values, column, factor, scores, cohort, cuts)
        orders.append(order)
    return _table(values, *orders)


def _values(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Columns case, model, region, value, dice, missed, far; a case without predictions has an empty model only."""
    keys = ["case", "model", "region"]
    used = scores[scores["metric"].isin([metric, "dice", "hd95_mm"]) & (scores["model"] != "")]
    check_unique(used)
    values = used.loc[used["metric"] == metric, [*keys, "value"]]
    dice = used.loc[used["metric"] == "dice", [*keys, "value", "status"]].rename(columns={"value": "dice"})
    hd95 = used.loc[used["metric"] == "hd95_mm", [*keys, "value"]].rename(columns={"value": "hd95"})
    values = values.merge(dice, on=keys, how="left").merge(hd95, on=keys, how="left")
    values["missed"] = values["status"] == PREDICTION_EMPTY
    values["far"] = (values["status"] == OK) & (values["hd95"] > FAILED_ABOVE_HD95_MM)
    lonely = scores.loc[(scores["model"] == "") & (scores["metric"] == "volume_reference_ml"), keys]
    lonely = lonely.assign(value=np.nan, dice=np.nan, missed=False, far=False)
    filled = [part for part in (values.drop(columns=["status", "hd95"]), lonely) if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else lonely


def _divided(
    values: pd.DataFrame, column: str, factor: str | None, scores: pd.DataFrame, cohort: Cohort, cuts: Cuts
) -> tuple[pd.DataFrame, list[str]]:
    """``values`` with the stratum of each row as ``column``, and the strata in order; all one without a factor."""
    if factor is None:
        return values.assign(**{column: ""}), [""]
    if factor == "region":
        names = values["region"].map(lambda region: REGION_NAMES.get(region, region))
        return values.assign(**{column: names}), [*REGION_NAMES.values(), *names.unique()]
    order: dict[str, None] = {}
    stratum = pd.Series("", index=values.index, dtype=object)
    for region in sorted(values["region"].unique(), key=region_place) or [""]:
        division = divide(scores, cohort, factor, region, cuts)
        here = values["region"] == region
        stratum[here] = values.loc[here, "case"].map(division.stratum_of)
        order |= dict.fromkeys(division.order)
    return values.assign(**{column: stratum}), list(order)


def _table(values: pd.DataFrame, order: Sequence[str], second: Sequence[str]) -> pd.DataFrame:
    """The figures of each region, model and stratum that has cases."""
    groups = values.groupby(["region", "model", "stratum", "second"], sort=False)
    rows = [(*key, *_figures(group)) for key, group in groups]
    table = pd.DataFrame(rows, columns=list(STRATA_COLUMNS))
    places = {"stratum": list(order).index, "second": list(second).index, "region": region_place, "model": str}
    return table.sort_values(
        ["region", "stratum", "second", "model"], key=lambda column: column.map(places[column.name]), kind="stable"
    ).reset_index(drop=True)


def _figures(group: pd.DataFrame) -> tuple[int, *tuple[float, ...], str]:
    values = group["value"].dropna().to_numpy(dtype=float)
    q25, median, q75 = quartiles(values)
    low, high = median_interval(values)
    mean = float(values.mean()) if len(values) else np.nan
    return len(group), median, low, high, q25, q75, mean, *_failures(group), _warning(len(group), len(values))


def _failures(group: pd.DataFrame) -> tuple[float, float, float, float]:
    """Shares of the cases with a Dice: failed in any way, Dice below 0.5, missed, HD95 above 20 mm."""
    scored = group[group["dice"].notna()]
    if scored.empty:
        return np.nan, np.nan, np.nan, np.nan
    below = scored["dice"] < FAILED_BELOW_DICE
    any_way = below | scored["missed"] | scored["far"]
    return tuple(float(share.mean()) for share in (any_way, below, scored["missed"], scored["far"]))


def _warning(cases: int, scored: int) -> str:
    if scored == 0:
        return "not scored"
    few = f"fewer than {FEW} cases: read with care" if scored < FEW else ""
    missing = f"{cases - scored} without a value" if scored < cases else ""
    return "; ".join(part for part in (few, missing) if part)
