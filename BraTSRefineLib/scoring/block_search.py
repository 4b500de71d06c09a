"""Exact distances from some surface elements to the nearest of another mask's, by blocks of neighbouring elements.

For what lies beyond the walked radius: whole blocks are ruled out by the distances between their boxes. All masks
share one grouping of their elements.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import product

import numpy as np
from numba import njit, types

from .kernels import AREAS, STEPS

SHIFT = 3
BLOCK = 1 << SHIFT
"""A block is so many voxels wide."""

REACH = 5
"""Blocks in each direction whose order is kept; beyond it all blocks are looked at."""

TABLE = types.Array(types.int64, 2, "C", readonly=True)
NUMBERS = types.Array(types.int64, 3, "C", readonly=True)
BYTES = types.Array(types.uint8, 1, "C", readonly=True)
POSITIONS = types.int16[:, ::1]
"""Small numbers, so that what is searched stays in the processor's cache: up to 32,767 voxels a side."""

GROUPS = types.Tuple((types.int32[::1], POSITIONS, types.int64[::1], types.int64[:, ::1]))


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


@njit(POSITIONS(STEPS, types.int64, types.int64), cache=True, nogil=True)
def _positions(places, height, width):
    """Positions (n, 3) of ascending flat indices."""
    positions = np.empty((places.size, 3), np.int16)
    z, y, row = 0, 0, 0
    for i in range(places.size):
        while places[i] >= row + width:
            row += width
            y += 1
            if y == height:
                z, y = z + 1, 0
        positions[i, 0], positions[i, 1], positions[i, 2] = z, y, places[i] - row
    return positions


@njit(GROUPS(STEPS, types.int64, types.int64, types.int64), cache=True, nogil=True)
def grouped(places, depth, height, width):
    """Ascending flat indices sorted by block: order, positions (n, 3), where each block starts, its box (low, high)."""
    rows, columns = (height >> SHIFT) + 1, (width >> SHIFT) + 1
    starts = np.zeros(((depth >> SHIFT) + 1) * rows * columns + 1, np.int64)
    blocks, positions = np.empty(places.size, np.int32), _positions(places, height, width)
    for i in range(places.size):
        point = positions[i]
        blocks[i] = ((point[0] >> SHIFT) * rows + (point[1] >> SHIFT)) * columns + (point[2] >> SHIFT)
        starts[blocks[i] + 1] += 1
    starts = np.cumsum(starts)
    following = starts[:-1].copy()
    order, moved = np.empty(places.size, np.int32), np.empty((places.size, 3), np.int16)
    boxes = np.empty((starts.size - 1, 6), np.int64)
    boxes[:, :3], boxes[:, 3:] = np.iinfo(np.int64).max, -1
    for i in range(places.size):
        block = blocks[i]
        slot = following[block]
        following[block] += 1
        order[slot] = i
        for axis in range(3):
            at = positions[i, axis]
            moved[slot, axis] = at
            boxes[block, axis], boxes[block, axis + 3] = min(boxes[block, axis], at), max(boxes[block, axis + 3], at)
    return order, moved, starts, boxes


@njit(types.uint8[::1](BYTES, STEPS), cache=True, nogil=True)
def masks_of_blocks(masks, starts):
    """Which masks have an element in each block; ``masks`` by element, sorted by block."""
    every = np.zeros(starts.size - 1, np.uint8)
    for block in range(starts.size - 1):
        for i in range(starts[block], starts[block + 1]):
            every[block] |= masks[i]
    return every


@njit(types.UniTuple(types.float64, 2)(types.int64[::1], types.int64[::1], AREAS), cache=True, nogil=True)
def _range_between(box, other, spacing):
    """Least and greatest squared distance in mm² between a point of one box and a point of another."""
    least, greatest = 0.0, 0.0
    for axis in range(3):
        gap = max(0, other[axis] - box[axis + 3], box[axis] - other[axis + 3]) * spacing[axis]
        span = max(other[axis + 3] - box[axis], box[axis + 3] - other[axis]) * spacing[axis]
        least += gap * gap
        greatest += span * span
    return least, greatest


@njit(types.float64(types.int16[::1], types.int16[::1], AREAS), cache=True, nogil=True, inline="always")
def _squared(point, other, spacing):
    """The squared distance in mm² between two points."""
    z = (point[0] - other[0]) * spacing[0]
    y = (point[1] - other[1]) * spacing[1]
    x = (point[2] - other[2]) * spacing[2]
    return z * z + y * y + x * x


@njit(types.float64(types.int16[::1], types.int64[::1], AREAS), cache=True, nogil=True)
def _least_from(point, box, spacing):
    """The least squared distance in mm² from a point to a box."""
    least = 0.0
    for axis in range(3):
        gap = max(0, box[axis] - point[axis], point[axis] - box[axis + 3]) * spacing[axis]
        least += gap * gap
    return least


