"""The plot of what a centre differs from the others at equal size, with its interval."""

from __future__ import annotations

import pandas as pd

from .centers import ALL_MODELS
from .document import Plot
from .plots import GUIDE, base_layout, chosen, names, numbers, region_colour, region_label

LINE_HEIGHT, LEAST_HEIGHT = 26, 220


def adjusted_plot(table: pd.DataFrame, note: str) -> Plot | None:
    """A line a centre and a point a region; None where no difference could be adjusted."""
    drawn = table[table["adjusted_difference"].notna()]
    if drawn.empty:
        return None
    models = sorted(set(drawn["model"]), key=lambda model: (model != ALL_MODELS, model))
    centers = sorted(set(drawn["center"]), reverse=True)
    regions = list(dict.fromkeys(drawn["region"]))
    traces = [
        _points(
            drawn[(drawn["model"] == model) & (drawn["region"] == region)], region, model, centers, place, len(regions)
        )
        for model in models
        for place, region in enumerate(regions)
    ]
    caption = (
        "Dice of each centre minus that of the others at equal size of the region, with the 95 % interval: to the left "
        f"of the line it is worse. {note}"
    )
    ticks = {"tickvals": list(range(len(centers))), "ticktext": names(centers), "automargin": True}
    layout = base_layout(
        xaxis={"title": {"text": "difference in Dice at equal size"}, "zeroline": False},
        yaxis=ticks | {"range": [-0.6, len(centers) - 0.4], "zeroline": False},
        shapes=[{"type": "line", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "yref": "y domain", "line": GUIDE}],
    )
    height = max(LEAST_HEIGHT, 100 + LINE_HEIGHT * len(centers) * len(regions))
    return Plot("centers-adjusted", chosen(traces, models), layout, caption, height, tuple(models))


def _points(rows: pd.DataFrame, region: str, model: str, centers: list[str], place: int, count: int) -> dict:
    """The points of one region, a little below those of the region before."""
    shift = 0.5 * (place - (count - 1) / 2) / count
    about = [
        f"{center}<br>{region}, n {n}: {difference:+.3f} ({low:+.3f} to {high:+.3f})<br>p {p:.2g}, q {q:.2g}"
        for center, n, difference, low, high, p, q in zip(
            names(rows["center"]),
            *(rows[name] for name in ("n", "adjusted_difference", "low", "high", "adjusted_p", "adjusted_q")),
            strict=True,
        )
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": numbers(rows["adjusted_difference"]),
        "y": [round(centers.index(center) - shift, 3) for center in rows["center"]],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": numbers(rows["high"] - rows["adjusted_difference"]),
            "arrayminus": numbers(rows["adjusted_difference"] - rows["low"]),
            "thickness": 1.4,
            "width": 3,
        },
        "text": about,
        "name": region_label(region),
        "marker": {"color": region_colour(region), "size": 8},
        "meta": model,
        "hovertemplate": "%{text}<extra></extra>",
    }
