"""What lies in an nnU-Net v2 results folder: configurations, folds, channels and labels, read without torch."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..cohort.case import CohortError
from ..cohort.dataset_json import DatasetJson, read_dataset_json
from .model import InferenceError

CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_best.pth")
"""Checkpoints of a fold in the order in which they are preferred."""

LEVELS = 2
"""How far below a given folder models are looked for: the results of one data set, or of several."""


@dataclass(frozen=True)
class FoundConfiguration:
    """A trained configuration, ``<trainer>__<plans>__<configuration>``.

    ``folds`` are those with ``checkpoint`` (``"0"`` to ``"4"``, ``"all"``); none where training has not saved one.
    ``channels`` are our names (``t1n`` ...), empty where dataset.json's name for one is none of ours. ``previous`` is
    the configuration whose label map a cascade takes, else empty. ``plans`` and ``stated`` are the two files' content.
    """

    path: Path
    name: str
    configuration: str
    folds: tuple[str, ...]
    checkpoint: str
    channels: tuple[str, ...]
    previous: str
    labels: DatasetJson = field(repr=False, compare=False)
    plans: Mapping = field(repr=False, compare=False)
    stated: Mapping = field(repr=False, compare=False)

    @property
    def cross_validation(self) -> tuple[str, ...]:
        """The folds that are taken where none are named: those of the cross-validation, else ``all``."""
        return tuple(fold for fold in self.folds if fold != "all") or self.folds

    def checkpoint_of(self, fold: str) -> Path:
        return self.path / f"fold_{fold}" / self.checkpoint

    def chosen_folds(self, folds: Iterable[int | str] | None) -> tuple[str, ...]:
        """The folds asked for, or those taken by default. Raises InferenceError naming those that exist."""
        chosen = self.cross_validation if folds is None else tuple(dict.fromkeys(str(fold) for fold in folds))
        missing = [fold for fold in chosen if fold not in self.folds]
        if missing or not chosen:
            there = f"there are {', '.join(self.folds)}" if self.folds else "no fold has one"
            asked = f"fold {', '.join(missing)} has no {self.checkpoint}" if missing else f"no {self.checkpoint}"
            raise InferenceError(f"{self.path}: {asked} ({there}); choose other folds or finish the training")
        return chosen


def found_models(path: Path, checkpoints: Sequence[str] = CHECKPOINTS) -> list[FoundConfiguration]:
    """Trained configurations at ``path``, by name, each with the first of ``checkpoints`` that any fold holds.

    ``path`` is the folder of one configuration, of a data set's results or of several data sets', or one fold or
    checkpoint (then only that one is listed). Raises InferenceError where there is none or a description is damaged.
    """
    path = Path(os.path.normpath(Path(path).absolute()))
    if path.suffix == ".pth":
        return [_narrowed(path.parent, (path.name,))]
    if path.name.startswith("fold_"):
        return [_narrowed(path, checkpoints)]
    folders = [path] if path.is_dir() else []
    for _ in range(LEVELS + 1):
        if models := [
            folder for folder in folders if _fold_folders(folder) and (folder == path or _is_trained(folder))
        ]:
            return [read_model_folder(folder, checkpoints) for folder in sorted(models)]
        folders = [sub for folder in folders for sub in _subfolders(folder)]
    raise InferenceError(
        f"{path}: no nnU-Net model; give a folder <trainer>__<plans>__<configuration> that holds plans.json, "
        "dataset.json and fold_0/checkpoint_final.pth"
    )


def read_model_folder(folder: Path, checkpoints: Sequence[str] = CHECKPOINTS) -> FoundConfiguration:
    """One configuration, with the first of ``checkpoints`` that any fold holds. Raises InferenceError."""
    plans, stated = _read_json(folder / "plans.json"), _read_json(folder / "dataset.json")
    try:
        labels = read_dataset_json(folder / "dataset.json")
    except CohortError as error:
        raise InferenceError(str(error)) from None
    configuration = _configuration_of(folder, plans)
    held = {name: tuple(_folds_with(folder, name)) for name in checkpoints}
    checkpoint = next((name for name, folds in held.items() if folds), checkpoints[0])
    return FoundConfiguration(
        folder,
        f"{folder.parent.name}/{folder.name}",
        configuration,
        held[checkpoint],
        checkpoint,
        tuple(labels.channels[place] for place in sorted(labels.channels)),
        _settings(plans, configuration, folder).get("previous_stage") or "",
        labels,
        plans,
        stated,
    )


def previous_model(found: FoundConfiguration) -> FoundConfiguration:
    """The configuration that a cascade continues, of the same trainer and plans beside it. Raises InferenceError."""
    folder = found.path.with_name(found.path.name.removesuffix(found.configuration) + found.previous)
    if not _fold_folders(folder):
        raise InferenceError(
            f"{found.path}: a cascade on {found.previous}, and {folder} is no trained model; put it there"
        )
    return read_model_folder(folder)


def files_of(found: FoundConfiguration, folds: Iterable[int | str] | None = None) -> list[Path]:
    """The files that decide what these folds predict; a cascade's first stage, opened with the same folds, included.

    Raises InferenceError as ``chosen_folds`` and ``previous_model`` do.
    """
    chosen = found.chosen_folds(folds)
    files = [found.path / "plans.json", found.path / "dataset.json", *map(found.checkpoint_of, chosen)]
    return files + (files_of(previous_model(found), chosen) if found.previous else [])


def _narrowed(fold_folder: Path, checkpoints: Sequence[str]) -> FoundConfiguration:
    """The configuration of a fold's folder with that fold alone."""
    found = read_model_folder(fold_folder.parent, checkpoints)
    fold = fold_folder.name.removeprefix("fold_")
    return replace(found, folds=found.chosen_folds([fold]))


