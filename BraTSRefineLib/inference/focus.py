"""The fast modes' geometry: one window over everything, or tiles around what a coarse look has found.

Both change what the networks see, so their loss is measured and shown beside them; neither is ever chosen silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, floor

import torch

from .model import InferenceError, Prepared, Window
from .tiles import Box

FOUND = 0.1
"""Where the coarse member's probability of any region lies above this, the others look as well.

Lower, and a network's faint haze stretches the box over the brain: at 0.01 that of the tests' models, whose tumours
span 16 to 26 voxels, spans 24 to 40, and three quarters of the gain are lost.
"""

MARGIN_MM = 10.0
"""Seen around what was found, as far as the patch that holds it has room or more than one patch is needed anyway."""


def single_window(size: Sequence[int], window: Window) -> Window:
    """One window over ``size`` voxels, never smaller than the patch of the training.

    Raises InferenceError where it is unknown which sizes the network takes.
    """
    if window.multiple is None:
        raise InferenceError("the sizes that this network takes are unknown, so no single window; use mode exact")
    rounded = (ceil(side / step) * step for side, step in zip(size, window.multiple, strict=True))
    sides = tuple(max(side, least) for side, least in zip(rounded, window.patch, strict=True))
    patch = (1, *sides[1:]) if window.flat else sides
    return replace(window, patch=patch, step=1.0, blending="constant")


def found_box(probability: torch.Tensor) -> Box | None:
    """The box around what a member found in ``(region, z, y, x)``; None where it found nothing."""
    found = (probability > FOUND).any(0)
    box = []
    for axis in range(3):
        others = [other for other in range(3) if other != axis]
        places = found.any(dim=others).nonzero().flatten()
        if not len(places):
            return None
        box.append(slice(int(places[0]), int(places[-1]) + 1))
    return tuple(box)


def on_prepared_grid(box: Box, prepared: Prepared) -> Box | None:
    """A box of the case's grid in voxels of the prepared data, a voxel larger all round; None where it misses it.

    Preparation is taken to stretch its box evenly over its grid, which is true to less than that voxel.
    """
    slices = []
    for axis, side in zip(prepared.axes, prepared.data.shape[1:], strict=True):
        origin, length = prepared.box[axis].start, prepared.box[axis].stop - prepared.box[axis].start
        first = floor((box[axis].start - origin) * side / length) - 1
        last = ceil((box[axis].stop - origin) * side / length) + 1
        first, last = max(first, 0), min(last, side)
        if first >= last:
            return None
        slices.append(slice(first, last))
    return tuple(slices)


def looked_at(box: Box, spacing: Sequence[float], size: Sequence[int], patch: Sequence[int]) -> Box:
    """What the members look at to see ``box``: along each axis one patch, else the box with a margin.

    ``spacing``: mm along the axes. Kept inside the volume of ``size`` voxels.
    """
    slices = []
    for part, step, side, least in zip(box, spacing, size, patch, strict=True):
        length = part.stop - part.start
        length = min(least if length <= least else length + 2 * ceil(MARGIN_MM / step), side)
        first = (part.start + part.stop - length) // 2
        first = min(max(first, 0), side - length)
        slices.append(slice(first, first + length))
    return tuple(slices)
