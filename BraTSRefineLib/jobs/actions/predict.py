"""Predict cases with trained models: label maps, maps of probability and uncertainty, and what they are worth.

Each case is published by itself as soon as it is done. A job that is run again, or another one with the same settings
and name, goes on with the cases that are not there yet.
"""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from ...cohort import Case, Cohort, load_cohort
from ...cohort.volumes import VolumeError, read_geometry, read_label_map
from ...cohort.workspace import Workspace, WorkspaceError, safe_name
from ...inference import InferenceError
from ...inference.device import in_words
from ...inference.models import FoundModel, found_models, model_files
from ...regions import label_convention
from ..context import Context
from ..description import JobError
from ..lock import locked
from ..predicted import Predicted, signatures
from ..prediction_work import Assignment, PredictSettings
from .comparing import BEFORE_AFTER_COLUMNS, before_after, member_scores, score_rows, standard_for, unscored_row
from .computing import first_cost, outcomes
from .disk import Disk, disk_of
from .fast_check import measured_loss
from .members import CASE_ERRORS
from .results import CaseResult, Results

NO_CHANGES = pd.DataFrame(columns=BEFORE_AFTER_COLUMNS)


def run(context: Context) -> dict[str, object]:
    """``predictions/<name>/`` and ``maps/<name>/`` of the workspace; scores and before/after in the run's outputs.

    ``before`` is the mean of the cohort's own models, or the one that the job names. Raises JobError and
    InferenceError for settings that cannot be used, and where no case could be predicted.
    """
    parameters, settings = context.job.parameters, _settings(context.job.parameters)
    cohort = load_cohort(context.workspace)
    cases = [case for case in cohort.cases if case.case in (parameters["cases"] or [case.case])]
    made = Predicted(context.workspace, parameters["name"] or default_name(settings))
    _check_name(made.name, cohort)
    if parameters["dry_run"]:
        to_do = _to_do(cases, _known(made, cases))
        return _cost(cases, to_do, settings, disk_of(to_do, settings, context.workspace.root))
    with _claimed(made, settings):
        known = _known(made, cases)
        to_do = _to_do(cases, known)
        _check_disk(context, disk_of(to_do, settings, context.workspace.root))
        new = _predict(context, made, settings, to_do, len(cases))
        summary = _worth(context, made, cases, known | new)
        loss = measured_loss(made, settings, [case for case in to_do if case.case in new])
        return summary | loss | {"unchanged": len(known), "predictions": str(made.folder)}


def _to_do(cases: Sequence[Case], known: Mapping[str, object]) -> list[Case]:
    return [case for case in cases if case.case not in known]


def _check_disk(context: Context, disk: Disk) -> None:
    """Say that the disk may not do; raises JobError where it cannot."""
    disk.check()
    if disk.problem:
        context.tell("note", message=disk.problem)


