"""Work spread over processes, one item at a time each, such that a process that dies takes only its own item along."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from ..allocator import keep_freed_memory

Outcome = tuple[int, Any]
"""An item's position and its result, or the exception that it ended in."""


class WorkerDied(RuntimeError):
    """The process that worked on an item was killed or crashed, and so was a second one that had nothing else to do."""


def default_workers() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def outcomes(work: Callable, items: Sequence, workers: int) -> Iterator[Outcome]:
    """``work(item)`` for every item as they end, in any order; one worker means this very process.

    ``work`` and the items must be picklable. An exception is an item's outcome and stops nothing. Where a process
    dies, the items in work at that moment are tried once more, each alone in a fresh process.
    """
    if workers == 1:
        yield from ((index, _outcome(work, item)) for index, item in enumerate(items))
        return
    waiting = deque(enumerate(items))
    while waiting:
        for index, item in (yield from _until_a_process_dies(work, waiting, workers)):
            yield index, _alone(work, item)


def _outcome(work: Callable, item: Any) -> Any:
    try:
        return work(item)
    except Exception as error:
        return error


def _until_a_process_dies(
    work: Callable, waiting: deque[tuple[int, Any]], workers: int
) -> Generator[Outcome, None, list[tuple[int, Any]]]:
    """Take items from ``waiting`` and yield their outcomes; returns those in work when a process died."""
    running: dict[Future, tuple[int, Any]] = {}
    with _pool(workers) as pool:
        while waiting or running:
            while waiting and len(running) < workers:
                if not _submitted(pool, work, waiting, running):
                    break
            if not running:
                return []  # the pool broke while nothing was in work; the next one goes on
            wait(running, return_when=FIRST_COMPLETED)
            died = any(map(_has_died, running))
            for future in [future for future in running if future.done() and not _has_died(future)]:
                yield running.pop(future)[0], future.exception() or future.result()
            if died:
                return list(running.values())
    return []


def _has_died(future: Future) -> bool:
    """Whether the item ended because its process, or another one of the pool, died."""
    return future.done() and isinstance(future.exception(), BrokenProcessPool)


def _submitted(pool: ProcessPoolExecutor, work: Callable, waiting: deque, running: dict) -> bool:
    """Hand the next item to the pool; False where the pool is broken already."""
    try:
        with _main_module_left_alone():
            future = pool.submit(work, waiting[0][1])
    except BrokenProcessPool:
        return False
    running[future] = waiting.popleft()
    return True


def _alone(work: Callable, item: Any) -> Any:
    with _pool(1) as pool:
        with _main_module_left_alone():
            future = pool.submit(work, item)
        error = future.exception()
    return _died() if isinstance(error, BrokenProcessPool) else error or future.result()


def _died() -> WorkerDied:
    return WorkerDied("the worker process died twice on this item (killed, or out of memory); use fewer workers")


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin)


def _begin() -> None:
    keep_freed_memory()
    _end_with_parent()


def _end_with_parent() -> None:
    """A worker whose parent is killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


@contextmanager
def _main_module_left_alone() -> Iterator[None]:
    """Keep spawned workers from importing the caller's script again.

    They need this package alone; a script without a main guard would start itself anew, one read from standard
    input cannot be imported at all.
    """
    main = sys.modules["__main__"]
    kept = {name: getattr(main, name, None) for name in ("__file__", "__spec__")}
    main.__file__, main.__spec__ = None, None
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(main, name, value)
