"""The table of flags as a file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ..cohort.workspace import written_whole
from .flag_types import FLAG_COLUMNS, OLDEST_COLUMNS, Flag, ReviewError

TEXTS = ("case", "region", "why", "quantity", "type", "model")


def write_flags(flags: Iterable[Flag], path: Path) -> None:
    """Write ``flags.csv`` (FLAG_COLUMNS, positions LPS in mm); the file appears whole or not at all."""
    table = pd.DataFrame([flag.row for flag in flags], columns=FLAG_COLUMNS)
    with written_whole(path) as temporary:
        table.to_csv(temporary, index=False)


def read_flags(path: Path) -> pd.DataFrame:
    """The table that ``write_flags`` wrote; columns that an older version did not write are empty.

    Raises ReviewError where there is none, it cannot be read, or columns are missing.
    """
    if not Path(path).is_file():
        raise ReviewError(f"{path}: no flags yet; run the uncertainty job first")
    table = read_table(path, OLDEST_COLUMNS, "run the uncertainty job again")
    table = table.reindex(columns=[*FLAG_COLUMNS, *(name for name in table if name not in FLAG_COLUMNS)])
    return table.assign(**{name: table[name].fillna("").astype(str) for name in ("type", "model")})


def read_table(path: Path, needed: Iterable[str], again: str) -> pd.DataFrame:
    """A CSV whose names of cases and regions stay text.

    Raises ReviewError where it cannot be read or one of the ``needed`` columns is missing; ``again`` says what to do.
    """
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(TEXTS, str))
    except (OSError, ValueError) as error:
        raise ReviewError(f"{path}: not readable ({error}); {again}") from error
    missing = [column for column in needed if column not in table]
    if missing:
        raise ReviewError(f"{path}: no column {', '.join(missing)}; {again}")
    return table
