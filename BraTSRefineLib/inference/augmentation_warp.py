"""Affine resampling of ``(n, a, b, c)`` in millimetres, and which voxels survive the way there and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as functional

COVERED = 0.99
"""A voxel counts where both interpolations together took at most 1 % from beyond the border."""

VOXELS_AT_ONCE = 2_000_000
"""The sampling grid is made for so many voxels at a time: 24 MB instead of 12 bytes for every voxel of the case."""


@dataclass(frozen=True)
class Warp:
    """Voxel ``o`` of the result shows the point ``centre + matrix (o - centre)`` of the source.

    ``matrix``: 3x3, acting on millimetres along the axes a, b, c. ``centre``: a voxel index, not rounded.
    ``shift``: added to the point in the source, in mm.
    """

    matrix: np.ndarray
    centre: tuple[float, float, float]
    spacing: tuple[float, float, float]
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def inverse(self) -> Warp:
        """The warp that takes the result back to the source."""
        back = np.linalg.inv(self.matrix)
        return Warp(back, self.centre, self.spacing, tuple(-back @ np.asarray(self.shift)))

    def index_map(self) -> tuple[np.ndarray, np.ndarray]:
        """``(linear, offset)``: source index = linear @ result index + offset; millimetres are divided out."""
        spacing = np.asarray(self.spacing, dtype=np.float64)
        linear = self.matrix * spacing[None, :] / spacing[:, None]
        centre = np.asarray(self.centre, dtype=np.float64)
        return linear, centre - linear @ centre + np.asarray(self.shift) / spacing


def resampled(values: torch.Tensor, warp: Warp) -> torch.Tensor:
    """``(n, a, b, c)`` warped by trilinear interpolation; 0 beyond the border.

    Whole-voxel shifts are exact where the sides are powers of two and else to 1e-5 of the values' range.
    """
    shape = values.shape[1:]
    result = torch.empty_like(values)
    thickness = max(1, VOXELS_AT_ONCE // (shape[1] * shape[2]))
    for start in range(0, shape[0], thickness):
        stop = min(start + thickness, shape[0])
        grid = _sampling_grid(warp, shape, (start, stop), values)
        slab = functional.grid_sample(values[None], grid, mode="bilinear", padding_mode="zeros", align_corners=False)
        result[:, start:stop] = slab[0]
    return result


def resampled_on_background(data: torch.Tensor, warp: Warp, background: torch.Tensor) -> torch.Tensor:
    """As ``resampled``, with each channel's background (``(channel,)``) beyond the border."""
    background = background[:, None, None, None]
    return resampled(data - background, warp).add_(background)


def covered(shape: tuple[int, int, int], warp: Warp, device: torch.device) -> torch.Tensor:
    """Boolean ``(a, b, c)``: the voxels that come back after ``warp`` and its inverse."""
    ones = torch.ones((1, *shape), device=device)
    return resampled(resampled(ones, warp), warp.inverse())[0] > COVERED


def _sampling_grid(warp: Warp, shape: torch.Size, planes: tuple[int, int], like: torch.Tensor) -> torch.Tensor:
    """``(1, planes, b, c, 3)``: where torch samples, last axis first, -1 to 1 from edge to edge of an axis.

    Each coordinate is a sum of one term an axis: made in float64 on lines, added in float32 on the device.
    """
    linear, offset = warp.index_map()
    lines = [np.arange(*planes), np.arange(shape[1]), np.arange(shape[2])]
    coordinates = []
    for axis in (2, 1, 0):
        scale, first = 2.0 / shape[axis], (2.0 * offset[axis] + 1.0) / shape[axis] - 1.0
        terms = [linear[axis, other] * scale * line for other, line in enumerate(lines)]
        a, b, c = (torch.as_tensor(term, dtype=like.dtype).to(like.device) for term in (terms[0] + first, *terms[1:]))
        coordinates.append(a[:, None, None] + b[None, :, None] + c[None, None, :])
    return torch.stack(coordinates, dim=-1)[None]
