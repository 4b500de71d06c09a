"""How sure the order of the models is: how often it holds when the cases are drawn again (Wiesenfarth et al. 2021)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from ..cohort import Cohort
from .bootstrap import RESAMPLES, resampling_weights
from .consistency import check_one_convention, check_unique
from .factors import Cuts, divide
from .metrics import AnalysisError, check_metric, check_region, higher_is_better, magnitude
from .rank_sums import cumulative_ranks, rank_table
from .strata import FEW

MEAN, RANK_SUM = "mean", "rank sum"
STANDING_COLUMNS = ("stratum", "aggregation", "model", "n", "value", "rank", "low", "high", "first", "warning")
ORDER_COLUMNS = ("stratum", "aggregation", "better", "worse", "n", "difference", "holds", "flips", "ties")
SHARE_COLUMNS = ("stratum", "aggregation", "model", "rank", "share")
ALL_CASES = "all cases"
COVERAGE = 0.5
"""Only models that predicted at least this share of the scored cases are compared."""


@dataclass(frozen=True)
class RankingStability:
    """Three tables and what has to be known to read them.

    ``models``: each model's ``rank`` and the 95 % interval of it, and the share of resamples in which it comes first
    (``STANDING_COLUMNS``). ``pairs``: how often the order of two models ``holds``, ``flips`` or is a tie
    (``ORDER_COLUMNS``). ``ranks``: how often a model has a rank (``SHARE_COLUMNS``). ``notes``: sentences.
    """

    models: pd.DataFrame
    pairs: pd.DataFrame
    ranks: pd.DataFrame
    notes: tuple[str, ...]


def ranking_stability(
    scores: pd.DataFrame,
    *,
    metric: str = "dice",
    region: str | None = None,
    aggregations: Sequence[str] = (MEAN, RANK_SUM),
    cohort: Cohort | None = None,
    by: str | None = None,
    cuts: Cuts = None,
    resamples: int = RESAMPLES,
) -> RankingStability:
    """Order the models by the mean of ``metric`` over cases and by the challenges' rank sum, and resample the cases.

    A case counts with its mean over the regions, or with ``region``; the rank sum takes Dice and HD95 of the same
    regions. Only cases that every compared model predicted are drawn, only models that predicted at least half of the
    cases are compared; ``notes`` says what was left out. ``by`` (with ``cohort``) adds the strata; size is that of
    ``region`` or of WT. The draws have a fixed seed. Raises AnalysisError for fewer than two models, unknown names,
    and scores that may not be compared.
    """
    check_metric(scores, metric)
    higher_is_better(metric)
    if region:
        check_region(scores, region)
    if by and cohort is None:
        raise AnalysisError(f"strata by {by} need the cohort that the scores are of")
    rows = scores[(scores["model"] != "") & (scores["metric"] != "")]
    rows = rows[rows["region"] == region] if region else rows
    rows, notes = _comparable(rows, metric)
    standings, orders, shares = [], [], []
    for aggregation in aggregations:
        losses, show = _losses(rows, metric, aggregation)
        for stratum, group in _strata(losses, scores, cohort, by, region or "WT", cuts):
            one = _Order(stratum, aggregation, group, show, resamples)
            standings, orders, shares = standings + one.standings(), orders + one.pairs(), shares + one.shares()
    return RankingStability(
        pd.DataFrame(standings, columns=list(STANDING_COLUMNS)),
        pd.DataFrame(orders, columns=list(ORDER_COLUMNS)),
        pd.DataFrame(shares, columns=list(SHARE_COLUMNS)),
        tuple(notes),
    )


def _comparable(rows: pd.DataFrame, metric: str) -> tuple[pd.DataFrame, list[str]]:
    """The rows of the models that predicted enough, on the cases that all of these predicted."""
    scored = rows[rows["metric"] == metric]
    check_unique(scored)
    check_one_convention(scored)
    made = scored[scored["value"].notna()].drop_duplicates(["case", "model"])
    counts = made.groupby("model")["case"].nunique()
    kept = counts[counts >= COVERAGE * made["case"].nunique()].index
    if len(kept) < 2:
        raise AnalysisError(f"a ranking needs two models that predicted at least half of the cases; found {len(kept)}")
    per_case = made[made["model"].isin(kept)].groupby("case")["model"].nunique()
    common = per_case[per_case == len(kept)].index
    if not len(common):
        raise AnalysisError(f"no case was predicted by all of {', '.join(kept)}: they cannot be ranked")
    notes = []
    if few := sorted({*counts.index} - {*kept}):
        notes.append(f"Left out, for they predicted less than half of the cases: {', '.join(few)}.")
    if left := made["case"].nunique() - len(common):
        notes.append(f"{left} case{'s' if left > 1 else ''} left out that some of the models did not predict.")
    return rows[rows["model"].isin(kept) & rows["case"].isin(common)], notes


def _losses(rows: pd.DataFrame, metric: str, aggregation: str) -> tuple[pd.DataFrame, float]:
    """Case x model, the lower the better, and the sign that turns a loss back into the number to show."""
    if aggregation == RANK_SUM:
        return cumulative_ranks(rank_table(rows)), 1.0
    if aggregation != MEAN:
        raise AnalysisError(f"models are ordered by '{MEAN}' or '{RANK_SUM}', not by '{aggregation}'")
    sign = -1.0 if higher_is_better(metric) else 1.0
    chosen = rows[rows["metric"] == metric]
    values = chosen.assign(loss=sign * magnitude(chosen["value"], metric))
    return values.pivot_table(index="case", columns="model", values="loss", aggfunc="mean"), sign


def _strata(
    losses: pd.DataFrame, scores: pd.DataFrame, cohort: Cohort | None, by: str | None, region: str, cuts: Cuts
) -> Iterator[tuple[str, pd.DataFrame]]:
    yield ALL_CASES, losses
    if by and by != "region":
        division = divide(scores, cohort, by, region, cuts)
        stratum = losses.index.to_series().map(division.stratum_of)
        for name in division.order:
            if (stratum == name).any():
                yield name, losses[stratum == name]


class _Order:
    """The models' order in one stratum, and in every resample of its cases."""

    def __init__(self, stratum: str, aggregation: str, losses: pd.DataFrame, show: float, resamples: int) -> None:
        self._key, self._show, self._n = (stratum, aggregation), show, len(losses)
        self._models = list(losses.columns)
        ordered = losses.sort_index().to_numpy(dtype=float)
        self._losses = ordered.mean(axis=0)
        self._drawn = _means(resampling_weights(self._n, resamples), ordered)
        # Sums in another order differ in the last digit, which is no difference between models.
        self._drawn, self._losses = np.round(self._drawn, 9), np.round(self._losses, 9)
        self._ranks = 1 + (self._drawn[:, None, :] < self._drawn[:, :, None]).sum(axis=2)
        self._rank = 1 + (self._losses[None, :] < self._losses[:, None]).sum(axis=1)

    def standings(self) -> list[tuple]:
        """Rows of ``STANDING_COLUMNS``, the best first."""
        low, high = np.quantile(self._ranks, [0.025, 0.975], axis=0, method="inverted_cdf")
        few = f"fewer than {FEW} cases: read with care" if self._n < FEW else ""
        return [
            (*self._key, self._models[m], self._n, self._show * self._losses[m], int(self._rank[m]), int(low[m]),
             int(high[m]), float((self._ranks[:, m] == 1).mean()), few)
            for m in self._best_first()
        ]  # fmt: skip

    def pairs(self) -> list[tuple]:
        """Rows of ``ORDER_COLUMNS``: every two models, the better one first."""
        rows = []
        for better, worse in combinations(self._best_first(), 2):
            ahead = self._drawn[:, better] < self._drawn[:, worse]
            behind = self._drawn[:, better] > self._drawn[:, worse]
            shares = float(ahead.mean()), float(behind.mean()), float((~ahead & ~behind).mean())
            gap = self._show * (self._losses[better] - self._losses[worse])
            rows.append((*self._key, self._models[better], self._models[worse], self._n, gap, *shares))
        return rows

    def shares(self) -> list[tuple]:
        """Rows of ``SHARE_COLUMNS``: every model and rank."""
        ranks = range(1, len(self._models) + 1)
        return [
            (*self._key, self._models[m], rank, float((self._ranks[:, m] == rank).mean()))
            for m in self._best_first()
            for rank in ranks
        ]

    def _best_first(self) -> list[int]:
        return sorted(range(len(self._models)), key=lambda m: (self._rank[m], self._models[m]))


def _means(weights: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """Weighted means, resample x model; infinite (no loss is minus infinite) where a case that was drawn is."""
    finite = np.where(np.isfinite(losses), losses, 0.0)
    means = weights @ finite / losses.shape[0]
    drawn_infinite = weights @ ~np.isfinite(losses) > 0
    return np.where(drawn_infinite, np.inf, means)
