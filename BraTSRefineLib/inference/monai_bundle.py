"""A MONAI bundle folder as a description: ``configs/inference.json``, ``configs/metadata.json``, ``models/model.pt``.

A bundle's configuration is a program: MONAI calls whatever ``_target_`` names and evaluates every ``$expression``. Here
neither happens. The files are read as data; references (``@name``) to plain values are followed; from the network, the
inferer and the transforms that are known, the description is put together. What cannot be understood so is refused: the
way out is to write the description as YAML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..cohort.dataset_json import REGION_WORDS, TISSUE_WORDS, DatasetJson
from .model import InferenceError
from .monai_bundle_transforms import activation_of, preprocessing_entries, target_name
from .monai_description import Description, described, read_yaml

WAY_OUT = "describe the network in a YAML file instead, and give that"
NETWORK_KEYS = ("network_def", "network", "model")
INFERER_KEYS = ("inferer", "inferer_def")
SUFFIXES = ("json", "yaml", "yml")
METADATA = Path("configs", "metadata.json")


def is_bundle(folder: Path) -> bool:
    """Whether the folder is laid out as a bundle."""
    return (folder / METADATA).is_file() and _config_file(folder, "inference") is not None


def read_bundle(folder: Path) -> Description:
    """The description of a bundle's network. Raises InferenceError where any part of it cannot be understood.

    A sigmoid's regions are written as labels of brats2023, for a bundle does not say in data which labels it writes.
    """
    if not is_bundle(folder):
        raise InferenceError(f"{folder}: no bundle, configs/inference.json or configs/metadata.json is missing")
    path = _config_file(folder, "inference")
    config = BundleConfig(path, _read_config(path))
    formats = _network_data_format(folder / METADATA)
    output = activation_of(config)
    entries = {
        "name": folder.name,
        "channels": _channel_names(formats, "inputs", folder),
        **_network_entries(config, folder),
        **preprocessing_entries(config),
        **_window_entries(config),
        **_output_entries(output, _channel_names(formats, "outputs", folder), folder),
        "mirrored": _mirrored_in_training(folder),
    }
    return described(entries, folder)


def bundle_files(folder: Path) -> list[Path]:
    """The files that ``read_bundle`` reads."""
    files = (_config_file(folder, "inference"), folder / METADATA, _config_file(folder, "train"))
    return [file for file in files if file is not None]


class BundleConfig:
    """A bundle's configuration as data. ``path`` is for messages."""

    def __init__(self, path: Path, content: Mapping[str, Any]) -> None:
        self.path = path
        self.content = content

    def value(self, key: str) -> Any:
        """The entry of that name with its references followed; None where it is absent."""
        return self.plain(self.content.get(key))

    def plain(self, value: Any, depth: int = 0) -> Any:
        """``value`` with ``@references`` replaced by what they name; expressions stay the text that they are."""
        if depth > 20:
            raise self.wrong("its references run in a circle")
        if isinstance(value, str) and value.startswith("@"):
            return self.plain(self._named(value[1:]), depth + 1)
        if isinstance(value, Mapping):
            return {key: self.plain(item, depth + 1) for key, item in value.items()}
        return [self.plain(item, depth + 1) for item in value] if isinstance(value, list) else value

    def data(self, value: Any, what: str) -> Any:
        """The value, which must be data throughout. Raises InferenceError where it holds an expression or a macro."""
        for item in _leaves(value):
            if isinstance(item, str) and item.startswith(("$", "%")):
                raise self.wrong(f"{what} holds '{item[:60]}', and expressions are not run")
        return value

    def wrong(self, reason: str) -> InferenceError:
        return InferenceError(f"{self.path}: {reason}; {WAY_OUT}")

    def _named(self, reference: str) -> Any:
        found: Any = self.content
        for part in reference.replace("#", "::").split("::"):
            if isinstance(found, Mapping) and part in found:
                found = found[part]
            elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
                found = found[int(part)]
            else:
                raise self.wrong(f"'@{reference}' refers to nothing in it")
        return found


def _network_entries(config: BundleConfig, folder: Path) -> dict[str, Any]:
    """Network, arguments and weights; TorchScript in ``models/model.ts`` where there is no ``model.pt``."""
    weights, script = folder / "models" / "model.pt", folder / "models" / "model.ts"
    if script.is_file() and not weights.is_file():
        return {"program": str(script.resolve())}
    if not weights.is_file():
        raise InferenceError(f"{weights}: no such file; download the bundle's weights (its large_files.yml names them)")
    definition = next((found for key in NETWORK_KEYS if isinstance(found := config.value(key), Mapping)), None)
    if definition is None:
        raise config.wrong(f"no network is defined as data under {', '.join(NETWORK_KEYS)}")
    name = target_name(definition, "monai.networks.nets")
    arguments = {key: value for key, value in definition.items() if key != "_target_"}
    special = [key for key in arguments if key.startswith("_")]
    if not name or special:
        raise config.wrong(f"its network is '{definition.get('_target_')}' {' '.join(special)}, none of MONAI's")
    return {
        "network": name,
        "arguments": config.data(arguments, "the network"),
        "weights": str(weights.resolve()),
    }


