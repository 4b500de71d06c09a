"""A network that is described in a few lines of YAML: how it is built, fed and read.

::

    network: SwinUNETR                     # a network of monai.networks.nets; or instead of it, with its weights inside
    arguments: {in_channels: 4, out_channels: 3, feature_size: 48}
    weights: swin_unetr.pt                 # relative to this file; a list of files: the folds
    # program: exported.pt2                # TorchScript or torch.export, in place of the three lines above; or a list
    name: SwinUNETR of 2024                # default: the name of this file
    channels: [t2f, t1c, t1n, t2w]         # in the network's order
    output: sigmoid                        # or softmax
    regions: [TC, WT, ET]                  # sigmoid: what each output channel is
    labels: brats2023                      # softmax: channel 0 is background, channel k label k, as NCR=1,ED=2,ET=3;
                                           # sigmoid: the labels that are written; default brats2023
    returns: logits                        # or probabilities, where the network ends in a sigmoid or softmax
    orientation: RAS                       # any such letters; default stored: x, y, z as in the file
    spacing: [1.0, 1.0, 1.0]               # mm along the network's axes; default: not resampled
    crop: true                             # to the box of voxels above 0; default false
    normalisation: nonzero                 # z-score of voxels that are not 0 in each channel; whole: z-score of all;
                                           # percentile: percentiles of each channel to 0-1, clipped; none
    percentiles: [0.5, 99.5]               # these are the defaults
    patch: [128, 128, 128]                 # roi_size, in the network's axes
    overlap: 0.5                           # default 0.25, as in MONAI
    blending: gaussian                     # or constant; default constant, as in MONAI
    mirrored: [0, 1, 2]                    # axes that were mirrored in training; default none

Orientation, crop, resampling and normalisation are applied in this order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..cohort.naming import channel_of
from ..regions import LabelConvention, LabelError, label_convention
from .model import InferenceError, Window
from .monai_sizes import check_network, check_patch, size_divisors

STORED = "stored"
NORMALISATIONS = ("nonzero", "whole", "percentile", "none")
WORLD_AXES = ({"L", "R"}, {"P", "A"}, {"S", "I"})
KEYS = (
    *("network", "arguments", "weights", "program", "name", "channels", "output", "regions", "labels", "returns"),
    *("orientation", "spacing", "crop", "normalisation", "percentiles", "patch", "overlap", "blending", "mirrored"),
)


@dataclass(frozen=True)
class Preprocessing:
    """From images to what a network takes. ``spacing``: mm along the network's axes; None: not resampled."""

    orientation: str = STORED
    spacing: tuple[float, float, float] | None = None
    crop: bool = False
    normalisation: Literal["nonzero", "whole", "percentile", "none"] = "nonzero"
    percentiles: tuple[float, float] = (0.5, 99.5)


@dataclass(frozen=True)
class Description:
    """A network as a YAML file or a bundle describes it.

    ``network`` is a class of ``monai.networks.nets``; empty where ``weights`` are exported programs. ``weights``: one
    file a fold. ``regions``: sigmoid only, in the order of the network's channels.
    """

    source: Path
    name: str
    network: str
    arguments: Mapping[str, Any]
    weights: tuple[Path, ...]
    channels: tuple[str, ...]
    output: Literal["sigmoid", "softmax"]
    regions: tuple[str, ...]
    labels: LabelConvention
    window: Window
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    returns: Literal["logits", "probabilities"] = "logits"
    mirrored: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_labels(self)
        check_arguments(self)

    @property
    def output_channels(self) -> int:
        return len(self.regions) if self.output == "sigmoid" else len(self.labels.labels) + 1

    @property
    def known_regions(self) -> tuple[str, ...]:
        """The regions that can be predicted, in the order of ``SCORED_REGIONS``."""
        known = self.labels.scored_regions
        return tuple(region for region in known if self.output == "softmax" or region in self.regions)


def read_description(path: Path) -> Description:
    """The description in a YAML file. Raises InferenceError for anything in it that is unknown, missing or wrong."""
    return described(read_yaml(path), path)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises InferenceError where it is missing or none."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InferenceError(f"{path}: not readable as YAML ({reason}); write it again") from None
    if not isinstance(content, Mapping):
        raise InferenceError(f"{path}: describes no network; it takes lines such as 'network: SegResNet'")
    return dict(content)


