"""The work queue: which case comes next, how far along one is, what could not be shown. No Qt, no MRML."""

from __future__ import annotations

from dataclasses import dataclass, replace

ORDERS = ("priority", "random", "blind")


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


class ReviewQueue:
    """The cases of a review in their order.

    ``order``, ``states``, ``center`` and ``region`` say what is wanted; ``rows`` are as of the last ``refresh`` or
    ``narrow``, with the states as they are now; ``failed``: the cases that could not be shown, and why.
    """

    def __init__(self, reviewing) -> None:
        self._reviewing = reviewing
        self.forget()

    def forget(self) -> None:
        """Another cohort: by priority, nothing filtered."""
        self.order, self.states, self.center, self.region = ORDERS[0], (), "", ""
        self.rows: list[QueueRow] = []
        self._ordered: list[QueueRow] = []
        self.failed: dict[str, str] = {}
        self.progress = ""

    def progressWords(self) -> str:
        """How many cases of the model are decided."""
        return f"{self.progress} decided" if self.progress else ""

    @property
    def gone(self) -> list[str]:
        """Cases with records that the cohort no longer has."""
        known = set(self._reviewing.session.caseNames)
        return sorted(case for case in self._reviewing.states() if case not in known)

    def refresh(self) -> None:
        """Order and filter the cases anew. Raises ReviewError."""
        from BraTSRefineLib.review import Wish, worklist

        session, here = self._reviewing.session, self._cohort()
        names = {case.case for case in here.cases}
        states = {case: state for case, state in self._reviewing.states().items() if case in names}
        isBlindOrder = self.order == "blind"
        order = "random" if isBlindOrder and not self._reviewing.reader else self.order
        wish = Wish(order, (), (self.center,) if self.center else (), self.region)
        found = worklist(here, states, session.flagsOfModel(), self._quality(), wish, self._reviewing.reader)
        self.progress = found.progress
        self._ordered = [self._row(row, isBlindOrder) for row in found.table.itertuples(index=False)]
        self.narrow()

    def narrow(self) -> None:
        """Leave the cases of the wanted states, as they are now, in the order of the last ``refresh``."""
        self.rows = []
        for row in self._ordered:
            now = self._asItIs(row, len(self.rows) + 1)
            if not self.states or now.state in self.states:
                self.rows.append(now)

    def updateRow(self, case: str) -> int:
        """Bring one row's state up to date, where it stands; its number, -1 for none."""
        number = next((i for i, row in enumerate(self.rows) if row.case == case), -1)
        if number >= 0:
            self.rows[number] = self._asItIs(self.rows[number], self.rows[number].place)
        reviewed = self._reviewed()
        done = [case for case, state in self._reviewing.states().items() if state.progress == "decided"]
        self.progress = f"{len(reviewed.intersection(done))} of {len(reviewed)}"
        return number

    def following(self, step: int, case: str) -> list[str]:
        """The cases of the queue behind (or before) that one which could be shown so far, the nearest first.

        The ends meet.
        """
        names = [row.case for row in self.rows]
        start = names.index(case) if case in names else -1 if step > 0 else 0
        turned = [names[(start + step * i) % len(names)] for i in range(1, len(names) + 1)]
        return [name for name in turned if name != case and name not in self.failed]

    def _row(self, row, isBlindOrder: bool) -> QueueRow:
        told = {} if isBlindOrder else {"center": row.center or "", "why": row.why, "flags": _count(row.flags)}
        return QueueRow(row.place, row.case, row.state, **told)

    def _asItIs(self, row: QueueRow, place: int) -> QueueRow:
        """Of thousands of rows most are as they were."""
        state, failed = self._reviewing.state(row.case), self.failed.get(row.case, "")
        said = row.state, row.decision, row.flagsDecided
        if state is not None:
            said = state.progress, state.decision.decision if state.decision else "", len(state.flags)
        if (place, *said, failed) == (row.place, row.state, row.decision, row.flagsDecided, row.failed):
            return row
        progress, decision, decided = said
        return replace(row, place=place, state=progress, decision=decision, flagsDecided=decided, failed=failed)

    def _cohort(self):
        """The cases that the shown model predicted; all of them where there is no model."""
        cohort, model = self._reviewing.session.cohort, self._reviewing.session.model
        cases = [case for case in cohort.cases if not model or model in case.predictions]
        return replace(cohort, cases=type(cohort.cases)(cases))

    def _reviewed(self) -> set[str]:
        return {case.case for case in self._cohort().cases}

    def _quality(self):
        from BraTSRefineLib.review import read_quality

        path = self._reviewing.session.workspace.quality_csv
        return read_quality(path) if path.is_file() else None


def _count(value) -> int:
    return 0 if value != value or value is None else int(value)
