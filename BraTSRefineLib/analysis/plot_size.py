"""The plot of size against Dice: is it the small tumours that fail?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .contents import Contents
from .document import Plot
from .factors import SIZE_CUTS_ML, TISSUE_CUTS_ML, region_sizes
from .plots import GUIDE, base_layout, chosen, group_style, names, numbers, panels, region_label, share_axis
from .views import MEAN, case_means, views

PANEL_HEIGHT = 380
TICKS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)


def size_against_dice(contents: Contents) -> Plot | None:
    """A panel a region: reference volume (logarithmic) against Dice, a point a case, coloured by centre."""
    rows = _with_sizes(contents)
    drawn = rows[rows["size_ml"] > 0]
    if drawn.empty:
        return None
    shown = views(drawn)
    regions = [region for region in contents.regions if region in set(drawn["region"])]
    centers = sorted(set(drawn["center"]))
    traces = []
    for view in shown:
        mine = case_means(drawn, ["center", "size_ml"]) if view == MEAN else drawn[drawn["model"] == view]
        traces += _traces(mine, view, regions, centers)
    caption = (
        "Dice against the reference's volume, a point a case; dotted lines are the size cuts of the strata. "
        f"{_left_out(rows)}{_without_volume(contents)}{contents.convention_note}"
    )
    height = 60 + PANEL_HEIGHT * -(-len(regions) // 3)
    return Plot("size-dice", chosen(traces, shown), _layout(regions, len(centers)), caption, height, tuple(shown))


def _with_sizes(contents: Contents) -> pd.DataFrame:
    rows = contents.scored[contents.scored["value"].notna()]
    sizes = [
        region_sizes(contents.figures, region).rename("size_ml").rename_axis("case").reset_index().assign(region=region)
        for region in contents.regions
    ]
    if not sizes:
        return rows.assign(size_ml=np.nan, center="")
    sized = rows.merge(pd.concat(sizes), on=["case", "region"], how="left")
    return sized.assign(center=sized["case"].map(contents.center_of))


def _traces(rows: pd.DataFrame, view: str, regions: list[str], centers: list[str]) -> list[dict]:
    named: set[str] = set()
    traces = []
    for place, region in enumerate(regions):
        for index, center in enumerate(centers):
            mine = rows[(rows["region"] == region) & (rows["center"] == center)]
            if len(mine):
                first = center not in named
                named.add(center)
                traces.append(_points(mine, view, center, index, place, first and len(centers) > 1))
    return traces


def _points(rows: pd.DataFrame, view: str, center: str, index: int, place: int, in_legend: bool) -> dict:
    number = "" if place == 0 else str(place + 1)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": numbers(rows["size_ml"]),
        "y": numbers(rows["value"]),
        "text": names(rows["case"]),
        "name": names([center])[0],
        "legendgroup": center,
        "showlegend": in_legend,
        "marker": {"size": 7, "opacity": 0.75} | group_style(index),
        "xaxis": f"x{number}",
        "yaxis": f"y{number}",
        "meta": view,
        "hovertemplate": "%{text}<br>%{x:.3g} ml, Dice %{y:.3f}<extra>%{fullData.name}</extra>",
    }


def _layout(regions: list[str], centers: int) -> dict:
    axes: dict[str, object] = {}
    shapes, titles = [], []
    for place, (region, (x, y)) in enumerate(zip(regions, panels(len(regions)), strict=True)):
        number = "" if place == 0 else str(place + 1)
        ticks = {"tickvals": list(TICKS), "ticktext": [f"{tick:g}" for tick in TICKS]}
        title = {"text": f"{region} ml"}
        axes[f"xaxis{number}"] = {"type": "log", "anchor": f"y{number}", "title": title, "zeroline": False} | x | ticks
        axes[f"yaxis{number}"] = share_axis("Dice" if place % 3 == 0 else "", anchor=f"x{number}", **y)
        shapes += [_cut(cut, number) for cut in SIZE_CUTS_ML.get(region, TISSUE_CUTS_ML)]
        titles.append(_title(region, number))
    legend = {"orientation": "h", "y": -0.16, "yanchor": "top", "x": 0}
    margin = {"l": 60, "r": 12, "t": 34, "b": 90 if centers > 1 else 44}
    return base_layout(shapes=shapes, annotations=titles, legend=legend, margin=margin, **axes)


def _cut(cut: float, number: str) -> dict:
    return {
        "type": "line",
        "x0": cut,
        "x1": cut,
        "xref": f"x{number}",
        "y0": 0,
        "y1": 1,
        "yref": f"y{number} domain",
        "line": GUIDE,
        "layer": "below",
    }


def _title(region: str, number: str) -> dict:
    place = {"xref": f"x{number} domain", "yref": f"y{number} domain", "x": 0, "y": 1.01}
    return place | {"text": region_label(region), "xanchor": "left", "yanchor": "bottom", "showarrow": False}


def _left_out(rows: pd.DataFrame) -> str:
    absent = rows[rows["size_ml"] == 0].drop_duplicates(["case", "region"])["region"].value_counts(sort=False)
    counted = ", ".join(f"{region} {count}" for region, count in absent.items())
    return f"Cases whose reference does not have the region are left out ({counted}). " if counted else ""


def _without_volume(contents: Contents) -> str:
    consensus = any(" vs " in convention for convention in contents.conventions)
    return "Without a reference the size is the median of what the models were compared with. " if consensus else ""
