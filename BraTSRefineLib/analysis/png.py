"""A picture of few colours as a small PNG (ISO/IEC 15948: palette, 8 bits, one compressed block)."""

from __future__ import annotations

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PALETTE_IMAGE = 3


def encode_png(pixels: np.ndarray, palette: np.ndarray) -> bytes:
    """PNG of ``pixels`` (row, column) uint8, indices into ``palette`` (n, 3) uint8 with at most 256 colours."""
    height, width = pixels.shape
    rows = np.zeros((height, width + 1), dtype=np.uint8)  # each row starts with its filter: 0, none
    rows[:, 1:] = pixels
    header = struct.pack(">IIBBBBB", width, height, 8, PALETTE_IMAGE, 0, 0, 0)
    colours = np.asarray(palette, dtype=np.uint8).tobytes()
    data = zlib.compress(rows.tobytes(), 6)
    return SIGNATURE + b"".join(
        _chunk(kind, content)
        for kind, content in ((b"IHDR", header), (b"PLTE", colours), (b"IDAT", data), (b"IEND", b""))
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
