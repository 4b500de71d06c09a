"""What the transforms of a MONAI bundle do, where each of them is known; nothing of them is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .monai_bundle import BundleConfig

NEUTRAL = {
    *("LoadImage", "EnsureChannelFirst", "AsChannelFirst", "AddChannel", "EnsureType", "ToTensor", "ToDevice"),
    *("CastToType", "ConcatItems", "SelectItems", "DeleteItems", "Identity"),
}
"""Transforms that read or convert and leave the voxels' values and places alone."""

SETTINGS = {
    "Orientation": {"axcodes": None, "as_closest_canonical": False, "labels": None},
    "Spacing": {
        "pixdim": None,
        "mode": "bilinear",
        "diagonal": False,
        "padding_mode": "border",
        "align_corners": False,
    },
    "NormalizeIntensity": {"nonzero": False, "channel_wise": False, "subtrahend": None, "divisor": None},
    "CropForeground": {"margin": 0, "k_divisible": 1, "channel_indices": None, "select_fn": None},
    "ScaleIntensityRangePercentiles": {
        **{"lower": None, "upper": None, "b_min": None, "b_max": None},
        **{"clip": False, "relative": False, "channel_wise": False},
    },
}
"""The arguments of each known transform that matter, and MONAI's defaults."""

ORDER = ("Orientation", "CropForeground", "Spacing", "normalisation")


def target_name(component: Mapping[str, Any], package: str) -> str:
    """The class that a component names, where it is one of that package of MONAI's; else empty."""
    target = component.get("_target_")
    if not isinstance(target, str):
        return ""
    parts = target.split(".")
    return parts[-1] if len(parts) == 1 or target.startswith(f"{package}.") else ""


def preprocessing_entries(config: BundleConfig) -> dict[str, Any]:
    """Entries of a description. Raises InferenceError for a transform that is not known, or in another order."""
    entries: dict[str, Any] = {"normalisation": "none"}
    places = []
    for transform in _transforms(config, "preprocessing"):
        name = _name_of(transform)
        if name in NEUTRAL:
            continue
        if name not in SETTINGS:
            raise config.wrong(f"its preprocessing has '{transform.get('_target_')}', which is not understood")
        settings = {key: transform.get(key, default) for key, default in SETTINGS[name].items()}
        config.data(settings, name)
        entries |= READERS[name](settings, config)
        places.append(ORDER.index(name if name in ORDER else "normalisation"))
    if places != sorted(set(places)):
        raise config.wrong("its preprocessing is not in the order orientation, crop, spacing, one normalisation")
    return entries


def activation_of(config: BundleConfig) -> str:
    """``sigmoid`` or ``softmax``, by the activation. Raises InferenceError where there is none."""
    for transform in _transforms(config, "postprocessing"):
        name = _name_of(transform)
        if name != "Activations":
            continue
        settings = {key: transform.get(key, False) for key in ("sigmoid", "softmax", "other")}
        config.data(settings, name)
        chosen = [key for key in ("sigmoid", "softmax") if settings[key] is True]
        if len(chosen) != 1 or settings["other"]:
            raise config.wrong("its activation is neither sigmoid nor softmax")
        return chosen[0]
    raise config.wrong("its postprocessing has no Activations that says sigmoid or softmax")


def _name_of(transform: Mapping[str, Any]) -> str:
    """Of one of MONAI's transforms of dictionaries, without what says that it is one."""
    return target_name(transform, "monai.transforms").removesuffix("d").removesuffix("Dict")


def _transforms(config: BundleConfig, key: str) -> list[Mapping[str, Any]]:
    """Those that are not disabled."""
    composed = config.value(key)
    listed = composed.get("transforms") if isinstance(composed, Mapping) else composed
    if not isinstance(listed, list) or not all(isinstance(transform, Mapping) for transform in listed):
        raise config.wrong(f"its {key} is no list of transforms")
    disabled = [transform.get("_disabled_", False) for transform in listed]
    if unclear := [value for value in disabled if not isinstance(value, bool)]:
        raise config.wrong(f"its {key} has '_disabled_' of '{unclear[0]}', neither true nor false")
    return [transform for transform, is_disabled in zip(listed, disabled, strict=True) if not is_disabled]


def _orientation(settings: Mapping[str, Any], config: BundleConfig) -> dict[str, Any]:
    if settings["as_closest_canonical"]:
        return {"orientation": "RAS"}
    return {"orientation": settings["axcodes"]}


def _spacing(settings: Mapping[str, Any], config: BundleConfig) -> dict[str, Any]:
    mode = settings["mode"][0] if isinstance(settings["mode"], list) else settings["mode"]
    if mode != "bilinear" or settings["diagonal"] or settings["padding_mode"] != "border" or settings["align_corners"]:
        raise config.wrong(f"its Spacing is not MONAI's plain trilinear one (mode {settings['mode']})")
    pixdim = settings["pixdim"]
    return {"spacing": [pixdim] * 3 if isinstance(pixdim, int | float) else pixdim}


def _normalisation(settings: Mapping[str, Any], config: BundleConfig) -> dict[str, Any]:
    if settings["channel_wise"] is not True or settings["subtrahend"] is not None or settings["divisor"] is not None:
        raise config.wrong("its NormalizeIntensity is not channel_wise, or has numbers of its own")
    return {"normalisation": "nonzero" if settings["nonzero"] is True else "whole"}


def _crop(settings: Mapping[str, Any], config: BundleConfig) -> dict[str, Any]:
    if settings != SETTINGS["CropForeground"]:
        raise config.wrong("its CropForeground has a margin, divisor, channels or rule of its own")
    return {"crop": True}


def _percentile(settings: Mapping[str, Any], config: BundleConfig) -> dict[str, Any]:
    wanted = {"b_min": 0, "b_max": 1, "clip": True, "relative": False, "channel_wise": True}
    if any(settings[key] != value for key, value in wanted.items()):
        raise config.wrong("its ScaleIntensityRangePercentiles does not go to 0-1, clipped, channel by channel")
    return {"normalisation": "percentile", "percentiles": [settings["lower"], settings["upper"]]}


READERS: dict[str, Callable[[Mapping[str, Any], BundleConfig], dict[str, Any]]] = {
    "Orientation": _orientation,
    "Spacing": _spacing,
    "NormalizeIntensity": _normalisation,
    "CropForeground": _crop,
    "ScaleIntensityRangePercentiles": _percentile,
}
