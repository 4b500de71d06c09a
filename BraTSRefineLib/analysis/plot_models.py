"""The plot of paired differences: each model minus the best one, case by case."""

from __future__ import annotations

import pandas as pd

from .contents import Contents
from .document import Plot
from .plots import GUIDE, MANY_POINTS, base_layout, names, numbers, region_colour, region_label


def paired_differences(contents: Contents) -> Plot | None:
    """A box a model and region of its Dice minus the best model's in the same case; None for fewer than two models."""
    models = list(contents.models_by_mean["model"])
    if len(models) < 2:
        return None
    best, others = models[0], models[1:]
    rows = contents.scored[contents.scored["value"].notna()]
    wide = rows.pivot_table(index=["region", "case"], columns="model", values="value")
    differences = wide[others].sub(wide[best], axis=0).stack().rename("difference").dropna().reset_index()
    if differences.empty:
        return None
    regions = [region for region in contents.regions if region in set(differences["region"])]
    traces = [_box(differences[differences["region"] == region], region, best, len(differences)) for region in regions]
    layout = base_layout(
        boxmode="group",
        yaxis={"title": {"text": "difference in Dice"}, "zeroline": False},
        xaxis={"type": "category", "categoryarray": names(others), "automargin": True},
        shapes=[{"type": "line", "y0": 0, "y1": 0, "x0": 0, "x1": 1, "xref": "x domain", "line": GUIDE}],
    )
    caption = (
        f"Dice minus that of {best} (the best mean) in the same case: below the line {best} is better. "
        f"{contents.convention_note}"
    )
    return Plot("models", tuple(traces), layout, caption)


def _box(rows: pd.DataFrame, region: str, best: str, total: int) -> dict:
    return {
        "type": "box",
        "x": names(rows["model"]),
        "y": numbers(rows["difference"]),
        "text": names(rows["case"]),
        "name": region_label(region),
        "boxpoints": "all" if total <= MANY_POINTS else "outliers",
        "jitter": 0.5,
        "pointpos": 0,
        "fillcolor": "rgba(0,0,0,0)",
        "line": {"width": 1.2},
        "marker": {"color": region_colour(region), "size": 5, "opacity": 0.7},
        "hovertemplate": f"%{{text}}<br>{region}: %{{x}} minus {names([best])[0]} %{{y:+.3f}}<extra></extra>",
    }
