"""The C library gives freed volumes back."""

from __future__ import annotations

import subprocess
import sys

import pytest

from BraTSRefine.Standalone import memory

CODE = """
import ctypes, sys
from BraTSRefine.Standalone.memory import giveBackWhatIsFreed
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
                "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]

libc.mallinfo2.restype = Info
if "set" in sys.argv:
    assert giveBackWhatIsFreed()
libc.free(libc.malloc(30 << 20))
blocks = [libc.malloc(20 << 20) for _ in range(10)]
print(libc.mallinfo2().hblks)
"""


def mapped_blocks(*arguments: str) -> int:
    run = subprocess.run([sys.executable, "-c", CODE, *arguments], capture_output=True, text=True, check=True)
    return int(run.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the setting is glibc's")
def test_large_blocks_are_mapped_one_by_one():
    assert mapped_blocks("set") - mapped_blocks() >= 10


CALLS = """
from BraTSRefine.Standalone.application import application
from PySide6.QtCore import QTimer
application(offscreen=True)
timer = QTimer()
for _ in range(50_000):
    timer.stop()
print("alive")
"""


def test_python_survives_many_calls_of_methods_that_return_nothing():
    run = subprocess.run([sys.executable, "-c", CALLS], capture_output=True, text=True)
    assert (run.returncode, run.stdout.strip()) == (0, "alive"), run.stderr[-500:]


def test_constants_that_are_mortal_have_more_references_than_a_session_takes():
    memory.keepConstants()
    assert not memory.keepConstants()
    if sys.version_info < (3, 12):
        assert min(map(sys.getrefcount, (None, True, False))) > memory.MANY // 2
