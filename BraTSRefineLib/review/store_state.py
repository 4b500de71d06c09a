"""What is so now, derived from everything that happened: nothing here is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .store_events import (
    ADJUDICATION,
    APPROVE,
    CORRECTION,
    DECIDING,
    DECISION,
    DONE,
    FLAG_DECISION,
    NOTE,
    SECOND_READER,
    UNDO,
    Event,
    Item,
)

OPEN, DECIDED, SECOND, DISAGREEMENT = "open", "decided", "second reader", "disagreement"
PROGRESS = (OPEN, DECIDED, SECOND, DISAGREEMENT)


@dataclass(frozen=True)
class CaseState:
    """A case as it stands; every event here was not undone, and of each only the newest counts.

    ``decision``: the case's, an adjudication before any reader's. ``flags``: by flag. ``readers``: each reader's
    decision of the case. ``corrections`` and ``notes``: the newest last. ``unsettled``: the (model, flag), ('', '') for
    the case itself, that two readers decided differently and no third did. ``progress``: one of ``PROGRESS``.
    """

    case: str
    decision: Event | None = None
    flags: dict[str, Event] = field(default_factory=dict)
    readers: dict[str, Event] = field(default_factory=dict)
    approved: Event | None = None
    second_reader: Event | None = None
    done: Event | None = None
    corrections: tuple[Event, ...] = ()
    notes: tuple[Event, ...] = ()
    unsettled: tuple[tuple[str, str], ...] = ()

    @property
    def progress(self) -> str:
        """``decided`` also where it was only approved or marked done; ``second reader`` until two have read it."""
        if self.unsettled:
            return DISAGREEMENT
        adjudicated = self.decision is not None and self.decision.kind == ADJUDICATION
        if self.second_reader is not None and len(self.readers) < 2 and not adjudicated:
            return SECOND
        return DECIDED if self.decision or self.approved or self.done else OPEN

    @property
    def correction(self) -> Event | None:
        """The newest correction."""
        return self.corrections[-1] if self.corrections else None


def in_order(events: Iterable[Event]) -> list[Event]:
    """By time, whatever the order in which stores were merged; ties by uid, so that every copy derives the same."""
    return sorted(events, key=lambda event: (event.when, event.uid))


def standing(events: Iterable[Event]) -> list[Event]:
    """The events that count, in order: undone ones and undos left out. An undo can itself be undone.

    Only what a person did can that person take back: another's undo is without effect.
    """
    ordered = in_order(events)
    who = {event.uid: event.who for event in ordered}
    undone: set[str] = set()
    for event in reversed(ordered):
        if event.kind == UNDO and event.uid not in undone and who.get(event.refers) == event.who:
            undone.add(event.refers)
    return [event for event in ordered if event.kind != UNDO and event.uid not in undone]


def readings(counting: Iterable[Event], *kinds: str) -> dict[Item, dict[str, Event]]:
    """Of what ``standing`` leaves, each reader's last event of these kinds, by what it is about."""
    found: dict[Item, dict[str, Event]] = {}
    for event in counting:
        if event.kind in kinds:
            found.setdefault(event.item, {})[event.who] = event
    return found


def differ(by: Mapping[str, Event]) -> bool:
    """Whether readers took different decisions."""
    return len({event.decision for event in by.values()}) > 1


def states(events: Iterable[Event]) -> dict[str, CaseState]:
    """The state of every case that has an event."""
    cases: dict[str, list[Event]] = {}
    for event in events:
        cases.setdefault(event.case, []).append(event)
    return {case: case_state(case, found) for case, found in cases.items()}


def case_state(case: str, events: Iterable[Event]) -> CaseState:
    """The state of one case from its events."""
    counting = standing(event for event in events if event.case == case)
    of_kind = {kind: [event for event in counting if event.kind == kind] for kind in {e.kind for e in counting}}
    readers = {event.who: event for event in of_kind.get(DECISION, [])}
    judged = [event for event in of_kind.get(ADJUDICATION, []) if not event.flag]
    return CaseState(
        case,
        decision=_last(judged) or _last(of_kind.get(DECISION, [])),
        flags=_flags(counting),
        readers=readers,
        approved=_last(of_kind.get(APPROVE, [])),
        second_reader=_last(of_kind.get(SECOND_READER, [])),
        done=_last(of_kind.get(DONE, [])),
        corrections=tuple(of_kind.get(CORRECTION, [])),
        notes=tuple(event for event in counting if event.kind == NOTE or (event.note and event.kind in DECIDING)),
        unsettled=_unsettled(counting),
    )


def _last(events: list[Event]) -> Event | None:
    return events[-1] if events else None


def _flags(counting: list[Event]) -> dict[str, Event]:
    """By flag the newest decision, an adjudication before any reader's."""
    found: dict[str, Event] = {}
    for kind in (FLAG_DECISION, ADJUDICATION):
        found |= {event.flag: event for event in counting if event.kind == kind and event.flag}
    return found


def _unsettled(counting: list[Event]) -> tuple[tuple[str, str], ...]:
    judged = {event.item for event in counting if event.kind == ADJUDICATION}
    read = readings(counting, DECISION, FLAG_DECISION)
    return tuple(item[1:] for item, by in read.items() if differ(by) and item not in judged)
