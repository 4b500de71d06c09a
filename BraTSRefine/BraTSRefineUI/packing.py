"""What was read of a case, from one process to another through a file: written once, mapped by the reader, not copied.

The file lies in memory where the system offers that (``/dev/shm``), else in the folder for temporary files, whose pages
are in memory too as long as there is room. A named block of shared memory would outlive a process that was killed.

It holds what is known as JSON (``plaindata``), with a sum that tells whether it is whole, and then the arrays as they
are in memory. It can only say what there is: nothing in it is ever run.
"""

from __future__ import annotations

import json
import mmap
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from .casedata import occupiedBounds
from .plaindata import fromPlain, toPlain

MAGIC = b"BRcase1\n"
START = struct.Struct("<8sQI")
ALIGNMENT = 64
LARGE_BYTES = 1 << 16
NUMBERS = "biuf"


class PackingError(ValueError):
    """A file that is not what ``pack`` wrote; the message names the file and the reason."""


def pack(what: Any, path: Path) -> None:
    """Write what was read of a case, or maps and lists of arrays; the file appears whole or not at all.

    Raises OSError without room and TypeError for anything else.
    """
    arrays = _Arrays()
    words = json.dumps(toPlain(what, arrays.keep)).encode()
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as stream:
        stream.write(START.pack(MAGIC, len(words), zlib.crc32(words)))
        for block in (words, *arrays.blocks):
            stream.write(block)
            stream.write(bytes(_aligned(stream.tell()) - stream.tell()))
    temporary.replace(path)


def unpack(path: Path) -> Any:
    """What ``pack`` wrote. Its large arrays lie in the mapped file, private to us, and live as long as they are used.

    On POSIX the file may be removed at once; its memory is given back with the last array. Raises PackingError for a
    file that is damaged, or that is another one.
    """
    try:
        with path.open("rb") as stream:
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY)
        return _unpacked(mapped)
    except (OSError, ValueError, TypeError, struct.error, OverflowError, RecursionError, MemoryError) as error:
        raise PackingError(f"{path}: cannot be used as a case that was read ahead ({error})") from error


def _unpacked(mapped: mmap.mmap) -> Any:
    magic, size, sumOfWords = START.unpack_from(mapped)
    words = mapped[START.size : START.size + size]
    if magic != MAGIC or zlib.crc32(words) != sumOfWords:
        raise ValueError("it is damaged or of another kind")
    start = _aligned(START.size + size)
    return fromPlain(json.loads(words), lambda found: _mappedArray(mapped, start, **found))


def _mappedArray(mapped, start: int, dtype: str, shape: list[int], place: int, box=None) -> np.ndarray:
    """An array of numbers in the file; with a ``box`` only what lies in it is there, and all else is 0."""
    kind = np.dtype(dtype)
    if kind.kind not in NUMBERS:
        raise ValueError(f"no array of {kind} is written")
    size = shape if box is None else [stop - first for first, stop in box]
    if min(place, *size, *shape) < 0:
        raise ValueError("an array of it lies elsewhere")
    part = np.ndarray(size, kind, mapped, start + place)
    if box is None:
        return part
    found = np.zeros(shape, kind)
    found[tuple(slice(*ends) for ends in box)] = part
    return found


def _aligned(place: int) -> int:
    return -(-place // ALIGNMENT) * ALIGNMENT


class _Arrays:
    """The arrays of a file, one after another, each from a multiple of ``ALIGNMENT`` on."""

    def __init__(self) -> None:
        self.blocks: list[memoryview] = []
        self._size = 0

    def keep(self, found: np.ndarray) -> dict[str, Any]:
        """Where it lies. Of a mask or a label map what is 0 around it, most of it, is left out."""
        if found.dtype.kind not in NUMBERS:
            raise TypeError(f"an array of {found.dtype} cannot be written")
        about = {"dtype": found.dtype.str, "shape": found.shape, "place": self._size}
        if found.dtype.itemsize == 1 and found.nbytes >= LARGE_BYTES:
            bounds = occupiedBounds(found, margin=0) or [(0, -1)] * found.ndim
            box = [(first, last + 1) for first, last in bounds]
            part = found[tuple(slice(*ends) for ends in box)]
            if part.size < found.size:
                found, about["box"] = part, box
        self.blocks.append(np.ascontiguousarray(found).reshape(-1).view(np.uint8).data)
        self._size = _aligned(self._size + found.nbytes)
        return about
