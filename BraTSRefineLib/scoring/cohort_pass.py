"""Some work on every case of a cohort, in processes or on a cluster, with what is unchanged taken from the cache."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Generic, TypeVar

from ..cohort.case import Case
from .case_cache import CaseCache
from .cluster import cluster_outcomes
from .workers import Outcome, default_workers, outcomes

Result = TypeVar("Result")
FILES_WORTH_A_PROCESS = 8
"""A worker process takes a second or two to start, as long as this many label maps take to be scored."""


@dataclass
class Kept(Generic[Result]):
    """How results are kept: where, under which signature, and as what in JSON's own types.

    ``found`` counts the results that were known already.
    """

    cache: CaseCache
    signature: Callable[[Case], str]
    to_json: Callable[[Result], object]
    from_json: Callable[[object], Result]
    found: int = 0
    _before: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    def get(self, case: Case) -> Result | None:
        self._before[case.case] = self.signature(case)
        content = self.cache.get(case.case, self._before[case.case])
        if content is None:
            return None
        self.found += 1
        return self.from_json(content)

    def put(self, case: Case, result: Result) -> None:
        """Keep a result under the signature that its case had before the work: files may have changed meanwhile."""
        self.cache.put(case.case, self._before[case.case], self.to_json(result))


def results_of_cases(
    work: Callable[[Case], Result],
    cases: Sequence[Case],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    kept: Kept[Result] | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    prepare: Callable[[], None] | None = None,
) -> list[Result | Exception]:
    """The result of every case, or the exception that it ended in, in the order of ``cases``.

    ``workers`` are processes (default: one a core, none for a handful of files; 1: this process); with a
    ``scheduler`` the work goes to a Dask cluster instead. What ``kept`` knows is not done again, and what is done is
    kept at once. ``prepare`` is called before processes start; ``progress(done, total, case)`` after each case.
    """
    results: list[Any] = [kept.get(case) if kept else None for case in cases]
    to_do = [index for index, result in enumerate(results) if result is None]
    finished = len(cases) - len(to_do)
    for place, index in enumerate(index for index in range(len(cases)) if results[index] is not None):
        _tell(progress, place + 1, len(cases), cases[index])
    for index, outcome in _outcomes(work, cases, to_do, workers, scheduler, prepare):
        results[index] = outcome
        finished += 1
        if kept is not None and not isinstance(outcome, Exception):
            kept.put(cases[index], outcome)
        _tell(progress, finished, len(cases), cases[index])
    return results


def _outcomes(
    work: Callable,
    cases: Sequence[Case],
    to_do: list[int],
    workers: int | None,
    scheduler: str | None,
    prepare: Callable[[], None] | None,
) -> Iterator[Outcome]:
    items = [cases[index] for index in to_do]
    if not items:
        return
    processes = min(workers or worthwhile_workers(items), len(items))
    if scheduler is not None:
        ended = cluster_outcomes(work, items, scheduler)
    else:
        if processes > 1 and prepare is not None:
            prepare()
        ended = outcomes(work, items, processes)
    _read_ahead(items[processes : 2 * processes])
    for done, (place, outcome) in enumerate(ended, 1):
        _read_ahead(items[done + 2 * processes - 1 : done + 2 * processes])
        yield to_do[place], outcome


def worthwhile_workers(cases: Iterable[Case]) -> int:
    """One process a core, but none that would have next to nothing to do."""
    files = sum(len(case.predictions) + 1 for case in cases)
    return max(1, min(default_workers(), files // FILES_WORTH_A_PROCESS))


def _read_ahead(cases: Iterable[Case]) -> None:
    """Ask the system to read the files of coming cases while others are being computed; where it knows how to."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in chain.from_iterable([case.reference, *case.predictions.values()] for case in cases):
        if path is not None and Path(path).is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_WILLNEED)
            finally:
                os.close(descriptor)


def _tell(progress: Callable[[int, int, str], None] | None, done: int, total: int, case: Case) -> None:
    if progress is not None:
        progress(done, total, case.case)
