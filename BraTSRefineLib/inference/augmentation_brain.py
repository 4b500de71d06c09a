"""Where the brain is in prepared data, and what value lies around it.

A warp brings voxels from beyond the border into view: they must look like the background of *this* normalisation, which
is not 0 where a channel was z-scored over the whole image. Intensity changes stay within the brain, as those of another
scanner would.
"""

from __future__ import annotations

import torch

from .model import InferenceError

TOLERANCE = 1e-4
"""Values nearer than this to the background are background: resampling leaves ripples around the brain."""

POINTS_PER_AXIS = 32
"""The brain's centre is sought on a coarser grid with about so many points along each axis."""


def background_of(data: torch.Tensor) -> torch.Tensor:
    """The commonest value on the six faces of each channel of ``(channel, a, b, c)``; ``(channel,)``."""
    return torch.stack([_commonest(_faces(channel)) for channel in data])


def brain_mask(data: torch.Tensor, background: torch.Tensor) -> torch.Tensor:
    """Boolean ``(a, b, c)``: where any channel differs from its background ``(channel,)``.

    Raises InferenceError where every voxel is background.
    """
    mask = torch.zeros(data.shape[1:], dtype=torch.bool, device=data.device)
    for channel, value in zip(data, background, strict=True):
        mask |= (channel - value).abs() > TOLERANCE
    if not mask.any():
        raise InferenceError("no voxel differs from the background, so there is no brain; check the case's images")
    return mask


def brain_centre(data: torch.Tensor) -> tuple[float, float, float]:
    """Mean index of the brain's voxels along a, b, c, not rounded; from a coarser grid where the volume is large.

    Raises InferenceError where every voxel of that grid is background.
    """
    strides = [max(1, side // POINTS_PER_AXIS) for side in data.shape[1:]]
    coarse = data[:, :: strides[0], :: strides[1], :: strides[2]]
    mask = brain_mask(coarse, background_of(coarse))
    return tuple(stride * _mean_index(mask, axis) for axis, stride in enumerate(strides))


def is_label_channel(channel: torch.Tensor) -> bool:
    """Whether a channel holds only 0 and 1, as the label maps that a cascade's second network takes."""
    return bool(((channel == 0) | (channel == 1)).all())


def _mean_index(mask: torch.Tensor, axis: int) -> float:
    counts = mask.sum(dim=[other for other in range(3) if other != axis]).to("cpu", torch.float64)
    return float((counts * torch.arange(len(counts), dtype=torch.float64)).sum() / counts.sum())


def _faces(channel: torch.Tensor) -> torch.Tensor:
    sides = (channel.select(axis, end) for axis in range(3) for end in (0, -1))
    return torch.cat([side.flatten() for side in sides])


def _commonest(values: torch.Tensor) -> torch.Tensor:
    """The value whose neighbourhood of ``TOLERANCE`` is fullest; the exact constant where there is one."""
    steps = (values / TOLERANCE).round()
    return values[steps == steps.mode().values].median()
