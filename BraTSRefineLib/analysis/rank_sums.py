"""The ranking of the BraTS challenges: models are ranked against each other, case by case, and the ranks added up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..scoring.conventions import BOTH_EMPTY
from .consistency import check_one_convention, check_unique
from .metrics import AnalysisError, badness, check_metric

RANKED_METRICS = ("dice", "hd95_mm")
"""The metrics whose ranks are averaged or added, as the BraTS challenges do it."""

RANK_SUM_COLUMNS = ("rank", "model", "rank_sum", "mean_rank", "cases", "missing")
CASE_RANK_COLUMNS = ("case", "model", "rank_sum", "rankings")
PLACE = ["case", "region", "metric"]


def rank_sums(scores: pd.DataFrame, *, metrics: Sequence[str] = RANKED_METRICS) -> pd.DataFrame:
    """The models in the challenge's order, the best first: columns of ``RANK_SUM_COLUMNS``.

    In each case, region and metric the models are ranked, 1 the best, equals sharing the mean of their ranks; a case's
    ranks add up to its cumulative rank, and ``rank_sum`` is the mean of those over the cases (Bakas et al. 2018,
    arXiv 1811.02629, section 2.4). ``mean_rank`` is the same for a single ranking, from 1 to the number of models. A
    model that did not predict a case shares the last ranks there; ``missing`` counts such cases.
    Raises AnalysisError for fewer than two models, an unknown metric, or scores that may not be compared.
    """
    ranks = rank_table(scores, metrics)
    sums = cumulative_ranks(ranks)
    predicted = ranks.notna().groupby(level="case").any().sum()
    rankings = ranks.groupby(level="case").size().max()
    table = pd.DataFrame(
        {"model": list(sums.columns), "rank_sum": sums.mean().to_numpy(), "cases": predicted.to_numpy()}
    )
    table["mean_rank"] = table["rank_sum"] / rankings
    table["missing"] = len(sums) - table["cases"]
    table = table.sort_values(["rank_sum", "model"], kind="stable")
    table["rank"] = table["rank_sum"].rank(method="min").astype(int)
    return table[list(RANK_SUM_COLUMNS)].reset_index(drop=True)


def case_rank_sums(scores: pd.DataFrame, *, metrics: Sequence[str] = RANKED_METRICS) -> pd.DataFrame:
    """The cumulative rank of every prediction among those of its case: columns of ``CASE_RANK_COLUMNS``.

    ``rankings`` counts the rankings that the case is in; where they are fewer than elsewhere (a region that its labels
    do not know), or of fewer models, the ranks are stretched to as many, so that cases can be compared. A case with one
    prediction is not ranked. The largest sum comes first, ties by case, then model. Raises AnalysisError as
    ``rank_sums``.
    """
    ranks = rank_table(scores, metrics)
    models = ranks.notna().sum(axis=1)
    ranks, models = ranks[models > 1], models[models > 1]
    stretched = ranks.sub(1).mul((models.max() - 1) / (models - 1), axis=0).add(1)
    by_case = stretched.groupby(level="case")
    counts = by_case.size()
    sums = (by_case.mean() * counts.max()).stack().dropna().rename("rank_sum").reset_index()
    table = sums.assign(rankings=sums["case"].map(counts))
    table = table.sort_values(["rank_sum", "case", "model"], ascending=[False, True, True], kind="stable")
    return table[list(CASE_RANK_COLUMNS)].reset_index(drop=True)


def rank_table(scores: pd.DataFrame, metrics: Sequence[str] = RANKED_METRICS) -> pd.DataFrame:
    """Ranks among the models of a case, (case, region, metric) x model, 1 the best; NaN for a model without a row.

    What has no number is last; but where neither mask has a voxel the prediction is right, whatever number the
    convention gives to it. A ranking in which nobody has a number is left out.
    """
    for metric in metrics:
        check_metric(scores, metric)
    rows = scores[scores["metric"].isin(metrics) & (scores["model"] != "")]
    check_unique(rows)
    check_one_convention(rows)
    if rows["model"].nunique() < 2:
        raise AnalysisError("a rank sum ranks models against each other: these scores have fewer than two")
    bad = pd.concat([badness(rows.loc[rows["metric"] == metric, "value"], metric) for metric in metrics])
    bad = bad.reindex(rows.index).where(rows["status"] != BOTH_EMPTY, -np.inf)
    told = rows.assign(bad=bad.fillna(np.inf), known=bad.notna())
    wide = told.pivot(index=PLACE, columns="model", values="bad").sort_index()
    return wide[told.groupby(PLACE)["known"].any().reindex(wide.index)].rank(axis=1, method="average")


def cumulative_ranks(ranks: pd.DataFrame) -> pd.DataFrame:
    """The sum of the ranks in each case, case x model; models without a row share the last ranks.

    Where a case is in fewer rankings than the fullest, the sum is stretched to as many.
    """
    present = ranks.notna().sum(axis=1)
    last = (present + 1 + ranks.shape[1]) / 2
    by_case = ranks.apply(lambda column: column.fillna(last)).groupby(level="case")
    return by_case.mean().mul(by_case.size().max())
