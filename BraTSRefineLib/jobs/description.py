"""A job's description: plain JSON that a person can read, a script can write and a worker process executes.

Imports nothing beyond the standard library, so that it also runs in an application's own Python.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

REGIONS = ("WT", "TC", "ET")
DESCRIPTION = "job.json"
NAME = r"[\w+=-][\w.+=-]{0,119}"


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
        return json.dumps(asdict(self) | {"workspace": str(self.workspace)}, indent=1, ensure_ascii=False)


@dataclass(frozen=True)
class Parameter:
    """One setting of a kind of job: its default, what it may be, and that in words."""

    default: object
    accepts: Callable[[object], bool]
    words: str


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_names(value: object) -> bool:
    return value is None or (isinstance(value, list) and value and all(isinstance(name, str) for name in value))


def _is_sizes(value: object) -> bool:
    return isinstance(value, dict) and all(
        region in REGIONS and _is_whole(size) and size >= 0 for region, size in value.items()
    )


def _is_threshold(value: object) -> bool:
    return value is None or (isinstance(value, float | int) and not isinstance(value, bool) and value > 0)


def _is_tolerances(value: object) -> bool:
    return value is None or (isinstance(value, list) and value and all(_is_threshold(each) for each in value))


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _is_weights(value: object) -> bool:
    """Whether the models exist and have weight at all is for the job to say."""
    return (
        value is None
        or (isinstance(value, str) and bool(value))
        or (isinstance(value, dict) and set(value) == set(REGIONS) and all(map(_is_shares, value.values())))
    )


def _is_shares(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(share, float | int) and not isinstance(share, bool) for share in value.values()
    )


def _one_of(*values: str) -> Parameter:
    """The first is the default."""
    return Parameter(values[0], lambda value: value in values, " or ".join(json.dumps(value) for value in values))


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(NAME, value))


def _is_folds(value: object) -> bool:
    return value is None or (isinstance(value, list) and value and all(isinstance(fold, str | int) for fold in value))


_MODELS = Parameter(None, _is_names, "null or a list of the cohort's models")
_CASES = Parameter(None, _is_names, "null or a list of the cohort's cases")
_CONVENTION = Parameter("brats2023", lambda value: isinstance(value, str), "the name of a convention for empty masks")
_CONVENTION_OR_SCORES = Parameter(
    None, lambda value: value is None or isinstance(value, str), "null (that of the scores) or a convention's name"
)

KINDS: dict[str, dict[str, Parameter]] = {
    "score": {
        "convention": _CONVENTION,
        "models": _MODELS,
        "cases": _CASES,
        "tolerances": Parameter(None, _is_tolerances, "null or a list of mm above 0"),
        "measures": Parameter(["lesions"], _is_texts, "a list of further measures"),
        "lesions": Parameter("", lambda value: isinstance(value, str), "the name of rules for lesions, or nothing"),
        "workers": Parameter(None, lambda value: value is None or _is_whole(value), "null or a number of processes"),
        "scheduler": Parameter(None, lambda value: value is None or isinstance(value, str), "null or an address"),
        "fresh": Parameter(False, lambda value: isinstance(value, bool), "true or false"),
    },
    "uncertainty": {
        "models": _MODELS,
        "cases": _CASES,
        "threshold": Parameter(None, _is_threshold, "null or a number above 0"),
    },
    "evaluate": {
        "models": _MODELS,
        "cases": _CASES,
        "precision": Parameter(
            0.45, lambda value: value is not None and _is_threshold(value) and value < 1, "a number between 0 and 1"
        ),
    },
    "fuse": {
        "models": _MODELS,
        "method": _one_of("mean", "majority", "weighted", "staple", "simple", "select"),
        "weights": Parameter(
            None, _is_weights, 'null, a file of weights, or {"WT": {model: weight}, "TC": ..., "ET": ...}'
        ),
        "cases": _CASES,
        "convention": _CONVENTION_OR_SCORES,
    },
    "fit_weights": {
        "models": _MODELS,
        "method": _one_of("select", "dirichlet", "soft-dice", "convex"),
        "cases": _CASES,
        "by": _one_of("person", "center"),
        "folds": Parameter(5, lambda value: _is_whole(value) and value >= 2, "a whole number from 2"),
        "max_models": Parameter(
            None, lambda value: value is None or (_is_whole(value) and value >= 1), "null or a whole number from 1"
        ),
        "seed": Parameter(0, lambda value: _is_whole(value) and value >= 0, "a whole number from 0"),
        "save_as": Parameter("", lambda value: isinstance(value, str), "a name for the file of weights, or nothing"),
    },
    "postprocess": {
        "model": Parameter("", lambda value: isinstance(value, str) and bool(value), "the name of a model"),
        "hierarchy": Parameter(True, lambda value: isinstance(value, bool), "true or false"),
        "minimum_voxels": Parameter({"WT": 0, "TC": 0, "ET": 50}, _is_sizes, 'whole numbers as {"ET": 50}'),
        "cases": _CASES,
        "convention": _CONVENTION_OR_SCORES,
    },
    "select": {
        "k": Parameter(5, lambda value: _is_whole(value) and value >= 1, "a whole number from 1"),
        "region": Parameter("ET", lambda value: value in REGIONS, "WT, TC or ET"),
    },
    "predict": {
        "paths": Parameter(None, lambda value: value is not None and _is_names(value), "a list of paths of models"),
        "name": Parameter("", lambda value: value == "" or _is_name(value), "a name of letters, digits and - _ . + ="),
        "folds": Parameter(None, _is_folds, "null or a list of folds as [0, 1]"),
        "checkpoint": _one_of("final", "best"),
        "tta": Parameter("none", lambda value: isinstance(value, str), "a set or list of augmentations"),
        "mode": _one_of("exact", "fast-window", "fast-roi"),
        "device": Parameter("auto", lambda value: isinstance(value, str), '"auto" or the name of a device'),
        "precision": _one_of("auto", "fp32", "fp16"),
        "seed": Parameter(0, _is_whole, "a whole number"),
        "uncertainty": Parameter(True, lambda value: isinstance(value, bool), "true or false"),
        "adapt": _one_of("", "tent", "information-geometric", "uncertainty-guided"),
        "cases": _CASES,
        "before": Parameter(
            None, lambda value: value is None or isinstance(value, str), "null or one of the data's models"
        ),
        "convention": _CONVENTION_OR_SCORES,
        "scheduler": Parameter(None, lambda value: value is None or isinstance(value, str), "null or an address"),
        "dry_run": Parameter(False, lambda value: isinstance(value, bool), "true or false"),
    },
    "report": {},
}


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
    if not _is_name(job.name):
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
    return Job(kind, name, Path(workspace), parameters)


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
