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

FOUND = 0.01
"""Where the coarse member's probability of any region lies above this, the others look as well."""

MARGIN_MM = 10.0


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


def found_box(probability: torch.Tensor, spacing: Sequence[float]) -> Box | None:
    """The box around what a member found in ``(region, z, y, x)``, with a margin; None where it found nothing.

    ``spacing``: mm along z, y, x.
    """
    found = (probability > FOUND).any(0)
    box = []
    for axis, step in enumerate(spacing):
        others = [other for other in range(3) if other != axis]
        places = found.any(others[1]).any(others[0]).nonzero().flatten()
        if not len(places):
            return None
        margin = ceil(MARGIN_MM / step)
        first, last = int(places[0]) - margin, int(places[-1]) + 1 + margin
        box.append(slice(max(first, 0), min(last, found.shape[axis])))
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


def widened(box: Box, size: Sequence[int], patch: Sequence[int]) -> Box:
    """``box`` grown to at least one patch along each axis where the volume has as many voxels, and kept inside it."""
    slices = []
    for part, side, least in zip(box, size, patch, strict=True):
        length = min(max(part.stop - part.start, least), side)
        first = (part.start + part.stop - length) // 2
        first = min(max(first, 0), side - length)
        slices.append(slice(first, first + length))
    return tuple(slices)
