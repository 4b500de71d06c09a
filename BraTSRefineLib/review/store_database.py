"""The store's connection to SQLite or PostgreSQL: one writer at a time, whole transactions, clear errors."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text

from .flag_types import ReviewError
from .store_errors import damaged, explained, shown, unanswered
from .store_places import Place, network_type
from .store_schema import check_version, upgrade, version_of
from .store_server import Server
from .store_tls import server_notes, server_url

WAIT_S = 10.0
PAUSE_S, BEGIN_S = 0.02, 0.5
CONNECT_S = 2
"""The shortest time that PostgreSQL's client library waits for a server; who waits less looks first if one answers."""

WRITE_LOCK = "LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE"
SCHEMA_LOCK = "SELECT pg_advisory_xact_lock(7262784)"
"""The number is any that all programs of ours take."""


class Database:
    """An opened store. ``notes`` tells what a reviewer should know of it."""

    def __init__(self, place: Place, wait_s: float = WAIT_S) -> None:
        """Raises ReviewError where it cannot be opened, is damaged, of a newer version, or stays locked."""
        self.place, self.wait_s = place, wait_s
        self.notes: list[str] = server_notes(place.url) if place.path is None else []
        self._engine = _postgresql(place, wait_s) if place.path is None else _sqlite(place, wait_s)
        self._server = Server(self._engine) if place.path is None and wait_s < CONNECT_S else None
        with explained(place, wait_s):
            if place.path is not None:
                self._prepare_file()
            self._prepare_tables()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with explained(self.place, self.wait_s), self._connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One writer at a time; what the block did is there as a whole, safely on disk, or not at all."""
        with explained(self.place, self.wait_s), self._connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                if self.place.path is None:
                    connection.execute(text(f"SET LOCAL lock_timeout = {round(self.wait_s * 1000)}"))
                    connection.execute(text(WRITE_LOCK))
                yield connection

    def close(self) -> None:
        self._engine.dispose()

    def _connect(self) -> Connection:
        if self._server is not None:
            try:
                self._server.check(self.wait_s)
            except OSError as error:
                raise ReviewError(unanswered(self.place, str(error))) from error
        return self._engine.connect()

    def _prepare_file(self) -> None:
        """The journal that suits the place, and a look at whether the file is whole."""
        path = self.place.path
        if self.place.export.is_file() and _stays_empty(path):
            raise ReviewError(damaged(self.place, "it is empty"))
        _touch(self.place)
        share = network_type(path)
        if share:
            self.notes.append(
                f"{path} lies on a network share ({share}), where SQLite's write-ahead log is not safe: it is kept "
                "with a rollback journal; for several readers at once take --store postgresql://..."
            )
        self._set_journal("delete" if share else "wal")
        with self._engine.connect() as connection:
            found = connection.execute(text("PRAGMA quick_check(1)")).scalar()
        if found != "ok":
            raise ReviewError(damaged(self.place, str(found).replace("\n", " ")))

    def _set_journal(self, mode: str) -> None:
        """Changing it needs the file for oneself, and SQLite does not wait for that."""
        until = time.monotonic() + self.wait_s
        while True:
            try:
                self._try_journal(mode)
                return
            except sqlite3.OperationalError as error:
                if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > until:
                    raise
            time.sleep(PAUSE_S)

    def _try_journal(self, mode: str) -> None:
        connection = self._engine.raw_connection()
        try:
            if connection.cursor().execute("PRAGMA journal_mode").fetchone()[0] != mode:
                connection.cursor().execute(f"PRAGMA journal_mode = {mode}")
        finally:
            connection.close()

    def _prepare_tables(self) -> None:
        with self._connect() as connection:
            if check_version(version_of(connection), self.place):
                return
        with self._engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                if self.place.path is None:
                    connection.execute(text(SCHEMA_LOCK))
                kept = upgrade(connection, self.place)
        if kept:
            self.notes.append(f"{shown(self.place)}: upgraded; what was there before is kept in {kept}")


def _stays_empty(path: Path) -> bool:
    """Whether there is an empty file that no other program is just beginning to fill."""
    until = time.monotonic() + BEGIN_S
    while path.is_file() and path.stat().st_size == 0:
        if time.monotonic() > until:
            return True
        time.sleep(PAUSE_S)
    return False


def _touch(place: Place) -> None:
    """An empty file where there is none: connections themselves never make one, so that a vanished one is noticed."""
    try:
        place.path.open("ab").close()
    except OSError as error:
        raise ReviewError(
            f"{place.path}: cannot be written ({error.strerror or error}); choose a workspace that you may write to"
        ) from error


def _sqlite(place: Place, wait_s: float) -> Engine:
    """Each transaction opens the file anew: a file that was removed must not be written to unseen."""
    posix = place.path.as_posix()
    uri = f"file://{'' if posix.startswith('/') else '/'}{quote(posix, safe='/:')}?mode=rw"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(uri, uri=True, timeout=wait_s, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _postgresql(place: Place, wait_s: float) -> Engine:
    try:
        limits = {"connect_timeout": max(CONNECT_S, round(wait_s))}
        return create_engine(server_url(place.url), pool_pre_ping=True, connect_args=limits)
    except ModuleNotFoundError:
        raise ReviewError("PostgreSQL needs a driver: pip install 'bratsrefine[team]'") from None
