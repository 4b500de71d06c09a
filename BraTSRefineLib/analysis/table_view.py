"""A table of numbers as people read it: words over the columns, figures to the right, sorted by a click."""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_lowercase

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
    columns = [column for column in drawn.columns if not _says_nothing(drawn, column)]
    notes = _notes(drawn)
    drawn = drawn.assign(**{WARNING: drawn[WARNING].map(notes)}) if notes else drawn
    numeric = {column for column in columns if is_numeric(drawn, column)}
    sortable = len(drawn) >= SORTED_FROM
    heads = [_head(heading(column, headings), column in numeric, sortable) for column in columns]
    lines = [
        [_cell(column, value, column in numeric) for column, value in zip(columns, row, strict=True)]
        for row in drawn[columns].itertuples(index=False, name=None)
    ]
    left_out = len(frame) - len(drawn)
    more = element("p", f"{left_out} more rows in the file.", class_="quiet") if left_out else None
    told = element("p", "; ".join(f"{mark}: {text}" for text, mark in notes.items() if text) + ".", class_="quiet")
    return joined(element("div", table(heads, lines, class_="plain"), class_="wide"), told if notes else None, more)


def _notes(frame: pd.DataFrame) -> dict[str, str]:
    """A letter for each warning, which is told in full below the table; none where there is no warning."""
    texts = [text for text in dict.fromkeys(frame.get(WARNING, pd.Series(dtype=str))) if text]
    if not texts or len(texts) > len(ascii_lowercase):
        return {}
    return {"": "", **dict(zip(texts, ascii_lowercase, strict=False))}


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
