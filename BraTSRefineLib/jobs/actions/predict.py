"""Predict cases with trained models: label maps, maps of probability and uncertainty, and what they are worth.

Each case is published by itself as soon as it is done. A job that is run again, or another one with the same settings
and name, goes on with the cases that are not there yet.
"""

from __future__ import annotations

import json
import shutil
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

import pandas as pd

from ...cohort import Case, load_cohort
from ...cohort.volumes import Geometry, VolumeError, read_geometry, read_label_map
from ...cohort.workspace import Workspace, WorkspaceError, safe_name, written_whole
from ...inference import InferenceError
from ...inference.case_images import read_case_images
from ...inference.device import in_words, slowness
from ...inference.models import FoundModel, found_models, model_files
from ...regions import label_convention
from ...scoring.cluster import cluster_outcomes
from ..context import Context
from ..description import JobError
from ..lock import locked
from ..predicted import Predicted, signatures
from ..prediction_work import Assignment, PredictSettings, check_name, predicted_on_worker, write_prediction
from .comparing import BEFORE_AFTER_COLUMNS, before_after, member_scores, score_rows, standard_for, unscored_row
from .fast_check import measured_loss
from .members import CASE_ERRORS
from .results import CaseResult, Results

if TYPE_CHECKING:
    from ...inference.predict import PredictSession, ReadCase
    from ...inference.prediction import CasePrediction

TELL_EVERY_S = 0.3
NO_CHANGES = pd.DataFrame(columns=BEFORE_AFTER_COLUMNS)
Outcome = tuple[Assignment, dict[str, Any] | Exception]


def run(context: Context) -> dict[str, object]:
    """``predictions/<name>/`` and ``maps/<name>/`` of the workspace; scores and before/after in the run's outputs.

    ``before`` is the mean of the cohort's own models, or the one that the job names. Raises JobError and
    InferenceError for settings that cannot be used, and where no case could be predicted.
    """
    parameters, settings = context.job.parameters, _settings(context.job.parameters)
    cohort = load_cohort(context.workspace)
    cases = [case for case in cohort.cases if case.case in (parameters["cases"] or [case.case])]
    made = Predicted(context.workspace, parameters["name"] or default_name(settings))
    check_name(made.name, [case.case for case in cohort.cases])
    if made.name in cohort.models:
        raise JobError(f"'{made.name}' is the name of a model of the cohort; give the prediction another --name")
    if parameters["dry_run"]:
        return _cost(cases, settings)
    with _claimed(made, settings):
        to_do = [case for case in cases if made.done(case.case, signatures(case.images)) is None]
        failed = _predict(context, made, settings, to_do, len(cases))
        summary = _worth(context, made, [case for case in cases if case.case not in failed])
        loss = measured_loss(made, settings, [case for case in to_do if case.case not in failed])
        return summary | loss | {"unchanged": len(cases) - len(to_do), "predictions": str(made.folder)}


def _cost(cases: Sequence[Case], settings: PredictSettings) -> dict[str, object]:
    """What the cases would cost, judged by the first that can be read; one forward pass is timed. Raises JobError."""
    problems = []
    with settings.session() as session:
        for case in cases:
            try:
                cost = session.cost(read_case_images(case))
            except InferenceError as error:
                problems.append(str(error))
                continue
            whole = f"; {len(cases)} cases: about {in_words(cost.seconds * len(cases))}" if len(cases) > 1 else ""
            return {
                "device": str(session.device),
                "cost": f"{cost}{whole}",
                "cases": len(cases),
                "members": cost.members,
                "passes": cost.passes,
                "seconds": cost.seconds,
                "memory_gb": cost.memory / 1e9,
            }
    raise JobError(f"predict: no case can be predicted: {'; '.join(problems[:3]) or 'the cohort is empty'}")


def _settings(parameters: dict[str, Any]) -> PredictSettings:
    names = ("checkpoint", "tta", "mode", "device", "precision", "seed", "uncertainty", "adapt")
    folds = parameters["folds"]
    return PredictSettings(
        tuple(str(Path(path).expanduser().resolve()) for path in parameters["paths"]),
        None if folds is None else tuple(map(str, folds)),
        **{name: parameters[name] for name in names},
    )


def default_name(settings: PredictSettings) -> str:
    """``<configuration>[-folds]-<tta>[-<mode>]``, joined for several models; the same for the same settings."""
    names = [one.name.split("/")[-1].split("__")[-1] for path in settings.paths for one in found_models(Path(path))]
    parts = ["+".join(dict.fromkeys(names))[:80]]
    parts += ["fold" + "".join(settings.folds)] if settings.folds else []
    parts += [text.replace(":", "").replace(",", "+") for text in (settings.tta,) if text != "none"]
    parts += [part for part in (settings.mode, settings.adapt) if part not in ("exact", "")]
    return "-".join(parts)


@contextmanager
def _claimed(made: Predicted, settings: PredictSettings) -> Iterator[None]:
    """Hold the model's folder for this job; its cases are all made alike. Raises JobError where they were not."""
    found = [_found(path) for path in settings.paths]
    files = [file for one in found for file in model_files(one, settings.folds, settings.checkpoint)]
    about = settings.about() | {"files": list(signatures({str(file): file for file in files}).values())}
    made.folder.mkdir(parents=True, exist_ok=True)
    with locked(made.lock):
        known = made.about() if any(made.folder.glob("*.nii.gz")) else None
        if known not in (None, about):
            other = next(name for name in about if known.get(name) != about[name])
            was = "other weights" if other == "files" else f"{other} {known.get(other)}, not {about[other]}"
            raise JobError(f"{made.folder}: its cases were predicted with {was}; give this prediction another --name")
        if known is None:
            with written_whole(made.about_json) as temporary:
                temporary.write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")
        yield


