"""The report's section on centres: which is worse than the others, and whether that is more than the tumours' size."""

from __future__ import annotations

import pandas as pd

from .centers import ALL_MODELS
from .contents import Contents
from .document import Part, ReportTable, Section
from .held_out import held_out_drop
from .multiple import SIGNIFICANT
from .plot_centers import adjusted_plot
from .plot_spread import center_distribution
from .table_view import table_html

SHOWN = (
    "region",
    "center",
    "n",
    "absent",
    "median",
    "median_rest",
    "p",
    "q",
    "adjusted_difference",
    "low",
    "high",
    "adjusted_p",
    "adjusted_q",
    "flagged",
    "warning",
)
HEADINGS = {
    "absent": "Without it",
    "median_rest": "Of the rest",
    "cliffs_delta": "Cliff's delta",
    "adjusted_difference": "Adjusted difference",
    "low": "95 % low",
    "high": "95 % high",
    "adjusted_p": "Adjusted p",
    "adjusted_q": "Adjusted q",
    "flagged": "Worse",
    "n_other": "n of the other",
    "epsilon_squared": "epsilon²",
    "statistic": "H",
    "drop": "Lost",
}


def center_section(contents: Contents) -> Section:
    """Tests and adjusted differences of Dice; a sentence where there is nothing to compare, nothing without scores."""
    if contents.scored["value"].notna().sum() == 0:
        return Section("centers", "Centres", ())
    tests = contents.centers_tested
    plots = [adjusted_plot(tests.centers, contents.convention_note), center_distribution(contents, contents.metric)]
    parts: list[Part] = [*tests.notes, *(plot for plot in plots if plot is not None)]
    if len(tests.centers):
        parts += [_centers(contents), _overall(contents), *_pairs(contents)]
    return Section("centers", "Centres", (*parts, *_held_out(contents)))


def _centers(contents: Contents) -> ReportTable:
    frame = contents.centers_tested.centers
    caption = (
        "Dice of the cases that have the region. p: Mann-Whitney against all other centres. Adjusted: at equal volume "
        f"of the region (regression on log volume, its square, model and centre; {_methods(frame)}). q adjusts over "
        f"all tests of its column (Benjamini-Hochberg). Worse: adjusted q below {SIGNIFICANT} and at least 0.05 lower. "
        f"{_only_together(frame)}{contents.convention_note}"
    )
    view = table_html(_together(frame)[list(SHOWN)], HEADINGS)
    return ReportTable("centers", "Each centre against the rest", frame, caption, HEADINGS, view)


def _methods(frame: pd.DataFrame) -> str:
    return "; ".join(dict.fromkeys(method for method in frame["method"] if method)) or "too few cases to do so"


def _together(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows over all models where there are any, else those of the one model."""
    together = frame[frame["model"] == ALL_MODELS]
    return together if len(together) else frame


def _only_together(frame: pd.DataFrame) -> str:
    return "Shown over all models; the file has each. " if (frame["model"] == ALL_MODELS).any() else ""


def _overall(contents: Contents) -> ReportTable:
    frame = contents.centers_tested.overall
    caption = "Do the centres with at least 5 cases differ at all? Kruskal-Wallis, not adjusted for size."
    return ReportTable("centers-overall", "All centres at once", frame, caption, HEADINGS, folded=True)


def _pairs(contents: Contents) -> list[ReportTable]:
    frame = contents.centers_tested.pairs
    if frame.empty:
        return []
    caption = "Dunn's test of every two centres with at least 5 cases, not adjusted for size."
    view = table_html(_together(frame), HEADINGS)
    return [ReportTable("centers-pairs", "Centre against centre", frame, caption, HEADINGS, view, folded=True)]


def _held_out(contents: Contents) -> list[ReportTable]:
    frame = held_out_drop(contents.figures, contents.cohort)
    if frame.empty:
        return []
    caption = "What a model that never saw a centre loses on its cases, against those of its family that did."
    return [ReportTable("centers-held-out", "Held-out centres", frame, caption, HEADINGS)]
