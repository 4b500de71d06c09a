"""The flags of a run as tables and maps, and those of the workspace, which also keep what was not done anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from ...cohort.volumes import Geometry
from ...review import FLAG_COLUMNS, Flag, Flagged, read_flags
from ...review.flag_maps import flag_map_path, write_flag_map
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


def write_flag_maps(
    context: Context, case: str, geometry: Geometry, found: Mapping[str, Flagged], model: str = ""
) -> list[Flag]:
    """A map of each region's flags beside the workspace's maps; all of the flags come back, each with its ``model``."""
    for region, flagged in found.items():
        write_flag_map(flag_map_path(context.staged, case, region, model), flagged.labels, geometry)
    return [replace(flag, model=model) for flagged in found.values() for flag in flagged.flags]


def _previous(context: Context) -> pd.DataFrame:
    path = context.workspace.flags_csv
    return read_flags(path) if path.is_file() else pd.DataFrame(columns=FLAG_COLUMNS)