def described(entries: Mapping[str, Any], source: Path) -> Description:
    """The description that ``entries`` spell out. Raises InferenceError as ``read_description`` does."""
    unknown = sorted(str(key) for key in set(entries) - set(KEYS))
    if unknown:
        raise _wrong(source, f"unknown: {', '.join(unknown)}", f"the entries are {', '.join(KEYS)}")
    network, weights = _network_and_files(entries, source)
    arguments = _mapping(entries, "arguments", source)
    output = _one_of(entries, "output", ("sigmoid", "softmax"), None, source)
    if output == "softmax" and "labels" not in entries:
        raise _wrong(source, "softmax without labels", "say what each label is, as in labels: NCR=1,ED=2,ET=3")
    return Description(
        source=source,
        name=str(entries.get("name", source.stem)),
        network=network,
        arguments=arguments,
        weights=weights,
        channels=_channels(entries, source),
        output=output,
        regions=tuple(map(str, _list(entries, "regions", source))) if output == "sigmoid" else (),
        labels=_labels(entries, source),
        window=_window(entries, network, arguments, source),
        preprocessing=_preprocessing(entries, source),
        returns=_one_of(entries, "returns", ("logits", "probabilities"), "logits", source),
        mirrored=_mirrored(entries, source),
    )


def check_labels(description: Description) -> None:
    """Raises InferenceError where the output channels are not regions or labels of the convention."""
    source, labels = description.source, description.labels
    if description.output == "softmax" and labels.labels != set(range(1, len(labels.labels) + 1)):
        raise _wrong(
            source,
            f"the labels of {labels.name} are {sorted(labels.labels)}, but channel k of a softmax is label k",
            "say what each channel is, as in labels: NCR=1,ED=2,ET=3",
        )
    unknown = [region for region in description.regions if region not in labels.scored_regions]
    if unknown or len(set(description.regions)) < len(description.regions):
        known = ", ".join(labels.scored_regions)
        raise _wrong(source, f"regions {', '.join(description.regions)}", f"name each of {known} at most once")
    if description.output == "sigmoid" and not description.regions:
        raise _wrong(source, "sigmoid without regions", "name what each channel is, as in regions: [TC, WT, ET]")


def check_arguments(description: Description) -> None:
    """Raises InferenceError where the network is not 3D, or its numbers of channels contradict the description."""
    dimensions = description.arguments.get("spatial_dims", description.arguments.get("dimensions", 3))
    if dimensions != 3:
        raise _wrong(description.source, f"the network has {dimensions} dimensions", "use one of 3, for volumes")
    for argument, number, what in (
        ("in_channels", len(description.channels), f"channels {', '.join(description.channels)}"),
        ("out_channels", description.output_channels, f"{description.output} output"),
    ):
        stated = description.arguments.get(argument, number)
        if stated != number:
            raise _wrong(description.source, f"{argument} is {stated}, but {what} make {number}", "make the two agree")


def _network_and_files(entries: Mapping[str, Any], source: Path) -> tuple[str, tuple[Path, ...]]:
    if ("program" in entries) == ("network" in entries):
        raise _wrong(source, "needs either 'network' with 'weights' or 'program'", "add one of them")
    if "program" in entries and ({"weights", "arguments"} & entries.keys()):
        raise _wrong(source, "a program brings its own weights and arguments", "remove 'weights' and 'arguments'")
    key = "program" if "program" in entries else "weights"
    files = entries.get(key)
    files = files if isinstance(files, list) else [files]
    if not files or not all(isinstance(file, str) and file for file in files):
        raise _wrong(source, f"'{key}' names no file", f"add a line as '{key}: model.pt', relative to this file")
    return str(entries.get("network", "")), tuple(source.parent / file for file in files)


def _channels(entries: Mapping[str, Any], source: Path) -> tuple[str, ...]:
    stated = [str(name) for name in _list(entries, "channels", source)]
    channels = tuple(channel_of(name) for name in stated)
    if not channels or not all(channels) or len(set(channels)) < len(channels):
        raise _wrong(source, f"channels {stated}", "name each once, from t1n, t1c, t2w, t2f, in the network's order")
    return channels


def _labels(entries: Mapping[str, Any], source: Path) -> LabelConvention:
    try:
        return label_convention(str(entries.get("labels", "brats2023")))
    except LabelError as error:
        raise InferenceError(f"{source}: {error}") from None


