"""The annotator's list: which cases were chosen, why, what they will take, and how far one is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from ..cohort import Case, Cohort, Workspace
from .annotation_effort import UNKNOWN, effort
from .flag_files import read_flags, read_table
from .store_events import CORRECTION, DONE, OPENED, Event
from .store_state import standing

TO_DO, IN_WORK, FINISHED = "to do", "in work", "done"
LIST_COLUMNS = [
    "rank",
    "case",
    "center",
    "state",
    "who",
    "when",
    "flags",
    "flagged_ml",
    "slices",
    "uncertainty",
    "reason",
]
FOR_ANNOTATION = {"purpose": "annotation"}
"""The payload of an ``opened`` event that says somebody began to annotate the case."""


@dataclass(frozen=True)
class AnnotationList:
    """``table``: ``LIST_COLUMNS``, a row a chosen case. ``gone``: chosen cases that the cohort no longer has."""

    table: pd.DataFrame
    gone: tuple[str, ...] = ()

    @property
    def done(self) -> int:
        return int((self.table["state"] == FINISHED).sum())

    @property
    def progress(self) -> str:
        return f"{self.done} of {len(self.table)} done"


def newest_selection(workspace: Workspace) -> Path | None:
    """``selected.csv`` of the newest run that chose cases; None where there is none."""
    found = workspace.runs.glob("*/outputs/selected.csv")
    return max(found, key=lambda path: (path.stat().st_mtime_ns, path), default=None)


def read_selection(path: Path) -> pd.DataFrame:
    """The rows of a selection. Raises ReviewError where it is not such a table."""
    table = read_table(path, ("rank", "case", "reason"), "choose the cases again")
    return table.reindex(columns=["rank", "case", "center", "uncertainty", "reason"]).fillna(
        {"center": "", "reason": ""}
    )


def annotation_list(
    cohort: Cohort, selected: pd.DataFrame, events: Iterable[Event], flags: pd.DataFrame | None = None
) -> AnnotationList:
    """The chosen cases in the order of their rank.

    ``selected`` is what ``read_selection`` gives, ``flags`` what ``read_flags`` gives; without flags the effort is not
    known. A case is *in work* once somebody began it or saved a correction of it, *done* once it was marked so; a
    correction that is newer opens it again.
    """
    cases = {case.case: case for case in cohort.cases}
    known = selected[selected["case"].isin(list(cases))]
    newest = _newest(events)
    rows = [_row(row, cases[row.case], newest.get(row.case), flags) for row in known.itertuples()]
    table = pd.DataFrame(rows, columns=LIST_COLUMNS).astype({"flags": "Int64", "slices": "Int64"})
    gone = tuple(name for name in selected["case"] if name not in cases)
    return AnnotationList(table.sort_values("rank", kind="stable").reset_index(drop=True), gone)


def annotation_states(events: Iterable[Event]) -> dict[str, str]:
    """The state of every case that somebody began; the others are still to do."""
    return {case: _state(event) for case, event in _newest(events).items()}


def open_list(workspace: Workspace, cohort: Cohort, events: Iterable[Event]) -> AnnotationList | None:
    """The newest selection of a workspace with its effort; None where nothing was chosen yet. Raises ReviewError."""
    path = newest_selection(workspace)
    if path is None:
        return None
    flags = read_flags(workspace.flags_csv) if workspace.flags_csv.is_file() else None
    return annotation_list(cohort, read_selection(path), events, flags)


def _newest(events: Iterable[Event]) -> dict[str, Event]:
    """The last word about each case's annotation."""
    return {event.case: event for event in standing(events) if _concerns(event)}


def _concerns(event: Event) -> bool:
    began = event.kind == OPENED and event.payload.get("purpose") == FOR_ANNOTATION["purpose"]
    return began or event.kind in (DONE, CORRECTION)


def _row(chosen, case: Case, event: Event | None, flags: pd.DataFrame | None) -> dict[str, object]:
    takes = UNKNOWN if flags is None else effort(case, flags)
    row = {"rank": int(chosen.rank), "case": case.case, "center": case.center, "reason": chosen.reason}
    row |= {"uncertainty": chosen.uncertainty, **asdict(takes), "state": TO_DO, "who": "", "when": ""}
    if event is None:
        return row
    return row | {"state": _state(event), "who": event.who, "when": event.row["when"]}


def _state(event: Event) -> str:
    return FINISHED if event.kind == DONE else IN_WORK
