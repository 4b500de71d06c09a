"""The report's section on single lesions: which sizes are found, and the worst of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pandas as pd

from .contents import Contents
from .document import Part, Plot, ReportTable, Section
from .factors import size_ranges
from .lesions import LESION_CUTS_ML, MATCHED, MISSED, REFERENCE_SIDE, lesion_strata, worst_lesions
from .plots import base_layout, chosen, names, numbers, panels, region_colour, region_label, share_axis

NONE_WRITTEN = (
    "There is no table of single lesions in this workspace. Score the cohort again with --measures lesions "
    "(bratsrefine score --conventions explains the rules) to see which lesions are missed and made up."
)
MOST_POINTS = 1000
ALL_MODELS = "all models"
HEADINGS = {"low": "95 % low", "high": "95 % high", "detection_rate": "Found", "stratum": "Size", "n": "Lesions"}


def lesion_section(contents: Contents) -> Section:
    """Detection by size, and the worst lesions; or how to get the table of lesions. Nothing without predictions."""
    lesions = contents.lesions
    if contents.scored.empty:
        return Section("lesions", "Lesions", ())
    if lesions is None:
        return Section("lesions", "Lesions", (NONE_WRITTEN,))
    counted = lesions[lesions["counted"].astype(bool)]
    if counted.empty:
        return Section("lesions", "Lesions", ("No lesion counts under this convention.",))
    parts: list[Part | None] = [
        _plot(counted, _regions(contents, counted)),
        _detection(contents, counted),
        _worst(contents),
    ]
    return Section("lesions", "Lesions", tuple(part for part in parts if part is not None))


def _regions(contents: Contents, lesions: pd.DataFrame) -> list[str]:
    known = set(lesions["region"])
    return [region for region in contents.regions if region in known] or sorted(known)


def _conventions(lesions: pd.DataFrame) -> str:
    return f"Convention: {', '.join(dict.fromkeys(lesions['convention']))}."


def _detection(contents: Contents, lesions: pd.DataFrame) -> ReportTable:
    tables = [lesion_strata(lesions, region=region) for region in _regions(contents, lesions)]
    caption = (
        "Lesions of the reference by their volume: how many a prediction hits, with Wilson's 95 % interval, and how "
        f"many predicted lesions of that size hit none. {_conventions(lesions)}"
    )
    frame = pd.concat(tables, ignore_index=True)
    return ReportTable("lesion-detection", "Lesions found, by size", frame, caption, HEADINGS)


def _worst(contents: Contents) -> ReportTable:
    frame = worst_lesions(contents.lesions, worst=contents.worst)
    caption = (
        "Missed and made-up lesions, the largest first, then those found with the lowest Dice. L, P, S: the centre in "
        f"mm to the patient's left, back and head. {_conventions(contents.lesions)}"
    )
    return ReportTable("worst-lesions", f"The {len(frame)} worst lesions", frame, caption)


def _plot(lesions: pd.DataFrame, regions: Sequence[str]) -> Plot | None:
    """On the left how many lesions of each size are found, on the right each lesion's own Dice."""
    truth = lesions[(lesions["side"] == REFERENCE_SIDE) & lesions["status"].isin([MATCHED, MISSED])]
    truth = truth[truth["volume_ml"] > 0]
    if truth.empty:
        return None
    models = sorted(set(truth["model"]))
    views = [ALL_MODELS, *models] if len(models) > 1 else models
    traces: list[dict] = []
    for view in views:
        mine = truth if view == ALL_MODELS else truth[truth["model"] == view]
        for region in regions:
            of_region = mine[mine["region"] == region]
            if len(of_region):
                traces += [_rates(of_region, region, view), _each(of_region, region, view)]
    caption = (
        "Left: share of the reference's lesions that are found, by volume, with Wilson's 95 % interval. Right: Dice of "
        f"each; a missed one is 0. {_thinned(truth)}{_conventions(lesions)}"
    )
    return Plot("lesions", chosen(traces, views), _layout(), caption, views=tuple(views))


def _rates(truth: pd.DataFrame, region: str, view: str) -> dict:
    """Detection in the middle of each range of volumes that has lesions."""
    pooled = lesion_strata(truth.assign(model=view, counted=True), region=region)
    drawn = pooled[pooled["n"] > 0]
    middles = _middles()
    order = [_bin_names().index(name) for name in drawn["stratum"]]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [middles[index] for index in order],
        "y": numbers(drawn["detection_rate"]),
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": numbers(drawn["high"] - drawn["detection_rate"]),
            "arrayminus": numbers(drawn["detection_rate"] - drawn["low"]),
            "thickness": 1,
        },
        "text": [f"{row.stratum}: {row.detected} of {row.n} found" for row in drawn.itertuples()],
        "name": region_label(region),
        "legendgroup": region,
        "marker": {"color": region_colour(region), "size": 8},
        "line": {"color": region_colour(region)},
        "meta": view,
        "hovertemplate": f"{region}, %{{text}}<extra></extra>",
    }


def _each(truth: pd.DataFrame, region: str, view: str) -> dict:
    drawn = _thin(truth)
    about = [
        f"{case}<br>{model}, lesion {lesion}, {status}"
        for case, model, lesion, status in zip(
            names(drawn["case"]), names(drawn["model"]), drawn["lesion"], drawn["status"], strict=True
        )
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": numbers(drawn["volume_ml"]),
        "y": numbers(drawn["dice"].where(drawn["status"] == MATCHED, 0.0)),
        "text": about,
        "name": region_label(region),
        "legendgroup": region,
        "showlegend": False,
        "marker": {"color": region_colour(region), "size": 6, "opacity": 0.65},
        "xaxis": "x2",
        "yaxis": "y2",
        "meta": view,
        "hovertemplate": "%{text}<br>%{x:.2g} ml, Dice %{y:.2f}<extra></extra>",
    }


def _thin(truth: pd.DataFrame) -> pd.DataFrame:
    """All where they are few; else the worst, and every so many of the others."""
    if len(truth) <= MOST_POINTS:
        return truth
    ordered = truth.assign(drawn=truth["dice"].where(truth["status"] == MATCHED, 0.0)).sort_values(
        "drawn", kind="stable"
    )
    worst, rest = ordered.iloc[: MOST_POINTS // 2], ordered.iloc[MOST_POINTS // 2 :]
    return pd.concat([worst, rest.iloc[:: -(-len(rest) // (MOST_POINTS // 2))]])


def _thinned(truth: pd.DataFrame) -> str:
    most = truth.groupby("region").size().max()
    return (
        f"Of more than {MOST_POINTS} lesions of a region the worst and a part of the others are drawn. "
        if most > MOST_POINTS
        else ""
    )


def _bin_names() -> list[str]:
    return size_ranges(pd.Series(dtype=float), LESION_CUTS_ML)[0]


def _middles() -> list[float]:
    """Where each range of volumes is drawn: between its ends on a logarithmic axis."""
    edges = [LESION_CUTS_ML[0] / 10, *LESION_CUTS_ML, LESION_CUTS_ML[-1] * 10]
    return [(low * high) ** 0.5 for low, high in pairwise(edges)]


def _layout() -> dict:
    (x, y), (x2, y2) = panels(2, gap=0.08)
    volume = {"type": "log", "title": {"text": "volume of the lesion in ml"}, "zeroline": False, "dtick": 1}
    return base_layout(
        xaxis=volume | x | {"anchor": "y"},
        yaxis=share_axis("share found", anchor="x", **y),
        xaxis2=volume | x2 | {"anchor": "y2"},
        yaxis2=share_axis("Dice", anchor="x2", **y2),
    )
