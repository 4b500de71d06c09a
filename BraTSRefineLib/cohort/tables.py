"""Small tables that people write: CSV with comma, semicolon or tab, with or without a byte-order mark."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from .case import CHANNELS, CohortError

FILE_COLUMNS = (*CHANNELS, "reference")
NAME_COLUMNS = ("case", "center", "split", "person", "labels")
MODEL_COLUMNS = ("predictions", "probabilities", "labels")


def read_rows(path: Path, required: Sequence[str]) -> list[dict[str, str]]:
    """The rows as dictionaries of stripped text; empty rows are passed over.

    Raises CohortError where the file is unreadable, empty, or lacks a required column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CohortError(f"{path}: not readable as a table ({error}); save it as CSV in UTF-8") from None
    lines = text.splitlines()
    columns = _cells(lines[0], _delimiter(lines[0])) if lines else []
    missing = [name for name in required if name not in columns]
    if missing:
        raise CohortError(f"{path}: no column {' and '.join(missing)}; its first line must name the columns")
    rows = csv.DictReader(lines, restval="", delimiter=_delimiter(lines[0]))
    cleaned = [{str(k).strip(): str(v or "").strip() for k, v in row.items() if k is not None} for row in rows]
    return [row for row in cleaned if any(row.values())]


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]


def attributes(row: Mapping[str, str]) -> dict[str, str]:
    """The filled cells of a row whose column names neither the case nor a file of it."""
    known = (*FILE_COLUMNS, *NAME_COLUMNS)
    return {
        column: text
        for column, text in row.items()
        if column
        and text
        and column not in known
        and not column.startswith(tuple(f"{kind}/" for kind in MODEL_COLUMNS))
    }
