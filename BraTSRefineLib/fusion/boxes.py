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


def union_box(masks: Sequence[np.ndarray], margin: int) -> Box | None:
    """The box around all that the masks set, ``margin`` voxels wider where the grid allows; None where none is set."""
    from scipy.ndimage import find_objects

    union = np.logical_or.reduce(masks)
    boxes = find_objects(union.view(np.uint8))
    if not boxes:
        return None
    return tuple(
        slice(max(0, side.start - margin), min(length, side.stop + margin))
        for side, length in zip(boxes[0], union.shape, strict=True)
    )


def nested(stack: np.ndarray) -> np.ndarray:
    """A boolean stack, outermost region first, in which each region holds those inside it."""
    return np.logical_or.accumulate(stack[::-1], axis=0)[::-1]
