"""Arrays from one process to another through a file: written once, mapped by the reader without a copy.

The file lies in memory where the system offers that (``/dev/shm``), else in the folder for temporary files, whose pages
are in memory too as long as there is room. A named block of shared memory would outlive a process that was killed.
"""

from __future__ import annotations

import io
import mmap
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np

from .casedata import occupiedBounds

ALIGNMENT = 64
LARGE_BYTES = 1 << 16
NUMBER = struct.Struct("<Q")


def pack(what: Any, path: Path) -> None:
    """Write any object that can be pickled; the file appears whole or not at all. Raises OSError without room.

    Only for files that we read ourselves: what ``unpack`` is given may run code.
    """
    blocks: list[pickle.PickleBuffer] = []
    words = io.BytesIO()
    _Pickler(words, protocol=5, buffer_callback=blocks.append).dump(what)
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as stream:
        _write(stream, [words.getbuffer(), *(block.raw() for block in blocks)])
    temporary.replace(path)


def unpack(path: Path) -> Any:
    """What ``pack`` wrote. Its large arrays lie in the mapped file, private to us, and live as long as they are used.

    On POSIX the file may be removed at once; its memory is given back with the last array.
    """
    with path.open("rb") as stream:
        mapped = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY))
    (count,) = NUMBER.unpack_from(mapped)
    sizes = [NUMBER.unpack_from(mapped, (1 + i) * NUMBER.size)[0] for i in range(count)]
    place, blocks = _aligned((1 + count) * NUMBER.size), []
    for size in sizes:
        blocks.append(mapped[place : place + size])
        place = _aligned(place + size)
    return pickle.loads(blocks[0], buffers=blocks[1:])


def _write(stream, blocks: list[memoryview]) -> None:
    """The number of blocks, their sizes, and each block from a multiple of ``ALIGNMENT`` on."""
    for number in (len(blocks), *(block.nbytes for block in blocks)):
        stream.write(NUMBER.pack(number))
    for block in blocks:
        stream.write(bytes(_aligned(stream.tell()) - stream.tell()))
        stream.write(block)


def _aligned(place: int) -> int:
    return -(-place // ALIGNMENT) * ALIGNMENT


class _Pickler(pickle.Pickler):
    """Leaves out what is 0 around a mask or a label map: most of it."""

    def reducer_override(self, found):
        if not isinstance(found, np.ndarray) or found.dtype.itemsize > 1 or found.nbytes < LARGE_BYTES:
            return NotImplemented
        bounds = occupiedBounds(found, margin=0) or [(0, -1)] * found.ndim
        box = tuple(slice(first, last + 1) for first, last in bounds)
        part = np.ascontiguousarray(found[box])
        if part.nbytes == found.nbytes:
            return NotImplemented
        return _inZeros, (found.shape, found.dtype.str, box, pickle.PickleBuffer(part), part.shape)


def _inZeros(shape, dtype: str, box: tuple[slice, ...], part, partShape) -> np.ndarray:
    found = np.zeros(shape, dtype)
    found[box] = np.frombuffer(part, dtype).reshape(partShape)
    return found