def _found(path: str) -> FoundModel:
    found = found_models(Path(path))
    if len(found) != 1:
        raise JobError(f"{path}: holds several models ({', '.join(one.name for one in found)}); name one's folder")
    return found[0]


def _predict(context: Context, made: Predicted, settings: PredictSettings, cases: list[Case], total: int) -> set[str]:
    """Predict and publish one case after the other; the names of those that could not be done."""
    before, failed = total - len(cases), set()
    if not cases:
        return failed
    if before:
        context.progress(before, total, "")
    outcomes = _on_cluster if context.job.parameters["scheduler"] else _here
    folder = context.outputs / "cases"
    assignments = [Assignment(case, made.name, folder / safe_name(case.case)) for case in cases]
    for done, (assignment, outcome) in enumerate(outcomes(context, assignments, settings), before + 1):
        if isinstance(outcome, Exception):
            _tell_failure(context, assignment.case, outcome)
            failed.add(assignment.case.case)
        else:
            _publish(assignment, made)
        context.progress(done, total, assignment.case.case)
    shutil.rmtree(folder, ignore_errors=True)
    return failed


def _tell_failure(context: Context, case: Case, error: Exception) -> None:
    """Raises what will happen to every case: a full disk."""
    if isinstance(error, WorkspaceError | VolumeError | OSError):
        raise error
    if isinstance(error, InferenceError):
        context.problem(case.case, str(error))
        return
    traceback.print_exception(error)
    context.problem(case.case, f"{type(error).__name__}: {error}; the log has the details")


def _publish(assignment: Assignment, made: Predicted) -> None:
    """Move a case's files into the workspace; the record, which says that all are there, comes last."""
    record = Predicted(Workspace(assignment.into), made.name).record(assignment.case.case)
    files = [path for path in sorted(assignment.into.rglob("*")) if path.is_file() and path != record]
    for path in [*files, record]:
        place = made.workspace.root / path.relative_to(assignment.into)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)


def _here(context: Context, assignments: Sequence[Assignment], settings: PredictSettings) -> Iterator[Outcome]:
    """In this process: the next case is read and the last one written while one is computed."""
    told = _Passes(context)
    with settings.session(on_pass=told) as session, ThreadPoolExecutor(1) as writer:
        _warn(context, session, assignments)
        waiting: tuple[Assignment, Future] | None = None
        readers = [partial(read_case_images, assignment.case) for assignment in assignments]
        for assignment, read in zip(assignments, session.read_ahead(readers), strict=True):
            told.case = assignment.case.case
            computed = _computed(session, read)
            if waiting is not None:
                yield waiting[0], _outcome(waiting[1])
            waiting = assignment, writer.submit(_written, assignment, computed)
            del computed
        if waiting is not None:
            yield waiting[0], _outcome(waiting[1])


def _warn(context: Context, session: PredictSession, assignments: Sequence[Assignment]) -> None:
    """On a CPU say how long a case will take, by one forward pass of the first case that can be read."""
    if not slowness(session.device):
        return
    for assignment in assignments:
        try:
            seconds = session.cost(read_case_images(assignment.case)).seconds
        except InferenceError:
            continue  # told when its turn comes
        context.tell("note", message=slowness(session.device, seconds))
        return


@dataclass(frozen=True)
class _Computed:
    """A case in memory, or why there is none."""

    prediction: CasePrediction | None
    geometry: Geometry | None
    seconds: float
    error: Exception | None = None


def _computed(session: PredictSession, read: Future[ReadCase]) -> _Computed:
    started = perf_counter()
    try:
        case = read.result()
        prediction = session.predict(case)
    except Exception as error:
        return _Computed(None, None, perf_counter() - started, error)
    return _Computed(prediction, case.images.geometry, perf_counter() - started)


def _written(assignment: Assignment, computed: _Computed) -> dict[str, Any]:
    if computed.error is not None:
        raise computed.error
    return write_prediction(assignment, computed.prediction, computed.geometry, computed.seconds)


def _outcome(future: Future) -> dict[str, Any] | Exception:
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


def _worth(context: Context, made: Predicted, cases: Sequence[Case]) -> dict[str, object]:
    """Scores and before/after of every case that is there, in the run's outputs. Raises JobError for none."""
    results = Results(context, made.name)
    for case in cases:
        record = made.done(case.case, signatures(case.images))
        if record is None:
            continue
        try:
            results.add(_result(context, made, case, record))
        except CASE_ERRORS as error:
            context.problem(case.case, f"predicted, and not scored: {error}")
    return results.write()


def _result(context: Context, made: Predicted, case: Case, record: dict[str, Any]) -> CaseResult:
    geometry, policy = read_geometry(made.label_map(case.case)), context.convention()
    members = record["members"]
    if case.reference is None or case.error_of():
        return CaseResult(case.case, None, geometry, members, unscored_row(case.case, made.name, policy), NO_CHANGES)
    standard = standard_for(case, [], geometry, policy)
    after = standard.scores(read_label_map(made.label_map(case.case)), label_convention(record["labels"]))
    before = context.job.parameters["before"]
    compared = [model for model in case.usable_models() if before in (None, model)]
    changes = before_after(case.case, member_scores(case, compared, standard), after) if compared else NO_CHANGES
    return CaseResult(case.case, None, geometry, members, score_rows(case.case, made.name, after), changes)