@njit(
    types.Tuple((types.int64[::1], types.float64[::1]))(
        types.int64, types.int64[:, ::1], types.uint8[::1], types.int64, types.int64[::1], TABLE, AREAS, AREAS
    ),
    cache=True,
    nogil=True,
)
def _candidates(block, boxes, every, bit, grid, steps, least, spacing):
    """The blocks that may hold the nearest element of the mask for a point of ``block``, the nearest block first."""
    chosen, nearness = np.empty(every.size, np.int64), np.empty(every.size, np.float64)
    count, bound = 0, np.inf
    here = np.array([block // (grid[1] * grid[2]), block // grid[2] % grid[1], block % grid[2]])
    for k in range(len(steps)):
        if least[k] > bound:
            break
        z, y, x = here[0] + steps[k, 0], here[1] + steps[k, 1], here[2] + steps[k, 2]
        if 0 <= z < grid[0] and 0 <= y < grid[1] and 0 <= x < grid[2]:
            other = (z * grid[1] + y) * grid[2] + x
            if (every[other] >> bit) & 1:
                nearness[count], greatest = _range_between(boxes[block], boxes[other], spacing)
                bound = min(bound, greatest)
                chosen[count] = other
                count += 1
    if bound > least[-1]:
        count = 0
        for other in range(every.size):
            if (every[other] >> bit) & 1:
                nearness[count], greatest = _range_between(boxes[block], boxes[other], spacing)
                bound = min(bound, greatest)
                chosen[count] = other
                count += 1
    order = np.argsort(nearness[:count])
    return chosen[:count][order], nearness[:count][order]


@njit(
    types.float64[::1](
        POSITIONS, BYTES, BYTES, types.int64[::1], types.int64[:, ::1], types.uint8[::1], types.uint8[::1],
        types.int64, types.int64, types.int64[::1], TABLE, AREAS, AREAS,
    ),
    cache=True,
    nogil=True,
)  # fmt: skip
def _nearest_distances(positions, masks, missed, starts, boxes, every, some, own, bit, grid, steps, least, spacing):
    """Distance in mm from each element that has bit ``own`` in ``missed`` to the nearest with ``bit`` in ``masks``.

    Elements are sorted by block as ``grouped`` gives them, in blocks of a ``grid`` (z, y, x) of them.
    """
    wanted = 0
    for i in range(missed.size):
        wanted += (missed[i] >> own) & 1
    distances = np.empty(wanted, np.float64)
    found, last = 0, -1
    for block in range(every.size):
        if not (some[block] >> own) & 1:
            continue
        chosen, nearness = np.empty(0, np.int64), np.empty(0, np.float64)
        for i in range(starts[block], starts[block + 1]):
            if not (missed[i] >> own) & 1:
                continue
            if chosen.size == 0:
                chosen, nearness = _candidates(block, boxes, every, bit, grid, steps, least, spacing)
            # what was nearest to the element before is a good bound for this one
            best = np.inf if last < 0 else _squared(positions[i], positions[last], spacing)
            for k in range(chosen.size):
                if nearness[k] >= best:
                    break
                if _least_from(positions[i], boxes[chosen[k]], spacing) < best:
                    for j in range(starts[chosen[k]], starts[chosen[k] + 1]):
                        if (masks[j] >> bit) & 1:
                            square = _squared(positions[i], positions[j], spacing)
                            if square < best:
                                best, last = square, j
            distances[found] = np.sqrt(best)
            found += 1
    return distances


class Blocks:
    """Elements grouped for searching: ascending flat indices of a volume of ``shape``, and a byte of masks each."""

    def __init__(
        self, places: np.ndarray, masks: np.ndarray, shape: tuple[int, ...], spacing: tuple[float, ...]
    ) -> None:
        self._order, positions, self._starts, boxes = grouped(places, *shape)
        self._places, sorted_masks = places[self._order], masks[self._order]
        every = masks_of_blocks(sorted_masks, self._starts)
        self._elements, self._boxes = (positions, sorted_masks), (self._starts, boxes, every)
        self._grid = np.array([size // BLOCK + 1 for size in shape])
        self._spacing = tuple(map(float, spacing))

    def searches(self, wanted: np.ndarray) -> Callable[[int, int], tuple[np.ndarray, np.ndarray]]:
        """A search by two bits: from each element that has the first in ``wanted`` to the nearest in the second mask.

        ``wanted`` is a byte an element. The search gives the elements' flat indices and the distances in mm.
        """
        wanted = wanted[self._order]
        some = masks_of_blocks(wanted, self._starts)
        visits = (self._grid, *visiting_order(self._spacing), np.array(self._spacing))

        def search(own: int, bit: int) -> tuple[np.ndarray, np.ndarray]:
            distances = _nearest_distances(*self._elements, wanted, *self._boxes, some, own, bit, *visits)
            return self._places[wanted >> own & 1 != 0], distances

        return search
