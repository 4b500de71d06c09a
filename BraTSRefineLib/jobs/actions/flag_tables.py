"""The flags of a run, and those of the workspace, which also keep what was not done anew."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from ...review import FLAG_COLUMNS, Flag, read_flags
from ..context import Context
from .results import joined, write_table


def write_flag_tables(
    context: Context, flags: Sequence[Flag], done: Collection[str], cohort: Collection[str], model: str = ""
) -> None:
    """``flags.csv`` of the run and of the workspace: there the new ones replace those of the ``done`` cases.

    ``model``: whose own maps they were found in; flags of other sources stay as they are. ``cohort``: its cases.
    """
    new, previous = pd.DataFrame([flag.row for flag in flags], columns=FLAG_COLUMNS), _previous(context)
    replaced = (previous["model"] == model) & previous["case"].isin(done)
    kept = previous[previous["case"].isin(cohort) & ~replaced]
    write_table(new, context.outputs / "flags.csv")
    write_table(joined([kept, new], FLAG_COLUMNS), context.staged.flags_csv)


def _previous(context: Context) -> pd.DataFrame:
    path = context.workspace.flags_csv
    return read_flags(path) if path.is_file() else pd.DataFrame(columns=FLAG_COLUMNS)
