"""One reader's review of the shown model: what comes next, what was said, what is recorded. No Qt, no MRML."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from .disputes import Dispute, disputesOf
from .flagextents import FlagExtents, isAround
from .reviewqueue import ReviewQueue
from .tables import FlagRow

if TYPE_CHECKING:
    from BraTSRefineLib.review import CaseState, Event, Followed

    from .session import Session

WAIT_S = 0.4
"""How long to wait for another program's lock: the window may not stand still for longer."""


class ReviewingError(RuntimeError):
    """What was asked for cannot be recorded now; the message says why."""


class Reviewing:
    """Where the records of the session's workspace are, and one reader's place in them.

    ``problem`` says why nothing can be recorded. While ``isBlind`` others' decisions are not seen. While
    ``adjudicates`` a decision of what readers decided differently is the last word.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.reader = ""
        self.isBlind = True
        self.adjudicates = False
        self.queue = ReviewQueue(self)
        self._forget()

    def _forget(self) -> None:
        self.followed: Followed | None = None
        self.problem = ""
        self.savedAt: datetime | None = None
        self._disputes: tuple[tuple, list[Dispute]] = ((), [])
        self._extents: tuple[tuple, FlagExtents | None] = ((), None)
        self._hashes: tuple = ((), "", "")

    # The store

    def open(self, url: str = "") -> None:
        """Open the store of the workspace, or the one at ``url``; ``problem`` says why there is none."""
        self.close()
        self._forget()
        self.queue.forget()
        self.tryToOpen(url)

    def tryToOpen(self, url: str = "") -> None:
        """The same once more where it failed, and nothing else: the queue stays as it is."""
        from BraTSRefineLib.review import ReviewError, open_store
        from BraTSRefineLib.review.followed import Followed

        self.problem = ""
        try:
            self.followed = Followed(open_store(url or self._root, self._root, wait_s=WAIT_S))
            self.followed.catch_up()
        except ReviewError as error:
            self.followed, self.problem = None, str(error)

    def close(self) -> None:
        """Let go of the store; its last good export is written. Raises ReviewError where it cannot be."""
        followed, self.followed = self.followed, None
        if followed is not None:
            followed.store.close()

    @property
    def notes(self) -> list[str]:
        """What a reviewer should know of the store: a network share, an upgrade, an export that failed."""
        return list(self.followed.store.notes) if self.followed else []

    @property
    def place(self) -> str:
        """Where the decisions are kept, without a password."""
        return self.followed.store.place if self.followed else ""

    def catchUp(self) -> set[str]:
        """The cases about which others recorded something since. Raises ReviewError."""
        return self.followed.catch_up() if self.followed else set()

    @property
    def _root(self):
        return self.session.workspace.root

    # What the reader sees

    @property
    def _who(self) -> str | None:
        return self.reader if self.isBlind else None

    def state(self, case: str) -> CaseState | None:
        """A case as this reader may see it, for the shown model."""
        return self.followed.state(case, self._who, self.session.model) if self.followed else None

    def flags(self) -> list[FlagRow]:
        """All flags of the shown case, the weightiest first."""
        return self.session.caseFlags()

    def flag(self) -> FlagRow | None:
        """The one that is looked at."""
        return self.session.currentFlag()

    def flagNumber(self) -> int:
        """Its place among all flags of the case, from 0; -1 where none is looked at."""
        chosen = self.flag()
        return -1 if chosen is None else next((i for i, f in enumerate(self.flags()) if f.id == chosen.id), -1)

    def decisionOf(self, flag: FlagRow | None) -> Event | None:
        """The decision of a flag, or of the shown case."""
        state = self.state(self.session.case) if self.session.case else None
        if state is None:
            return None
        return state.decision if flag is None else state.flags.get(flag.id)

    @property
    def extents(self) -> FlagExtents:
        """The voxels of the shown case's flags."""
        flags = self.flags()
        if self._extents[0] is not flags:
            self._extents = flags, FlagExtents(self.session.workspace, self.session.case, flags)
        return self._extents[1]

    def errorsIn(self, flag: FlagRow) -> dict[int, float] | None:
        """Its millilitres too much and missed against the reference; None without one, or while that is not known."""
        return self.extents.errorsIn(flag, self.session.data)

    def flagAt(self, lps: tuple[float, float, float]) -> int:
        """The flag at a position (LPS, mm), the smallest where several are; -1 for none."""
        found = [(flag.milliliters, number) for number, flag in enumerate(self.flags()) if self._isAt(flag, lps)]
        return min(found, default=(0.0, -1))[1]

    def _isAt(self, flag: FlagRow, lps: tuple[float, float, float]) -> bool:
        extent = self.extents.of(flag) if self.extents.isRead else None
        return isAround(flag, lps) if extent is None else extent.contains(lps)

    def undecidedAfter(self, number: int) -> int:
        """The next flag without a decision behind that one, from the start again at the end; -1 where all have one."""
        flags = self.flags()
        turned = [*range(number + 1, len(flags)), *range(max(number + 1, 0))]
        return next((i for i in turned if i < len(flags) and self.decisionOf(flags[i]) is None), -1)

    def decisions(self) -> dict[str, str]:
        """What was decided of each case, as this reader may see it."""
        states = self.states()
        return {case: _said(state) for case, state in states.items() if _said(state)}

    def lastCase(self) -> str:
        """Where this reader stopped; empty where nothing of it is here."""
        last = self._last()
        return last.case if last and last.case in self.session.caseNames else ""

    def resumeModel(self) -> None:
        """Go on with the model that this reader looked at last."""
        last = self._last()
        if last and last.model in self.session.models:
            self.session.setModel(last.model)

    def _last(self) -> Event | None:
        return self.followed.last_of(self.reader) if self.followed and self.reader else None

    def states(self) -> dict[str, CaseState]:
        """Every case with records as this reader may see it."""
        return self.followed.states(self._who, self.session.model) if self.followed else {}

    # Records

    def refusal(self) -> str:
        """Why nothing can be decided now; empty where it can."""
        if not self.session.case:
            return "no case is shown"
        if self.problem:
            return self.problem
        if self.followed is None:
            return "no store is open"
        return "" if self.reader else "the reviewer's name is missing"

    def decide(self, decision: str, note: str = "") -> Event:
        """Record a decision of the flag that is looked at, else of the case. Raises ReviewError, ReviewingError."""
        flag = self.flag()
        kind = "decision" if flag is None else "flag decision"
        if self.adjudicates and self.dispute() is not None:
            kind = "adjudication"
        return self._record(kind, flag, note, decision)

    def mark(self, kind: str, note: str = "") -> Event:
        """Record ``approve``, ``second reader`` or ``done`` of the case. Raises ReviewError, ReviewingError."""
        return self._record(kind, None, note)

    def writeNote(self, note: str) -> Event:
        """Record a note on the flag that is looked at, else on the case. Raises ReviewError, ReviewingError."""
        return self._record("note", self.flag(), note)

    def noteOpened(self) -> None:
        """Record that this reader came to the shown case, so that the review goes on here after a crash."""
        if not self.refusal():
            last = self.followed.last_of(self.reader)
            if last is None or (last.case, last.model) != (self.session.case, self.session.model):
                self._record("opened", None)

    def undo(self) -> Event:
        """Take back the last thing that this reader recorded; that comes back. Raises ReviewError, ReviewingError."""
        if self.followed is None or not self.reader:
            raise ReviewingError(self.refusal())
        undone = self.followed.undo_last(self.reader)
        self.savedAt = datetime.now()
        return undone

    def hashes(self) -> tuple[str, str]:
        """Of the label maps that are shown, prediction (or its correction) and reference; '' for none.

        Raises ReviewError where one cannot be read.
        """
        from BraTSRefineLib.review.file_hash import file_hash

        reading = self.session.reading(self.session.case)
        files = reading.shown, reading.case.reference
        if self._hashes[0] != files:
            self._hashes = (files, *map(file_hash, files))
        return self._hashes[1:]

    def _record(self, kind: str, flag: FlagRow | None, note: str = "", decision: str = "") -> Event:
        from BraTSRefineLib.review import Event

        if self.refusal():
            raise ReviewingError(self.refusal())
        session = self.session
        prediction, reference = ("", "") if kind == "opened" else self.hashes()
        event = Event(
            *(kind, session.case, self.reader, decision, note),
            flag=flag.id if flag else "",
            model=session.model,
            prediction_hash=prediction,
            reference_hash=reference,
            payload=self._payload(kind, flag),
        )
        self.followed.record(event)
        if kind != "opened":
            self.savedAt = datetime.now()
        return event

    def _payload(self, kind: str, flag: FlagRow | None) -> dict[str, object]:
        if kind == "opened":
            return {}
        about = {"blind": self.isBlind and not self.adjudicates}
        version = self.session.versions.shown(self.session.case, self.session.model)
        if version is not None:
            about["correction"] = version.event.payload["file"]
        if flag is not None:
            about |= {"region": flag.region, "quantity": flag.quantity, "volume_ml": round(flag.milliliters, 3)}
        return about

    # Two readers

    def disputes(self) -> list[Dispute]:
        """What readers decided differently, open ones first: for a reader only what a third person has decided."""
        if self.followed is None:
            return []
        asked = self.followed.number, self.reader
        if self._disputes[0] != asked:
            events = self.followed.events_of_several()
            self._disputes = asked, disputesOf(events, self.reader, set(self.session.caseNames))
        return self._disputes[1]

    def dispute(self) -> Dispute | None:
        """The open one that is looked at."""
        flag = self.flag()
        item = self.session.case, self.session.model, flag.id if flag else ""
        return next((one for one in self.disputes() if one.item == item and not one.adjudicated), None)

    @property
    def readers(self) -> list[str]:
        """Everybody who decided something."""
        deciding = ("decision", "flag decision")
        return sorted({e.who for e in self.followed.events() if e.kind in deciding}) if self.followed else []


def _said(state: CaseState) -> str:
    """The decision, else that it was approved or marked done."""
    if state.decision is not None:
        return state.decision.decision
    return "approved" if state.approved else "done" if state.done else ""
