"""A cohort kept in the workspace, so that jobs and the module need not discover it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..regions import LabelConvention
from .case import CHANNELS, Case, Cohort, CohortError, Problem
from .tables import attributes, read_rows
from .workspace import Workspace, written_whole

VERSION = 1


def save_cohort(cohort: Cohort, workspace: Workspace) -> None:
    """Write ``cohort.csv`` (``cohort.table()``) and ``cohort.json`` (root, layout, problems, label conventions).

    Raises WorkspaceError where the workspace cannot be written.
    """
    with written_whole(workspace.cohort_csv) as temporary:
        cohort.table().to_csv(temporary, index=False)
    with written_whole(_json_path(workspace)) as temporary:
        temporary.write_text(json.dumps(_content(cohort), indent=1, ensure_ascii=False), encoding="utf-8")


def load_cohort(workspace: Workspace) -> Cohort:
    """The cohort as it was saved. Raises CohortError where there is none or its files are damaged."""
    path = _json_path(workspace)
    if not path.is_file():
        raise CohortError(
            f"{workspace.root}: no cohort is kept here; run 'bratsrefine cohort' or 'score' with it first"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        conventions = [_convention(entry) for entry in content["conventions"]]
        rows = {row["case"]: row for row in read_rows(workspace.cohort_csv, required=("case",))}
        cases = tuple(_case(rows[name], entry, conventions) for name, entry in content["cases"].items())
        problems = tuple(map(_problem, content["problems"]))
        return Cohort(Path(content["root"]), content["layout"], cases, problems)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        message = f"{path}: damaged or not of the cohort.csv beside it ({error!r}); discover the cohort again"
        raise CohortError(message) from None


def _json_path(workspace: Workspace) -> Path:
    return workspace.root / "cohort.json"


def _content(cohort: Cohort) -> dict[str, Any]:
    """Everything that the table cannot hold; conventions once, cases by the index of theirs."""
    conventions: list[LabelConvention] = []

    def index(convention: LabelConvention | None) -> int | None:
        if convention is not None and convention not in conventions:
            conventions.append(convention)
        return None if convention is None else conventions.index(convention)

    cases = {
        case.case: {
            "labels": index(case.labels),
            "model_labels": {model: index(convention) for model, convention in case.model_labels.items()},
            "problems": list(map(_problem_entry, case.problems)),
        }
        for case in cohort.cases
    }
    return {
        "version": VERSION,
        "root": str(cohort.root),
        "layout": cohort.layout,
        "problems": list(map(_problem_entry, cohort.problems)),
        "conventions": list(map(_convention_entry, conventions)),
        "cases": cases,
    }


def _problem_entry(problem: Problem) -> dict[str, str | None]:
    return {**vars(problem), "file": str(problem.file) if problem.file else None}


def _problem(entry: Mapping[str, Any]) -> Problem:
    return Problem(**{**entry, "file": Path(entry["file"]) if entry["file"] else None})


def _convention_entry(convention: LabelConvention) -> dict[str, Any]:
    return {
        "name": convention.name,
        "tissues": dict(convention.tissues),
        "regions": dict(convention.regions),
        "singles": list(convention.singles),
    }


def _convention(entry: Mapping[str, Any]) -> LabelConvention:
    regions = {region: tuple(labels) for region, labels in entry["regions"].items()}
    return LabelConvention(entry["name"], entry["tissues"], regions, tuple(entry.get("singles", ())))


def _case(row: Mapping[str, str], entry: Mapping[str, Any], conventions: list[LabelConvention]) -> Case:
    return Case(
        case=row["case"],
        center=row["center"],
        split=row["split"],
        person=row["person"],
        attributes=attributes(row),
        images={channel: Path(row[channel]) for channel in CHANNELS if row[channel]},
        reference=Path(row["reference"]) if row["reference"] else None,
        predictions=_by_model(row, "predictions/"),
        probabilities=_by_model(row, "probabilities/"),
        labels=None if entry["labels"] is None else conventions[entry["labels"]],
        model_labels={model: conventions[index] for model, index in entry["model_labels"].items()},
        problems=tuple(map(_problem, entry["problems"])),
    )


def _by_model(row: Mapping[str, str], prefix: str) -> dict[str, Path]:
    return {key.removeprefix(prefix): Path(text) for key, text in row.items() if key.startswith(prefix) and text}