def _subfolders(folder: Path) -> list[Path]:
    try:
        return [sub for sub in folder.iterdir() if sub.is_dir()]
    except OSError as error:
        raise InferenceError(f"{folder}: cannot be read ({error.strerror}); name the model's folder itself") from None


def _fold_folders(folder: Path) -> list[Path]:
    """Folds in their order: by number, then ``all``."""
    folds = [sub for sub in folder.glob("fold_*") if sub.is_dir()]
    return sorted(folds, key=lambda sub: (not sub.name[5:].isdigit(), sub.name[5:].zfill(9)))


def _is_trained(folder: Path) -> bool:
    """Whether its folds are those of a training; predictions of models that are called ``fold_X`` are none."""
    return (folder / "plans.json").is_file() or any(any(fold.glob("*.pth")) for fold in _fold_folders(folder))


def _folds_with(folder: Path, checkpoint: str) -> list[str]:
    return [sub.name.removeprefix("fold_") for sub in _fold_folders(folder) if (sub / checkpoint).is_file()]


def _configuration_of(folder: Path, plans: Mapping) -> str:
    """From the folder's name, or the only one that the plans know."""
    known = list(plans["configurations"])
    if folder.name.count("__") >= 2:
        return folder.name.rsplit("__", 1)[1]
    if len(known) == 1:
        return known[0]
    raise InferenceError(
        f"{folder}: its name does not say which of {', '.join(known)} was trained; "
        "call it <trainer>__<plans>__<configuration> as nnU-Net does"
    )


def _settings(plans: Mapping, configuration: str, folder: Path) -> dict:
    """A configuration's settings with those that it inherits. Raises InferenceError where the plans lack one."""
    settings: dict = {}
    seen = []
    while configuration:
        if configuration not in plans["configurations"] or configuration in seen:
            known = ", ".join(plans["configurations"])
            raise InferenceError(
                f"{folder / 'plans.json'}: no configuration {configuration} (there are {known}); "
                "use the plans.json that the model was trained with"
            )
        seen.append(configuration)
        settings = {**plans["configurations"][configuration], **settings}
        configuration = plans["configurations"][configuration].get("inherits_from", "")
    return settings


def _read_json(path: Path) -> dict:
    if not path.is_file():
        raise InferenceError(f"{path}: missing; nnU-Net writes it when it trains, copy it with the folds")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InferenceError(f"{path}: not readable ({error}); copy it again") from None
    if not isinstance(content, dict) or (path.name == "plans.json" and not content.get("configurations")):
        raise InferenceError(f"{path}: not what nnU-Net v2 writes; copy it again")
    return content
