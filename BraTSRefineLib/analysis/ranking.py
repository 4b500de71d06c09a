"""The worst cases: by one metric of one region, or by the mean rank over metrics and regions."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ..regions import REGIONS
from .metrics import AnalysisError, badness, check_metric, check_model, check_region

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
RANKED_METRICS = ("dice", "hd95_mm")
"""The metrics whose ranks are averaged, as the BraTS challenges do it."""

MEAN_RANK = "mean rank"
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
) -> pd.DataFrame:
    """The ``worst`` predictions, the worst first: columns of ``WORST_COLUMNS``.

    ``by="metric"`` ranks by ``metric`` of ``region``; ``by="mean rank"`` by the mean of the ranks over Dice and HD95
    of every region (then ``value`` is that mean rank, 1 = worst of all, and ``region`` is "all"). Without ``model``
    the predictions of all models are ranked together. Ties go by case, then model, so that the list for a smaller
    ``worst`` is the beginning of the list for a larger one. What has no number is not in it: ``unranked``.
    Raises AnalysisError for an unknown metric, region, model or ``by``, naming those that are known.
    """
    if worst < 1:
        raise AnalysisError(f"the number of worst cases must be at least 1, not {worst}")
    chosen = _of_model(scores, model)
    if by == "metric":
        table = _by_metric(chosen, scores, metric, region)
    elif by == MEAN_RANK:
        table = _by_mean_rank(chosen)
    else:
        raise AnalysisError(f"cases are ranked by 'metric' or by '{MEAN_RANK}', not by '{by}'")
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
    rows = rows.assign(badness=badness(rows["value"], metric), place=rows["region"].map(REGIONS.index))
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


def _of_model(scores: pd.DataFrame, model: str | None) -> pd.DataFrame:
    if not model:
        return scores
    check_model(scores, model)
    return scores[scores["model"] == model]


def _by_metric(chosen: pd.DataFrame, scores: pd.DataFrame, metric: str, region: str) -> pd.DataFrame:
    check_metric(scores, metric)
    check_region(scores, region)
    table = chosen[(chosen["metric"] == metric) & (chosen["region"] == region) & chosen["value"].notna()]
    table = table.assign(badness=badness(table["value"], metric))
    volumes = chosen[(chosen["metric"] == "volume_reference_ml") & (chosen["region"] == region)]
    return _with_volumes(table, volumes)


def _by_mean_rank(chosen: pd.DataFrame) -> pd.DataFrame:
    ranks = mean_ranks(chosen)
    table = ranks.rename(columns={"mean_rank": "value"})
    about = chosen.drop_duplicates(PAIR)[[*PAIR, "convention"]]
    table = table.merge(about, on=PAIR, how="left", validate="one_to_one")
    table = table.assign(region=ALL_REGIONS, metric=MEAN_RANK, status="ok", badness=-table["value"])
    volumes = chosen[(chosen["metric"] == "volume_reference_ml") & (chosen["region"] == "WT")]
    return _with_volumes(table, volumes)


def _with_volumes(table: pd.DataFrame, volumes: pd.DataFrame) -> pd.DataFrame:
    volumes = volumes[[*PAIR, "value"]].rename(columns={"value": "volume_reference_ml"})
    return table.merge(volumes, on=PAIR, how="left")
