"""A table of numbers as people read it: words over the columns, figures to the right, sorted by a click."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from .cells import heading, is_numeric, shown
from .markup import Html, breakable, element, joined, table

NAMES = ("case", "model")
WARNING = "warning"
SHORT = 18
"""Characters that are not broken over lines."""

SORTED_FROM = 3
"""Rows from which a table can be sorted by its columns."""


def table_html(frame: pd.DataFrame, headings: Mapping[str, str] | None = None, rows: int | None = None) -> Html:
    """``frame`` without the columns that say nothing, and of very many rows the first."""
    drawn = frame if rows is None else frame.head(rows)
    if drawn.empty:
        return element("p", "No row.", class_="quiet")
    shared = _shared_warning(drawn)
    columns = [column for column in drawn.columns if not _says_nothing(drawn, column)]
    columns = [column for column in columns if column != WARNING or not shared]
    numeric = {column for column in columns if is_numeric(drawn, column)}
    sortable = len(drawn) >= SORTED_FROM
    heads = [_head(heading(column, headings), column in numeric, sortable) for column in columns]
    lines = [
        [_cell(column, value, column in numeric) for column, value in zip(columns, row, strict=True)]
        for row in drawn[columns].itertuples(index=False, name=None)
    ]
    left_out = len(frame) - len(drawn)
    more = element("p", f"{left_out} more rows in the file.", class_="quiet") if left_out else None
    note = element("p", f"Every row: {shared}.", class_="quiet") if shared else None
    return joined(element("div", table(heads, lines, class_="plain"), class_="wide"), note, more)


def _shared_warning(frame: pd.DataFrame) -> str:
    """The warning that all rows have; empty where they differ."""
    return str(frame[WARNING].iloc[0]) if WARNING in frame and frame[WARNING].nunique() == 1 else ""


def _says_nothing(frame: pd.DataFrame, column: str) -> bool:
    """The convention stands in the caption; an empty column is for the file alone."""
    return column == "convention" or bool(frame[column].isna().all() or (frame[column].astype(str) == "").all())


def _head(text: str, numeric: bool, sortable: bool) -> Html:
    attributes = {"class_": "figure"} if numeric else {}
    button = element("button", text, type="button", title="Sort by this column")
    return element("th", button if sortable else text, **attributes)


def _cell(column: str, value: object, numeric: bool) -> Html:
    text = shown(column, value)
    if numeric:
        return element("td", text, class_="figure", data_value=value)
    attributes = {"class_": "short"} if len(text) <= SHORT else {}
    return element("td", breakable(text) if column in NAMES else text, **attributes)
