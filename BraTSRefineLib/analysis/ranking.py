"""The worst cases: by one metric of one region, by the mean rank, or by the rank sum of the challenges."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from .metrics import AnalysisError, badness, check_metric, check_model, check_region, region_place
from .rank_sums import RANKED_METRICS, case_rank_sums

WORST_COLUMNS = (
    "rank",
    "case",
    "model",
    "region",
    "metric",
    "value",
    "volume_reference_ml",
    "status",
    "convention",
)
MEAN_RANK, RANK_SUM = "mean rank", "rank sum"
ALL_REGIONS = "all"
PAIR = ["case", "model"]


def worst_cases(
    scores: pd.DataFrame,
    *,
    metric: str = "dice",
    region: str = "ET",
    worst: int = 20,
    model: str | None = None,
    by: str = "metric",
    minimum_ml: float = 0.0,
) -> pd.DataFrame:
    """The ``worst`` predictions, the worst first: columns of ``WORST_COLUMNS``.

    ``by="metric"`` ranks by ``metric`` of ``region``; ``by="mean rank"`` by the mean of the ranks over Dice and HD95
    of every region (then ``value`` is that mean rank, 1 = worst of all, and ``region`` is "all"); ``by="rank sum"`` by
    the cumulative rank of ``case_rank_sums`` (the largest is the worst against the other models). Without ``model``
    the predictions of all models are ranked together. ``minimum_ml`` leaves out regions whose reference is smaller:
    those of a voxel or two, and with any number above 0 the absent ones. Ties go by case, then model, so that the list
    for a smaller ``worst`` is the beginning of the list for a larger one. What has no number is not in it:
    ``unranked``. Raises AnalysisError for an unknown metric, region, model or ``by``, naming those that are known, and
    for scores that may not be compared.
    """
    if worst < 1:
        raise AnalysisError(f"the number of worst cases must be at least 1, not {worst}")
    large = _of_at_least(scores, minimum_ml)
    chosen = _of_model(large, model, known=scores)
    if by == "metric":
        table = _by_metric(chosen, scores, metric, region)
    elif by == MEAN_RANK:
        table = _by_mean_rank(chosen)
    elif by == RANK_SUM:
        table = _by_rank_sum(large, chosen)
    else:
        raise AnalysisError(f"cases are ranked by 'metric', by '{MEAN_RANK}' or by '{RANK_SUM}', not by '{by}'")
    table = table.sort_values(["badness", *PAIR], ascending=[False, True, True], kind="stable").head(worst)
    table.insert(0, "rank", range(1, len(table) + 1))
    return table[list(WORST_COLUMNS)].reset_index(drop=True)


def worst_on_average(scores: pd.DataFrame, *, metric: str = "dice", worst: int = 20) -> pd.DataFrame:
    """The ``worst`` predictions by the mean of ``metric`` over the regions: rank, case, model, region, value, mean.

    ``region`` is the one in which the prediction is worst (the outer one of equals) and ``value`` its number there.
    Ties go by case, then model. Raises AnalysisError for a metric that is not known or has no direction.
    """
    check_metric(scores, metric)
    rows = scores[(scores["metric"] == metric) & (scores["model"] != "") & scores["value"].notna()]
    rows = rows.assign(badness=badness(rows["value"], metric), place=rows["region"].map(region_place))
    order = rows.sort_values([*PAIR, "badness", "place"], ascending=[True, True, False, True], kind="stable")
    table = order.drop_duplicates(PAIR).set_index(PAIR)[["region", "value", "convention"]]
    means = rows.groupby(PAIR)[["value", "badness"]].mean().rename(columns={"value": "mean"})
    table = (
        table.join(means).reset_index().sort_values(["badness", *PAIR], ascending=[False, True, True], kind="stable")
    )
    table = table.head(worst).drop(columns="badness").reset_index(drop=True)
    table.insert(0, "rank", range(1, len(table) + 1))
    return table


def unranked(
    scores: pd.DataFrame, *, metric: str = "dice", region: str = "ET", model: str | None = None
) -> pd.DataFrame:
    """The predictions that ``worst_cases`` leaves out and why: columns case, model, status.

    Those that could not be scored, and those whose value is undefined under the convention of empty masks.
    """
    check_metric(scores, metric)
    check_region(scores, region)
    chosen = _of_model(scores, model)
    failed = chosen[chosen["metric"] == ""]
    undefined = chosen[(chosen["metric"] == metric) & (chosen["region"] == region) & chosen["value"].isna()]
    table = pd.concat([failed, undefined])[["case", "model", "status"]]
    return table.sort_values(PAIR, kind="stable").reset_index(drop=True)


def mean_ranks(scores: pd.DataFrame, *, metrics: Sequence[str] = RANKED_METRICS) -> pd.DataFrame:
    """The mean rank of each prediction over ``metrics`` and regions: columns case, model, mean_rank, rankings.

    Rank 1 is the worst prediction; ties share the mean of their ranks. A ranking that holds only a part of the
    predictions is stretched to the length of the longest, so that a missing region helps nobody. ``rankings`` counts
    those that a prediction is in; one that is in none is left out. The worst comes first, ties by case, then model.
    """
    for metric in metrics:
        check_metric(scores, metric)
    rankings = scores[scores["metric"].isin(metrics) & scores["value"].notna() & (scores["model"] != "")]
    groups = rankings.groupby(["metric", "region"], sort=False)
    longest = groups.size().max() if len(rankings) else 0
    share = [_shares(group, metric) for (metric, _), group in groups]
    ranked = rankings.assign(mean_rank=pd.concat(share) * longest if share else 0.0, rankings=1)
    table = ranked.groupby(PAIR, as_index=False).agg(mean_rank=("mean_rank", "mean"), rankings=("rankings", "sum"))
    return table.sort_values(["mean_rank", *PAIR], kind="stable").reset_index(drop=True)


def _shares(group: pd.DataFrame, metric: str) -> pd.Series:
    """Rank from the worst, as a share of the ranking's length."""
    return (-badness(group["value"], metric)).rank(method="average", pct=True)


