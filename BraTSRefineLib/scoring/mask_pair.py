"""Two masks or label maps on one grid: what they must be, and where they lie."""

from __future__ import annotations

import numpy as np

from .arrays import boolean, same_shape
from .conventions import ScoringError
from .packing import joint_box, occupied_box, widened


def mask_pair(reference: np.ndarray, prediction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as they are. Raises ScoringError where they are not two boolean 3D masks of one shape."""
    pair = boolean(reference, "reference"), boolean(prediction, "prediction")
    for mask, what in zip(pair, ("reference", "prediction"), strict=True):
        if mask.ndim != 3:
            raise ScoringError(f"{what}: has {mask.ndim} dimensions, expected 3 (z, y, x)")
    same_shape(reference=pair[0], prediction=pair[1])
    return pair


def box_around(reference: np.ndarray, prediction: np.ndarray, margin: int) -> tuple[slice, ...]:
    """Where either, of one byte a voxel, has anything, and ``margin`` voxels around within the image."""
    return widened(joint_box(occupied_box(reference), occupied_box(prediction)), margin, reference.shape)