def _window(entries: Mapping[str, Any], network: str, arguments: Mapping[str, Any], source: Path) -> Window:
    """An exported program takes its patch alone; a network also other sizes."""
    patch = _numbers(entries, "patch", 3, source)
    if not all(isinstance(side, int) and side > 0 for side in patch):
        raise _wrong(source, f"patch {list(patch)}", "give three whole numbers of voxels, as in patch: [128, 128, 128]")
    (overlap,) = _numbers({"overlap": [entries.get("overlap", 0.25)]}, "overlap", 1, source)
    if not 0 <= overlap < 1:
        raise _wrong(source, f"overlap {overlap}", "it lies between 0 and 1, as in overlap: 0.5")
    blending = _one_of(entries, "blending", ("gaussian", "constant"), "constant", source)
    divisors = None
    if network:
        check_network(network, source)
        divisors = size_divisors(network, arguments, source)
        check_patch(network, divisors, patch, source)
    return Window(patch, step=1 - overlap, placing="monai", blending=blending, multiple=divisors)


def _preprocessing(entries: Mapping[str, Any], source: Path) -> Preprocessing:
    orientation = str(entries.get("orientation", STORED))
    if orientation != STORED and not is_orientation(orientation):
        raise _wrong(source, f"orientation '{orientation}'", "use three letters such as RAS or LPS, or stored")
    spacing = _numbers(entries, "spacing", 3, source) if entries.get("spacing") is not None else None
    if spacing and min(spacing) <= 0:
        raise _wrong(source, f"spacing {list(spacing)}", "give three lengths in mm")
    percentiles = _numbers({"percentiles": (0.5, 99.5), **entries}, "percentiles", 2, source)
    if not 0 <= percentiles[0] < percentiles[1] <= 100:
        raise _wrong(source, f"percentiles {list(percentiles)}", "give two between 0 and 100, the lower first")
    crop = entries.get("crop", False)
    if not isinstance(crop, bool):
        raise _wrong(source, f"crop '{crop}'", "use true or false")
    normalisation = _one_of(entries, "normalisation", NORMALISATIONS, None, source)
    return Preprocessing(orientation, spacing, crop, normalisation, percentiles)


def is_orientation(letters: str) -> bool:
    """Whether three letters name each of the body's axes once (``RAS``, ``LPS``, ``SPL`` ...)."""
    axes = [next((axis for axis, ends in enumerate(WORLD_AXES) if letter in ends), None) for letter in letters]
    return sorted(axes, key=str) == [0, 1, 2]


def _mirrored(entries: Mapping[str, Any], source: Path) -> tuple[int, ...]:
    axes = entries.get("mirrored", [])
    if not isinstance(axes, list) or not set(map(str, axes)) <= {"0", "1", "2"}:
        raise _wrong(source, f"mirrored {axes}", "list axes of the network from 0, 1, 2")
    return tuple(sorted({int(axis) for axis in axes}))


def _one_of(entries: Mapping[str, Any], key: str, known: tuple[str, ...], default: str | None, source: Path) -> Any:
    value = entries.get(key, default)
    value = "none" if value is None and key in entries else value
    if value not in known:
        found = f"'{key}' is missing" if value is None else f"{key} '{value}'"
        raise _wrong(source, found, f"use one of {', '.join(known)}")
    return value


def _mapping(entries: Mapping[str, Any], key: str, source: Path) -> dict[str, Any]:
    value = entries.get(key, {})
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise _wrong(source, f"{key} {value}", "write them as {in_channels: 4, out_channels: 3}")
    return dict(value)


def _list(entries: Mapping[str, Any], key: str, source: Path) -> list:
    value = entries.get(key)
    if not isinstance(value, list):
        raise _wrong(source, f"'{key}' is no list", f"write it as {key}: [first, second]")
    return value


def _numbers(entries: Mapping[str, Any], key: str, count: int, source: Path) -> tuple:
    value = entries.get(key)
    fits = isinstance(value, list | tuple) and len(value) == count
    if not fits or not all(isinstance(number, int | float) and not isinstance(number, bool) for number in value):
        raise _wrong(source, f"{key} {value}", f"give {count} numbers" if count > 1 else "give a number")
    return tuple(value)


def _wrong(source: Path, what: str, way_out: str) -> InferenceError:
    return InferenceError(f"{source}: {what}; {way_out}")
