"""The box of voxels in which something is."""

from __future__ import annotations

import numpy as np

from ..scoring import packing

Box = tuple[slice, slice, slice]


def occupied_box(voxels: np.ndarray, margin: int = 0) -> Box | None:
    """The smallest box (z, y, x) around every voxel that is set, widened by ``margin`` as far as the array goes.

    ``voxels`` is a boolean mask or a label map. None where no voxel is set.
    """
    box = packing.occupied_box(voxels)
    return packing.widened(box, margin, voxels.shape) if box[0].stop else None


def joint_box(*boxes: Box | None) -> Box | None:
    """The smallest box around all of them; None where none is given."""
    given = [box for box in boxes if box is not None]
    return packing.joint_box(*given) if given else None
