"""A store on a disk that fills up or turns read-only: a real small file system, mounted in a private namespace."""

from __future__ import annotations

from collections.abc import Callable

import pytest

SCRIPT = """
import json, subprocess, sys
from BraTSRefineLib.review import Event, ReviewError, open_store

disk, then = sys.argv[1:]
told, said = [], []
try:
    store = open_store(disk)
    for number in range(300):
        if number == 5 and then:
            subprocess.run(["sh", "-c", then.format(disk=disk)], check=True)
        event = Event("note", "case-1", "Ann", note="x" * 2000)
        store.record(event)
        told.append(event.uid)
except ReviewError as error:
    said.append(str(error))
try:
    open_store(disk)
except ReviewError as error:
    said.append(str(error))
subprocess.run(["mount", "-o", "remount,rw,size=4m", disk], check=True)
kept = [event.uid for event in open_store(disk).events()]
print(json.dumps({"told": len(told), "lost": len(set(told) - set(kept)), "said": said}))
"""


@pytest.fixture
def recorded(on_small_disk, tmp_path) -> Callable[..., dict]:
    """Record on a disk of 400 kB until it fails, after five records the shell command ``then``."""
    return lambda then="": on_small_disk(tmp_path / "disk", "400k", SCRIPT, then, timeout_s=120)


def test_a_disk_that_fills_up_is_told_and_what_was_told_before_is_kept(recorded):
    found = recorded()
    assert 5 < found["told"] < 300
    assert found["lost"] == 0
    assert "the disk is full" in found["said"][0]


def test_a_disk_that_turns_read_only_is_told_and_what_was_told_before_is_kept(recorded):
    found = recorded("mount -o remount,ro {disk}")
    assert (found["told"], found["lost"]) == (5, 0)
    assert "is the workspace still there and writable?" in found["said"][0]
    assert "cannot be written (Read-only file system)" in found["said"][1]
