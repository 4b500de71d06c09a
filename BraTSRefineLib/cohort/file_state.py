"""Whether a file is still the one that was seen, told without reading it."""

from __future__ import annotations

from pathlib import Path


def file_state(path: Path) -> tuple[int, int]:
    """Size in bytes and time of last change in ns; -1 for a file that is not there."""
    try:
        found = path.stat()
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns
