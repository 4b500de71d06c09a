"""A cohort kept in the workspace, so that jobs and the module need not discover it again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ..regions import LabelConvention
from .case import CHANNELS, Case, Cohort, CohortError, Problem
from .tables import attributes, read_rows
from .workspace import Workspace, write_json, written_whole

VERSION = 3
"""Of ``cohort.json``: since 2 everything below the root is named from there, since 3 the folders of files elsewhere
stand in it alone; what older ones hold is read as well."""

ROOT = "<root>"
"""Stands for the root in the messages of problems."""

ELSEWHERE = "<elsewhere-{}>"
"""Stands for a folder outside of the root, by its number, in the table and in messages."""


def save_cohort(cohort: Cohort, workspace: Workspace) -> None:
    """Write ``cohort.csv`` (``cohort.table()``) and ``cohort.json`` (root, layout, problems, label conventions).

    ``cohort.json`` holds whole paths once: of the root and of the folders of files outside of it. All files are named
    from these.
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
        root, elsewhere = Path(content["root"]), content.get("elsewhere", {})
        folders = _Folders(root, {mark: Path(folder) for mark, folder in elsewhere.items()})
        conventions = [_convention(entry) for entry in content["conventions"]]
        rows = {row["case"]: row for row in read_rows(workspace.cohort_csv, required=("case",))}
        cases = tuple(_case(rows[name], entry, conventions, folders) for name, entry in content["cases"].items())
        return Cohort(root, content["layout"], cases, _problems(content["problems"], folders))
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        message = f"{path}: damaged or not of the cohort.csv beside it ({error!r}); discover the cohort again"
        raise CohortError(message) from None


@dataclass(frozen=True)
class _Folders:
    """The root of a cohort and, by their marks, the folders outside of it in which files lie."""

    root: Path
    elsewhere: Mapping[str, Path]

    @classmethod
    def of(cls, cohort: Cohort) -> _Folders:
        marks = (ELSEWHERE.format(number) for number in range(1, len(cohort.elsewhere) + 1))
        return cls(cohort.root, dict(zip(marks, cohort.elsewhere, strict=True)))

    @cached_property
    def _marks(self) -> dict[Path, str]:
        return {folder: mark for mark, folder in self.elsewhere.items()}

    def told(self, path: Path) -> Path:
        """A file by its name from the root, or by the mark of its folder."""
        return (
            path.relative_to(self.root)
            if path.is_relative_to(self.root)
            else self._marks[path.parent] / Path(path.name)
        )

    def meant(self, text: str) -> Path:
        """The file that ``told`` named; a whole path is what it is."""
        mark, _, name = text.replace(os.sep, "/").partition("/")
        return self.elsewhere[mark] / name if mark in self.elsewhere else self.root / text

    def told_in(self, message: str) -> str:
        for folder in sorted((self.root, *self._marks), key=lambda folder: -len(str(folder))):
            if folder != folder.parent:
                message = message.replace(str(folder), self._marks.get(folder, ROOT))
        return message

    def meant_in(self, message: str) -> str:
        for mark, folder in {ROOT: self.root, **self.elsewhere}.items():
            message = message.replace(mark, str(folder))
        return message


def _json_path(workspace: Workspace) -> Path:
    return workspace.root / "cohort.json"


def _content(cohort: Cohort) -> dict[str, Any]:
    """Everything that the table cannot hold; conventions once, cases by the index of theirs."""
    conventions: list[LabelConvention] = []
    folders = _Folders.of(cohort)

    def index(convention: LabelConvention | None) -> int | None:
        if convention is not None and convention not in conventions:
            conventions.append(convention)
        return None if convention is None else conventions.index(convention)

    cases = {
        case.case: {
            "labels": index(case.labels),
            "model_labels": {model: index(convention) for model, convention in case.model_labels.items()},
            "problems": _problem_entries(case.problems, folders),
        }
        for case in cohort.cases
    }
    return {
        "version": VERSION,
        "root": str(cohort.root),
        "elsewhere": {mark: str(folder) for mark, folder in folders.elsewhere.items()},
        "layout": cohort.layout,
        "problems": _problem_entries(cohort.problems, folders),
        "conventions": list(map(_convention_entry, conventions)),
        "cases": cases,
    }


def _problem_entries(problems: Iterable[Problem], folders: _Folders) -> list[dict[str, str | None]]:
    return [
        {
            **vars(problem),
            "message": folders.told_in(problem.message),
            "file": str(folders.told(problem.file)) if problem.file else None,
        }
        for problem in problems
    ]


def _problems(entries: Iterable[Mapping[str, Any]], folders: _Folders) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            **{
                **entry,
                "message": folders.meant_in(entry["message"]),
                "file": folders.meant(entry["file"]) if entry["file"] else None,
            }
        )
        for entry in entries
    )


def _relative(cohort: Cohort) -> Cohort:
    """The same with its files named from the root, and files elsewhere by the mark of their folder."""
    folders = _Folders.of(cohort)

    def named(files: Mapping[str, Path]) -> dict[str, Path]:
        return {key: folders.told(path) for key, path in files.items()}

    cases = (
        replace(
            case,
            images=named(case.images),
            reference=folders.told(case.reference) if case.reference else None,
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


def _case(
    row: Mapping[str, str], entry: Mapping[str, Any], conventions: list[LabelConvention], folders: _Folders
) -> Case:
    return Case(
        case=row["case"],
        center=row["center"],
        split=row["split"],
        person=row["person"],
        attributes=attributes(row),
        images={channel: folders.meant(row[channel]) for channel in CHANNELS if row[channel]},
        reference=folders.meant(row["reference"]) if row["reference"] else None,
        predictions=_by_model(row, "predictions/", folders),
        probabilities=_by_model(row, "probabilities/", folders),
        labels=None if entry["labels"] is None else conventions[entry["labels"]],
        model_labels={model: conventions[index] for model, index in entry["model_labels"].items()},
        problems=_problems(entry["problems"], folders),
    )


def _by_model(row: Mapping[str, str], prefix: str, folders: _Folders) -> dict[str, Path]:
    return {
        key.removeprefix(prefix): folders.meant(text) for key, text in row.items() if key.startswith(prefix) and text
    }
