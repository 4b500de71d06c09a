"""Exact distances from some surface elements to the nearest of another mask's, by blocks of the grid.

For what lies beyond the walked radius: blocks are visited in the order of the least distance that they can hold, and
only those with an element of the wanted mask are looked into.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np
from numba import njit, types

from .kernels import AREAS, MAP, STEPS

SHIFT = 2
BLOCK = 1 << SHIFT
"""A block is so many voxels wide."""

REACH = 8
"""Blocks in each direction whose order is kept; what lies further is searched among all blocks."""

BLOCKS = types.Array(types.int64, 2, "C", readonly=True)


@lru_cache(maxsize=32)
def visiting_order(spacing: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Steps (n, 3) between blocks and the least squared distance in mm² between their voxels, ascending.

    Complete: every block that is left out lies further than the last.
    """
    steps = np.array(list(product(range(-REACH, REACH + 1), repeat=3)), dtype=np.int64)
    gaps = np.where(steps == 0, 0, (np.abs(steps) - 1) * BLOCK + 1) * np.asarray(spacing)
    least = (gaps**2).sum(axis=1)
    beyond = ((REACH * BLOCK + 1) * min(spacing)) ** 2
    order = np.argsort(least, kind="stable")
    order = order[least[order] < beyond]
    return steps[order], least[order]


@njit(types.uint8[:, :, ::1](MAP, STEPS), cache=True, nogil=True)
def masks_by_block(elements, places):
    """Which masks have an element in each block; ``places`` are the flat indices of the elements."""
    depth, height, width = elements.shape
    flat = elements.reshape(-1)
    blocks = np.zeros(((depth >> SHIFT) + 1, (height >> SHIFT) + 1, (width >> SHIFT) + 1), np.uint8)
    for place in places:
        z, rest = place // (height * width), place % (height * width)
        blocks[z >> SHIFT, (rest // width) >> SHIFT, (rest % width) >> SHIFT] |= flat[place]
    return blocks


@njit(
    types.float64(MAP, types.int64, types.int64[::1], types.int64[::1], AREAS, types.float64),
    cache=True,
    nogil=True,
)
def _nearest_in_block(elements, bit, point, block, spacing, best):
    """The squared distance in mm² from a point to the nearest element in the block, or ``best`` where that is less."""
    depth, height, width = elements.shape
    for z in range(block[0] << SHIFT, min((block[0] + 1) << SHIFT, depth)):
        for y in range(block[1] << SHIFT, min((block[1] + 1) << SHIFT, height)):
            across = ((z - point[0]) * spacing[0]) ** 2 + ((y - point[1]) * spacing[1]) ** 2
            if across < best:
                for x in range(block[2] << SHIFT, min((block[2] + 1) << SHIFT, width)):
                    if (elements[z, y, x] >> bit) & 1:
                        best = min(best, across + ((x - point[2]) * spacing[2]) ** 2)
    return best


@njit(types.float64(types.int64[::1], types.int64[::1], AREAS), cache=True, nogil=True)
def _least(point, block, spacing):
    """The least squared distance in mm² from a point to a voxel of the block."""
    total = 0.0
    for axis in range(3):
        low = block[axis] << SHIFT
        gap = max(0, low - point[axis], point[axis] - low - BLOCK + 1) * spacing[axis]
        total += gap * gap
    return total


@njit(types.boolean(MAP, types.int64[::1], types.int64), cache=True, nogil=True)
def _holds(blocks, block, bit):
    """Whether there is such a block and the mask has an element in it."""
    for axis in range(3):
        if block[axis] < 0 or block[axis] >= blocks.shape[axis]:
            return False
    return (blocks[block[0], block[1], block[2]] >> bit) & 1 != 0


@njit(
    types.float64[::1](MAP, MAP, STEPS, types.int64, BLOCKS, AREAS, AREAS),
    cache=True,
    nogil=True,
)
def nearest_distances(elements, blocks, sources, bit, steps, least, spacing):
    """Distance in mm from each of ``sources`` (flat indices) to the nearest element of the mask of ``bit``.

    ``blocks`` as ``masks_by_block`` gives them, ``steps`` and ``least`` as ``visiting_order``.
    """
    _, height, width = elements.shape
    occupied = np.ascontiguousarray(np.argwhere((blocks >> np.uint8(bit)) & np.uint8(1)))
    distances = np.empty(sources.size, np.float64)
    point, block = np.empty(3, np.int64), np.empty(3, np.int64)
    for i in range(sources.size):
        point[0], point[1] = sources[i] // (height * width), sources[i] // width % height
        point[2] = sources[i] % width
        best = np.inf
        for k in range(len(steps)):
            if least[k] >= best:
                break
            for axis in range(3):
                block[axis] = (point[axis] >> SHIFT) + steps[k, axis]
            if _holds(blocks, block, bit) and _least(point, block, spacing) < best:
                best = _nearest_in_block(elements, bit, point, block, spacing, best)
        if best > least[-1]:
            for k in range(len(occupied)):
                if _least(point, occupied[k], spacing) < best:
                    best = _nearest_in_block(elements, bit, point, occupied[k], spacing, best)
        distances[i] = np.sqrt(best)
    return distances
