"""Images as a MONAI pipeline makes them: oriented, cropped, resampled, normalised; and the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from ..cohort.orientation import nearest_axes
from ..cohort.volumes import Geometry
from ..fusion.boxes import Box, union_box
from .model import CaseImages, InferenceError, Prepared
from .monai_description import STORED, WORLD_AXES, Preprocessing
from .reading_axes import ReadingAxes

SAME_SPACING_MM = 1e-3
"""As MONAI's own tolerance, below which it does not resample."""


def prepared_case(images: CaseImages, channels: Sequence[str], preprocessing: Preprocessing) -> Prepared:
    """The case on the network's grid. Raises InferenceError as ``Model.prepare`` does."""
    stack = channel_stack(images, channels)
    box = tuple(slice(0, side) for side in images.shape)
    if preprocessing.crop:
        box = foreground_box(stack) or box
    axes = network_axes(images.geometry, preprocessing.orientation)
    data = torch.from_numpy(np.stack([axes.read(voxels[box]) for voxels in stack]))
    stored = tuple(images.geometry.array_spacing[axis] for axis in axes.order)
    spacing = preprocessing.spacing or stored
    if np.abs(np.subtract(spacing, stored)).max() < SAME_SPACING_MM:
        spacing, back = stored, _same
    else:
        data, back = resampled(data, stored, spacing)
    data = normalised(data.contiguous(), preprocessing)
    return Prepared(data, spacing, axes.order, box, lambda values: axes.undo(back(values)))


def channel_stack(images: CaseImages, channels: Sequence[str]) -> np.ndarray:
    """float32 ``(channel, z, y, x)``. Raises InferenceError for a missing channel, NaN, or images that are all 0."""
    missing = [channel for channel in channels if channel not in images.channels]
    if missing:
        there = ", ".join(images.channels) or "none"
        raise InferenceError(
            f"{images.case}: no image of {', '.join(missing)} (there: {there}); the model needs {', '.join(channels)}"
        )
    stack = np.stack([np.asarray(images.channels[channel], dtype=np.float32) for channel in channels])
    for channel, voxels in zip(channels, stack, strict=True):
        if not np.isfinite(voxels).all():
            raise InferenceError(f"{images.case}: {channel} holds NaN or infinity; export the image again")
    if not stack.any():
        raise InferenceError(f"{images.case}: the images are 0 everywhere, there is no brain; check the case's files")
    return stack


def foreground_box(stack: np.ndarray) -> Box | None:
    """The smallest box of ``(z, y, x)`` with every voxel above 0 in any channel, as ``CropForeground`` finds it.

    None where there is no such voxel.
    """
    return union_box([voxels > 0 for voxels in stack], margin=0)


def network_axes(geometry: Geometry, orientation: str) -> ReadingAxes:
    """The axes that ``Orientation`` gives an image of this geometry; stored, they are x, y, z."""
    if orientation == STORED:
        return ReadingAxes((2, 1, 0))
    axis_of, sign_of = nearest_axes(geometry)
    worlds = [next(axis for axis, ends in enumerate(WORLD_AXES) if letter in ends) for letter in orientation]
    wanted = [1 if letter in "LPS" else -1 for letter in orientation]
    reverse = tuple(sign_of[world] != sign for world, sign in zip(worlds, wanted, strict=True))
    return ReadingAxes(tuple(2 - axis_of[world] for world in worlds), reverse)


def resampled(
    data: torch.Tensor, stored: Sequence[float], spacing: Sequence[float]
) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]:
    """``(n, a, b, c)`` from one spacing to another by MONAI's ``Spacing`` (trilinear), and its inverse."""
    from monai.data import MetaTensor
    from monai.transforms import Spacing, SpatialResample

    affine = torch.diag(torch.tensor([*stored, 1.0], dtype=torch.float64))
    shape = data.shape[1:]
    fine = Spacing(pixdim=spacing, mode="bilinear")(MetaTensor(data, affine=affine))

    def back(values: torch.Tensor) -> torch.Tensor:
        values = MetaTensor(values, affine=fine.affine)
        resample = SpatialResample(mode="bilinear", padding_mode="border", dtype=torch.float64)
        return resample(values, dst_affine=affine, spatial_size=shape).as_tensor().float()

    return fine.as_tensor().float(), back


def normalised(data: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    """Channels of ``(channel, a, b, c)`` normalised one by one, in place.

    ``nonzero`` and ``whole`` as MONAI's ``NormalizeIntensity(channel_wise=True)``, population standard deviation;
    ``percentile`` as ``ScaleIntensityRangePercentiles(..., b_min=0, b_max=1, clip=True, channel_wise=True)``.
    """
    for voxels in data:
        if preprocessing.normalisation == "nonzero":
            _z_score(voxels, voxels != 0)
        elif preprocessing.normalisation == "whole":
            _z_score(voxels, torch.ones_like(voxels, dtype=torch.bool))
        elif preprocessing.normalisation == "percentile":
            low, high = np.percentile(voxels.numpy(), preprocessing.percentiles)
            voxels.sub_(low).div_(high - low or 1.0).clamp_(0, 1)
    return data


def _z_score(voxels: torch.Tensor, inside: torch.Tensor) -> None:
    """In place, by mean and population deviation of the voxels inside; 0 outside. Gathering them would take longer."""
    count = int(inside.count_nonzero())
    if not count:
        return
    voxels.sub_(float(voxels.mul_(inside).sum(dtype=torch.float64)) / count).mul_(inside)
    deviation = (float(voxels.square().sum(dtype=torch.float64)) / count) ** 0.5
    voxels.div_(deviation or 1.0)


def _same(values: torch.Tensor) -> torch.Tensor:
    return values
