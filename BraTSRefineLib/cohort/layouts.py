"""Finds the cohort in a folder, whatever of the known layouts it has, and checks it.

The ways to name cases, files and centres are described in the package's docstring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from .assembly import Progress, assemble
from .brats_folders import read_brats
from .case import Cohort, CohortError, Problem
from .conventions import stated_by_user
from .draft import DataSet, subfolders, volumes
from .manifest import read_manifest
from .naming import prediction_case, stem
from .nnunet import add_model_folders, is_raw, read_flat, read_raw, read_results
from .predictions import add_predictions, matching_case, prediction_files

REFERENCE_FOLDERS = ("references", "reference", "ground_truth", "groundtruth", "gt", "labels")
KNOWN_LAYOUTS = (
    "expected case folders (<case>/<case>-t1c.nii.gz ...), predictions/<model>/<case>.nii.gz, "
    "nnU-Net's imagesTr and labelsTr, a manifest .csv, or --references and --predictions"
)


def discover(
    folder: Path | str,
    *,
    labels: str = "auto",
    model_labels: Mapping[str, str] | None = None,
    references: Path | str | None = None,
    predictions: Mapping[str, Path | str] | None = None,
    progress: Progress | None = None,
) -> Cohort:
    """The cohort in ``folder`` (or of a manifest ``.csv``), with everything that is missing or wrong in it.

    ``labels`` states one convention for everything, ``model_labels`` that of single models. ``references`` and
    ``predictions`` (model: folder) add folders to what is found, or replace the layout altogether. ``progress`` is told
    of each case once the headers of its files were read.
    Raises CohortError where there is no such folder, nothing that is known in it, or an unknown convention.
    """
    folder = Path(folder).expanduser().resolve()
    if folder.suffix.lower() == ".csv":
        return read_manifest(folder, labels=labels, model_labels=model_labels, progress=progress)
    stated = stated_by_user(labels, model_labels)
    try:
        if references is not None or predictions:
            return assemble(folder, [_two_folders(folder, references, predictions or {})], [], stated, progress)
        return assemble(folder, *_data_sets(folder), stated, progress)
    except OSError as error:
        raise CohortError(f"{error.filename or folder}: not readable ({error.strerror}); check its rights") from None


def _data_sets(folder: Path) -> tuple[list[DataSet], list[Problem]]:
    """The folder as one data set, else each of its subfolders as one; what is none is noted."""
    _check_folder(folder)
    data_set = _read_data_set(folder)
    if data_set is not None:
        return [data_set], []
    bases = (folder / "nnUNet_raw", folder / "nnUNet_results", folder)
    base = next(candidate for candidate in bases if candidate.is_dir())
    read = {sub: _read_data_set(sub) for sub in subfolders(base)}
    found = [data_set for data_set in read.values() if data_set is not None]
    if not found:
        raise CohortError(f"{folder}: no cases found; {KNOWN_LAYOUTS}")
    message = "holds no cases that are recognised and is passed over"
    return found, [Problem(f"{sub.name}: {message}", file=sub, level="note") for sub in read if read[sub] is None]


def check_there(folder: Path | str) -> None:
    """Raises CohortError where there is no such folder or manifest."""
    if not Path(folder).expanduser().exists():
        kind = "manifest" if Path(folder).suffix.lower() == ".csv" else "folder"
        raise CohortError(f"{folder}: no such {kind}; check the path")


def _check_folder(folder: Path) -> None:
    check_there(folder)
    if not folder.is_dir():
        raise CohortError(f"{folder}: neither a folder nor a manifest .csv")
    if not any(folder.iterdir()):
        raise CohortError(f"{folder}: the folder is empty; {KNOWN_LAYOUTS}")


def _read_data_set(folder: Path) -> DataSet | None:
    """One data set: nnU-Net's or a BraTS folder or two folders, with the ``predictions/`` beside its cases."""
    if is_raw(folder):
        data_set = read_raw(folder)
    else:
        data_set = read_results(folder) or _named_references(folder) or read_brats(folder)
    if data_set is None:
        return read_flat(folder)
    add_model_folders(data_set, folder / "predictions")
    return data_set


def _named_references(folder: Path) -> DataSet | None:
    """``references/`` (or ``gt/``, ``labels/`` ...) with flat label maps beside ``predictions/``."""
    for name in REFERENCE_FOLDERS:
        if (folder / name).is_dir() and (folder / "predictions").is_dir():
            data_set = DataSet(folder, "two folders")
            _add_references(data_set, folder / name)
            return data_set if data_set.drafts else None
    return None


def _two_folders(folder: Path, references: Path | str | None, predictions: Mapping[str, Path | str]) -> DataSet:
    """References and models from stated folders, with the images that ``folder`` may hold."""
    stated = [_stated_folder(folder, path) for path in (references, *predictions.values()) if path is not None]
    own = _read_data_set(folder) if folder.is_dir() and folder not in stated else None
    data_set = _without(own, stated) if own else DataSet(folder, "two folders")
    if references is not None:
        for draft in data_set.drafts.values():
            draft.reference = None
        _add_references(data_set, _stated_folder(folder, references))
    for model, path in predictions.items():
        files = list(prediction_files(_stated_folder(folder, path)))
        folds = [(file, split) for file, split in files if split != "fold_all"]
        add_predictions(data_set, model, folds or files)
    if not data_set.drafts:
        raise CohortError(f"{folder}: no label map in {', '.join(map(str, stated))}; expected <case>.nii.gz files")
    return data_set


def _without(data_set: DataSet, stated: Sequence[Path]) -> DataSet:
    """The data set less the files in the stated folders, which would else be read twice."""

    def elsewhere(files: Mapping[str, Path]) -> dict[str, Path]:
        return {name: path for name, path in files.items() if not _lies_in(path, stated)}

    for name, draft in list(data_set.drafts.items()):
        draft.images, draft.predictions = elsewhere(draft.images), elsewhere(draft.predictions)
        draft.probabilities = elsewhere(draft.probabilities)
        draft.reference = None if draft.reference and _lies_in(draft.reference, stated) else draft.reference
        if not (draft.images or draft.reference or draft.predictions or draft.probabilities):
            del data_set.drafts[name]
    data_set.problems = [p for p in data_set.problems if p.file is None or not _lies_in(p.file, stated)]
    data_set.layout = data_set.layout if data_set.drafts else "two folders"
    return data_set


def _lies_in(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _stated_folder(folder: Path, path: Path | str) -> Path:
    """A stated folder, relative to ``folder`` or to where we are. Raises CohortError where there is none."""
    for candidate in (folder / Path(path).expanduser(), Path(path).expanduser()):
        if candidate.is_dir():
            return candidate.resolve()
    raise CohortError(f"{path}: no such folder; check --references and --predictions")


def _add_references(data_set: DataSet, folder: Path) -> None:
    for path in volumes(folder):
        name = matching_case(stem(path), data_set.drafts) or prediction_case(stem(path))
        data_set.draft(name).add_file("reference", path)
    if (folder / "dataset.json").is_file():
        data_set.dataset_json = folder / "dataset.json"
    elif folder.name == "labelsTr" and (folder.parent / "dataset.json").is_file():
        data_set.dataset_json = folder.parent / "dataset.json"
