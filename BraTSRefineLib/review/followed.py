"""A store with all that it holds in memory, for a window that asks at every key and may not wait."""

from __future__ import annotations

from .flag_types import ReviewError
from .store import Store
from .store_events import Event
from .store_readers import last_of, seen_by
from .store_state import CaseState, case_state


class Followed:
    """Everything that was recorded, by this program and by others, as of the last ``catch_up``.

    ``number`` is that of the last event; it rises with every one.

    >>> followed = Followed(open_store(workspace))
    >>> followed.catch_up()
    >>> followed.state("case-1", who="Ann").decision
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._cases: dict[str, list[Event]] = {}
        self._states: dict[tuple[str | None, str | None], dict[str, CaseState]] = {}
        self.number = 0

    def catch_up(self) -> set[str]:
        """Read what came in since the last time; the cases that it is about. Raises ReviewError."""
        news, self.number = self.store.news(self.number)
        for event in news:
            self._cases.setdefault(event.case, []).append(event)
        touched = {event.case for event in news}
        for known in self._states.values():
            for case in touched:
                known.pop(case, None)
        return touched

    def record(self, event: Event) -> int:
        """As ``Store.record``; what others recorded meanwhile is known afterwards, too."""
        number = self.store.record(event)
        self.catch_up()
        return number

    def undo_last(self, who: str) -> Event:
        """Take back the newest thing that this person did; that event comes back. Raises ReviewError for none."""
        found = last_of(self.events(), who, also_opened=False)
        if found is None:
            raise ReviewError(f"nothing to undo: {who} has no record")
        self.store.undo(found.uid, who)
        self.catch_up()
        return found

    def events(self, case: str | None = None) -> list[Event]:
        """Everything that happened, or what happened to a case."""
        if case is not None:
            return list(self._cases.get(case, ()))
        return [event for events in self._cases.values() for event in events]

    def events_of_several(self) -> list[Event]:
        """What happened to the cases of which more than one person recorded something."""
        several = [events for events in self._cases.values() if len({event.who for event in events}) > 1]
        return [event for events in several for event in events]

    def last_of(self, who: str) -> Event | None:
        """Where this person was last."""
        return last_of(self.events(), who)

    def state(self, case: str, who: str | None = None, model: str | None = None) -> CaseState:
        """As ``Store.state``; with ``who`` as that reader may see it."""
        known = self._states.setdefault((who, model), {})
        if case not in known:
            known[case] = case_state(case, seen_by(who, self._cases.get(case, ()), model))
        return known[case]

    def states(self, who: str | None = None, model: str | None = None) -> dict[str, CaseState]:
        """The state of every case that has an event."""
        return {case: self.state(case, who, model) for case in self._cases}
