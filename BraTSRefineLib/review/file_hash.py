"""Which file a decision was about, however it is called later."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .flag_types import ReviewError


def file_hash(path: Path | None) -> str:
    """SHA-256 of a file in hexadecimal; '' for no file. Raises ReviewError where it cannot be read."""
    if path is None:
        return ""
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ReviewError(f"{path}: cannot be read ({error.strerror or error}), so no decision can name it") from error
