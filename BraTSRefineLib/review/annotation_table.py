"""The annotator's list as a file: with reason and effort, or as the CART tools of 3D Slicer read it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ..cohort import CHANNELS, Cohort
from ..cohort.new_files import written_new
from .annotation_list import AnnotationList
from .annotation_result import newest_result
from .store_events import Event
from .store_state import CaseState, states

CART_COLUMNS = ["uid", *CHANNELS, "reference", "annotation"]


def write_annotation_list(
    found: AnnotationList, path: Path, cohort: Cohort, events: Iterable[Event], workspace: Path, *, cart: bool = False
) -> None:
    """Write the list as CSV, ``LIST_COLUMNS``; with ``cart`` as ``cart_table``.

    Raises WorkspaceError where a file of that name is there or the folder cannot be written.
    """
    table = cart_table(cohort, found.table["case"], states(events), workspace) if cart else found.table
    with written_new(path) as temporary:
        table.to_csv(temporary, index=False)


def cart_table(cohort: Cohort, names: Iterable[str], known: dict[str, CaseState], workspace: Path) -> pd.DataFrame:
    """The cases as CART proposes it: a column ``uid``, every other column a resource.

    A resource is a path with slashes, relative to the cohort's root; ``annotation`` is the newest correction, or the
    prediction that was accepted, empty where there is neither.
    """
    rows = []
    for name in names:
        case = cohort[name]
        files = {**case.images, "reference": case.reference}
        files["annotation"] = newest_result(case, known.get(name, CaseState(name)), workspace)
        resources = {column: _relative(path, cohort.root) for column, path in files.items() if path is not None}
        rows.append({"uid": name} | resources)
    return pd.DataFrame(rows, columns=CART_COLUMNS).fillna("")


def _relative(path: Path, base: Path) -> str:
    """Absolute where the two lie on different drives."""
    try:
        return Path(os.path.relpath(path, base)).as_posix()
    except ValueError:
        return path.as_posix()
