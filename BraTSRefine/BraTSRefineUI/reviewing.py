"""One reader's review of the shown model: what comes next, what was said, what is recorded. No Qt, no MRML."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from .flagextents import FlagExtents
from .tables import FlagRow

if TYPE_CHECKING:
    from BraTSRefineLib.review import CaseState, Event, Followed

    from .session import Session

WAIT_S = 0.4
"""How long to wait for another program's lock: the window may not stand still for longer."""

TOLERANCE_MM = 0.6
"""Half a voxel: a box is that of the voxels' centres."""

ORDERS = ("priority", "random", "blind")


class ReviewingError(RuntimeError):
    """What was asked for cannot be recorded now; the message says why."""


@dataclass(frozen=True)
class QueueRow:
    """A case in the queue; ``failed`` says why it could not be shown."""

    place: int
    case: str
    state: str
    decision: str = ""
    center: str = ""
    why: str = ""
    flags: int = 0
    flagsDecided: int = 0
    failed: str = ""


@dataclass(frozen=True)
class Dispute:
    """Something that two readers decided differently; ``adjudicated`` by a third, or still empty."""

    case: str
    model: str
    flag: str
    decisions: dict[str, str]
    adjudicated: str = ""
    adjudicator: str = ""

    @property
    def item(self) -> tuple[str, str, str]:
        return self.case, self.model, self.flag

    @property
    def words(self) -> str:
        return ", ".join(f"{who}: {decision}" for who, decision in self.decisions.items())


