"""A cohort kept in the workspace, so that jobs and the module need not discover it again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..regions import LabelConvention
from .case import CHANNELS, Case, Cohort, CohortError, Problem
from .tables import attributes, read_rows
from .workspace import Workspace, write_json, written_whole

VERSION = 2
"""Of ``cohort.json``: since 2 everything below the root is named from there; what older ones hold is read as well."""

ROOT = "<root>"
"""Stands for the root in the messages of problems."""


def save_cohort(cohort: Cohort, workspace: Workspace) -> None:
    """Write ``cohort.csv`` (``cohort.table()``) and ``cohort.json`` (root, layout, problems, label conventions).

    The root alone is absolute, and files that lie outside of it: all others are named from there.
    Raises WorkspaceError where the workspace cannot be written.
    """
    with written_whole(workspace.cohort_csv) as temporary:
        _relative(cohort).table().to_csv(temporary, index=False)
    write_json(_json_path(workspace), _content(cohort))


def load_cohort(workspace: Workspace) -> Cohort:
    """The cohort as it was saved. Raises CohortError where there is none or its files are damaged."""
    path = _json_path(workspace)
    if not path.is_file():
        raise CohortError(
            f"{workspace.root}: no cohort is kept here; run 'bratsrefine cohort' or 'score' with it first"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        root = Path(content["root"])
        conventions = [_convention(entry) for entry in content["conventions"]]
        rows = {row["case"]: row for row in read_rows(workspace.cohort_csv, required=("case",))}
        cases = tuple(_case(rows[name], entry, conventions, root) for name, entry in content["cases"].items())
        return Cohort(root, content["layout"], cases, _problems(content["problems"], root))
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
            "problems": _problem_entries(case.problems, cohort.root),
        }
        for case in cohort.cases
    }
    return {
        "version": VERSION,
        "root": str(cohort.root),
        "layout": cohort.layout,
        "problems": _problem_entries(cohort.problems, cohort.root),
        "conventions": list(map(_convention_entry, conventions)),
        "cases": cases,
    }


def _problem_entries(problems: Iterable[Problem], root: Path) -> list[dict[str, str | None]]:
    return [
        {
            **vars(problem),
            "message": _with_marker(problem.message, root),
            "file": str(_from_root(problem.file, root)) if problem.file else None,
        }
        for problem in problems
    ]


def _problems(entries: Iterable[Mapping[str, Any]], root: Path) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            **{
                **entry,
                "message": entry["message"].replace(ROOT, str(root)),
                "file": root / entry["file"] if entry["file"] else None,
            }
        )
        for entry in entries
    )


def _with_marker(message: str, root: Path) -> str:
    return message if root == root.parent else message.replace(str(root), ROOT)


def _from_root(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path


def _relative(cohort: Cohort) -> Cohort:
    """The same with its files named from the root."""

    def named(files: Mapping[str, Path]) -> dict[str, Path]:
        return {key: _from_root(path, cohort.root) for key, path in files.items()}

    cases = (
        replace(
            case,
            images=named(case.images),
            reference=_from_root(case.reference, cohort.root) if case.reference else None,
            predictions=named(case.predictions),
            probabilities=named(case.probabilities),
        )
        for case in cohort.cases
    )
    return replace(cohort, cases=tuple(cases))


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


def _case(row: Mapping[str, str], entry: Mapping[str, Any], conventions: list[LabelConvention], root: Path) -> Case:
    return Case(
        case=row["case"],
        center=row["center"],
        split=row["split"],
        person=row["person"],
        attributes=attributes(row),
        images={channel: root / row[channel] for channel in CHANNELS if row[channel]},
        reference=root / row["reference"] if row["reference"] else None,
        predictions=_by_model(row, "predictions/", root),
        probabilities=_by_model(row, "probabilities/", root),
        labels=None if entry["labels"] is None else conventions[entry["labels"]],
        model_labels={model: conventions[index] for model, index in entry["model_labels"].items()},
        problems=_problems(entry["problems"], root),
    )


def _by_model(row: Mapping[str, str], prefix: str, root: Path) -> dict[str, Path]:
    return {key.removeprefix(prefix): root / text for key, text in row.items() if key.startswith(prefix) and text}
