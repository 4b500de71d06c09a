"""How a table's columns are headed and its numbers written, for people; the exported files keep every digit."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..regions import REGION_NAMES
from .metrics import metric_name

HEADINGS = {
    "center": "Centre",
    "center_a": "Centre",
    "center_b": "Against",
    "convention": "Convention",
    "dice": "Dice",
    "hd95_mm": "HD95 mm",
    "l_mm": "L mm",
    "p_mm": "P mm",
    "s_mm": "S mm",
    "median": "Median",
    "median_dice": "Median Dice",
    "median_hd95_mm": "Median HD95 mm",
    "n": "n",
    "p": "p",
    "q": "q (BH)",
    "q25": "25 %",
    "q75": "75 %",
    "volume_ml": "ml",
    "volume_reference_ml": "Reference ml",
    "warning": "Note",
}
PROBABILITIES = ("p", "q")
LEAST_P = 0.001


def heading(column: str, own: Mapping[str, str] | None = None) -> str:
    """The words over a column: those of the table itself, the report's, or the column's name with spaces."""
    known = HEADINGS | dict(own or {})
    return known.get(column) or column[:1].upper() + column[1:].replace("_", " ")


def shown(column: str, value: object) -> str:
    """One value as text; an empty cell is a dash."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return metric_name(value) if column == "metric" else str(value)
    if is_probability(column):
        return p_value(value)
    if column.endswith(("_rate", "share")):
        return f"{100 * value:.0f} %"
    return volume(value) if column.endswith("_ml") else number(value)


def is_probability(column: str) -> bool:
    """Whether a column holds p or q values by its name."""
    return column in PROBABILITIES or column.endswith(("_p", "_q"))


def number(value: float | None) -> str:
    """Two decimals, fewer of what is large, three of what is small; a dash for what is not there."""
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 3 if 0 < size < 0.0995 else 2
    return f"{value:.{digits}f}".replace("-0.000", "0.000")


def volume(value: float) -> str:
    """ml with at least two significant digits, so that a lesion of few voxels is not shown as none."""
    return f"{value:.2g}" if 0 < abs(value) < 0.1 else number(value)


def p_value(value: float) -> str:
    """``0.034``, ``<0.001``; never 0."""
    if math.isnan(value):
        return "-"
    return f"<{LEAST_P}" if value < LEAST_P else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def region_title(region: str) -> str:
    """The name of a region as a title begins with it: ``Surrounding FLAIR hyperintensity``."""
    name = REGION_NAMES.get(region, region)
    return name[0].upper() + name[1:]


def count(number: int, noun: str) -> str:
    """``1 case``, ``2 cases``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def is_numeric(frame: pd.DataFrame, column: str) -> bool:
    """Whether a column is set to the right and sorted by size."""
    return frame[column].dtype.kind in "fiu"
