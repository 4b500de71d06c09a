"""Other names for cases and readers: the same within a workspace, told by nobody who lacks its salt."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..cohort.workspace import safe_name
from .flag_types import ReviewError
from .store_events import Event

SALT_FILE = "review-salt"
SALT_BYTES = 32
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
DIGITS = 12
"""48 bits: among 10 000 names two are alike with a chance of one in 5 million."""


@dataclass(frozen=True)
class Pseudonyms:
    """A keyed hash (HMAC with SHA-256, RFC 2104) of a name and of what it is the name of."""

    salt: bytes

    def case(self, name: str) -> str:
        return f"case-{self._digest('case', name)}"

    def reader(self, name: str) -> str:
        return f"reader-{self._digest('reader', name)}"

    def of(self, events: Iterable[Event], cases: Iterable[str] = ()) -> list[Event]:
        """The events under other names, also where a text holds the name of a reader or a case.

        ``cases``: names that may stand in a text beside those of the events. Anything else in a note stays as written.
        """
        events = list(events)
        names = {name: self.case(name) for name in {*cases, *(event.case for event in events)}}
        names |= {name: self.reader(name) for name in {event.who for event in events}}
        names |= {safe_name(name): other for name, other in names.items()}
        return [self._event(event, names) for event in events]

    def _event(self, event: Event, names: dict[str, str]) -> Event:
        texts = {key: _renamed(getattr(event, key), names) for key in ("note", "flag", "model")}
        payload = _renamed(dict(event.payload), names)
        return replace(event, case=self.case(event.case), who=self.reader(event.who), payload=payload, **texts)

    def _digest(self, what: str, name: str) -> str:
        return hmac.new(self.salt, f"{what}\0{name}".encode(), hashlib.sha256).hexdigest()[:DIGITS]


def pseudonyms_of(workspace: Path) -> Pseudonyms:
    """With the salt of the workspace, made at the first time, for its owner's eyes only.

    Raises ReviewError where it is damaged, or cannot be kept or read.
    """
    path = Path(workspace) / SALT_FILE
    try:
        with suppress(FileExistsError), os.fdopen(os.open(path, NEW, 0o600), "wb") as stream:
            stream.write(secrets.token_bytes(SALT_BYTES))
        salt = path.read_bytes()
    except OSError as error:
        raise ReviewError(
            f"{path}: the salt of the pseudonyms cannot be kept or read ({error.strerror or error})"
        ) from error
    if len(salt) != SALT_BYTES:
        raise ReviewError(
            f"{path}: damaged, {len(salt)} bytes instead of {SALT_BYTES}; put it back, or delete it for other names"
        )
    return Pseudonyms(salt)


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """Every whole name in a text, or in the texts of JSON's own types, by its other name; the longest first.

    A name ends where letters and digits do, so that it is found in ``<case>_v2.nii.gz`` too.
    """
    if isinstance(value, str):
        longest_first = sorted(names, key=len, reverse=True)
        pattern = "|".join(map(re.escape, longest_first))
        return re.sub(rf"(?<![^\W_])(?:{pattern})(?![^\W_])", lambda found: names[found.group()], value)
    if isinstance(value, dict):
        return {_renamed(key, names): _renamed(entry, names) for key, entry in value.items()}
    return [_renamed(entry, names) for entry in value] if isinstance(value, list) else value
