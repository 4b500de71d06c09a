"""Boxes whose points carry the names of their cases; of very many cases only those outside the whiskers are points."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .plots import MANY_POINTS, names, numbers, region_colour, region_label
from .strata import FEW

WHISKER = 1.5
"""Whiskers reach this many interquartile ranges beyond the quartiles (Tukey)."""

SAID = "Only values beyond the whiskers are drawn as points."


def case_boxes(
    rows: pd.DataFrame,
    across: str,
    region: str,
    total: int,
    *,
    shown: pd.Series,
    hover: str,
    logarithmic: bool = False,
) -> dict:
    """A trace of one region: a box for each value of the column ``across``, of the numbers ``shown``.

    ``hover`` is the template under the case's name; ``rows["value"]`` is its ``customdata``. ``total`` counts the
    points of the whole plot: of too many the page keeps no name that nobody can point at. Without ``FEW`` cases in any
    group there are no boxes, for their quartiles would be made of two or three numbers. On a ``logarithmic`` axis the
    whiskers are those of the logarithms, as plotly draws them.
    """
    few, boxed = total <= MANY_POINTS, rows[across].value_counts().max() >= FEW
    drawn = (
        pd.Series(True, index=rows.index) if few else _outside(np.log(shown) if logarithmic else shown, rows[across])
    )
    return {
        "type": "box",
        "x": names(rows[across]),
        "y": numbers(shown),
        "text": names(rows["case"].where(drawn, "")),
        "customdata": numbers(rows["value"]) if few or not shown.equals(rows["value"]) else [],
        "name": region_label(region),
        "boxpoints": "all" if few else "outliers",
        "jitter": 0.5,
        "pointpos": 0,
        "fillcolor": "rgba(0,0,0,0)",
        "line": {"width": 1.2 if boxed else 0},
        "marker": {"color": region_colour(region), "size": 5, "opacity": 0.7},
        "hovertemplate": f"%{{text}}<br>{hover}<extra></extra>",
    }


def _outside(values: pd.Series, groups: pd.Series) -> pd.Series:
    """Whether a value lies beyond the whiskers of its group, or may do so: plotly rounds quartiles another way."""
    low, high = (values.groupby(groups).transform("quantile", share) for share in (0.25, 0.75))
    reach = 0.9 * WHISKER * (high - low)
    return (values < low - reach) | (values > high + reach)
