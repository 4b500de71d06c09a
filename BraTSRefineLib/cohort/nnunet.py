"""nnU-Net's folders (raw, results, predictions) and the Decathlon's, which are nnU-Net's of version 1."""

from __future__ import annotations

import re
from pathlib import Path

from .case import CohortError
from .dataset_json import DatasetJson, read_dataset_json
from .draft import DataSet, Draft, subfolders, volumes
from .naming import stem
from .predictions import add_predictions, matching_case, model_folders, prediction_files
from .volumes import VolumeError, read_geometry

CHANNEL = re.compile(r"(.+)_(\d{4})$")
RAW_FOLDERS = ("imagesTr", "labelsTr", "imagesTs", "labelsTs")


def is_raw(folder: Path) -> bool:
    return any((folder / name).is_dir() for name in RAW_FOLDERS)


def is_trainer(folder: Path) -> bool:
    """Whether the folder is that of a trained configuration, ``<trainer>__<plans>__<configuration>``."""
    return folder.name.count("__") == 2 and any(sub.name.startswith("fold_") for sub in subfolders(folder))


def read_raw(folder: Path) -> DataSet | None:
    """A raw data set (``imagesTr``, ``labelsTr``, ``dataset.json``) with the results that belong to it."""
    if not is_raw(folder):
        return None
    data_set = DataSet(folder, "nnU-Net")
    stated = _read_stated(data_set, folder / "dataset.json")
    for images, labels, split in (("imagesTr", "labelsTr", ""), ("imagesTs", "labelsTs", "test")):
        _add_references(data_set, folder / labels, split)
        _add_images(data_set, folder / images, split, stated)
    for results in _results_of(folder):
        add_results(data_set, results)
    return data_set if data_set.drafts else None


def read_results(folder: Path) -> DataSet | None:
    """A results data set (or one trained configuration) by itself, with the references of its raw data set if near."""
    trainers = [folder] if is_trainer(folder) else [sub for sub in subfolders(folder) if is_trainer(sub)]
    if not trainers:
        return None
    data_set = DataSet(folder, "nnU-Net")
    for labels in _references_of(folder.parent if is_trainer(folder) else folder):
        _add_references(data_set, labels, "")
        _read_stated(data_set, labels.parent / "dataset.json")
    for trainer in trainers:
        _add_trainer(data_set, trainer)
    return data_set if data_set.drafts else None


def add_results(data_set: DataSet, folder: Path) -> None:
    """Every trained configuration under ``folder`` as a model; its folds' validation cases together."""
    for trainer in subfolders(folder):
        if is_trainer(trainer):
            _add_trainer(data_set, trainer)


def _add_trainer(data_set: DataSet, trainer: Path) -> None:
    """The cross-validation folds are one model, for each case is in one fold; ``fold_all`` is another."""
    files = list(prediction_files(trainer))
    together = [(path, split) for path, split in files if split != "fold_all"]
    add_predictions(data_set, trainer.name, together)
    add_predictions(data_set, f"{trainer.name}__fold_all", [(path, "") for path, fold in files if fold == "fold_all"])


def _results_of(raw: Path) -> list[Path]:
    """Where results of a raw data set lie: in it, in ``nnUNet_results`` beside ``nnUNet_raw``, in ``results/``."""
    beside = raw.parent.parent / "nnUNet_results" / raw.name if raw.parent.name == "nnUNet_raw" else None
    return [folder for folder in (raw, raw / "nnUNet_results", raw / "results", beside) if folder and folder.is_dir()]


def _references_of(results: Path) -> list[Path]:
    """The folder of references of a results data set, from the raw data or the preprocessed copy of them."""
    base = results.parent.parent
    places = (base / "nnUNet_raw" / results.name / "labelsTr",
              base / "nnUNet_preprocessed" / results.name / "gt_segmentations")  # fmt: skip
    return [place for place in places if place.is_dir()][:1]


def _read_stated(data_set: DataSet, path: Path) -> DatasetJson | None:
    """What ``dataset.json`` states; a damaged one is a problem of the data set, not the end of it."""
    if not path.is_file():
        return None
    try:
        stated = read_dataset_json(path)
    except CohortError as error:
        data_set.note(str(error), path)
        return None
    data_set.dataset_json = path
    return stated


def _add_references(data_set: DataSet, folder: Path, split: str) -> None:
    for path in volumes(folder):
        draft = data_set.draft(stem(path))
        draft.split = split
        draft.add_file("reference", path)


def _add_images(data_set: DataSet, folder: Path, split: str, stated: DatasetJson | None) -> None:
    for path in volumes(folder):
        match = CHANNEL.match(stem(path))
        name = match.group(1) if match else stem(path)
        draft = data_set.draft(matching_case(name, data_set.drafts) or name)
        draft.split = draft.split or split
        if match:
            _add_channel(draft, path, int(match.group(2)), stated)
        else:
            _add_single(draft, path, stated)


def _add_channel(draft: Draft, path: Path, index: int, stated: DatasetJson | None) -> None:
    channel = stated.channels.get(index, "") if stated else ""
    if channel:
        draft.add_file(channel, path)
    else:
        draft.note(f"{path.name}: dataset.json names no MRI channel for {index:04d}; the image is not shown", path)


def _add_single(draft: Draft, path: Path, stated: DatasetJson | None) -> None:
    """An image without channel number: the Decathlon's four channels in one file, or the only channel."""
    try:
        read_geometry(path)
    except VolumeError as error:
        draft.note(f"{error}; its channels are not shown", path)
        return
    _add_channel(draft, path, 0, stated)


def read_flat(folder: Path) -> DataSet | None:
    """Predictions only: ``predictions/<model>``, or one model's files as ``nnUNetv2_predict`` leaves them."""
    data_set = DataSet(folder, "predictions only")
    if (folder / "predictions").is_dir():
        add_model_folders(data_set, folder / "predictions")
    elif (folder / "dataset.json").is_file():
        add_predictions(data_set, folder.name, prediction_files(folder))
    return data_set if data_set.drafts else None


def add_model_folders(data_set: DataSet, folder: Path) -> None:
    """Every model under ``predictions/``, those of nnU-Net's training included."""
    for model, files in model_folders(folder).items():
        if is_trainer(files):
            _add_trainer(data_set, files)
        else:
            add_predictions(data_set, model, prediction_files(files))