def _known(made: Predicted, cases: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """The records of the cases that need not be predicted again."""
    records = {}
    for case in cases:
        if not all(path.is_file() for path in case.images.values()):
            continue  # what is missing is told when its turn to be read comes
        record = made.done(case.case, signatures(case.images))
        if record is not None:
            records[case.case] = record
    return records


def _check_name(name: str, cohort: Cohort) -> None:
    """Raises JobError for another model's name, and where the model's maps would lie in the folder of a case's."""
    if name in cohort.models:
        raise JobError(f"'{name}' is the name of a model of the cohort; give the prediction another --name")
    for case in cohort.cases:
        if safe_name(name) == safe_name(case.case):
            raise JobError(f"'{name}' is the name of a case ({case.case}); give the prediction another --name")


def _cost(cases: Sequence[Case], to_do: Sequence[Case], settings: PredictSettings, disk: Disk) -> dict[str, object]:
    """What is ``to_do`` of the cases would cost, judged by some timed passes of one of them. Raises JobError."""
    with settings.session() as session:
        cost, device = first_cost(session, to_do or cases), str(session.device)
    whole = f"; {len(to_do)} cases: about {in_words(cost.seconds * len(to_do))}" if len(to_do) > 1 else ""
    return {
        "device": device,
        "cost": f"{cost}{whole}; {disk}",
        "warning": disk.problem or None,
        "cases": len(cases),
        "unchanged": len(cases) - len(to_do),
        "members": cost.members,
        "passes": cost.passes,
        "adapting": cost.adapting,
        "seconds": cost.seconds,
        "memory_gb": cost.memory / 1e9,
        "disk_gb": disk.most / 1e9,
        "free_gb": disk.free / 1e9,
    }


def _settings(parameters: dict[str, Any]) -> PredictSettings:
    names = ("checkpoint", "tta", "mode", "device", "precision", "seed", "uncertainty", "adapt")
    folds = parameters["folds"]
    return PredictSettings(
        tuple(str(Path(path).expanduser().resolve()) for path in parameters["paths"]),
        None if folds is None else tuple(map(str, folds)),
        **{name: parameters[name] for name in names},
    )


def default_name(settings: PredictSettings) -> str:
    """``<configuration>[-folds]-<tta>[-<mode>]``, joined for several models; the same for the same settings.

    As a file may be called, since a model that was predicted here is known by the name of its folder.
    """
    names = [one.name.split("/")[-1].split("__")[-1] for path in settings.paths for one in found_models(Path(path))]
    parts = ["+".join(dict.fromkeys(names))[:80]]
    parts += ["fold" + "".join(settings.folds)] if settings.folds else []
    parts += [text.replace(":", "").replace(",", "+") for text in (settings.tta,) if text != "none"]
    parts += [part for part in (settings.mode, settings.adapt) if part not in ("exact", "")]
    return safe_name("-".join(parts))


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
            made.loss_json.unlink(missing_ok=True)
            made.write_about(about)
        yield


def _found(path: str) -> FoundModel:
    found = found_models(Path(path))
    if len(found) != 1:
        raise JobError(f"{path}: holds several models ({', '.join(one.name for one in found)}); name one's folder")
    return found[0]


def _predict(
    context: Context, made: Predicted, settings: PredictSettings, cases: Sequence[Case], total: int
) -> dict[str, dict[str, Any]]:
    """Predict and publish one case after the other; the records of those that could be done."""
    before, records = total - len(cases), {}
    if not cases:
        return records
    if before:
        context.progress(before, total, "")
    folder = context.outputs / "cases"
    assignments = [Assignment(case, made.name, folder / safe_name(case.case)) for case in cases]
    for done, (assignment, outcome) in enumerate(outcomes(context, assignments, settings), before + 1):
        name = assignment.case.case
        if isinstance(outcome, Exception):
            _tell_failure(context, name, outcome)
        else:
            _publish(assignment, made)
            records[name] = outcome
        context.progress(done, total, name)
    shutil.rmtree(folder, ignore_errors=True)
    return records


def _tell_failure(context: Context, case: str, error: Exception) -> None:
    """Raises what will happen to every case: a full disk."""
    if isinstance(error, WorkspaceError | VolumeError | OSError):
        raise error
    if isinstance(error, InferenceError):
        context.problem(case, str(error))
        return
    traceback.print_exception(error)
    context.problem(case, f"{type(error).__name__}: {error}; the log has the details")


def _publish(assignment: Assignment, made: Predicted) -> None:
    """Move a case's files into the workspace; the record, which says that all are there, comes last."""
    record = Predicted(Workspace(assignment.into), made.name).record(assignment.case.case)
    files = [path for path in sorted(assignment.into.rglob("*")) if path.is_file() and path != record]
    for path in [*files, record]:
        place = made.workspace.root / path.relative_to(assignment.into)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)


def _worth(
    context: Context, made: Predicted, cases: Sequence[Case], records: Mapping[str, dict[str, Any]]
) -> dict[str, object]:
    """Scores and before/after of every case that has a record, in the run's outputs. Raises JobError for none."""
    results = Results(context, made.name)
    for case in [case for case in cases if case.case in records]:
        try:
            results.add(_result(context, made, case, records[case.case]))
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