def _of_model(scores: pd.DataFrame, model: str | None, known: pd.DataFrame | None = None) -> pd.DataFrame:
    if not model:
        return scores
    check_model(scores if known is None else known, model)
    return scores[scores["model"] == model]


def _of_at_least(scores: pd.DataFrame, minimum_ml: float) -> pd.DataFrame:
    """The rows of regions whose reference has at least that volume."""
    if minimum_ml <= 0:
        return scores
    place = [*PAIR, "region"]
    volumes = scores[(scores["metric"] == "volume_reference_ml") & (scores["value"] >= minimum_ml)]
    return scores[pd.MultiIndex.from_frame(scores[place]).isin(pd.MultiIndex.from_frame(volumes[place]))]


def _by_metric(chosen: pd.DataFrame, scores: pd.DataFrame, metric: str, region: str) -> pd.DataFrame:
    check_metric(scores, metric)
    check_region(scores, region)
    table = chosen[(chosen["metric"] == metric) & (chosen["region"] == region) & chosen["value"].notna()]
    table = table.assign(badness=badness(table["value"], metric))
    volumes = chosen[(chosen["metric"] == "volume_reference_ml") & (chosen["region"] == region)]
    return _with_volumes(table, volumes)


def _by_mean_rank(chosen: pd.DataFrame) -> pd.DataFrame:
    table = mean_ranks(chosen).rename(columns={"mean_rank": "value"})
    return _of_all_regions(table.assign(metric=MEAN_RANK, badness=-table["value"]), chosen)


def _by_rank_sum(scores: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """Ranked among all models, also where only one is listed; empty where no prediction was scored."""
    if not (scores["metric"].isin(RANKED_METRICS) & (scores["model"] != "")).any():
        return _by_mean_rank(chosen)
    table = case_rank_sums(scores).rename(columns={"rank_sum": "value"})
    table = table[table["model"].isin(chosen["model"].unique())]
    return _of_all_regions(table.assign(metric=RANK_SUM, badness=table["value"]), chosen)


def _of_all_regions(table: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    about = chosen.drop_duplicates(PAIR)[[*PAIR, "convention"]]
    table = table.merge(about, on=PAIR, how="left", validate="one_to_one")
    table = table.assign(region=ALL_REGIONS, status="ok")
    volumes = chosen[(chosen["metric"] == "volume_reference_ml") & (chosen["region"] == "WT")]
    return _with_volumes(table, volumes)


def _with_volumes(table: pd.DataFrame, volumes: pd.DataFrame) -> pd.DataFrame:
    volumes = volumes[[*PAIR, "value"]].rename(columns={"value": "volume_reference_ml"})
    return table.merge(volumes, on=PAIR, how="left")
