"""The box of voxels in which something is."""

from __future__ import annotations

import numpy as np

Box = tuple[slice, slice, slice]


def occupied_box(mask: np.ndarray, margin: int = 0) -> Box | None:
    """The smallest box (z, y, x) around every set voxel, widened by ``margin`` voxels as far as the array goes.

    None where no voxel is set.
    """
    box = []
    for axis in range(3):
        places = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
        if not len(places):
            return None
        box.append(slice(max(0, int(places[0]) - margin), min(mask.shape[axis], int(places[-1]) + 1 + margin)))
    return tuple(box)
