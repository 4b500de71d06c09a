"""What a process that computes does with the memory that it frees."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import sys
import numpy as np, psutil
from BraTSRefineLib.allocator import give_freed_memory_back, keep_freed_memory
size, process = 64 * 2**20, psutil.Process()
assert keep_freed_memory()
before = process.memory_info().rss
np.ones(size, np.uint8), None
kept = process.memory_info().rss - before
give_freed_memory_back()
print(kept / size, (process.memory_info().rss - before) / size)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc's allocator has these settings")
def test_freed_memory_is_kept_until_it_is_given_back():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    kept, left = map(float, done.stdout.split())
    assert kept > 0.9
    assert left < 0.1
