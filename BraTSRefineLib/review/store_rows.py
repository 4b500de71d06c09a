"""Events as a file: CSV or JSON lines, whole or not at all; a broken row is named by its line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..cohort.workspace import written_whole
from .flag_types import ReviewError
from .store_events import EVENT_COLUMNS, NEEDED, Event, event_of

NAMED_AT_MOST = 5
FORMATS = (".csv", ".jsonl")


def write_events(events: Iterable[Event], path: Path) -> None:
    """``.csv`` with ``EVENT_COLUMNS`` (the payload as JSON), or ``.jsonl`` with an object a line; UTF-8.

    Raises ReviewError for another ending, WorkspaceError where it cannot be written.
    """
    rows = [event.row for event in events]
    if _format(path) == ".csv":
        with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
            table = csv.DictWriter(stream, EVENT_COLUMNS)
            table.writeheader()
            table.writerows({**row, "payload": json.dumps(row["payload"], ensure_ascii=False)} for row in rows)
    else:
        with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def read_events(path: Path) -> list[Event]:
    """The events of such a file. Columns that are not ours are left out.

    Raises ReviewError where it cannot be read, or a row is broken; the message names the lines.
    """
    path = Path(path)
    read = _csv_rows if _format(path) == ".csv" else _json_rows
    events: list[Event] = []
    lines: dict[str, int] = {}
    broken: list[str] = []
    try:
        for line, row in read(path):
            try:
                event = _event(row, lines)
            except ReviewError as error:
                broken.append(f"line {line}: {error}")
                continue
            lines[event.uid] = line
            events.append(event)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ReviewError(f"{path}: cannot be read ({error})") from error
    if broken:
        more = f"; and {len(broken) - NAMED_AT_MOST} more" if len(broken) > NAMED_AT_MOST else ""
        raise ReviewError(f"{path}: {'; '.join(broken[:NAMED_AT_MOST])}{more}. Nothing was imported")
    return events


def _format(path: Path) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise ReviewError(f"{path}: events are kept as {' or '.join(FORMATS)}; choose such a name")
    return suffix


def _event(row: Mapping[str, Any] | ReviewError, lines: Mapping[str, int]) -> Event:
    if isinstance(row, ReviewError):
        raise row
    event = event_of(row)
    if event.uid in lines:
        raise ReviewError(f"the uid {event.uid} stands already in line {lines[event.uid]}")
    return event


def _csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | ReviewError]]:
    """The line on which each row begins, and the row or what is wrong with it."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        table = csv.reader(stream, strict=True)
        heading = next(table, [])
        missing = [name for name in NEEDED if name not in heading]
        if missing:
            raise ReviewError(f"{path}: line 1: no column {', '.join(missing)}. Nothing was imported")
        begins = table.line_num + 1
        for cells in table:
            if cells:
                yield begins, _csv_row(heading, cells)
            begins = table.line_num + 1


def _csv_row(heading: list[str], cells: list[str]) -> Mapping[str, Any] | ReviewError:
    if len(cells) != len(heading):
        return ReviewError(f"{len(cells)} cells under {len(heading)} headings")
    row = dict(zip(heading, cells, strict=True))
    return _with_payload(row, row.get("payload") or "{}")


def _with_payload(row: dict[str, Any], text: str) -> dict[str, Any] | ReviewError:
    try:
        return row | {"payload": json.loads(text)}
    except ValueError as error:
        return ReviewError(f"the payload is no JSON ({error})")


def _json_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | ReviewError]]:
    with path.open(encoding="utf-8-sig", newline="\n") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield number, _json_row(line)


def _json_row(line: str) -> Mapping[str, Any] | ReviewError:
    try:
        row = json.loads(line)
    except ValueError as error:
        return ReviewError(f"no JSON ({error})")
    return row if isinstance(row, dict) else ReviewError("no JSON object")
