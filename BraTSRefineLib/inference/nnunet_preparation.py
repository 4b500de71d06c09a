"""A case as an nnU-Net configuration wants it, prepared by nnunetv2 itself, and the way back to the case's grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from nnunetv2.utilities.find_class_by_name import recursive_find_python_class
from nnunetv2.utilities.label_handling.label_handling import convert_labelmap_to_one_hot
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager, PlansManager

from .model import CaseImages, InferenceError, Prepared
from .nnunet_resampling import resampled_probabilities
from .reading_axes import ReadingAxes, reading_axes


@dataclass(frozen=True)
class Preparation:
    """What the models of one configuration share. ``channels`` are a case's in the network's order."""

    plans: PlansManager
    configuration: ConfigurationManager
    stated: Mapping
    channels: tuple[str, ...]

    @property
    def cascaded(self) -> bool:
        return self.configuration.previous_stage_name is not None

    def prepare(self, images: CaseImages, previous: np.ndarray | None = None) -> Prepared:
        """Axes, crop, normalisation and resampling of nnU-Net's preprocessor; a cascade's labels one-hot behind.

        Raises InferenceError where a channel is missing, empty or not finite, or a cascade lacks its label map.
        """
        _check(images, self.channels)
        axes = reading_axes(self.plans.plans.get("image_reader_writer", "SimpleITKIO"), images.geometry)
        stack = np.stack(
            [axes.read(images.channels[channel]) for channel in self.channels], dtype=np.float32, casting="unsafe"
        )
        labels = axes.read(self._previous(images, previous))[None] if self.cascaded else None
        properties = {"spacing": [images.geometry.array_spacing[axis] for axis in axes.order]}
        preprocessor = self.configuration.preprocessor_class(verbose=False)
        data, seg, properties = preprocessor.run_case_npy(
            stack, labels, properties, self.plans, self.configuration, self.stated
        )
        if self.cascaded:
            data = np.vstack((data, self._one_hot(seg[0], data.dtype)))
        return self._prepared(data, properties, axes, images.shape)

    def _previous(self, images: CaseImages, previous: np.ndarray | None) -> np.ndarray:
        """As float, like nnU-Net reads label maps: it marks what lies outside the brain with -1."""
        if previous is None or previous.shape != images.shape:
            what = "no label map" if previous is None else f"a label map of shape {previous.shape}"
            raise InferenceError(
                f"{images.case}: a cascade needs the label map of {self.configuration.previous_stage_name} on the grid "
                f"{images.shape}, got {what}; predict that configuration first"
            )
        return previous.astype(np.float32)

    def _one_hot(self, labels: np.ndarray, dtype: np.dtype) -> np.ndarray:
        foreground = self.plans.get_label_manager(self.stated).foreground_labels
        return convert_labelmap_to_one_hot(labels, foreground, dtype)

    def _prepared(self, data: np.ndarray, properties: dict, axes: ReadingAxes, shape: tuple[int, ...]) -> Prepared:
        forward, backward = self.plans.transpose_forward, self.plans.transpose_backward
        crop = [slice(int(low), int(high)) for low, high in properties["bbox_used_for_cropping"]]
        return Prepared(
            torch.from_numpy(np.ascontiguousarray(data, dtype=np.float32)),
            tuple(float(mm) for mm in self._spacing(properties)),
            tuple(axes.order[axis] for axis in forward),
            axes.box(tuple(crop[axis] for axis in backward), shape),
            self._way_back(properties, axes),
        )

    def _spacing(self, properties: dict) -> list[float]:
        """Of the prepared data; a 2D configuration keeps the distance of the slices."""
        target = self.configuration.spacing
        return [*self._original_spacing(properties)[: 3 - len(target)], *target]

    def _original_spacing(self, properties: dict) -> list[float]:
        return [properties["spacing"][axis] for axis in self.plans.transpose_forward]

    def _way_back(self, properties: dict, axes: ReadingAxes) -> Callable[[torch.Tensor], torch.Tensor]:
        shape = tuple(int(side) for side in properties["shape_after_cropping_and_before_resampling"])
        current, original = self._spacing(properties), self._original_spacing(properties)
        order = [0, *(axis + 1 for axis in self.plans.transpose_backward)]

        def to_box(values: torch.Tensor) -> torch.Tensor:
            values = resampled_probabilities(values, shape, current, original, self.configuration)
            return axes.undo(values.permute(order))

        return to_box


def check_installed(preparation: Preparation, path: Path) -> None:
    """Raises InferenceError where the plans at ``path`` name a class or function that nnunetv2 does not have."""
    configuration = preparation.configuration
    try:
        parts = {
            "preprocessor_name": configuration.preprocessor_class,
            "label_manager": preparation.plans.label_manager_class,
            "resampling": configuration.resampling_fn_data and configuration.resampling_fn_probabilities,
            "normalization_schemes": all(map(_normalisation, configuration.normalization_schemes)),
        }
    except (RuntimeError, KeyError, TypeError) as error:
        raise InferenceError(f"{path}: cannot be followed ({error}); use nnunetv2 as it was in training") from None
    if unknown := [name for name, part in parts.items() if not part]:
        raise InferenceError(
            f"{path}: what it names as {', '.join(unknown)} is no part of the nnunetv2 installed here; install the one "
            "that the model was trained with"
        )


def _normalisation(scheme: str) -> type | None:
    package = "nnunetv2.preprocessing.normalization"
    folder = Path(import_module(package).__path__[0])
    return recursive_find_python_class(str(folder), scheme, package)


def _check(images: CaseImages, channels: tuple[str, ...]) -> None:
    missing = [channel for channel in channels if channel not in images.channels]
    if missing:
        there = ", ".join(images.channels) or "no images"
        raise InferenceError(
            f"{images.case}: no {', '.join(missing)} (there are {there}), which the model was trained with; "
            "add the image or choose another model"
        )
    for channel in channels:
        image = images.channels[channel]
        if image.shape != images.shape:
            raise InferenceError(f"{images.case}: {channel} has shape {image.shape}, not {images.shape}; resample it")
        if not np.isfinite(image).all():
            raise InferenceError(f"{images.case}: {channel} holds NaN or infinity; export the image again")
        if not image.any():
            raise InferenceError(f"{images.case}: {channel} is zero everywhere, an empty brain; export the image again")
