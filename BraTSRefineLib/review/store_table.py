"""The one table of the store, and events to and from its rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    TIMESTAMP,
    BigInteger,
    Column,
    Connection,
    Dialect,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

from .store_events import EVENT_COLUMNS, Event, time_of, time_text

AT_ONCE = 500
"""Values in one statement; SQLite once took no more than 999."""


class UtcTime(TypeDecorator):
    """A time with its zone; SQLite, which has none, keeps ISO 8601 in UTC."""

    impl = String(32)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine:
        timed = dialect.name == "postgresql"
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if timed else String(32))

    def process_bind_param(self, value: datetime, dialect: Dialect) -> datetime | str:
        return value if dialect.name == "postgresql" else time_text(value)

    def process_result_value(self, value: datetime | str, dialect: Dialect) -> datetime:
        return value.astimezone(UTC) if isinstance(value, datetime) else time_of(value)


EVENTS = Table(
    "events",
    MetaData(),
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("uid", String(36), nullable=False, unique=True),
    Column("when", UtcTime, nullable=False),
    *(Column(name, Text, nullable=False) for name in EVENT_COLUMNS if name not in ("uid", "when", "payload")),
    Column("payload", JSON().with_variant(JSONB, "postgresql"), nullable=False),
    sqlite_autoincrement=True,
)


def insert_event(connection: Connection, event: Event) -> int:
    """Its number in this store."""
    return connection.execute(insert(EVENTS).values(**_values(event))).inserted_primary_key[0]


def insert_events(connection: Connection, events: list[Event]) -> None:
    if events:
        connection.execute(insert(EVENTS), [_values(event) for event in events])


def select_events(connection: Connection, case: str | None = None) -> list[Event]:
    """All events, or those of a case, in the order in which this store took them in."""
    query = select(EVENTS).order_by(EVENTS.c.id)
    if case is not None:
        query = query.where(EVENTS.c.case == case)
    return [_event(row) for row in connection.execute(query).mappings()]


def select_news(connection: Connection, after: int) -> tuple[list[Event], int]:
    """The events behind a number, and the number of the last; writers wait for each other, so none comes in late."""
    rows = list(connection.execute(select(EVENTS).where(EVENTS.c.id > after).order_by(EVENTS.c.id)).mappings())
    return [_event(row) for row in rows], rows[-1]["id"] if rows else after


def select_known(connection: Connection, uids: list[str]) -> dict[str, tuple[int, Event]]:
    """Those of the uids that are here, each with its number and event."""
    found = {}
    for start in range(0, len(uids), AT_ONCE):
        query = select(EVENTS).where(EVENTS.c.uid.in_(uids[start : start + AT_ONCE]))
        found |= {row["uid"]: (row["id"], _event(row)) for row in connection.execute(query).mappings()}
    return found


def _values(event: Event) -> dict[str, Any]:
    values = {name: getattr(event, name) for name in EVENT_COLUMNS}
    return values | {"payload": dict(event.payload)}


def _event(row: Mapping[str, Any]) -> Event:
    return Event(**{name: row[name] for name in EVENT_COLUMNS})
