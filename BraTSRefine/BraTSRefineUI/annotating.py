"""The annotator's list of the open workspace: what is to do, who began, what is saved for training. No Qt, no MRML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from BraTSRefineLib.review import AnnotationList, Event, Export

    from .reviewing import Reviewing
    from .session import Session

TO_DO, IN_WORK, DONE = "to do", "in work", "done"


class AnnotatingError(RuntimeError):
    """What was asked for cannot be done now; the message says why and what to do."""


@dataclass(frozen=True)
class Task:
    """A chosen case as the table shows it."""

    rank: int
    case: str
    center: str
    state: str
    who: str
    milliliters: str
    slices: str
    reason: str


class Annotating:
    """The list for the session's cohort; the reader and the records are those of ``reviewing``."""

    def __init__(self, session: Session, reviewing: Reviewing) -> None:
        self.session, self.reviewing = session, reviewing
        self.problem = ""
        self.tasks: list[Task] = []
        self._list: AnnotationList | None = None

    def refresh(self) -> None:
        """Read the newest selection and what was recorded of its cases; ``problem`` says why there is no list."""
        from BraTSRefineLib.review import ReviewError, open_list

        self.problem, self._list, self.tasks = "", None, []
        if self.session.isOpen:
            try:
                self._list = open_list(self.session.workspace, self.session.cohort, self._events())
            except ReviewError as error:
                self.problem = str(error)
        self.tasks = [_task(row) for row in self._list.table.itertuples()] if self._list else []

    def isOutdated(self) -> bool:
        """Whether what was recorded since changes the state of a case."""
        from BraTSRefineLib.review import annotation_states

        if not self.tasks:
            return False
        states = annotation_states(self._events())
        return any(states.get(task.case, TO_DO) != task.state for task in self.tasks)

    @property
    def gone(self) -> list[str]:
        """Chosen cases that the cohort no longer has."""
        return list(self._list.gone) if self._list else []

    def progress(self) -> str:
        """``3 of 10 done``, and what is left to look at; empty without a list."""
        if not self.tasks:
            return ""
        left = self._list.table[self._list.table["state"] != DONE]
        milliliters, slices = left["flagged_ml"].sum(), int(left["slices"].fillna(0).sum())
        words, within = self._list.progress, f" in {slices} slices" if slices else ""
        return f"{words} · {milliliters:.1f} ml{within} to go" if milliliters or slices else words

    def stateOf(self, case: str) -> str:
        """Empty for a case that is not on the list."""
        return next((task.state for task in self.tasks if task.case == case), "")

    def refusal(self) -> str:
        """Why the shown case can neither be begun nor marked; empty where it can."""
        if not self.tasks:
            return "Choose the cases first"
        if not self.stateOf(self.session.case):
            return "Choose a row: the shown case is not on the list"
        return self.reviewing.refusal()

    def begin(self) -> None:
        """Record that this reader annotates the shown case, so that nobody else begins it. Raises AnnotatingError."""
        from BraTSRefineLib.review import FOR_ANNOTATION, Event

        if self.refusal():
            raise AnnotatingError(self.refusal())
        if self.stateOf(self.session.case) != IN_WORK:
            reader, model = self.reviewing.reader, self.session.model
            self.reviewing.followed.record(
                Event("opened", self.session.case, reader, model=model, payload=FOR_ANNOTATION)
            )

    def export(self, folder: str, layout: str, images: str) -> Export:
        """Save the labels of what is done. Raises AnnotatingError, ReviewError and WorkspaceError."""
        from BraTSRefineLib.review import export_annotations
        from BraTSRefineLib.review.store_state import states

        names = [task.case for task in self.tasks if task.state == DONE]
        if not names:
            raise AnnotatingError("no case is done yet; mark it done (M) first")
        root, known = self.session.workspace.root, states(self._events())
        return export_annotations(self.session.cohort, names, known, root, _folder(folder), layout, images)

    def writeLists(self, folder: str) -> list[Path]:
        """The list as CSV, once with reason and effort and once for CART. Raises AnnotatingError, WorkspaceError."""
        from BraTSRefineLib.review import write_annotation_list

        if self._list is None:
            raise AnnotatingError("nothing is chosen yet")
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        paths = [_folder(folder) / f"{name}-{stamp}.csv" for name in ("annotation-list", "annotation-cart")]
        root, events = self.session.workspace.root, self._events()
        for path, cart in zip(paths, (False, True), strict=True):
            write_annotation_list(self._list, path, self.session.cohort, events, root, cart=cart)
        return paths

    def _events(self) -> list[Event]:
        """Everybody's, of the chosen cases: an annotator has to know what others annotate."""
        followed = self.reviewing.followed
        if followed is None:
            return []
        names = [task.case for task in self.tasks]
        return [event for name in names for event in followed.events(name)] if names else followed.events()


def exportWords(result: Export) -> str:
    """What became of it, in a sentence, and why what was refused was."""
    counted = [(result.count(status), status) for status in ("written", "there already, the same", "refused")]
    words = ", ".join(f"{count} {status}" for count, status in counted if count)
    begin = "Nothing saved" if result.count("refused") == len(result.saved) else "Saved"
    refused = [f"{row.case}: {row.why}" for row in result.saved if row.why]
    return ". ".join([f"{begin}: {words}", *refused, *result.notes])


def _folder(text: str) -> Path:
    if not text.strip():
        raise AnnotatingError("choose a folder first")
    return Path(text.strip()).expanduser()


def _task(row) -> Task:
    milliliters, slices = _number(row.flagged_ml, 1), _number(row.slices, 0)
    return Task(int(row.rank), row.case, row.center, row.state, row.who, milliliters, slices, row.reason)


def _number(value, digits: int) -> str:
    """A dash for what is not known."""
    import pandas as pd

    return "-" if pd.isna(value) else f"{value:.{digits}f}"
