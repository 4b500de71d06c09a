"""The C library's allocator in processes that compute: what one step frees is kept for the next one.

Left to itself glibc maps each large array anew and gives it back when it is freed, and the system fills every page with
zeros each time: half of the time of a small network's forward pass, a quarter of a large one's and of scoring.
"""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Have this process keep what it frees. Returns whether this C library knows the settings (glibc does)."""
    mallopt = _function("mallopt")
    return mallopt is not None and all(mallopt(setting, NEVER) for setting in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD))


def give_freed_memory_back() -> None:
    """Give what was kept to the system: between two cases, or before the process does something else."""
    trim = _function("malloc_trim")
    if trim is not None:
        trim(ctypes.c_size_t(0))


def _function(name: str):
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
