"""Arrays turned so that they run along the body's axes, for pictures; never for numbers."""

from __future__ import annotations

import numpy as np

from .volumes import Geometry


def to_canonical(voxels: np.ndarray, geometry: Geometry) -> tuple[np.ndarray, tuple[float, ...]]:
    """The same voxels with axes permuted and reversed so that z, y, x run to superior, posterior and left (LPS).

    ``voxels`` is ``(..., z, y, x)``; an oblique grid is turned to the nearest axes. Returns a view and the spacing
    in mm in its array order. Raises ValueError where the array has another size than the geometry.
    """
    if voxels.shape[-3:] != geometry.array_shape:
        raise ValueError(f"array of shape {voxels.shape[-3:]} does not belong to a grid of size {geometry.array_shape}")
    axis_of, sign_of = nearest_axes(geometry)
    leading = voxels.ndim - 3
    order = [leading + 2 - axis_of[world] for world in (2, 1, 0)]
    turned = voxels.transpose(*range(leading), *order)
    reverse = [slice(None, None, -1 if sign_of[world] < 0 else 1) for world in (2, 1, 0)]
    spacing = tuple(geometry.spacing[axis_of[world]] for world in (2, 1, 0))
    return turned[(..., *reverse)], spacing


def nearest_axes(geometry: Geometry) -> tuple[list[int], list[int]]:
    """For each of L, P, S: the voxel axis (x, y, z) that runs along it most, and whether forwards (1) or not (-1)."""
    direction = np.reshape(geometry.direction, (3, 3))
    weights = np.abs(direction)
    axis_of = [0, 0, 0]
    for _ in range(3):
        world, axis = np.unravel_index(int(np.argmax(weights)), weights.shape)
        axis_of[world] = int(axis)
        weights[world, :] = -1.0
        weights[:, axis] = -1.0
    return axis_of, [1 if direction[world, axis_of[world]] >= 0 else -1 for world in range(3)]
