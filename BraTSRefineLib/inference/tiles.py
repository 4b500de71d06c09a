"""Where the tiles of a sliding window lie, and the padding of a case that is smaller than one tile."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import ceil
from typing import TYPE_CHECKING

from .model import InferenceError, Window

if TYPE_CHECKING:
    import torch

Sides = tuple[int, int, int]
Box = tuple[slice, slice, slice]


def tile_positions(size: Sequence[int], window: Window) -> list[Sides]:
    """First voxel of every tile in a volume of ``size`` voxels, which is at least as large as the patch.

    Raises InferenceError for a step outside (0, 1] or a volume smaller than the patch.
    """
    if not 0 < window.step <= 1:
        raise InferenceError(f"tiles cannot be {window.step:g} patches apart; the step lies above 0 and is at most 1")
    if any(side < patch for side, patch in zip(size, window.patch, strict=True)):
        raise InferenceError(f"a volume of {by(size)} voxels is smaller than the patch of {by(window.patch)}")
    rule = {"nnunet": _evenly_spread, "monai": _moved_back}[window.placing]
    starts = [rule(side, patch, window.step) for side, patch in zip(size, window.patch, strict=True)]
    if window.flat:
        starts[0] = list(range(size[0]))
    return list(product(*starts))


def tile_count(size: Sequence[int], window: Window) -> int:
    """Tiles of a volume of ``size`` voxels, which is padded where it is smaller than the patch."""
    return len(tile_positions([max(pair) for pair in zip(size, window.patch, strict=True)], window))


def _evenly_spread(side: int, patch: int, step: float) -> list[int]:
    """nnU-Net's rule: as many tiles as the step asks for, the first and the last at the borders."""
    count = ceil((side - patch) / (patch * step)) + 1
    distance = (side - patch) / (count - 1) if count > 1 else 0.0
    return [round(distance * number) for number in range(count)]


def _moved_back(side: int, patch: int, step: float) -> list[int]:
    """MONAI's rule: tiles a whole number of voxels apart, the last one moved back to the border."""
    distance = max(int(patch * (1 - (1 - step))), 1)  # of the overlap, which MONAI is given, with its rounding
    count = ceil((side - patch) / distance) + 1
    return [min(number * distance, side - patch) for number in range(count)]


def padding_of(size: Sequence[int], patch: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Voxels to add before and behind each axis; the odd one behind, as both nnU-Net and MONAI do."""
    missing = [max(least - side, 0) for side, least in zip(size, patch, strict=True)]
    return tuple((count // 2, count - count // 2) for count in missing)


def padded(data: torch.Tensor, patch: Sequence[int]) -> tuple[torch.Tensor, Box]:
    """``(channel, a, b, c)`` with zeros around it where it is smaller than the patch, and the place of the old part."""
    from torch.nn.functional import pad

    padding = padding_of(data.shape[1:], patch)
    place = tuple(slice(before, before + side) for (before, _), side in zip(padding, data.shape[1:], strict=True))
    if not any(map(any, padding)):
        return data, place
    return pad(data, [count for pair in reversed(padding) for count in pair]), place


def tile_at(start: Sequence[int], patch: Sequence[int]) -> Box:
    """The box of the tile whose first voxel is ``start``."""
    return tuple(slice(first, first + side) for first, side in zip(start, patch, strict=True))


def sides_of(box: Box) -> Sides:
    """Voxels along each axis."""
    return tuple(part.stop - part.start for part in box)


def by(sides: Sequence[int]) -> str:
    """``96x96x80``"""
    return "x".join(str(side) for side in sides)
