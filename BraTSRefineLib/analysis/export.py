"""The report's tables as files: a CSV each, in full precision, and as links that a page carries within itself."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from ..cohort import written_whole
from .document import ReportTable

KEPT = " ,;:/()@!*'\"+=|"
"""Characters that a link may hold as they are; the others are escaped by percent signs."""


MOST_CARRIED = 500_000
"""Characters of CSV that a page carries for a single table."""


def csv_text(frame: pd.DataFrame) -> str:
    """``frame`` as CSV with the shortest digits that give the same numbers again; nothing for what is not there."""
    return frame.to_csv(index=False, lineterminator="\n")


def csv_link(table: ReportTable, folder: str) -> str:
    """The target of the table's link: the CSV itself, so that a page alone can hand it out.

    A table of very many cases would be half of the page; it is linked to in ``folder`` beside the page.
    """
    text = csv_text(table.frame)
    if len(text) > MOST_CARRIED:
        return quote(f"{folder}/{table.file}")
    return f"data:text/csv;charset=utf-8,{quote(text, safe=KEPT)}"


def write_tables(tables: Iterable[ReportTable], folder: Path) -> list[Path]:
    """Each table as ``<name>.csv`` in ``folder``, whole or not at all; WorkspaceError where it cannot be written."""
    paths = []
    for table in tables:
        path = folder / table.file
        with written_whole(path) as temporary:
            temporary.write_text(csv_text(table.frame), encoding="utf-8")
        paths.append(path)
    return paths
