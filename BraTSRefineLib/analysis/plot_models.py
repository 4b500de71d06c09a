"""The plot of paired differences: each model minus the best one, case by case."""

from __future__ import annotations

from .boxes_of_cases import SAID, case_boxes
from .contents import Contents
from .document import Plot
from .plots import GUIDE, MANY_POINTS, base_layout, names


def paired_differences(contents: Contents) -> Plot | None:
    """A box a model and region of its Dice minus the best model's in the same case; None for fewer than two models."""
    models = list(contents.models_by_mean["model"])
    if len(models) < 2:
        return None
    best, others = models[0], models[1:]
    rows = contents.scored[contents.scored["value"].notna()]
    wide = rows.pivot_table(index=["region", "case"], columns="model", values="value")
    differences = wide[others].sub(wide[best], axis=0).stack().rename("value").dropna().reset_index()
    if differences.empty:
        return None
    regions = [region for region in contents.regions if region in set(differences["region"])]
    traces = []
    for region in regions:
        rows = differences[differences["region"] == region]
        hover = f"{region}: %{{x}} minus {names([best])[0]} %{{y:+.3f}}"
        traces.append(case_boxes(rows, "model", region, len(differences), shown=rows["value"], hover=hover))
    layout = base_layout(
        boxmode="group",
        yaxis={"title": {"text": "difference in Dice"}, "zeroline": False},
        xaxis={"type": "category", "categoryorder": "array", "categoryarray": names(others), "automargin": True},
        shapes=[{"type": "line", "y0": 0, "y1": 0, "x0": 0, "x1": 1, "xref": "x domain", "line": GUIDE}],
    )
    caption = (
        f"Dice minus that of {best} (the best mean) in the same case: below the line {best} is better. "
        f"{f'{SAID} ' if len(differences) > MANY_POINTS else ''}{contents.convention_note}"
    )
    return Plot("models", tuple(traces), layout, caption)
