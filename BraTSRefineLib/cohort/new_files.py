"""Files that are written only where none is: what a person has is never replaced."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .workspace import WorkspaceError


@contextmanager
def written_new(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path`` and make it ``path`` when the block ends well and nothing is there by then.

    Raises WorkspaceError where a file (a link, a folder) of that name is there, or the folder cannot be written.
    """
    path = Path(path)
    refuse_existing(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=path.parent) as folder:
            yield Path(folder) / path.name
            _take_place(Path(folder) / path.name, path)
    except OSError as error:
        raise WorkspaceError(f"{path}: not written ({error.strerror or error}); choose another folder") from error


def refuse_existing(path: Path) -> None:
    """Raises WorkspaceError where something of that name is there, be it a link that leads nowhere."""
    if os.path.lexists(path):
        raise WorkspaceError(f"{path}: is there already and stays as it is; choose another folder")


def _take_place(temporary: Path, path: Path) -> None:
    """Whoever makes the empty file is the first; only one's own is replaced."""
    try:
        path.open("xb").close()
    except FileExistsError:
        refuse_existing(path)
    temporary.replace(path)
