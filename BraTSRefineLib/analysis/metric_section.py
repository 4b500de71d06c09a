"""The report's tables of every metric, and its section on calibration where probabilities were scored."""

from __future__ import annotations

import pandas as pd

from .bootstrap import quartiles
from .contents import Contents
from .document import Part, Plot, ReportTable, Section
from .metrics import metric_name
from .plot_spread import distribution
from .selective import selective_risk

CALIBRATION = ("ece_", "brier_", "nll_", "qu_brats")
"""Beginnings of the names of metrics that judge probabilities and uncertainties."""

FIGURES = ("n", "mean", "sd", "q25", "median", "q75", "undefined", "infinite")
HEADINGS = {"mean": "Mean", "sd": "SD", "undefined": "Undefined", "infinite": "Infinite"}


def metric_section(contents: Contents) -> Section:
    """Every metric of the scores by region and model; nothing without predictions."""
    frame = metric_table(contents)
    if frame.empty:
        return Section("metrics", "Metrics", ())
    caption = (
        "Mean and SD are over the finite values; undefined and infinite ones (empty masks) are counted beside them. "
        f"Conventions: {', '.join(dict.fromkeys(frame['convention']))}."
    )
    title = f"{frame['metric'].nunique()} metrics by region and model"
    return Section("metrics", "Metrics", (ReportTable("metrics", title, frame, caption, HEADINGS, folded=True),))


def calibration_section(contents: Contents) -> Section:
    """Calibration and uncertainty, where they were scored."""
    frame = metric_table(contents)
    if frame.empty or not frame["metric"].str.startswith(CALIBRATION).any():
        return Section("calibration", "Calibration", ())
    mine = frame[frame["metric"].str.startswith(CALIBRATION)].reset_index(drop=True)
    plots: list[Plot | None] = [distribution(contents, name) for name in ("ece_band", "qu_brats")]
    names = ", ".join(metric_name(name) for name in dict.fromkeys(mine["metric"]))
    caption = f"{names}, by region and model. {contents.convention_note}"
    parts: list[Part] = [plot for plot in plots if plot is not None]
    table = ReportTable("calibration", "Are the probabilities to be believed?", mine, caption, HEADINGS)
    return Section("calibration", "Calibration", (*parts, table, *_selective(contents)))


def _selective(contents: Contents) -> list[Part]:
    frame = selective_risk(contents.scores)
    if frame.empty:
        return []
    caption = (
        "The risk of a case is 1 - Dice, its confidence 1 - the mean entropy where the region is predicted. AURC is "
        "the mean risk of what is kept when the least confident cases are left out one by one: the mean risk if the "
        "confidence says nothing, E-AURC above the perfect order. Lower is better."
    )
    headings = {"mean_risk": "Mean risk", "aurc": "AURC", "e_aurc": "E-AURC", "augrc": "AUGRC"}
    title = "Does a model know which of its cases are bad?"
    return [ReportTable("risk-coverage", title, frame, caption, headings)]


def metric_table(contents: Contents) -> pd.DataFrame:
    """Columns metric, region, model, those of ``FIGURES``, and convention: a row a convention, for they do not mix."""
    rows = contents.scores[(contents.scores["model"] != "") & (contents.scores["metric"] != "")]
    groups = rows.groupby(["metric", "region", "model", "convention"], sort=False)["value"]
    found = [(*key[:3], *_figures(values), key[3]) for key, values in groups]
    table = pd.DataFrame(found, columns=["metric", "region", "model", *FIGURES, "convention"])
    places = {"metric": list(dict.fromkeys(rows["metric"])).index, "region": contents.regions.index, "model": str}
    order = ["metric", "region", "model"]
    ordered = table.sort_values(order, key=lambda column: column.map(places[column.name]), kind="stable")
    return ordered.reset_index(drop=True)


def _figures(values: pd.Series) -> tuple:
    known = values.dropna()
    infinite = int(known.isin([float("inf"), float("-inf")]).sum())
    finite = known[~known.isin([float("inf"), float("-inf")])]
    q25, median, q75 = quartiles(known.to_numpy(dtype=float))
    return len(known), finite.mean(), finite.std(), q25, median, q75, int(values.isna().sum()), infinite