def _window_entries(config: BundleConfig) -> dict[str, Any]:
    inferer = next((found for key in INFERER_KEYS if isinstance(found := config.value(key), Mapping)), {})
    if target_name(inferer, "monai.inferers") not in ("SlidingWindowInferer", "SlidingWindowInfererAdapt"):
        raise config.wrong(f"its inferer is '{inferer.get('_target_')}', no SlidingWindowInferer")
    inferer = config.data(
        {key: inferer[key] for key in inferer if key in ("roi_size", "overlap", "mode", "sigma_scale", "padding_mode")},
        "the inferer",
    )
    if inferer.get("sigma_scale", 0.125) != 0.125 or inferer.get("padding_mode", "constant") != "constant":
        raise config.wrong("its inferer has a sigma_scale or padding_mode of its own")
    overlap = inferer.get("overlap", 0.25)
    if isinstance(overlap, list) and len(set(overlap)) == 1:
        overlap = overlap[0]
    roi = inferer.get("roi_size")
    return {
        "patch": [roi] * 3 if isinstance(roi, int) else roi,
        "overlap": overlap,
        "blending": inferer.get("mode", "constant"),
    }


def _output_entries(output: str, names: list[str], folder: Path) -> dict[str, Any]:
    """Sigmoid: a region a channel, by its name in the metadata; softmax: labels by theirs."""
    if output == "softmax":
        labels = {name: (number,) for number, name in enumerate(names)}
        convention = DatasetJson(folder / METADATA, {}, labels).convention()
        if convention is None:
            raise _unnamed(folder, names, "labels (necrosis, oedema, enhancing tumour)")
        return {"output": "softmax", "labels": convention.name}
    regions = [_region_of(name) for name in names]
    if not all(regions):
        raise _unnamed(folder, names, "regions (whole tumor, tumor core, enhancing tumor)")
    return {"output": "sigmoid", "regions": regions}


def _region_of(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()
    found = [region for region, words in REGION_WORDS.items() if words.search(plain)]
    tissue = [tissue for tissue, words in TISSUE_WORDS if tissue == "RC" and words.search(plain)]
    return (found + tissue + [""])[0]


def _channel_names(formats: Mapping[str, Any], side: str, folder: Path) -> list[str]:
    """The names in the ``channel_def`` of the one image that goes in, or comes out."""
    ports = [port for port in formats.get(side, {}).values() if isinstance(port, Mapping)]
    names = ports[0].get("channel_def") if len(ports) == 1 else None
    if not isinstance(names, Mapping) or sorted(names) != sorted(str(number) for number in range(len(names))):
        raise InferenceError(f"{folder / METADATA}: no channel_def of one image in {side}; {WAY_OUT}")
    return [str(names[str(number)]) for number in range(len(names))]


def _network_data_format(path: Path) -> Mapping[str, Any]:
    formats = _read_config(path).get("network_data_format")
    if not isinstance(formats, Mapping):
        raise InferenceError(f"{path}: no network_data_format; {WAY_OUT}")
    return formats


def _mirrored_in_training(folder: Path) -> list[int]:
    """The axes of every ``RandFlipd`` in the training configuration."""
    path = _config_file(folder, "train")
    if path is None:
        return []
    axes: set[int] = set()
    for flip in _mappings(_read_config(path)):
        if target_name(flip, "monai.transforms") in ("RandFlipd", "RandFlip"):
            axis = flip.get("spatial_axis")
            axes |= {item for item in (axis if isinstance(axis, list) else [axis]) if item in (0, 1, 2)}
    return sorted(axes)


def _config_file(folder: Path, name: str) -> Path | None:
    files = (folder / "configs" / f"{name}.{suffix}" for suffix in SUFFIXES)
    return next((file for file in files if file.is_file()), None)


def _read_config(path: Path) -> dict[str, Any]:
    if path.suffix != ".json":
        return read_yaml(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InferenceError(f"{path}: not readable as JSON ({error}); copy the bundle again") from None
    if not isinstance(content, dict):
        raise InferenceError(f"{path}: holds no configuration; copy the bundle again")
    return content


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
    for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _mappings(item)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _leaves(item)
    else:
        yield value


def _unnamed(folder: Path, names: list[str], what: str) -> InferenceError:
    named = ", ".join(names)
    return InferenceError(f"{folder / METADATA}: the output channels {named} are not named as {what}; {WAY_OUT}")
