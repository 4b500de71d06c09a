"""Freed volumes go back to the system: one setting of the C library's allocator."""

import ctypes
import sys

M_MMAP_THRESHOLD = -3
SMALLEST_MAPPED_BYTES = 1 << 24


def giveBackWhatIsFreed() -> bool:
    """Have every block of the size of an image mapped by itself, so that freeing it gives its memory back.

    glibc otherwise raises that limit by itself and keeps ever larger holes in its heap. What is smaller, as masks are,
    is kept for the next case: to have all its pages mapped again takes 0.1 s a case change. Returns whether this C
    library knows the setting.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return mallopt is not None and bool(mallopt(M_MMAP_THRESHOLD, SMALLEST_MAPPED_BYTES))


MANY = 1 << 40


def keepConstants() -> bool:
    """Give None, True and False more references than can be given away, where they are mortal (before Python 3.12).

    PySide6 6.12 there takes one of None at each call of a method that returns nothing, and one of True at each signal
    that Python emits; Python aborts once none is left, after some ten thousand labels written or rows changed. Returns
    whether there was anything to do.
    """
    if sys.version_info >= (3, 12) or sys.getrefcount(None) > MANY // 2:
        return False
    for constant in (None, True, False):
        ctypes.c_ssize_t.from_address(id(constant)).value += MANY  # an object begins with its count
    return True
