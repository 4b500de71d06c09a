"""The manifest: a cohort as a CSV that a person may write, with the columns of ``Cohort.table()``."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..regions import LabelConvention, LabelError
from .assembly import Progress, assemble
from .case import Cohort, CohortError, Problem, stated_convention
from .conventions import stated_by_user
from .draft import DataSet, Draft
from .tables import FILE_COLUMNS, MODEL_COLUMNS, NAME_COLUMNS, attributes, read_rows


def read_manifest(
    path: Path | str,
    *,
    root: Path | str | None = None,
    labels: str = "auto",
    model_labels: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Cohort:
    """The cohort of a manifest: ``case`` and any of the other columns; paths are relative to ``root``.

    A further column (scanner, field strength ...) becomes an attribute of its cases, by which they can be divided.
    ``root`` is the manifest's own folder where it is not stated. A path that leaves it, a file that is missing or a
    convention that is unknown is an error of that case alone. Raises CohortError for a manifest that is missing,
    unreadable or without cases.
    """
    path = Path(path).expanduser().resolve()
    if not path.is_file():
        raise CohortError(f"{path}: no such manifest; check the path")
    root = Path(root).expanduser().resolve() if root else path.parent
    rows = read_rows(path, required=("case",))
    if not rows:
        raise CohortError(f"{path}: the manifest names no case; add a row a case")
    _check_names(path, [row["case"] for row in rows])
    data_sets: dict[str, DataSet] = {}
    for row in rows:
        data_set = data_sets.setdefault(row.get("center", ""), DataSet(root, "manifest"))
        data_set.drafts[row["case"]] = _draft(row, root)
    stated = stated_by_user(labels, model_labels)
    return assemble(root, list(data_sets.values()), _further_columns(path, rows[0]), stated, progress)


def _check_names(path: Path, names: Sequence[str]) -> None:
    repeated = sorted(name for name, count in Counter(names).items() if count > 1 and name)
    if repeated:
        raise CohortError(f"{path}: case {', '.join(repeated)} occurs more than once; give each case one row")
    if not all(names):
        raise CohortError(f"{path}: row {list(names).index('') + 2} names no case; fill in the column 'case'")


def _further_columns(path: Path, row: Mapping[str, str]) -> list[Problem]:
    """What becomes of the columns that name no file, so that a misspelt one is noticed."""
    kept = attributes(dict.fromkeys(row, "kept"))
    known = {*FILE_COLUMNS, *NAME_COLUMNS, *kept}
    nameless = [column for column in row if column not in known and not _model_column(column)]
    messages = [f"{path.name}: column {', '.join(kept)} is kept as an attribute of the cases"] if kept else []
    messages += [f"{path.name}: column '{column}' names nothing and is left out" for column in nameless]
    return [Problem(message, file=path, level="note") for message in messages]


def _model_column(column: str) -> tuple[str, str] | None:
    """``predictions/nnunet`` -> (``predictions``, ``nnunet``); None for another column."""
    kind, _, model = column.partition("/")
    return (kind, model) if kind in MODEL_COLUMNS and model else None


def _draft(row: Mapping[str, str], root: Path) -> Draft:
    draft = Draft(row["case"], row.get("center", ""), row.get("split", ""), row.get("person", ""))
    draft.attributes = attributes(row)
    draft.labels = _convention(draft, row.get("labels", ""), "")
    for column, text in row.items():
        if not text:
            continue
        if column in FILE_COLUMNS and (path := _file(draft, text, root, "")):
            draft.add_file(column, path)
        elif named := _model_column(column):
            _add_model_cell(draft, *named, text, root)
    return draft


def _add_model_cell(draft: Draft, kind: str, model: str, text: str, root: Path) -> None:
    if kind == "labels":
        if convention := _convention(draft, text, model):
            draft.model_labels[model] = convention
    elif path := _file(draft, text, root, model):
        draft.add_prediction(model, path, probability=kind == "probabilities")


def _file(draft: Draft, text: str, root: Path, model: str) -> Path | None:
    """The file that a cell names. Links are not followed here: a link inside ``root`` is a file inside it."""
    path = Path(os.path.normpath(root / text))
    if not path.is_relative_to(root):
        advice = "put the manifest above its files or state another root"
        draft.error(f"'{text}' leaves the data folder {root}; {advice}", path, model)
        return None
    return path


def _convention(draft: Draft, text: str, model: str) -> LabelConvention | None:
    try:
        return stated_convention(text)
    except LabelError as error:
        draft.error(f"column labels: {error}", model=model)
        return None
