"""The part of a grid that votes on label maps can change: where at least one member sets the region."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .members import FusionError, checked_mask

Box = tuple[slice, ...]


def checked_masks(masks: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The members' masks of one region. Raises FusionError for none, another shape or a type that is not boolean."""
    masks = list(masks)
    if not masks:
        raise FusionError("there is no member to fuse")
    shape = np.shape(masks[0])
    return [checked_mask(mask, shape, number) for number, mask in enumerate(masks, start=1)]


def union_box(masks: Sequence[np.ndarray], margin: int | Sequence[int] = 0) -> Box | None:
    """The box around all that the masks set, wider by ``margin`` voxels (for each axis, or one for all) in the grid.

    None where no mask sets anything.
    """
    union = np.logical_or.reduce(masks)
    if not union.any():
        return None
    axes, margins = range(union.ndim), np.broadcast_to(margin, union.ndim).tolist()
    # scipy's find_objects takes fifty times as long, since it looks at each voxel by itself
    places = [np.flatnonzero(union.any(axis=tuple({*axes} - {axis}))) for axis in axes]
    return tuple(
        slice(max(0, int(occupied[0]) - more), min(length, int(occupied[-1]) + 1 + more))
        for occupied, length, more in zip(places, union.shape, margins, strict=True)
    )


def nested(stack: np.ndarray) -> np.ndarray:
    """A boolean stack, outermost region first, in which each region holds those inside it."""
    return np.logical_or.accumulate(stack[::-1], axis=0)[::-1]
