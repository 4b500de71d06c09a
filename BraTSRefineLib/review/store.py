"""The review's memory: events are added, never changed; what is so now is derived from them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .flag_types import ReviewError
from .store_events import ADJUDICATION, DECISION, FLAG_DECISION, UNDO, Event
from .store_places import place_of
from .store_readers import last_of, seen_by
from .store_rows import read_events, write_events
from .store_state import CaseState, case_state, standing, states

if TYPE_CHECKING:
    from .store_database import Database

EXPORT_EVERY = 20
"""Events after which the last good export is written again; more in a large store, whose export takes a second."""


class Store:
    """An open store; several processes may hold one at once. Made by ``open_store``; a context that closes itself."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._unexported = 0

    @property
    def notes(self) -> list[str]:
        """What a reviewer should know: a network share, an upgrade, an export that failed."""
        return self._database.notes

    @property
    def place(self) -> str:
        """The file, or the server's URL without a password."""
        from .store_errors import shown

        return shown(self._database.place)

    @property
    def export_path(self) -> Path | None:
        """The last good export; None for a server without a workspace."""
        return self._database.place.export

    def record(self, event: Event) -> int:
        """Keep the event; its number comes back once it is safely stored. The same event twice is kept once.

        Raises ReviewError where it could not be kept, where another event has its uid, for an undo of what is not
        there or of another person, and for an adjudication by one of the readers.
        """
        from .store_table import insert_event, select_events, select_known

        with self._database.writing() as connection:
            known = select_known(connection, [event.uid]).get(event.uid)
            if known is not None:
                return _same(known, event)[0]
            if event.kind in (UNDO, ADJUDICATION):
                _check_against(event, select_events(connection, event.case))
            number = insert_event(connection, event)
        self._count(1, number)
        return number

    def add(self, events: Iterable[Event]) -> int:
        """Keep all of the events that are not here yet, or none; how many were new.

        Raises ReviewError where one is here with other content.
        """
        from .store_table import insert_events, select_known

        given = {event.uid: event for event in events}
        with self._database.writing() as connection:
            known = select_known(connection, list(given))
            for uid, found in known.items():
                _same(found, given[uid])
            new = [event for uid, event in given.items() if uid not in known]
            insert_events(connection, new)
        self._count(len(new))
        return len(new)

    def events(self, case: str | None = None) -> list[Event]:
        """Everything that happened, or what happened to a case, in the order in which it came in."""
        from .store_table import select_events

        with self._database.reading() as connection:
            return select_events(connection, case)

    def news(self, after: int = 0) -> tuple[list[Event], int]:
        """The events with a higher number than ``after`` in the order of their numbers, and the highest number."""
        from .store_table import select_news

        with self._database.reading() as connection:
            return select_news(connection, after)

    def state(self, case: str, who: str | None = None, model: str | None = None) -> CaseState:
        """The case as it stands; with ``who`` as that reader may see it (``visible_to``), blind to the others.

        With ``model`` only by what was said of that model's prediction, or of none.
        """
        return case_state(case, seen_by(who, self.events(case), model))

    def states(self, who: str | None = None, model: str | None = None) -> dict[str, CaseState]:
        """The state of every case that has an event."""
        return states(seen_by(who, self.events(), model))

    def undo(self, uid: str, who: str, note: str = "") -> int:
        """Take an event back by a new one that refers to it; undoing an undo brings it back."""
        from .store_table import select_known

        with self._database.reading() as connection:
            found = select_known(connection, [uid])
        if not found:
            raise ReviewError(f"nothing to undo: no event {uid} in this store")
        _, target = found[uid]
        return self.record(Event(UNDO, target.case, who, note=note, flag=target.flag, model=target.model, refers=uid))

    def undo_last(self, who: str, case: str | None = None) -> Event:
        """Take back the newest thing that this person did and has not taken back; that event comes back.

        Raises ReviewError where there is none.
        """
        found = last_of(self.events(case), who, also_opened=False)
        if found is None:
            raise ReviewError(f"nothing to undo: {who} has no record{f' of {case}' if case else ''}")
        self.undo(found.uid, who)
        return found

    def write_last_good(self) -> None:
        """The last good export anew, whole or not at all; none is replaced by an older one.

        Raises ReviewError where it cannot be written.
        """
        from .store_table import select_events

        if self.export_path is None:
            return
        with self._database.writing() as connection:
            write_events(select_events(connection), self.export_path)
        self._unexported = 0

    def close(self) -> None:
        """Write the last good export if anything is new, and let go of the database."""
        try:
            if self._unexported:
                self.write_last_good()
        finally:
            self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _count(self, new: int, of: int = 0) -> None:
        """What was recorded stays recorded where its export fails; that is told, and tried again at the next."""
        self._unexported += new
        if self._unexported < max(EXPORT_EVERY, of // 100):
            return
        try:
            self.write_last_good()
        except ReviewError as error:
            self.notes.append(f"recorded, but not exported: {error}")


def open_store(url: str | Path, workspace: Path | str | None = None, wait_s: float = 10.0) -> Store:
    """The store at ``url``: a workspace folder, a SQLite file, or ``postgresql://USER@HOST/NAME``.

    ``workspace`` is where a server's last good export goes. A SQLite file that is not there begins from the last good
    export, if there is one; the notes tell. ``wait_s`` is how long to wait for another program's lock.
    Raises ReviewError where it cannot be opened or written, is damaged, locked, or of a newer version.
    """
    from .store_database import Database

    place = place_of(url, workspace)
    lost = place.path is not None and not place.path.exists() and place.export.is_file()
    kept = read_events(place.export) if lost else []
    store = Store(Database(place, wait_s))
    if kept:
        store.add(kept)
        store.notes.append(f"{place.path} was not there; begun from the last good export, {place.export}")
    return store


def _same(known: tuple[int, Event], event: Event) -> tuple[int, Event]:
    if known[1] != event:
        raise ReviewError(f"event {event.uid} of {event.case} is already here with other content; nothing was written")
    return known


def _check_against(event: Event, events: list[Event]) -> None:
    if event.kind == UNDO:
        target = next((found for found in events if found.uid == event.refers), None)
        if target is None:
            raise ReviewError(f"nothing to undo: {event.case} has no event {event.refers}")
        if target.who != event.who:
            raise ReviewError(f"{event.case}: this record is {target.who}'s; only that person can take it back")
    if event.kind == ADJUDICATION:
        read = [e for e in standing(events) if e.kind in (DECISION, FLAG_DECISION) and e.item == event.item]
        if event.who in {found.who for found in read}:
            raise ReviewError(f"{event.case}: {event.who} is one of the readers; a third person adjudicates")
