"""What was found case by case, kept so that an unchanged case is not scored again and a stopped run goes on.

A case counts as unchanged while its files have the size and the time of last change that they had (their content is
not read), and labels, settings and this module's ``VERSION`` are the same.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ..cohort.case import Case
from ..cohort.dataset_json import dataset_json_above
from ..cohort.file_state import file_state
from ..cohort.workspace import WorkspaceError
from .case_scores import Settings

VERSION = 2
"""Counts up whenever the same files and settings give other results, or what is kept of them has another form."""

TABLE = "CREATE TABLE IF NOT EXISTS cases (name TEXT PRIMARY KEY, signature TEXT NOT NULL, content BLOB NOT NULL)"
FASTEST = 1


def case_signature(case: Case, settings: Settings) -> str:
    """Equal for two runs only if files, labels and settings are."""
    files = [path for path in (case.reference, *case.predictions.values()) if path is not None]
    if "calibration" in settings.measures:
        files += [*case.probabilities.values(), *case.images.values()]
        files += filter(None, map(dataset_json_above, case.probabilities.values()))
    facts = {
        "version": VERSION,
        "settings": {**vars(settings), "engine": "", "models": sorted(settings.models or []) or settings.models},
        "models": {model: str(path) for model, path in case.predictions.items()},
        "labels": [repr(case.labels), sorted((m, repr(c)) for m, c in case.model_labels.items())],
        "problems": [(problem.model, problem.level, problem.message) for problem in case.problems],
        "files": [(str(path), *file_state(path)) for path in files],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=list).encode()).hexdigest()


class CaseCache:
    """Contents by case, each valid for one signature."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, case: str, signature: str) -> object | None:
        """What was kept of the case under this signature, None where there is nothing or it is damaged."""
        row = self._connection.execute(
            "SELECT content FROM cases WHERE name = ? AND signature = ?", (case, signature)
        ).fetchone()
        return None if row is None else _unpacked(row[0])

    def clear(self) -> None:
        """Forget everything."""
        self._connection.execute("DELETE FROM cases")
        self._connection.commit()

    def put(self, case: str, signature: str, content: object) -> None:
        """Keep ``content`` (JSON's own types) in place of what was kept of the case."""
        packed = zlib.compress(json.dumps(content).encode(), FASTEST)
        self._connection.execute("REPLACE INTO cases VALUES (?, ?, ?)", (case, signature, packed))
        self._connection.commit()


def _unpacked(stored: object) -> object | None:
    """The content; None where its checksum says that it is not what was kept."""
    try:
        return json.loads(zlib.decompress(stored)) if isinstance(stored, bytes) else None
    except zlib.error:
        return None


@contextmanager
def case_cache(path: Path) -> Iterator[CaseCache]:
    """The cache in that file, made anew where it is damaged: it holds nothing that cannot be computed again.

    Raises WorkspaceError where it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with closing(_opened(path)) as connection:
            yield CaseCache(connection)
    except sqlite3.Error as error:
        raise WorkspaceError(f"{path}: not written ({error}); free disk space or choose another --workspace") from None


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30)
    try:
        _prepare(connection)
    except sqlite3.DatabaseError as error:
        connection.close()
        if isinstance(error, sqlite3.OperationalError) and "no such column" not in str(error):
            raise
        for damaged in (path, path.with_name(f"{path.name}-journal")):
            damaged.unlink(missing_ok=True)
        connection = sqlite3.connect(path, timeout=30)
        _prepare(connection)
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    """Raises sqlite3.DatabaseError where the file is damaged or holds another table."""
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(TABLE)
    connection.execute("SELECT name, signature, content FROM cases LIMIT 0")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)
