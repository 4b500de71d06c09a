"""A job's description: plain JSON that a person can read, a script can write and a worker process executes.

Imports nothing beyond the standard library, so that it also runs in an application's own Python.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from . import places
from .kinds import KINDS, NAME

DESCRIPTION = "job.json"


class JobError(RuntimeError):
    """A job that cannot be described, started or finished; the message says which and what to do."""


class JobCancelled(JobError):
    """A job that was stopped on request."""


@dataclass(frozen=True)
class Job:
    """What to do, in which workspace, under which name. ``parameters`` holds plain JSON values, defaults filled in."""

    kind: str
    name: str
    workspace: Path
    parameters: Mapping[str, object]

    @property
    def folder(self) -> Path:
        return self.workspace / "runs" / self.name

    def to_json(self) -> str:
        """With the workspace named from the job's folder, and other paths from the workspace: it may be moved."""
        named = {"workspace": "../..", "parameters": places.kept(self.parameters, self.workspace)}
        return json.dumps(asdict(self) | named, indent=1, ensure_ascii=False)


def create(
    workspace: object, kind: str, parameters: Mapping[str, object] | None = None, name: str | None = None
) -> Path:
    """Write ``runs/<name>/job.json`` and return its path; the run's folder is new, whatever else runs beside it.

    ``workspace`` is a folder or a Workspace that holds a cohort. ``name`` defaults to ``<kind>-<UTC stamp>``. Raises
    JobError for an unknown kind, parameter, model or case, a name that is taken, and a folder that cannot be written.
    """
    folder = workspace_folder(workspace).expanduser().resolve()
    job = checked(Job(kind, name or _stamped(kind), folder, dict(parameters or {})))
    job = _in_new_folder(job, retry=name is None)
    _write(job)
    return job.folder / DESCRIPTION


def read(job_json: Path | str) -> Job:
    """The job of a ``job.json``. Raises JobError where it is no such file or asks for what cannot be done."""
    path = Path(job_json)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise JobError(f"{path}: not readable ({error.strerror}); create the job again") from None
    except ValueError as error:
        raise JobError(f"{path}: not JSON ({error}); create the job again") from None
    job = checked(_from_content(content, path))
    if job.folder.resolve() != path.resolve().parent:
        raise JobError(f"{path}: describes the job in {job.folder}; the workspace was moved, create the job again")
    return job


def checked(job: Job) -> Job:
    """The job with its defaults filled in. Raises JobError for anything that it asks for and that is not there."""
    if job.kind not in KINDS:
        raise JobError(f"unknown kind of job '{job.kind}': use one of {', '.join(KINDS)}")
    if not re.fullmatch(NAME, job.name):
        raise JobError(f"'{job.name}' cannot name a job: use letters, digits and - _ . + = only")
    parameters = _checked_parameters(job.kind, job.parameters)
    job = Job(job.kind, job.name, job.workspace, parameters)
    _check_names(job)
    return job


def _checked_parameters(kind: str, given: Mapping[str, object]) -> dict[str, object]:
    known = KINDS[kind]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise JobError(f"{kind}: unknown parameter '{unknown[0]}'; it knows {', '.join(known) or 'none'}")
    parameters = {key: given.get(key, parameter.default) for key, parameter in known.items()}
    for key, parameter in known.items():
        if not parameter.accepts(parameters[key]):
            raise JobError(f"{kind}: {key} is {json.dumps(parameters[key])}, expected {parameter.words}")
    return parameters


def _check_names(job: Job) -> None:
    cases, models = cohort_names(job.workspace)
    asked = [job.parameters["model"]] if job.kind == "postprocess" else job.parameters.get("models") or []
    made = [] if set(asked) <= set(models) else made_models(job.workspace)
    _check_known(job, "model", asked, [*models, *made])
    before = job.parameters.get("before")
    _check_known(job, "model", [] if before is None else [before], models)
    _check_known(job, "case", job.parameters.get("cases") or [], cases)
    if job.name in models:
        raise JobError(f"'{job.name}' is the name of a model of the cohort; give the job another name")


def _check_known(job: Job, what: str, asked: list[str], known: list[str]) -> None:
    for name in asked:
        if name not in known:
            shown = ", ".join(known[:10]) + (" ..." if len(known) > 10 else "")
            raise JobError(f"{job.kind}: no {what} '{name}' in the cohort; it has {shown or 'none'}")


def cohort_names(workspace: Path) -> tuple[list[str], list[str]]:
    """Names of the cases and of the models in the workspace's ``cohort.csv``. Raises JobError where there is none."""
    path = workspace / "cohort.csv"
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = csv.DictReader(stream)
            headings = rows.fieldnames or []
            cases = [row["case"] for row in rows if "case" in row]
    except OSError as error:
        raise JobError(f"{path}: no cohort in this workspace ({error.strerror}); open a data folder first") from None
    return cases, [heading.removeprefix("predictions/") for heading in headings if heading.startswith("predictions/")]


def workspace_folder(workspace: object) -> Path:
    """The folder of a Workspace, or of what already is a path."""
    return Path(workspace) if isinstance(workspace, str | Path) else workspace.root


def made_models(workspace: Path) -> list[str]:
    """Names of the models that were made here, sorted: runs that left label maps, and models that were predicted."""
    return sorted({*runs_with_label_maps(workspace), *predicted_models(workspace)})


def runs_with_label_maps(workspace: Path) -> list[str]:
    """Names of the finished runs that fused or post-processed, sorted."""
    return sorted(folder.parent.parent.name for folder in workspace.glob("runs/*/outputs/predictions"))


def predicted_models(workspace: Path) -> list[str]:
    """Names of the models of which at least one case was predicted into the workspace, sorted."""
    return sorted(folder.name for folder in workspace.glob("predictions/*/") if any(folder.glob("*.nii.gz")))


def _from_content(content: object, path: Path) -> Job:
    if not isinstance(content, dict):
        raise JobError(f"{path}: not a job; create it again")
    missing = [key for key in ("kind", "name", "workspace", "parameters") if key not in content]
    if missing:
        raise JobError(f"{path}: has no '{missing[0]}'; create the job again")
    kind, name, workspace, parameters = (content[key] for key in ("kind", "name", "workspace", "parameters"))
    if not (all(isinstance(text, str) for text in (kind, name, workspace)) and isinstance(parameters, dict)):
        raise JobError(f"{path}: kind, name and workspace are texts and parameters an object; create the job again")
    folder = (path.absolute().parent / workspace).resolve()
    return Job(kind, name, folder, places.restored(parameters, folder))


def _stamped(kind: str) -> str:
    return f"{kind}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def _in_new_folder(job: Job, retry: bool) -> Job:
    """The job under the first free name; making the folder is what claims the name."""
    names = [job.name, *(f"{job.name}-{number}" for number in range(2, 1000 if retry else 2))]
    for name in names:
        named = Job(job.kind, name, job.workspace, job.parameters)
        try:
            named.folder.mkdir(parents=True)
            return named
        except FileExistsError:
            continue
        except OSError as error:
            raise JobError(f"{named.folder}: not made ({error.strerror}); choose another --workspace") from None
    raise JobError(f"a run '{job.name}' is already in {job.workspace}; give the job another name")


def _write(job: Job) -> None:
    temporary = job.folder / f".partial-{DESCRIPTION}"
    try:
        temporary.write_text(job.to_json(), encoding="utf-8")
        temporary.replace(job.folder / DESCRIPTION)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        job.folder.rmdir()
        raise JobError(f"{job.folder}: not written ({error.strerror}); free disk space") from None
