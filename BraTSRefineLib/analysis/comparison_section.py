"""The report's section on models: is one better than another, and would it be with other cases?"""

from __future__ import annotations

import pandas as pd

from .comparison import ALL_CASES, compare_models
from .contents import Contents
from .document import Part, ReportTable, Section
from .multiple import benjamini_hochberg
from .plot_models import paired_differences
from .table_view import table_html

HEADINGS = {
    "a": "Best",
    "b": "Against",
    "mean_a": "Mean of the best",
    "mean_b": "Mean",
    "mean_difference": "Difference",
    "low": "95 % low",
    "high": "95 % high",
    "only_a": "Only best",
    "only_b": "Only other",
    "first": "First (share)",
    "holds": "Holds (share)",
    "flips": "Flips (share)",
    "ties": "Ties (share)",
    "aggregation": "By",
    "stratum": "Size",
    "value": "Value",
}
SHOWN = (
    "b",
    "region",
    "metric",
    "n",
    "mean_a",
    "mean_b",
    "mean_difference",
    "low",
    "high",
    "better",
    "worse",
    "effect",
)
TESTED = ("p", "q", "warning")
MOST_MODELS = 12
"""Of more models the tables by size would be longer than anybody reads."""


def comparison_section(contents: Contents) -> Section:
    """Nothing for a single model; the reason where they cannot be compared."""
    if contents.scored["model"].nunique() < 2:
        return Section("models", "Models", ())
    if contents.ranking is None:
        return Section("models", "Models", (f"Not compared: {contents.not_ranked}.",))
    plot = paired_differences(contents)
    parts: list[Part] = [*contents.ranking.notes, *([plot] if plot is not None else [])]
    parts += [_order(contents), _flips(contents), _against_best(contents), *_by_size(contents)]
    return Section("models", "Models", tuple(parts))


def _order(contents: Contents) -> ReportTable:
    caption = (
        "Order of the models by mean Dice and by the challenges' rank sum (Dice and HD95, 1 is best), over the cases "
        "that all of them predicted, with the 95 % interval of the rank and the share of first places when the cases "
        f"are drawn again. {contents.convention_note}"
    )
    frame = contents.ranking.models
    headings = HEADINGS | {"low": "Rank low", "high": "Rank high"}
    view = table_html(frame.drop(columns="stratum"), headings)
    return ReportTable("models-ranking", "How sure the order is", frame, caption, headings, view)


def _flips(contents: Contents) -> ReportTable:
    caption = "How often the order of two models holds, flips or is a tie when the cases are drawn again."
    frame = contents.ranking.pairs
    view = table_html(frame.drop(columns="stratum"), HEADINGS)
    return ReportTable("models-order", "Two models at a time", frame, caption, HEADINGS, view, folded=True)


def _against_best(contents: Contents) -> ReportTable:
    frame = contents.against_best
    caption = (
        f"Case by case against {frame['a'].iloc[0]}, which has the best mean Dice: the difference with its 95 % "
        "bootstrap interval, cases in which the other model is better or worse, rank-biserial correlation (effect), "
        "Wilcoxon's signed-rank p, and q over all of these tests (Benjamini-Hochberg). "
        f"{contents.convention_note}"
    )
    view = table_html(frame[[*SHOWN, *TESTED]], HEADINGS)
    return ReportTable("models-paired", "Each model against the best", frame, caption, HEADINGS, view)


def _by_size(contents: Contents) -> list[ReportTable]:
    models = list(contents.models_by_mean["model"])
    if len(models) > MOST_MODELS:
        return []
    compared = [
        compare_models(contents.figures, models[0], other, metrics=["dice"], cohort=contents.cohort, by="size")
        for other in models[1:]
    ]
    frame = pd.concat(compared, ignore_index=True)
    frame = frame[frame["stratum"] != ALL_CASES].reset_index(drop=True)
    if frame.empty:
        return []
    frame = frame.assign(q=benjamini_hochberg(frame["p"]))
    caption = f"The same for Dice by size of the region. q is over the tests of this table. {contents.convention_note}"
    columns = ["stratum", *(name for name in SHOWN if name != "metric"), *TESTED]
    view = table_html(frame[columns], HEADINGS)
    return [ReportTable("models-size", "Against the best, by size", frame, caption, HEADINGS, view, folded=True)]
