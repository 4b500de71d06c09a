"""Scores of a whole cohort, its cases spread over processes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

import pandas as pd

from ..cohort.case import Case, Cohort
from .case_scores import CaseScores, Settings, case_scores, failed_scores
from .cohort_pass import results_of_cases
from .conventions import ScoringError, scoring_convention
from .engines import chosen_engine
from .extra_measures import MEASURES
from .lesion_presets import chosen_preset
from .pair import Tolerances, metric_names
from .table import score_table


def score_cohort(
    cohort: Cohort,
    *,
    convention: str = "brats2023",
    workers: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    cases: Collection[str] | None = None,
    models: Collection[str] | None = None,
    tolerance_mm: Tolerances = None,
    engine: str = "auto",
    measures: Sequence[str] = (),
    lesion_preset: str = "",
    scheduler: str | None = None,
) -> pd.DataFrame:
    """Every metric of every case, model and region: the columns of ``SCORE_COLUMNS``, cases in the cohort's order.

    A case is scored against its reference; one without against the per-region majority of the other models, and then
    ``convention`` ends in ``CONSENSUS``. A (case, model) that cannot be scored is one row with empty region and
    metric whose status says why. A case with a reference and no prediction gives its volumes, with an empty model.
    ``cases`` and ``models`` choose by name; the consensus is always that of all models. ``measures`` are further ones
    (``MEASURES``), ``lesion_preset`` the rules of the lesion-wise ones (default: those of the convention). ``workers``
    are processes (default: one a core, none for a handful of files; 1: this process), ``scheduler`` a Dask cluster
    that takes their place; ``progress(done, total, case)`` is called in this process after each case.

    Raises ScoringError for an unknown convention, engine, measure, case or model, and for a negative tolerance or no
    worker. One bad case stops nothing.
    """
    settings = checked_settings(cohort, convention, tolerance_mm, engine, models, measures, lesion_preset)
    check_workers(workers)
    wanted = chosen_cases(cohort, cases)
    results = results_of_cases(
        partial(case_scores, settings=settings),
        wanted,
        workers=workers,
        scheduler=scheduler,
        progress=progress,
        prepare=partial(compile_once, settings.engine),
    )
    return score_table([row for scores in scores_or_reasons(results, wanted, settings) for row in scores.rows])


def checked_settings(
    cohort: Cohort,
    convention: str = "brats2023",
    tolerance_mm: Tolerances = None,
    engine: str = "auto",
    models: Collection[str] | None = None,
    measures: Sequence[str] = (),
    lesion_preset: str = "",
) -> Settings:
    """The settings, every name in them known. Raises ScoringError as ``score_cohort`` does."""
    rules = scoring_convention(convention)
    tolerances = rules.tolerances_mm if tolerance_mm is None else tolerance_mm
    metric_names(tolerances)
    unknown = [measure for measure in measures if measure not in MEASURES]
    if unknown:
        raise ScoringError(f"unknown measure '{unknown[0]}': use any of {', '.join(MEASURES)}")
    chosen = None if models is None else frozenset(_known(models, cohort.models, "model"))
    preset = chosen_preset(lesion_preset, rules.name)
    return Settings(rules.name, tolerances, chosen_engine(engine), chosen, tuple(measures), preset)


def scores_or_reasons(
    results: Sequence[CaseScores | Exception], cases: Sequence[Case], settings: Settings
) -> list[CaseScores]:
    """The results, an exception turned into the rows that say it."""
    return [
        failed_scores(case, result, settings) if isinstance(result, Exception) else result
        for case, result in zip(cases, results, strict=True)
    ]


def check_workers(workers: int | None) -> None:
    """Raises ScoringError for less than one process."""
    if workers is not None and workers < 1:
        raise ScoringError(f"workers: {workers} processes cannot score anything; give 1 or more")


def chosen_cases(cohort: Cohort, cases: Collection[str] | None) -> list[Case]:
    """The cases of these names, all where none are named. Raises ScoringError for an unknown name."""
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


def compile_once(engine: str) -> None:
    """Before the workers start, so that they find the compiled kernels on disk."""
    if engine == "numba":
        from . import numba_engine  # noqa: F401
