"""Where the cases of a prediction are computed: one after the other in this process, or on the workers of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

from ...cohort import Case
from ...inference import InferenceError
from ...inference.case_images import read_case_images
from ...inference.device import slowness
from ...scoring.cluster import cluster_outcomes
from ..context import Context
from ..description import JobError
from ..prediction_work import Assignment, PredictSettings, predicted_on_worker, write_prediction

if TYPE_CHECKING:
    from ...inference.cost import Cost
    from ...inference.predict import PredictSession, ReadCase

TELL_EVERY_S = 0.3
Outcome = tuple[Assignment, dict[str, Any] | Exception]


def outcomes(context: Context, assignments: Sequence[Assignment], settings: PredictSettings) -> Iterator[Outcome]:
    """Each assignment as it ends, with the record of its case or the error that it ended in.

    Raises InferenceError for settings that cannot be used, and ScoringError for a cluster that does not answer.
    """
    compute = _on_cluster if context.job.parameters["scheduler"] else _here
    return compute(context, assignments, settings)


def first_cost(session: PredictSession, cases: Sequence[Case]) -> Cost:
    """What the first case that can be read will cost, by a few timed forward passes. Raises JobError where none can."""
    problems = []
    for case in cases:
        try:
            return session.cost(read_case_images(case))
        except InferenceError as error:
            problems.append(str(error))
    raise JobError(f"predict: no case can be predicted: {'; '.join(problems[:3]) or 'the cohort is empty'}")


def _here(context: Context, assignments: Sequence[Assignment], settings: PredictSettings) -> Iterator[Outcome]:
    """In this process: the next case is read and the last one written while one is computed."""
    told = _Passes(context)
    with settings.session(on_pass=told) as session, ThreadPoolExecutor(1) as writer:
        _warn(context, session, [assignment.case for assignment in assignments])
        waiting: tuple[Assignment, Future] | None = None
        readers = [partial(read_case_images, assignment.case) for assignment in assignments]
        for assignment, read in zip(assignments, session.read_ahead(readers), strict=True):
            told.case = assignment.case.case
            written = _computed(session, assignment, read, writer)
            if waiting is not None:
                yield waiting[0], _outcome(waiting[1])
            waiting = assignment, written
        if waiting is not None:
            yield waiting[0], _outcome(waiting[1])


def _warn(context: Context, session: PredictSession, cases: Sequence[Case]) -> None:
    """On a CPU say how long a case will take."""
    if not slowness(session.device):
        return
    try:
        seconds = first_cost(session, cases).seconds
    except JobError:
        return  # why is told of each case when its turn comes
    context.tell("note", message=slowness(session.device, seconds))


def _computed(
    session: PredictSession, assignment: Assignment, read: Future[ReadCase], writer: ThreadPoolExecutor
) -> Future[dict[str, Any]]:
    """A case's record once ``writer`` has written it; an error of reading or computing waits in the future too."""
    started = perf_counter()
    try:
        case = read.result()
        prediction = session.predict(case)
    except Exception as error:
        failed = Future()
        failed.set_exception(error)
        return failed
    return writer.submit(write_prediction, assignment, prediction, case.images.geometry, perf_counter() - started)


def _outcome(future: Future[dict[str, Any]]) -> dict[str, Any] | Exception:
    return future.exception() or future.result()


def _on_cluster(context: Context, assignments: Sequence[Assignment], settings: PredictSettings) -> Iterator[Outcome]:
    """On the workers of a Dask cluster, which see the same files; a lost worker's case is done again elsewhere."""
    work = partial(predicted_on_worker, settings=settings)
    for place, outcome in cluster_outcomes(work, assignments, context.job.parameters["scheduler"]):
        yield assignments[place], outcome


class _Passes:
    """Tells how far a case is, a few times a second."""

    def __init__(self, context: Context) -> None:
        self.case = ""
        self._context, self._told = context, 0.0

    def __call__(self, done: int, total: int, words: str) -> None:
        if monotonic() - self._told >= TELL_EVERY_S or done >= total:
            self._told = monotonic()
            self._context.tell("pass", case=self.case, done=done, of=total, words=words)
