"""Connected components of a mask (26-connected: voxels that share a face, an edge or a corner)."""

from __future__ import annotations

import cc3d
import numpy as np

CONNECTIVITY = 26


def remove_small_components(mask: np.ndarray, minimum_voxels: int) -> tuple[np.ndarray, int]:
    """``mask`` ``(z, y, x)`` without its components of fewer than ``minimum_voxels`` voxels, and how many went."""
    mask = np.asarray(mask, dtype=bool)
    if minimum_voxels <= 1 or not mask.any():
        return mask.copy(), 0
    box = _bounding_box(mask)
    components, count = cc3d.connected_components(
        np.ascontiguousarray(mask[box]), connectivity=CONNECTIVITY, return_N=True
    )
    kept = np.bincount(components.ravel(), minlength=count + 1) >= minimum_voxels
    kept[0] = False
    result = np.zeros_like(mask)
    result[box] = kept[components]
    return result, int(count - kept.sum())


def _bounding_box(mask: np.ndarray) -> tuple[slice, ...]:
    extents = (np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3))
    return tuple(slice(int(extent[0]), int(extent[-1]) + 1) for extent in extents)
