"""Asking for a file and writing a table into it."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import qt

from .casecolumns import CASE, CENTER, DECISION, PATTERN, CaseColumns, Key


def askSavePath(parent, title: str, path: str, kinds: str) -> str:
    """Where to save, or empty; PythonQt answers with the path alone, PySide6 with the path and the chosen kind."""
    answer = qt.QFileDialog.getSaveFileName(parent, title, path, kinds)
    return str(answer[0] if isinstance(answer, tuple) else answer)


def writeCases(path: str | Path, columns: CaseColumns, keys: Sequence[Key], rows: Sequence[int]) -> int:
    """Write these rows as CSV, whole or not at all: the case, its model, then a column a key; how many there were.

    Numbers have all their digits, what is unknown is empty. Raises WorkspaceError where it cannot be written.
    """
    from BraTSRefineLib.cohort.workspace import written_whole

    further = [key for key in keys if key.name != CASE]
    with written_whole(Path(path)) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([CASE, "model", *(_heading(key) for key in further)])
        for row in rows:
            writer.writerow([columns.cases[row], columns.model, *(_value(columns, key, row) for key in further)])
    return len(rows)


def _heading(key: Key) -> str:
    """As the tables of the command line call it."""
    named = {CENTER: "center", PATTERN: "what_is_wrong", DECISION: "decision"}
    return named.get(key.name, str(key).replace(" ", "_"))


def _value(columns: CaseColumns, key: Key, row: int) -> str:
    if key.isText:
        return columns.texts(key)[row]
    value = float(columns.numbers(key)[row])
    return repr(value) if math.isfinite(value) else ""
