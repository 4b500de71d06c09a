"""Folders of predictions: which models there are, and which file belongs to which case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from .dataset_json import dataset_json_above
from .draft import DataSet, subfolders, volumes
from .naming import PROBABILITY_SUFFIX, prediction_case, stem


def model_folders(folder: Path) -> dict[str, Path]:
    """The models under ``predictions/``: a subfolder each, or the folder itself where files lie directly in it."""
    models = {sub.name: sub for sub in subfolders(folder) if any(True for _ in prediction_files(sub))}
    if _direct(folder):
        models[folder.name] = folder
    return models


def prediction_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Label maps and ``.npz`` files of one model, each with its split.

    They lie directly in the folder, in ``fold_X/validation`` (the split is then the fold), or one a case folder.
    """
    folds = [sub for sub in subfolders(folder) if sub.name.startswith("fold_") and (sub / "validation").is_dir()]
    direct = _direct(folder)
    if direct:
        yield from ((path, "") for path in direct)
    elif folds:
        yield from ((path, fold.name) for fold in folds for path in _direct(fold / "validation"))
    else:
        yield from ((path, "") for sub in subfolders(folder) for path in _direct(sub))


def add_predictions(data_set: DataSet, model: str, files: Iterable[tuple[Path, str]]) -> None:
    """Give each file to its case; a file whose case is not known makes a case of its own."""
    elsewhere = any(draft.images or draft.reference for draft in data_set.drafts.values())
    for path, split in files:
        case = matching_case(stem(path), data_set.drafts) or prediction_case(stem(path))
        if elsewhere and case not in data_set.drafts:
            data_set.draft(case).note(f"{path} is the prediction of a case without image and reference", path, model)
        draft = data_set.draft(case)
        draft.split = draft.split or split
        draft.add_prediction(model, path, probability=_is_probability(path))
        stated = dataset_json_above(path, levels=2)
        if stated is not None and _inside(stated, data_set.root, path):
            data_set.model_json.setdefault(model, stated)


def matching_case(name: str, cases: Iterable[str]) -> str:
    """The case that a file of this stem belongs to: exactly, without its suffix, or but for upper and lower case.

    Empty where none fits or, case ignored, more than one does.
    """
    cases = set(cases)
    for candidate in (name, prediction_case(name)):
        if candidate in cases:
            return candidate
    alike = [case for case in cases if case.lower() in (name.lower(), prediction_case(name).lower())]
    return alike[0] if len(alike) == 1 else ""


def _direct(folder: Path) -> list[Path]:
    return [*volumes(folder), *sorted(folder.glob("[!.]*.npz"))] if folder.is_dir() else []


def _is_probability(path: Path) -> bool:
    return path.suffix == ".npz" or bool(PROBABILITY_SUFFIX.search(stem(path)))


def _inside(stated: Path, root: Path, prediction: Path) -> bool:
    """A ``dataset.json`` counts for a model where it lies with its predictions, not with the whole data set."""
    return stated.parent != root or prediction.parent == root
