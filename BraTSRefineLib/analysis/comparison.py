"""Two models, or two runs of one: case by case, is the second better than the first?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from ..cohort import Cohort
from .bootstrap import mean_interval
from .consistency import check_same_convention, check_unique
from .factors import Cuts, divide
from .metrics import AnalysisError, check_metric, check_model, higher_is_better, magnitude, region_place
from .multiple import benjamini_hochberg
from .paired import rank_biserial, signed_rank_p
from .rank_sums import RANKED_METRICS
from .strata import FEW

COMPARISON_COLUMNS = (
    "a",
    "b",
    "region",
    "metric",
    "stratum",
    "n",
    "mean_a",
    "mean_b",
    "mean_difference",
    "low",
    "high",
    "median_difference",
    "better",
    "worse",
    "equal",
    "effect",
    "p",
    "q",
    "only_a",
    "only_b",
    "warning",
)
ALL_CASES = "all cases"
PLACE = ["case", "region", "metric"]


def compare_models(
    scores: pd.DataFrame,
    a: str,
    b: str,
    *,
    metrics: Sequence[str] = RANKED_METRICS,
    cohort: Cohort | None = None,
    by: str | None = None,
    cuts: Cuts = None,
) -> pd.DataFrame:
    """Model ``b`` against model ``a`` on the cases that both predicted: columns of ``COMPARISON_COLUMNS``.

    ``mean_difference`` and ``median_difference`` are b minus a in the metric's own direction (of a volume error the
    size), with the 95 % bootstrap interval of the mean (``low``, ``high``); ``better``, ``worse`` and ``equal`` count
    cases as b against a; ``effect`` is the matched-pairs rank-biserial correlation, 1 where b is better in every case;
    ``p`` is Wilcoxon's signed-rank test, ``q`` adjusts it over all rows (Benjamini-Hochberg). ``only_a`` and ``only_b``
    count what the other side has no number for. ``by`` (with ``cohort``) adds rows a stratum to those of "all cases":
    size of the region, centre, or an attribute. Raises AnalysisError for unknown names, for a case with two numbers
    of a kind, and for numbers of different conventions.
    """
    for model in (a, b):
        check_model(scores, model)
    if a == b:
        raise AnalysisError(f"'{a}' is compared with itself: name two models")
    first, second = scores[scores["model"] == a], scores[scores["model"] == b]
    return _with_q(_rows(a, b, first, second, metrics, _Strata(scores, cohort, by, cuts)))


def compare_runs(
    first: pd.DataFrame,
    second: pd.DataFrame,
    *,
    models: Mapping[str, str] | None = None,
    metrics: Sequence[str] = RANKED_METRICS,
    cohort: Cohort | None = None,
    by: str | None = None,
    cuts: Cuts = None,
) -> pd.DataFrame:
    """Two score tables of the same cases, before (``first``) and after (``second``), model by model.

    ``models`` maps a model of ``first`` to one of ``second``; without it, those of the same name in both. Columns,
    and what is raised, as ``compare_models``, with ``a`` and ``b`` the model's names in the two runs.
    """
    check_same_convention(first, second)
    pairs = dict(models) if models else _same_models(first, second)
    found = []
    for a, b in pairs.items():
        check_model(first, a)
        check_model(second, b)
        strata = _Strata(first, cohort, by, cuts)
        found += _rows(a, b, first[first["model"] == a], second[second["model"] == b], metrics, strata)
    return _with_q(found)


def _same_models(first: pd.DataFrame, second: pd.DataFrame) -> dict[str, str]:
    one, other = ({*scores["model"]} - {""} for scores in (first, second))
    if not one & other:
        raise AnalysisError(
            f"the two runs share no model ({', '.join(sorted(one)) or 'none'}; {', '.join(sorted(other)) or 'none'}): "
            "say which belongs to which"
        )
    return {model: model for model in sorted(one & other)}


class _Strata:
    """The strata of a region's cases, in order, after all cases together."""

    def __init__(self, scores: pd.DataFrame, cohort: Cohort | None, by: str | None, cuts: Cuts) -> None:
        if by and cohort is None:
            raise AnalysisError(f"strata by {by} need the cohort that the scores are of")
        self._scores, self._cohort, self._by, self._cuts = scores, cohort, by, cuts

    def of(self, region: str, pairs: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
        yield ALL_CASES, pairs
        if self._by and self._by != "region":
            division = divide(self._scores, self._cohort, self._by, region, self._cuts)
            stratum = pairs["case"].map(division.stratum_of)
            for name in division.order:
                if (stratum == name).any():
                    yield name, pairs[stratum == name]


def _rows(
    a: str, b: str, first: pd.DataFrame, second: pd.DataFrame, metrics: Sequence[str], strata: _Strata
) -> list[tuple]:
    both = pd.concat([first, second])
    for metric in metrics:
        check_metric(both, metric)
        higher_is_better(metric)
    pairs = _paired(first, second, metrics)
    rows = []
    for region in sorted(pairs["region"].unique(), key=region_place):
        for metric in metrics:
            chosen = pairs[(pairs["region"] == region) & (pairs["metric"] == metric)]
            for stratum, group in strata.of(region, chosen):
                rows.append((a, b, region, metric, stratum, *_figures(group, metric)))
    return rows


def _paired(first: pd.DataFrame, second: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Columns case, region, metric, a and b; NaN where one side has no number."""
    sides = []
    for scores, name in ((first, "a"), (second, "b")):
        rows = scores[scores["metric"].isin(metrics)]
        check_unique(rows)
        sides.append(rows[[*PLACE, "value", "convention"]].rename(columns={"value": name, "convention": f"by_{name}"}))
    check_same_convention(first, second)
    pairs = sides[0].merge(sides[1], on=PLACE, how="outer")
    mixed = pairs[pairs["by_a"].notna() & pairs["by_b"].notna() & (pairs["by_a"] != pairs["by_b"])]
    if len(mixed):
        row = mixed.iloc[0]
        raise AnalysisError(
            f"{row['case']}: one side was scored under '{row['by_a']}', the other under '{row['by_b']}': such numbers "
            "cannot be compared; score both against the same"
        )
    return pairs


def _figures(group: pd.DataFrame, metric: str) -> tuple:
    there = group.dropna(subset=["a", "b"])
    a, b = (magnitude(there[side], metric).to_numpy(dtype=float) for side in "ab")
    # Two infinite distances are equal; their difference as a number is not defined.
    difference = np.subtract(b, a, out=np.zeros_like(a), where=a != b)
    gain = difference if higher_is_better(metric) else -difference
    counts = int((gain > 0).sum()), int((gain < 0).sum()), int((gain == 0).sum())
    means = (a.mean(), b.mean(), difference.mean(), *mean_interval(difference)) if len(a) else (np.nan,) * 5
    median = float(np.median(difference)) if len(a) else np.nan
    tests = rank_biserial(gain), signed_rank_p(gain), np.nan
    only = int((group["a"].notna() & group["b"].isna()).sum()), int((group["b"].notna() & group["a"].isna()).sum())
    return len(a), *map(float, means), median, *counts, *tests, *only, _warning(len(a), sum(only))


def _warning(pairs: int, unpaired: int) -> str:
    few = "no case has both" if not pairs else f"fewer than {FEW} cases: read with care" if pairs < FEW else ""
    return "; ".join(part for part in (few, f"{unpaired} without a partner" if unpaired else "") if part)


def _with_q(rows: list[tuple]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))
    return table.assign(q=benjamini_hochberg(table["p"]))
