"""Plots of the report, made with plotly and shown without a connection."""

from __future__ import annotations

from html import escape

import pandas as pd

from ..regions import REGION_NAMES, REGIONS
from .markup import Html
from .metrics import HIGHER_IS_BETTER, metric_name, metric_unit

REGION_COLOURS = {"WT": "#7f9172", "TC": "#5e6c9e", "ET": "#b5655f"}
HEIGHT = 420
CONFIGURATION = {"displaylogo": False, "responsive": True, "modeBarButtonsToRemove": ["lasso2d", "select2d"]}


FOLLOW_COLOURS = """
const dark = window.matchMedia("(prefers-color-scheme: dark)");
function paintPlots() {
  const page = getComputedStyle(document.documentElement);
  const [text, line, font] = ["--text", "--line", "--font"].map((name) => page.getPropertyValue(name).trim());
  for (const plot of document.querySelectorAll(".plotly-graph-div")) {
    Plotly.relayout(plot, {
      "font.color": text, "font.family": font, "xaxis.linecolor": line,
      "xaxis.gridcolor": line, "yaxis.gridcolor": line, "yaxis.zerolinecolor": line,
    });
  }
}
dark.addEventListener("change", paintPlots);
paintPlots();
"""
"""Plots take the page's colours, also when the reader's system turns dark."""


def colour_script() -> Html:
    """What makes the plots of a page follow its colours; to be put after them."""
    return Html(f"<script>{FOLLOW_COLOURS}</script>")


def plotly_script() -> Html:
    """plotly.js itself, once a page."""
    from plotly.offline import get_plotlyjs

    return Html(f"<script>{get_plotlyjs()}</script>")


def distribution(scores: pd.DataFrame, metric: str) -> Html | None:
    """Every prediction as a point with its case's name, and a box a region and model; None without a number."""
    import plotly.graph_objects as go

    rows = scores[(scores["metric"] == metric) & (scores["model"] != "") & scores["value"].notna()]
    if rows.empty:
        return None
    figure = go.Figure([_box(go, rows[rows["region"] == region], region) for region in REGIONS])
    figure.update_layout(_layout(metric))
    return _as_html(figure, f"plot-{metric}")


def _box(go, rows: pd.DataFrame, region: str):
    return go.Box(
        x=[escape(model) for model in rows["model"]],
        y=rows["value"].tolist(),
        text=[escape(case) for case in rows["case"]],
        name=f"{region}, {REGION_NAMES[region]}",
        boxpoints="all",
        jitter=0.5,
        pointpos=0,
        fillcolor="rgba(0,0,0,0)",
        line={"width": 1},
        marker={"color": REGION_COLOURS[region], "size": 6, "opacity": 0.75},
        hovertemplate=f"%{{text}}<br>%{{x}}<br>{region} %{{y:.3g}}<extra></extra>",
    )


def _layout(metric: str) -> dict:
    unit = metric_unit(metric)
    return {
        "boxmode": "group",
        "height": HEIGHT,
        "margin": {"l": 60, "r": 10, "t": 10, "b": 40},
        "yaxis": {"title": {"text": f"{metric_name(metric)}{f' in {unit}' if unit else ''}"}} | _extent(metric),
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "#9aa2ab", "activecolor": "#68707a"},
        "xaxis": {"categoryorder": "category ascending", "automargin": True},
        "legend": {"orientation": "h", "y": 1.08, "x": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "template": "none",
        "hovermode": "closest",
    }


def _extent(metric: str) -> dict:
    return {"range": [-0.02, 1.04]} if metric.startswith(HIGHER_IS_BETTER) else {"rangemode": "tozero"}


def _as_html(figure, name: str) -> Html:
    import plotly.io

    html = plotly.io.to_html(
        figure, full_html=False, include_plotlyjs=False, include_mathjax=False, config=CONFIGURATION, div_id=name
    )
    return Html(html)
