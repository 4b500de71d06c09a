"""Scores of a whole cohort, its cases spread over processes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

import pandas as pd

from ..cohort.case import Case, Cohort
from .case_scores import Settings, case_rows, failed_rows
from .conventions import ScoringError, scoring_convention
from .engines import chosen_engine
from .pair import metric_names
from .table import score_table
from .workers import default_workers, outcomes

FILES_WORTH_A_PROCESS = 8
"""A worker process takes a second or two to start, as long as this many label maps take to be scored."""


def score_cohort(
    cohort: Cohort,
    *,
    convention: str = "brats2023",
    workers: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    cases: Collection[str] | None = None,
    models: Collection[str] | None = None,
    tolerance_mm: float = 1.0,
    engine: str = "auto",
) -> pd.DataFrame:
    """Every metric of every case, model and region: the columns of ``SCORE_COLUMNS``, cases in the cohort's order.

    A case is scored against its reference; one without against the per-region majority of the other models, and then
    ``convention`` ends in ``CONSENSUS``. A (case, model) that cannot be scored is one row with empty region and
    metric whose status says why. A case with a reference and no prediction gives its volumes, with an empty model.
    ``cases`` and ``models`` choose by name; the consensus is always that of all models. ``workers`` are processes
    (default: one a core, none for a handful of files; 1: this process); ``progress(done, total, case)`` is called
    in this process after each case.

    Raises ScoringError for an unknown convention, engine, case or model, and for a negative tolerance or no worker.
    One bad case stops nothing.
    """
    scoring_convention(convention)
    metric_names(tolerance_mm)
    if workers is not None and workers < 1:
        raise ScoringError(f"workers: {workers} processes cannot score anything; give 1 or more")
    wanted = _chosen_cases(cohort, cases)
    chosen = None if models is None else frozenset(_known(models, cohort.models, "model"))
    settings = Settings(convention, tolerance_mm, chosen_engine(engine), chosen)
    processes = min(workers or _worthwhile_workers(wanted), max(1, len(wanted)))
    if processes > 1:
        _compile_once(settings.engine)
    rows: list[list] = [[] for _ in wanted]
    for done, (index, outcome) in enumerate(outcomes(partial(case_rows, settings=settings), wanted, processes), 1):
        failed = isinstance(outcome, Exception)
        rows[index] = failed_rows(wanted[index], outcome, settings) if failed else outcome
        if progress is not None:
            progress(done, len(wanted), wanted[index].case)
    return score_table([row for of_case in rows for row in of_case])


def _chosen_cases(cohort: Cohort, cases: Collection[str] | None) -> list[Case]:
    if cases is None:
        return list(cohort.cases)
    names = _known(cases, [case.case for case in cohort.cases], "case")
    return [case for case in cohort.cases if case.case in names]


def _known(names: Collection[str], known: Collection[str], what: str) -> set[str]:
    missing = sorted(set(names) - set(known))
    if missing:
        listed = ", ".join(list(known)[:10]) + (" ..." if len(known) > 10 else "")
        raise ScoringError(f"no {what} '{', '.join(missing)}' in this cohort; it has {listed or 'none'}")
    return set(names)


def _worthwhile_workers(cases: Collection[Case]) -> int:
    files = sum(len(case.predictions) + 1 for case in cases)
    return max(1, min(default_workers(), files // FILES_WORTH_A_PROCESS))


def _compile_once(engine: str) -> None:
    """Before the workers start, so that they find the compiled kernels on disk."""
    if engine == "numba":
        from . import numba_engine  # noqa: F401
