"""Where a model fails: its scores by region, by size of the region, and by centre."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from ..cohort import Cohort
from ..regions import REGION_NAMES, REGIONS
from .metrics import FAILED_BELOW_DICE, AnalysisError, check_metric, check_region

STRATA_COLUMNS = (
    "region",
    "model",
    "stratum",
    "n",
    "median",
    "q25",
    "q75",
    "mean",
    "failure_rate",
    "warning",
)
SIZE_CUTS_ML = {"WT": (20.0, 80.0), "TC": (5.0, 20.0), "ET": (1.0, 10.0)}
"""Where small ends and large begins, by region, comparable between cohorts."""

TERTILES = "tertiles"
ABSENT = "absent"
UNKNOWN_CENTER = "unknown centre"
FEW = 5
"""Below this many cases a stratum's figures hang on single cases."""


def strata(
    scores: pd.DataFrame,
    cohort: Cohort,
    *,
    by: str = "size",
    metric: str = "dice",
    region: str = "WT",
    cuts: str | Sequence[float] | None = None,
) -> pd.DataFrame:
    """A metric by stratum and model: columns of ``STRATA_COLUMNS``, strata in their natural order.

    ``by="size"`` divides by the reference volume of ``region``: at ``cuts`` in ml, at ``SIZE_CUTS_ML`` without them,
    or into ``"tertiles"`` of this cohort (sizes differ by at most one case); an empty region is "absent". Without a
    reference the size is the median of what the models were compared with. ``by="center"`` divides by centre,
    ``by="region"`` gives a stratum to each region. ``n`` counts cases, ``failure_rate`` is the share with a Dice
    below 0.5 whatever the metric; cases that no model predicted are counted under an empty model.
    Raises AnalysisError for an unknown metric, region or ``by``, and for cuts that do not ascend.
    """
    check_metric(scores, metric)
    check_region(scores, region)
    values = _values(scores, metric)
    if by == "region":
        return _table(values.assign(stratum=values["region"].map(REGION_NAMES)), list(REGION_NAMES.values()))
    values = values[values["region"] == region]
    if by == "center":
        stratum_of, order = _by_center(cohort)
    elif by == "size":
        stratum_of, order = _by_size(region_sizes(scores, region), region, cuts)
    else:
        raise AnalysisError(f"strata are by 'size', 'center' or 'region', not by '{by}'")
    return _table(values.assign(stratum=values["case"].map(stratum_of)), order)


def region_sizes(scores: pd.DataFrame, region: str) -> pd.Series:
    """Reference volume in ml by case; without a reference the median of what the models were compared with."""
    volumes = scores[(scores["metric"] == "volume_reference_ml") & (scores["region"] == region)]
    return volumes.groupby("case", sort=False)["value"].median()


def _values(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Columns case, model, region, value and dice; a case without predictions has an empty model and no number."""
    keys = ["case", "model", "region"]
    values = scores.loc[scores["metric"] == metric, [*keys, "value"]]
    dice = scores.loc[scores["metric"] == "dice", [*keys, "value"]].rename(columns={"value": "dice"})
    lonely = scores.loc[(scores["model"] == "") & (scores["metric"] == "volume_reference_ml"), keys]
    scored = values[values["model"] != ""].merge(dice, on=keys, how="left")
    return pd.concat([scored, lonely.assign(value=np.nan, dice=np.nan)], ignore_index=True)


def _by_center(cohort: Cohort) -> tuple[dict[str, str], list[str]]:
    centers = {case.case: case.center or UNKNOWN_CENTER for case in cohort.cases}
    return centers, [*cohort.centers, UNKNOWN_CENTER]


def _by_size(
    sizes: pd.Series, region: str, cuts: str | Sequence[float] | None
) -> tuple[pd.Series | dict[str, str], list[str]]:
    if isinstance(cuts, str) and cuts != TERTILES:
        raise AnalysisError(f"size cuts are numbers in ml or '{TERTILES}', not '{cuts}'")
    if cuts == TERTILES:
        return _by_tertile(sizes)
    edges = _checked(SIZE_CUTS_ML[region] if cuts is None else cuts)
    names = [ABSENT, *_range_names(edges)]
    index = np.where(sizes > 0, np.searchsorted(edges, sizes, side="right") + 1, 0)
    return dict(zip(sizes.index, np.array(names, dtype=object)[index], strict=True)), names


def _checked(cuts: Sequence[float]) -> list[float]:
    edges = [float(cut) for cut in cuts]
    if not edges or edges[0] <= 0 or any(a >= b for a, b in pairwise(edges)):
        raise AnalysisError(f"size cuts must be positive ml that ascend, such as 1, 10, not {list(cuts)}")
    return edges


def _range_names(edges: Sequence[float]) -> list[str]:
    between = [f"{low:g} to {high:g} ml" for low, high in pairwise(edges)]
    return [f"under {edges[0]:g} ml", *between, f"from {edges[-1]:g} ml"]


def _by_tertile(sizes: pd.Series) -> tuple[dict[str, str], list[str]]:
    """Thirds of equal number by rank; equal sizes are told apart by the case's name."""
    present = sizes[sizes > 0].reset_index()
    present.columns = ["case", "ml"]
    ordered = present.sort_values(["ml", "case"], kind="stable")
    thirds = np.array_split(ordered.index, 3)
    names = [f"{name} third{_span(present.loc[third, 'ml'])}" for name, third in zip(_THIRDS, thirds, strict=True)]
    stratum_of = dict.fromkeys(sizes.index[~(sizes > 0)], ABSENT)
    for name, third in zip(names, thirds, strict=True):
        stratum_of |= dict.fromkeys(present.loc[third, "case"], name)
    return stratum_of, [ABSENT, *names]


_THIRDS = ("smallest", "middle", "largest")


def _span(sizes: pd.Series) -> str:
    return f" ({sizes.min():.3g} to {sizes.max():.3g} ml)" if len(sizes) else ""


def _table(values: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """The figures of each region, model and stratum that has cases."""
    groups = values.groupby(["region", "model", "stratum"], sort=False)
    rows = [(*key, *_figures(group)) for key, group in groups]
    table = pd.DataFrame(rows, columns=list(STRATA_COLUMNS))
    place = {"region": REGIONS, "stratum": list(order), "model": sorted(table["model"].unique())}
    return table.sort_values(
        ["region", "stratum", "model"], key=lambda column: column.map(place[column.name].index), kind="stable"
    ).reset_index(drop=True)


def _figures(group: pd.DataFrame) -> tuple[int, float, float, float, float, float, str]:
    values, dice = group["value"].dropna(), group["dice"].dropna()
    q25, median, q75 = values.quantile([0.25, 0.5, 0.75])
    failed = float((dice < FAILED_BELOW_DICE).mean()) if len(dice) else float("nan")
    return len(group), median, q25, q75, values.mean(), failed, _warning(len(group), len(values))


def _warning(cases: int, scored: int) -> str:
    if scored == 0:
        return "not scored"
    few = f"fewer than {FEW} cases: read with care" if scored < FEW else ""
    missing = f"{cases - scored} without a value" if scored < cases else ""
    return "; ".join(part for part in (few, missing) if part)
