"""Whether a centre's cases are segmented worse than those of the others, and whether that is more than their size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..cohort import Cohort
from ..scoring import CONSENSUS
from .center_model import Adjusted, adjusted_differences
from .consistency import check_one_convention, check_unique
from .factors import UNKNOWN_CENTER, region_sizes
from .group_tests import cliffs_delta, dunn, kruskal_wallis, mann_whitney
from .held_out import held_out_centers
from .metrics import check_metric, check_model, check_region, higher_is_better, is_share, magnitude, region_place
from .multiple import SIGNIFICANT, benjamini_hochberg
from .strata import FEW

CENTER_COLUMNS = (
    "region",
    "model",
    "center",
    "held_out",
    "n",
    "absent",
    "rest",
    "median",
    "median_rest",
    "difference",
    "p",
    "q",
    "cliffs_delta",
    "adjusted_difference",
    "standard_error",
    "low",
    "high",
    "adjusted_p",
    "adjusted_q",
    "method",
    "flagged",
    "warning",
)
OVERALL_COLUMNS = ("region", "model", "centers", "n", "statistic", "p", "q", "epsilon_squared", "warning")
PAIR_COLUMNS = ("region", "model", "center", "other", "n", "n_other", "median_difference", "cliffs_delta", "p", "q")
ALL_MODELS = "all models"
WORTH_NOTING = 0.05
"""A difference below this is not flagged, however sure, of a metric that runs from 0 to 1."""

FEWEST = 2


@dataclass(frozen=True)
class CenterTests:
    """Three tables and what has to be known to read them.

    ``centers``: each centre against the rest (``CENTER_COLUMNS``). ``overall``: do the centres differ at all
    (``OVERALL_COLUMNS``). ``pairs``: which of them differ (``PAIR_COLUMNS``). ``notes``: sentences.
    """

    centers: pd.DataFrame
    overall: pd.DataFrame
    pairs: pd.DataFrame
    notes: tuple[str, ...]


def center_tests(
    scores: pd.DataFrame,
    cohort: Cohort,
    *,
    metric: str = "dice",
    regions: Sequence[str] | None = None,
    model: str | None = None,
) -> CenterTests:
    """Compare the centres by region and model, and over all models ("all models": the mean of a case's predictions).

    Only cases that have the region count, for an absent one is scored 0 or 1 by convention; ``absent`` counts them.
    ``centers``: ``n`` cases, medians, and their ``difference`` to the rest (the other known centres); Mann-Whitney's
    ``p`` and Cliff's delta (-1: every case lower than every other); the difference at equal size of the tumour,
    ``adjusted_difference`` with ``standard_error``, 95 % interval ``low`` to ``high`` and ``adjusted_p`` (see
    ``adjusted_differences``). ``overall``: Kruskal-Wallis over the centres with at least 5 cases, with
    epsilon^2 = H / (N - 1). ``pairs``: Dunn's test for each two of these. ``q``: Benjamini-Hochberg over all tests of
    a column. ``flagged`` is a centre that is worse at equal size with ``adjusted_q`` < 0.05, and by at least 0.05 where
    the metric runs from 0 to 1. ``held_out`` centres are those of ``held_out_centers``.
    Raises AnalysisError for an unknown metric (or one without a direction), region or model, and for scores that may
    not be compared.
    """
    higher_is_better(metric)
    for check, names in (
        (check_metric, [metric]),
        (check_region, regions or []),
        (check_model, [model] if model else []),
    ):
        for name in names:
            check(scores, name)
    rows, notes = _comparable(scores, cohort, metric)
    rows = rows[rows["region"].isin(regions)] if regions else rows
    known = sorted(set(rows["center"]) - {UNKNOWN_CENTER})
    rows, alone = _of_several_centers(rows[rows["model"] == model] if model else rows)
    groups, notes = list(_groups(rows)), [*notes, *alone]
    if not groups:
        notes = [_nothing(known), *alone]
        return CenterTests(
            _frame([], CENTER_COLUMNS), _frame([], OVERALL_COLUMNS), _frame([], PAIR_COLUMNS), tuple(notes)
        )
    table = _centers(groups, metric, held_out_centers(cohort))
    overall = _with_q(_frame([_kruskal(*group) for group in groups], OVERALL_COLUMNS), "p", "q")
    pairs = _with_q(_frame([row for group in groups for row in _dunn(*group)], PAIR_COLUMNS), "p", "q")
    return CenterTests(table, overall, pairs, tuple(notes))


def _comparable(scores: pd.DataFrame, cohort: Cohort, metric: str) -> tuple[pd.DataFrame, list[str]]:
    """Columns case, model, region, value, center, size; without consensus numbers where there are references too."""
    rows = scores[(scores["metric"] == metric) & (scores["model"] != "") & scores["value"].notna()]
    check_unique(rows)
    check_one_convention(rows)
    consensus = rows["convention"].str.endswith(CONSENSUS)
    notes = []
    if consensus.any() and not consensus.all():
        without = rows.loc[consensus, "case"].nunique()
        notes.append(f"{without} cases without a reference are left out: their numbers are against a consensus.")
        rows = rows[~consensus]
    center_of = {case.case: case.center or UNKNOWN_CENTER for case in cohort.cases}
    sizes = [
        rows.loc[rows["region"] == region, "case"].map(region_sizes(scores, region)) for region in set(rows["region"])
    ]
    rows = rows.assign(
        center=rows["case"].map(center_of).fillna(UNKNOWN_CENTER),
        value=magnitude(rows["value"], metric),
        size=pd.concat(sizes) if sizes else np.nan,
    )
    lost = rows.loc[rows["center"] == UNKNOWN_CENTER, "case"].nunique()
    if lost:
        notes.append(f"{lost} case{'s' if lost > 1 else ''} of no known centre: shown, but in no test.")
    return rows[["case", "model", "region", "value", "center", "size"]], notes


def _nothing(known: Sequence[str]) -> str:
    if len(known) > 1:
        return "Nothing to compare: no model predicted cases of two centres."
    why = f"only one centre is known ({known[0]})" if known else "no centre is known of a scored case"
    return f"Nothing to compare: {why}. Name the centres in a column 'center' of the manifest or centers.csv."


def _of_several_centers(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The rows of models that predicted cases of several known centres; the others tell models apart, not centres."""
    centers = rows[rows["center"] != UNKNOWN_CENTER].groupby("model")["center"].nunique()
    kept = centers.index[centers > 1]
    alone = sorted(set(rows["model"]) - set(kept))
    notes = [f"Left out, for they predicted cases of one centre only: {', '.join(alone)}."] if alone else []
    return rows[rows["model"].isin(kept)], notes


def _groups(rows: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Region, model and rows of each table to test; the models together first where there are several."""
    for region in sorted(rows["region"].unique(), key=region_place):
        of_region = rows[rows["region"] == region]
        models = sorted(of_region["model"].unique())
        if len(models) > 1:
            yield region, ALL_MODELS, of_region
        for model in models:
            yield region, model, of_region[of_region["model"] == model]


def _by_case(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a case that has the region: the mean over its predictions."""
    present = rows[rows["size"] > 0]
    return present.groupby("case", as_index=False).agg(value=("value", "mean"), center=("center", "first"))


def _centers(groups: Sequence[tuple[str, str, pd.DataFrame]], metric: str, held_out: set[str]) -> pd.DataFrame:
    rows = [row for group in groups for row in _against_rest(*group, held_out)]
    table = _frame(rows, [name for name in CENTER_COLUMNS if name not in ("q", "adjusted_q", "flagged")])
    table["q"], table["adjusted_q"] = benjamini_hochberg(table["p"]), benjamini_hochberg(table["adjusted_p"])
    worse = table["adjusted_difference"] * (-1 if higher_is_better(metric) else 1)
    least = WORTH_NOTING if is_share(metric) else 0.0
    table["flagged"] = (table["adjusted_q"] < SIGNIFICANT) & (worse > 0) & (worse >= least)
    return table[list(CENTER_COLUMNS)]


def _against_rest(region: str, model: str, rows: pd.DataFrame, held_out: set[str]) -> Iterator[tuple]:
    cases = _by_case(rows)
    known = cases[cases["center"] != UNKNOWN_CENTER]
    usable = rows[(rows["size"] > 0) & (rows["center"] != UNKNOWN_CENTER) & np.isfinite(rows["value"])]
    centers = sorted(set(rows["center"]), key=lambda center: (center == UNKNOWN_CENTER, center))
    infinite = bool(np.isinf(rows["value"]).any())
    adjusted = adjusted_differences(usable, [center for center in centers if center != UNKNOWN_CENTER])
    for center in centers:
        here, rest = cases.loc[cases["center"] == center, "value"], known.loc[known["center"] != center, "value"]
        absent = rows.loc[(rows["center"] == center) & (rows["size"] == 0), "case"].nunique()
        tested = center != UNKNOWN_CENTER and min(len(here), len(rest)) >= FEWEST
        p, delta = (mann_whitney(here, rest), cliffs_delta(here, rest)) if tested else (np.nan, np.nan)
        medians = here.median(), rest.median()
        found = adjusted.get(center, Adjusted())
        interval = (found.difference, found.standard_error, found.low, found.high, found.p, found.method)
        counts = (center in held_out, len(here), absent, len(rest))
        figures = (*medians, medians[0] - medians[1], p, delta, *interval)
        yield region, model, center, *counts, *figures, _warning(center, len(here), len(rest), absent, found, infinite)


def _warning(center: str, here: int, rest: int, absent: int, found: Adjusted, infinite: bool) -> str:
    if center == UNKNOWN_CENTER:
        return "not tested: the centre is not known"
    if here == 0:
        return f"none of its {absent} cases has the region" if absent else "no case has a number"
    parts = [f"fewer than {FEW} cases: read with care"] if here < FEW else []
    parts += [f"the rest has fewer than {FEW} cases"] if rest < FEW else []
    parts += ["too few cases, or other models than the rest, to adjust for size"] if np.isnan(found.difference) else []
    parts += ["infinite distances are left out of the adjusted difference"] if infinite else []
    return "; ".join(parts)


def _large(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Values by centre, of the known centres with at least ``FEW`` cases that have the region."""
    cases = _by_case(rows)
    cases = cases[cases["center"] != UNKNOWN_CENTER]
    return {center: group.to_numpy() for center, group in cases.groupby("center")["value"] if len(group) >= FEW}


def _kruskal(region: str, model: str, rows: pd.DataFrame) -> tuple:
    large = _large(rows)
    n = sum(map(len, large.values()))
    few = "" if len(large) > 1 else f"fewer than two centres with {FEW} cases: not tested"
    statistic, p, effect = kruskal_wallis(large)
    return region, model, len(large), n, statistic, p, np.nan, effect, few


def _dunn(region: str, model: str, rows: pd.DataFrame) -> Iterator[tuple]:
    """Every two of the larger centres, p before adjustment."""
    large = _large(rows)
    for (center, other), p in dunn(large).items():
        here, there = large[center], large[other]
        shift = float(np.median(here) - np.median(there))
        yield region, model, center, other, len(here), len(there), shift, cliffs_delta(here, there), p, np.nan


def _frame(rows: Sequence[tuple], columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(columns))


def _with_q(table: pd.DataFrame, p: str, q: str) -> pd.DataFrame:
    return table.assign(**{q: benjamini_hochberg(table[p])})
