"""A lock that the operating system drops with the process that holds it, however that process ends."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .description import JobError

ATTEMPTS, PAUSE_S = 10, 0.05


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold ``path`` for the time of the block. Raises JobError where another process holds it."""
    with path.open("a+b") as stream:
        if not _locked_soon(stream):
            raise JobError(f"{path.parent}: this job is already running")
        yield


def is_locked(path: Path) -> bool:
    """Whether a living process holds ``path``; False where there is no such file."""
    try:
        with path.open("rb") as stream:
            return not _try_lock(stream, shared=True)
    except FileNotFoundError:
        return False


def _locked_soon(stream: IO[bytes]) -> bool:
    """Someone who only asks whether the lock is held holds it for an instant."""
    for _ in range(ATTEMPTS):
        if _try_lock(stream):
            return True
        time.sleep(PAUSE_S)
    return False


def _try_lock(stream: IO[bytes], shared: bool = False) -> bool:
    try:
        _lock(stream, shared)
    except OSError:
        return False
    return True


if os.name == "nt":

    def _lock(stream: IO[bytes], shared: bool) -> None:
        import msvcrt

        stream.seek(0)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)

else:

    def _lock(stream: IO[bytes], shared: bool) -> None:
        import fcntl

        fcntl.flock(stream, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