class Reviewing:
    """Where the records of the session's workspace are, and one reader's place in them.

    ``problem`` says why nothing can be recorded. ``wish`` is the queue's order and filter. While ``isBlind`` others'
    decisions are not seen. ``failed``: the cases that could not be shown, and why.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.reader = ""
        self.isBlind = True
        self.adjudicates = False
        self.order, self.states, self.center, self.region = ORDERS[0], (), "", ""
        self._forget()

    def _forget(self) -> None:
        self.followed: Followed | None = None
        self.problem = ""
        self.failed: dict[str, str] = {}
        self.savedAt: datetime | None = None
        self.progress = ""
        self._queue: list[QueueRow] = []
        self._extents: tuple[tuple, FlagExtents | None] = ((), None)
        self._hashes: tuple = ((), "", "")

    # The store

    def open(self, url: str = "") -> None:
        """Open the store of the workspace, or the one at ``url``; ``problem`` says why there is none."""
        from BraTSRefineLib.review import ReviewError, open_store
        from BraTSRefineLib.review.followed import Followed

        self.close()
        self._forget()
        self.center = self.region = ""
        self.states = ()
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
        return _contains(flag, lps) if extent is None else extent.contains(lps)

    def progressWords(self) -> str:
        """How many cases of the model are decided."""
        return f"{self.progress} decided" if self.progress else ""

    def undecidedAfter(self, number: int) -> int:
        """The next flag without a decision behind that one, from the start again at the end; -1 where all have one."""
        flags = self.flags()
        turned = [*range(number + 1, len(flags)), *range(max(number + 1, 0))]
        return next((i for i in turned if i < len(flags) and self.decisionOf(flags[i]) is None), -1)

    def decisions(self) -> dict[str, str]:
        """What this reader may see of the cases' decisions, by case."""
        known = self._states() if self.session.isOpen else {}
        return {case: state.decision.decision for case, state in known.items() if state.decision}

    def decisions(self) -> dict[str, str]:
        """What was decided of each case, as this reader may see it."""
        states = self._states()
        return {case: _said(state) for case, state in states.items() if _said(state)}

    # The queue

    @property
    def queue(self) -> list[QueueRow]:
        """As of the last ``refreshQueue``, with the states as they are now."""
        return self._queue

    @property
    def gone(self) -> list[str]:
        """Cases with records that the cohort no longer has."""
        known = set(self.session.caseNames)
        return sorted(case for case in self._states() if case not in known)

    def refreshQueue(self) -> None:
        """Order and filter the cases anew. Raises ReviewError."""
        from BraTSRefineLib.review import Wish, worklist

        session, here = self.session, self._cohort()
        names = {case.case for case in here.cases}
        states = {case: state for case, state in self._states().items() if case in names}
        isBlindOrder = self.order == "blind"
        order = "random" if isBlindOrder and not self.reader else self.order
        wish = Wish(order, self.states, (self.center,) if self.center else (), self.region)
        found = worklist(here, states, session.flagsOfModel(), self._quality(), wish, self.reader)
        self.progress = found.progress
        self._queue = [self._row(row, isBlindOrder) for row in found.table.to_dict("records")]

    def updateRow(self, case: str) -> int:
        """Bring one row's state up to date, where it stands; its number, -1 for none."""
        number = next((i for i, row in enumerate(self._queue) if row.case == case), -1)
        if number >= 0 and self.state(case) is not None:
            state, failed = self.state(case), self.failed.get(case, "")
            decision = state.decision.decision if state.decision else ""
            self._queue[number] = replace(
                *(self._queue[number],),
                **{"state": state.progress, "decision": decision, "flagsDecided": len(state.flags), "failed": failed},
            )
        done = sum(state.progress == "decided" for case, state in self._states().items() if case in self._reviewed())
        self.progress = f"{done} of {len(self._reviewed())}"
        return number

    def following(self, step: int, case: str) -> list[str]:
        """The cases of the queue behind (or before) that one which could be shown so far, the nearest first.

        The ends meet.
        """
        names = [row.case for row in self._queue]
        start = names.index(case) if case in names else -1 if step > 0 else 0
        turned = [names[(start + step * i) % len(names)] for i in range(1, len(names) + 1)]
        return [name for name in turned if name != case and name not in self.failed]

    def lastCase(self) -> str:
        """Where this reader stopped; empty where nothing of it is here."""
        last = self.followed.last_of(self.reader) if self.followed and self.reader else None
        return last.case if last and last.case in self.session.caseNames else ""

    def _row(self, row: dict, isBlindOrder: bool) -> QueueRow:
        told = {} if isBlindOrder else {"center": row["center"] or "", "why": row["why"], "flags": _count(row["flags"])}
        case = row["case"]
        decided = len(self.state(case).flags) if self.state(case) else 0
        failed = self.failed.get(case, "")
        return QueueRow(row["place"], case, row["state"], row["decision"], flagsDecided=decided, failed=failed, **told)

    def _states(self) -> dict[str, CaseState]:
        return self.followed.states(self._who, self.session.model) if self.followed else {}

    def _cohort(self):
        """The cases that the shown model predicted; all of them where there is no model."""
        cohort, model = self.session.cohort, self.session.model
        cases = [case for case in cohort.cases if not model or model in case.predictions]
        return replace(cohort, cases=type(cohort.cases)(cases))

    def _reviewed(self) -> set[str]:
        return {case.case for case in self._cohort().cases}

    def _quality(self):
        from BraTSRefineLib.review import read_quality

        path = self._root / "evaluation" / "quality.csv"
        return read_quality(path) if path.is_file() else None

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
        if flag is not None:
            about |= {"region": flag.region, "quantity": flag.quantity, "volume_ml": round(flag.milliliters, 3)}
        return about

    # Two readers

    def disputes(self) -> list[Dispute]:
        """What readers decided differently, open ones first: for a reader only what a third person has decided."""
        from BraTSRefineLib.review import disagreements

        if self.followed is None:
            return []
        known = set(self.session.caseNames)
        rows = disagreements(e for e in self.followed.events() if e.case in known).itertuples(index=False)
        found = [Dispute(r.case, r.model, r.flag, r.decisions, r.adjudicated, r.adjudicator) for r in rows]
        return [one for one in found if one.adjudicated or self.reader not in one.decisions]

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


def _contains(flag: FlagRow, lps: tuple[float, float, float]) -> bool:
    """Whether the position lies in the flag's box, or where that is not known in a ball of its volume."""
    if flag.box:
        low, high = flag.box[:3], flag.box[3:]
        return all(a - TOLERANCE_MM <= x <= b + TOLERANCE_MM for a, x, b in zip(low, lps, high, strict=True))
    radius = (flag.milliliters * 1000 * 3 / (4 * math.pi)) ** (1 / 3)
    return math.dist(flag.center, lps) <= radius + TOLERANCE_MM


def _said(state: CaseState) -> str:
    """The decision, else that it was approved or marked done."""
    if state.decision is not None:
        return state.decision.decision
    return "approved" if state.approved else "done" if state.done else ""


def _count(value) -> int:
    return 0 if value != value or value is None else int(value)
