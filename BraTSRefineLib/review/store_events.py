"""What happened in a review, one record each: who said what about which case, when, and of which files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from threading import Lock
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

from .. import __version__
from .flag_types import ReviewError

DECISIONS = ("accept", "minor", "major", "unacceptable", "bad image")
"""From the best to the worst; the last is about the image, not the segmentation."""

DECISION, FLAG_DECISION, ADJUDICATION = "decision", "flag decision", "adjudication"
NOTE, CORRECTION, APPROVE, SECOND_READER, DONE, OPENED, UNDO = (
    "note", "correction", "approve", "second reader", "done", "opened", "undo",
)  # fmt: skip
DECIDING = (DECISION, FLAG_DECISION, ADJUDICATION)
KINDS = (*DECIDING, NOTE, CORRECTION, APPROVE, SECOND_READER, DONE, OPENED, UNDO)
NEEDED = ("uid", "when", "who", "kind", "case")
"""What no event may lack."""

Item = tuple[str, str, str]
"""What an event is about: case, model, flag."""

_CLOCK = Lock()
_latest = datetime.min.replace(tzinfo=UTC)


def now() -> datetime:
    """UTC, later at every call of a process, also where the clock is coarse or was set back: the last word counts."""
    global _latest
    with _CLOCK:
        _latest = max(datetime.now(UTC), _latest + timedelta(microseconds=1))
        return _latest


@dataclass(frozen=True)
class Event:
    """One record, never changed. Raises ReviewError where it contradicts itself or no database could hold it.

    ``case`` and ``who`` are names; ``model`` is whose prediction was looked at, ``flag`` which flag of it, both empty
    where they do not matter. A ``correction`` has its file, relative to the workspace, in ``payload["file"]``.
    ``refers`` is the uid of the event that an ``undo`` takes back. ``prediction_hash`` and ``reference_hash`` say of
    which files this was. ``when`` is kept in UTC, to the microsecond.
    """

    kind: str
    case: str
    who: str
    decision: str = ""
    note: str = ""
    flag: str = ""
    model: str = ""
    refers: str = ""
    prediction_hash: str = ""
    reference_hash: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict, hash=False)
    when: datetime = field(default_factory=now)
    uid: str = field(default_factory=lambda: str(uuid4()))
    software: str = f"BraTSRefine {__version__}"

    def __post_init__(self) -> None:
        _check_texts(self)
        _check_uid(self.uid)
        if not isinstance(self.when, datetime) or self.when.tzinfo is None:
            raise ReviewError(f"event of {self.case}: 'when' needs a time with its zone, not {self.when!r}")
        object.__setattr__(self, "when", self.when.astimezone(UTC))
        object.__setattr__(self, "payload", MappingProxyType(_plain(self.payload, self.case)))
        _check_sense(self)

    @property
    def item(self) -> Item:
        return self.case, self.model, self.flag

    @property
    def row(self) -> dict[str, Any]:
        """The event as JSON's own types, in the order of ``EVENT_COLUMNS``."""
        values = {name: getattr(self, name) for name in EVENT_COLUMNS}
        return values | {"when": time_text(self.when), "payload": dict(self.payload)}

    def __reduce__(self) -> tuple[Any, ...]:
        """A read-only mapping cannot be pickled; its dictionary can."""
        return event_of, (self.row,)


EVENT_COLUMNS = ("uid", "when", *(f.name for f in fields(Event) if f.name not in ("uid", "when", "payload")), "payload")


def event_of(row: Mapping[str, Any]) -> Event:
    """The event of an exported row. Raises ReviewError where it is broken."""
    missing = [name for name in NEEDED if not row.get(name)]
    if missing:
        raise ReviewError(f"no {', '.join(missing)}")
    known = {name: row[name] for name in EVENT_COLUMNS if row.get(name) is not None}
    return Event(**known | {"when": time_of(row["when"])})


def time_text(when: datetime) -> str:
    """ISO 8601 in UTC, always with six decimals, so that texts sort as times do."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def time_of(text: str) -> datetime:
    """Raises ReviewError for what is no time, or has no zone."""
    try:
        when = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise ReviewError(f"'{text}' is no time in ISO 8601, as 2026-01-31T09:30:00Z") from None
    if when.tzinfo is None:
        raise ReviewError(f"'{text}' has no time zone; add Z where it is UTC")
    return when


def _check_texts(event: Event) -> None:
    for name in EVENT_COLUMNS:
        value = getattr(event, name)
        if name in ("when", "payload"):
            continue
        if not isinstance(value, str):
            raise ReviewError(f"event of {event.case}: {name} is {value!r}, not a text")
        _storable(value, f"event of {event.case}: {name}")


def _storable(text: str, what: str) -> None:
    """NUL ends a text in PostgreSQL, and a lone surrogate is no Unicode."""
    if "\0" in text:
        raise ReviewError(f"{what} holds a NUL character; leave it out")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ReviewError(f"{what} is no valid Unicode: {text!r}") from None


def _check_uid(uid: str) -> None:
    try:
        same = str(UUID(uid)) == uid
    except ValueError:
        same = False
    if not same:
        raise ReviewError(f"uid '{uid}' is no UUID in lower case, as 3f2b8c1e-0d4a-4c57-9a53-7f3d1c2b4e60")


def _plain(payload: Mapping[str, Any], case: str) -> dict[str, Any]:
    """A copy in JSON's own types."""
    try:
        text = json.dumps(dict(payload), allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise ReviewError(f"event of {case}: the payload is no JSON object ({error})") from None
    plain = json.loads(text)
    _storable("".join(_texts(plain)), f"event of {case}: the payload")
    return plain


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for part in parts for text in _texts(part)]


def _check_sense(event: Event) -> None:
    where = f"event of {event.case or 'no case'}"
    if not event.case or not event.who:
        raise ReviewError(f"{where}: it takes a case and the name of who did it")
    if event.kind not in KINDS:
        raise ReviewError(f"{where}: no kind '{event.kind}'; it is one of {', '.join(KINDS)}")
    if event.kind in DECIDING and event.decision not in DECISIONS:
        raise ReviewError(f"{where}: no decision '{event.decision}'; it is one of {', '.join(DECISIONS)}")
    if event.kind not in DECIDING and event.decision:
        raise ReviewError(f"{where}: a record of kind '{event.kind}' holds no decision")
    if event.kind == FLAG_DECISION and not event.flag:
        raise ReviewError(f"{where}: a flag decision names its flag")
    if event.kind == DECISION and event.flag:
        raise ReviewError(f"{where}: a decision of a flag has the kind '{FLAG_DECISION}'")
    if (event.kind == UNDO) != bool(event.refers):
        raise ReviewError(f"{where}: an undo, and only that, names in 'refers' the uid that it takes back")
    if event.kind == CORRECTION and not isinstance(event.payload.get("file"), str):
        raise ReviewError(f"{where}: a correction names its file in payload['file']")
