"""The box of voxels in which something is."""

from __future__ import annotations

import numpy as np

Box = tuple[slice, slice, slice]


def occupied_box(voxels: np.ndarray, margin: int = 0) -> Box | None:
    """The smallest box (z, y, x) around every voxel that is set, widened by ``margin`` as far as the array goes.

    ``voxels`` is a boolean mask or a label map. None where no voxel is set.
    """
    plane = np.bitwise_or.reduce(voxels, axis=0).astype(bool)
    if not plane.any():
        return None
    y, x = _extent(plane.any(axis=1)), _extent(plane.any(axis=0))
    z = _extent(voxels[:, y, x].any(axis=(1, 2)))
    return tuple(
        slice(max(0, extent.start - margin), min(size, extent.stop + margin))
        for extent, size in zip((z, y, x), voxels.shape, strict=True)
    )


def joint_box(*boxes: Box | None) -> Box | None:
    """The smallest box around all of them; None where none is given."""
    given = [box for box in boxes if box is not None]
    if not given:
        return None
    return tuple(slice(min(s.start for s in axis), max(s.stop for s in axis)) for axis in zip(*given, strict=True))


def _extent(line: np.ndarray) -> slice:
    places = np.flatnonzero(line)
    return slice(int(places[0]), int(places[-1]) + 1)
