"""The review's store under ill treatment: writers that are killed in mid-write, and eight that write at once.

A writer tells of each record after the store has taken it. A record is lost if it was told and is not there afterwards;
every kill may cost the one record that was being written, which nobody was told of.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from run import Figure

KILLS, WRITERS, EACH = 1000, 8, 100
FORK = get_context("fork")
LIFE_S = (0.0, 0.12)


@dataclass(frozen=True)
class Outcome:
    """``told``: records that the store confirmed; ``kept``: those of them that are there; ``untold``: there, but
    never confirmed, at most one a kill."""

    told: int
    kept: int
    untold: int
    doubled: int
    in_mid_write: int
    seconds: float

    @property
    def lost(self) -> int:
        return self.told - self.kept


def measure() -> list[Figure]:
    from run import Figure

    with tempfile.TemporaryDirectory() as folder:
        killed = kill_writers(folder, KILLS)
    with tempfile.TemporaryDirectory() as folder:
        together = write_together(folder, WRITERS, EACH)
    detail = (
        f"{killed.told} told; {killed.in_mid_write} kills in mid-write; {killed.untold} there though nobody was told"
    )
    rate = together.told / together.seconds
    return [
        Figure(f"records lost over {KILLS} kill -9 of a writer", killed.lost, "<=", 0, detail=detail),
        Figure("records kept twice", killed.doubled + together.doubled, "<=", 0),
        Figure(f"records lost of {WRITERS} writers at once", together.lost, "<=", 0, detail=f"{together.told} told"),
        Figure(f"{WRITERS} writers together", rate, unit="records/s"),
    ]


def kill_writers(url: str, kills: int, seed: int = 1) -> Outcome:
    """One writer after the other on the same store, each killed at a random moment while it writes."""
    chance, told, middle = random.Random(seed), [], 0
    started = time.perf_counter()
    _open(url).close()
    for number in range(kills):
        with _writer(url, f"killed-{number}", sys.maxsize) as (process, pipe):
            pipe.recv()
            time.sleep(chance.uniform(*LIFE_S))
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            begun, ended = _told(pipe)
        told += ended
        middle += begun + 1 > len(ended)  # the first was waited for
    return _outcome(url, told, middle, time.perf_counter() - started)


def write_together(url: str, writers: int, each: int) -> Outcome:
    """All at once on the same store, which none of them has made before."""
    import alembic.command  # noqa: F401 - loaded once here, not once in each writer

    import BraTSRefineLib.review.store_database  # noqa: F401

    started = time.perf_counter()
    told: list[str] = []
    with _several(url, writers, each) as running:
        for process, pipe in running:
            told += _told(pipe)[1]
            process.join()
    return _outcome(url, told, 0, time.perf_counter() - started)


def _open(url: str):
    from BraTSRefineLib.review import open_store

    return open_store(url, wait_s=60)


@contextmanager
def _writer(url: str, name: str, records: int) -> Iterator[tuple]:
    ours, theirs = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_write, args=(url, name, records, theirs))
    process.start()
    theirs.close()
    try:
        yield process, ours
    finally:
        if process.is_alive():
            process.kill()
        process.join()
        ours.close()


@contextmanager
def _several(url: str, writers: int, each: int) -> Iterator[list[tuple]]:
    with ExitStack() as stack:
        yield [stack.enter_context(_writer(url, f"writer-{number}", each)) for number in range(writers)]


def _write(url: str, name: str, records: int, pipe: Connection) -> None:
    """Say of each record when it begins ('') and, by its uid, when the store has it."""
    from BraTSRefineLib.review import Event

    with _open(url) as store:
        for number in range(records):
            event = Event("note", f"case-{number % 7}", name, note=f"{number} " + "x" * 500)
            pipe.send("")
            store.record(event)
            pipe.send(event.uid)


def _told(pipe: Connection) -> tuple[int, list[str]]:
    """How many records were begun, and the uids of those that the store had."""
    begun, told = 0, []
    while True:
        try:
            text = pipe.recv()
        except (EOFError, OSError):
            return begun, told
        begun += not text
        told += [text] if text else []


def _outcome(url: str, told: list[str], middle: int, seconds: float) -> Outcome:
    with _open(url) as store:
        there = [event.uid for event in store.events()]
    kept = set(told) & set(there)
    return Outcome(len(told), len(kept), len(set(there) - set(told)), len(there) - len(set(there)), middle, seconds)


if __name__ == "__main__":
    action, address, *numbers = sys.argv[1:]
    outcome = {"kill": kill_writers, "together": write_together}[action](address, *map(int, numbers))
    print(json.dumps(asdict(outcome) | {"lost": outcome.lost}))
