"""Trained models by their path, whatever framework they came from.

Understood are

- *nnU-Net v2 results*: ``<trainer>__<plans>__<configuration>``, the folder of a data set's or of several data sets'
  results, a ``fold_X`` or a checkpoint in it;
- *descriptions*: a YAML file as ``monai_description`` documents, or a folder with some;
- *weights or exported programs* (``.pt``, ``.ts``, ``.pt2`` ...) with a description of the same name beside them;
- *MONAI bundles*: a folder with ``configs/inference.json``, ``configs/metadata.json`` and ``models/model.pt``, or a
  folder with some.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ..regions import LabelConvention
from . import nnunet_folder
from .model import InferenceError, Model
from .monai_bundle import bundle_files, is_bundle, read_bundle
from .monai_description import Description, read_description, read_yaml
from .monai_model import chosen_folds, described_models
from .nnunet_folder import FoundConfiguration
from .nnunet_head import head_of, input_channels

Kind = Literal["nnU-Net", "MONAI", "MONAI bundle", "exported program"]
YAML_SUFFIXES = (".yaml", ".yml")
UNDERSTOOD = (
    "give an nnU-Net results folder (<trainer>__<plans>__<configuration>), a MONAI bundle folder, a YAML description "
    "of a network, or weights or an exported program with such a YAML of the same name beside it"
)


@dataclass(frozen=True)
class FoundModel:
    """A trained model on disk, found without loading it.

    ``path`` finds it alone: a fold or a file of weights where such a one was given. ``folds`` is empty where there is
    only one set of weights. ``problem`` says why it cannot be opened, else empty.
    """

    name: str
    kind: Kind
    path: Path
    configuration: str = ""
    folds: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    problem: str = ""
    source: Description | FoundConfiguration | None = field(default=None, repr=False, compare=False)


def found_models(path: Path) -> list[FoundModel]:
    """The models at a path, sorted by name; loads no torch.

    One that cannot be opened is listed with its problem. Raises InferenceError where nothing at the path is a model.
    """
    path = Path(path)
    found = _in_folder(path) if path.is_dir() else _of_file(path)
    if not found:
        raise InferenceError(f"{path}: no trained model; {UNDERSTOOD}")
    return sorted(found, key=lambda one: one.name)


def open_models(
    path: Path,
    *,
    folds: Iterable[int | str] | None = None,
    configuration: str | None = None,
    checkpoint: str = "final",
    channels: Sequence[str] | None = None,
    convention: LabelConvention | None = None,
) -> list[Model]:
    """The models at a path, one for each fold: those named, else all (nnU-Net: of the cross-validation).

    ``configuration`` and ``checkpoint`` (``final`` or ``best``) choose among nnU-Net's. ``channels`` names the input
    channels by position and ``convention`` the labels, in place of what the model's files say. Raises InferenceError
    where there is no such model, or several.
    """
    there = found_models(path)
    found = [one for one in there if configuration in (None, one.configuration)]
    if len(found) != 1:
        names = ", ".join(one.name for one in found or there)
        asked = f"configuration {configuration}" if configuration else "one model"
        raise InferenceError(f"{path}: {len(found)} models fit {asked}; it holds {names}, name the path of one")
    (one,) = found
    if one.source is None:
        raise InferenceError(one.problem)
    if isinstance(one.source, Description):
        return _open_described(one.source, folds, channels, convention)
    return _open_nnunet(_asked_for(one, checkpoint), folds, channels, convention)


def model_files(found: FoundModel, folds: Iterable[int | str] | None = None, checkpoint: str = "final") -> list[Path]:
    """The files that decide what a model predicts; by their size and time a changed model is recognised.

    Raises InferenceError where the model cannot be opened or a fold is not there.
    """
    source = found.source
    if source is None:
        raise InferenceError(found.problem)
    if not isinstance(source, FoundConfiguration):
        described_in = bundle_files(source.source) if found.kind == "MONAI bundle" else [source.source]
        return described_in + [source.weights[fold] for fold in chosen_folds(source, folds)]
    return nnunet_folder.files_of(_asked_for(found, checkpoint), folds)


def _open_described(
    description: Description,
    folds: Iterable[int | str] | None,
    channels: Sequence[str] | None,
    convention: LabelConvention | None,
) -> list[Model]:
    if channels is not None:
        description = replace(description, channels=tuple(channels))
    if convention is not None:
        description = replace(description, labels=convention)
    return described_models(description, folds)


def _open_nnunet(
    configuration: FoundConfiguration,
    folds: Iterable[int | str] | None,
    channels: Sequence[str] | None,
    convention: LabelConvention | None,
) -> list[Model]:
    from .nnunet_model import open_configuration

    return list(open_configuration(configuration, folds, channels=channels, convention=convention))


def _asked_for(found: FoundModel, checkpoint: str) -> FoundConfiguration:
    """The configuration with the folds that hold ``checkpoint``; one that was given as the path counts more."""
    (configuration,) = nnunet_folder.found_models(found.path, (f"checkpoint_{checkpoint}.pth",))
    return configuration


def _in_folder(folder: Path) -> list[FoundModel]:
    if is_bundle(folder):
        return [_bundle(folder)]
    if _holds_nnunet(folder):
        return _nnunet(folder)
    files = sorted(file for suffix in YAML_SUFFIXES for file in folder.glob(f"*{suffix}"))
    bundles = sorted(child for child in folder.iterdir() if child.is_dir() and is_bundle(child))
    return [_described(file) for file in files if _is_description(file)] + [_bundle(child) for child in bundles]


def _of_file(path: Path) -> list[FoundModel]:
    if not path.is_file():
        raise InferenceError(f"{path}: no such file or folder; {UNDERSTOOD}")
    if path.suffix in YAML_SUFFIXES:
        return [_described(path)]
    if path.suffix == ".pth" and path.parent.name.startswith("fold_"):
        return _nnunet(path)
    beside = next((file for suffix in YAML_SUFFIXES if (file := path.with_suffix(suffix)).is_file()), None)
    return [_described(beside, path)] if beside else []


def _described(path: Path, weights: Path | None = None) -> FoundModel:
    """What a YAML file describes; with ``weights``, that one of its files alone."""
    try:
        description = read_description(path)
    except InferenceError as error:
        return FoundModel(path.stem, "MONAI", path, problem=str(error))
    if weights is not None:
        if weights.resolve() not in [file.resolve() for file in description.weights]:
            raise InferenceError(f"{path}: describes other weights than {weights.name}; name it there")
        description = replace(description, weights=(weights,))
    return _found(description, weights or path, "MONAI" if description.network else "exported program")


def _bundle(folder: Path) -> FoundModel:
    try:
        return _found(read_bundle(folder), folder, "MONAI bundle")
    except InferenceError as error:
        return FoundModel(folder.name, "MONAI bundle", folder, problem=str(error))


def _found(description: Description, path: Path, kind: Kind) -> FoundModel:
    count = len(description.weights)
    folds = tuple(str(fold) for fold in range(count)) if count > 1 else ()
    regions = description.known_regions
    return FoundModel(description.name, kind, path, "", folds, description.channels, regions, source=description)


def _nnunet(path: Path) -> list[FoundModel]:
    configurations = nnunet_folder.found_models(path)
    return [_configuration(one, path if len(configurations) == 1 else one.path) for one in configurations]


def _configuration(found: FoundConfiguration, path: Path) -> FoundModel:
    problem = "" if found.folds else f"{found.path}: no fold holds {found.checkpoint}; finish the training"
    regions: tuple[str, ...] = ()
    try:
        regions = tuple(head_of(found).regions)
        input_channels(found)
    except InferenceError as error:
        problem = problem or str(error)
    about = (found.configuration, found.folds, found.channels, regions, problem)
    return FoundModel(found.name, "nnU-Net", path, *about, source=found)


def _holds_nnunet(folder: Path) -> bool:
    patterns = ["*/" * level + "fold_*" for level in range(nnunet_folder.LEVELS + 1)]
    return folder.name.startswith("fold_") or any(next(folder.glob(pattern), None) for pattern in patterns)


def _is_description(path: Path) -> bool:
    """A YAML file that another tool left in the folder is none."""
    try:
        content = read_yaml(path)
    except InferenceError:
        return False
    return "channels" in content and bool({"network", "program"} & content.keys())
