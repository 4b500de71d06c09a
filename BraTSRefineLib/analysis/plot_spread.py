"""Plots of how a metric spreads: by region and model, and by region and centre."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from .boxes_of_cases import SAID, case_boxes
from .contents import Contents
from .document import Plot
from .metrics import is_share, metric_name, metric_unit
from .plots import MANY_POINTS, base_layout, chosen, names, share_axis
from .views import MEAN, case_means, views

LEAST_DISTANCE = 0.5
"""Distances are drawn on a logarithmic axis, which has no 0; smaller ones are drawn here, and said to be."""

TICKS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 374)


def distribution(contents: Contents, metric: str) -> Plot | None:
    """Every prediction as a point with its case's name, and a box a region and model; None without a number."""
    rows = contents.values(metric)
    rows = rows[rows["value"].notna()]
    if rows.empty:
        return None
    finite = rows[np.isfinite(rows["value"])]
    traces = [
        _box(finite[finite["region"] == region], region, "model", metric, len(finite))
        for region in contents.regions
        if region in set(finite["region"])
    ]
    layout = _layout(finite, "model", metric)
    drawn = _what_is_drawn(rows, finite, metric)
    caption = f"{metric_name(metric)} of every prediction, by model and region. {drawn} {contents.convention_note}"
    return Plot(f"spread-{metric}", tuple(traces), layout, caption)


def center_distribution(contents: Contents, metric: str) -> Plot | None:
    """A box a region and centre, for the mean over the models or one of them; None for fewer than two centres."""
    rows = contents.values(metric).assign(center=lambda rows: rows["case"].map(contents.center_of))
    rows = rows[np.isfinite(rows["value"])]
    if rows["center"].nunique() < 2:
        return None
    shown = views(rows)
    traces = []
    for view in shown:
        mine = case_means(rows, ["center"]) if view == MEAN else rows[rows["model"] == view]
        for region in contents.regions:
            of_region = mine[mine["region"] == region]
            if len(of_region):
                traces.append(_box(of_region, region, "center", metric, len(rows)) | {"meta": view})
    layout = _layout(rows, "center", metric)
    many = f" {SAID}" if len(rows) > MANY_POINTS else ""
    over = " The mean over the models is one value a case." if MEAN in shown else ""
    caption = (
        f"{metric_name(metric)} by centre and region, not adjusted for size.{over}{many} {contents.convention_note}"
    )
    return Plot(f"centers-{metric}", chosen(traces, shown), layout, caption, views=tuple(shown))


def _box(rows: pd.DataFrame, region: str, across: str, metric: str, total: int) -> dict:
    distance = _is_distance(metric)
    shown = rows["value"].clip(lower=LEAST_DISTANCE) if distance else rows["value"]
    hover = f"%{{x}}<br>{region} {'%{customdata:.3g}' if distance else '%{y:.3g}'}"
    return case_boxes(rows, across, region, total, shown=shown, hover=hover, logarithmic=distance)


def _is_distance(metric: str) -> bool:
    return metric_unit(metric) == "mm" and not is_share(metric)


def _axis(metric: str, values: pd.Series) -> dict:
    unit = "" if is_share(metric) else metric_unit(metric)
    title = f"{metric_name(metric)}{f' in {unit}' if unit else ''}"
    if is_share(metric):
        return share_axis(title)
    if not _is_distance(metric):
        return {"title": {"text": title}}
    labels = [f"{tick:g}" for tick in TICKS]
    extent = [math.log10(0.8 * LEAST_DISTANCE), math.log10(max(1.3 * values.max(), 10.0))]
    return {"title": {"text": title}, "type": "log", "tickvals": list(TICKS), "ticktext": labels, "range": extent}


def _layout(rows: pd.DataFrame, across: str, metric: str) -> dict:
    places = names(sorted(set(rows[across])))
    xaxis = {"type": "category", "categoryorder": "array", "categoryarray": places, "automargin": True}
    return base_layout(boxmode="group", yaxis=_axis(metric, rows["value"]), xaxis=xaxis)


def _what_is_drawn(rows: pd.DataFrame, finite: pd.DataFrame, metric: str) -> str:
    said = []
    if len(finite) > MANY_POINTS:
        said.append(SAID)
    if _is_distance(metric):
        said.append(f"Logarithmic axis; below {LEAST_DISTANCE} drawn at {LEAST_DISTANCE}.")
    if len(finite) < len(rows):
        said.append(f"{len(rows) - len(finite)} infinite distances (one mask empty) are not drawn.")
    return " ".join(said)
