"""How the report's plots look and get into a page: colours, hover, axes; plotly draws them without a connection."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from ..regions import REGION_NAMES
from .document import Plot
from .markup import Html, element, joined

REGION_COLOURS = {
    "WT": "#009e73",
    "TC": "#1f85c6",
    "ET": "#d55e00",
    "RC": "#cc79a7",
    "NETC": "#56b4e9",
    "SNFH": "#e69f00",
    "CC": "#7b5ea7",
    "ED": "#8c6d31",
    "GTV": "#7f7f7f",
}
"""Told apart by people with any colour vision (after Okabe and Ito), on white as on black."""

COLOURS = ("#1f85c6", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6d31", "#7f7f7f")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")
OTHER_COLOUR = "#7f7f7f"
GUIDE = {"color": "rgba(128, 128, 128, 0.7)", "width": 1, "dash": "dot"}
MANY_POINTS = 2000
"""Above this many values a box shows those beyond its whiskers as points, and no longer every one."""

DIGITS = 4


def region_colour(region: str) -> str:
    return REGION_COLOURS.get(region, OTHER_COLOUR)


def region_label(region: str) -> str:
    """``ET, enhancing tumour``."""
    return f"{region}, {REGION_NAMES[region]}" if region in REGION_NAMES else region


def group_style(index: int) -> dict:
    """Colour and symbol of the ``index``-th group: 48 that differ before one comes again."""
    return {"color": COLOURS[index % len(COLOURS)], "symbol": SYMBOLS[index // len(COLOURS) % len(SYMBOLS)]}


def names(texts: Iterable[object]) -> list[str]:
    """Names as plotly shows them: it takes some tags in a text for its own."""
    return [escape(str(text)) for text in texts]


def numbers(values: Iterable[float]) -> list[float | None]:
    """Four significant digits, which is more than a screen has; None where there is no number."""
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in map(float, values)]


def base_layout(**more: object) -> dict:
    """What every plot has in common; colours are those of the page and set there."""
    return {
        "margin": {"l": 60, "r": 12, "t": 30, "b": 44},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hovermode": "closest",
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "#9aa2ab", "activecolor": "#68707a"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    } | more


def share_axis(title: str, **more: object) -> dict:
    """An axis for what lies between 0 and 1."""
    return {"title": {"text": title}, "range": [-0.03, 1.04], "zeroline": False} | more


def panels(count: int, most: int = 3, gap: float = 0.05) -> list[tuple[dict, dict]]:
    """The domains (x, y) of ``count`` panels side by side, ``most`` a row, the first on the left at the top."""
    columns, rows = min(count, most), -(-count // most)
    width, height = (1 - gap * (columns - 1)) / columns, (1 - 0.2 * (rows - 1)) / rows
    places = [divmod(index, columns) for index in range(count)]
    return [
        (
            {"domain": [column * (width + gap), min(column * (width + gap) + width, 1)]},
            {"domain": [1 - row * (height + 0.2) - height if row < rows - 1 else 0, 1 - row * (height + 0.2)]},
        )
        for row, column in places
    ]


def chosen(traces: Iterable[Mapping], views: Sequence[str]) -> tuple[dict, ...]:
    """The traces, of which those of the first view (by ``meta``) are shown at first."""
    return tuple({**trace, "visible": not views or trace.get("meta") in (None, views[0])} for trace in traces)


def plot_html(plot: Plot) -> Html:
    """The plot's place in a page, its figure as JSON beside it, and the choice of views."""
    figure = json.dumps({"data": plot.traces, "layout": plot.layout}, ensure_ascii=False, allow_nan=False)
    data = Html(figure.replace("<", "\\u003c").replace("\u2028", " ").replace("\u2029", " "))
    options = [element("option", view, value=view) for view in plot.views]
    choice = element("label", "Show ", element("select", *options), class_="choice") if len(options) > 1 else None
    return element(
        "figure",
        choice,
        element("div", class_="canvas", style=f"height: {plot.height}px"),
        element("script", data, type="application/json"),
        element("figcaption", plot.caption),
        class_="plot",
        id=f"plot-{plot.name}",
    )


def plotly_script() -> Html:
    """plotly.js itself, once a page."""
    from plotly.offline import get_plotlyjs

    return joined(Html("<script>"), Html(get_plotlyjs()), Html("</script>"))
