"""A table of numbers as people read it: words over the columns, figures to the right, sorted by a click."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from .cells import heading, is_numeric, shown
from .markup import Html, breakable, element, joined, table

NAMES = ("case", "model")
SORTED_FROM = 3
"""Rows from which a table can be sorted by its columns."""


def table_html(frame: pd.DataFrame, headings: Mapping[str, str] | None = None, rows: int | None = None) -> Html:
    """``frame`` without the columns that say nothing, and of very many rows the first."""
    drawn = frame if rows is None else frame.head(rows)
    if drawn.empty:
        return element("p", "No row.", class_="quiet")
    columns = [column for column in drawn.columns if not _says_nothing(drawn, column)]
    heads = [_head(drawn, column, heading(column, headings)) for column in columns]
    lines = [
        [_cell(drawn, column, value) for column, value in zip(columns, row, strict=True)]
        for row in drawn[columns].itertuples(index=False, name=None)
    ]
    left_out = len(frame) - len(drawn)
    more = element("p", f"{left_out} more rows in the file.", class_="quiet") if left_out else None
    return joined(element("div", table(heads, lines, class_="plain"), class_="wide"), more)


def _says_nothing(frame: pd.DataFrame, column: str) -> bool:
    """The convention stands in the caption; an empty column is for the file alone."""
    return column == "convention" or bool(frame[column].isna().all() or (frame[column].astype(str) == "").all())


def _head(frame: pd.DataFrame, column: str, text: str) -> Html:
    attributes = {"class_": "figure"} if is_numeric(frame, column) else {}
    button = element("button", text, type="button", title="Sort by this column")
    return element("th", button if len(frame) >= SORTED_FROM else text, **attributes)


def _cell(frame: pd.DataFrame, column: str, value: object) -> Html:
    text = shown(column, value)
    if is_numeric(frame, column):
        return element("td", text, class_="figure", data_value=value)
    return element("td", breakable(text) if column in NAMES else text)
