"""Exact distances from many surface elements to the nearest of many others, by boxes of neighbouring elements.

For what lies beyond the walked radius: whole blocks of elements are ruled out by the distances between their boxes.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

from .kernels import AREAS, STEPS

BLOCK_SHIFT = 3
"""A block is 2**3 voxels wide."""

BOXES = types.int64[:, ::1]
GROUPED = types.Tuple((BOXES, types.int64[::1], types.int64[::1], BOXES))


@njit(types.UniTuple(types.int64, 3)(types.int64, types.int64, types.int64), cache=True, nogil=True, inline="always")
def _position(flat, row, plane):
    z, rest = flat // plane, flat % plane
    return z, rest // row, rest % row


@njit(types.int64[::1](STEPS, types.int64, types.int64), cache=True, nogil=True)
def _block_of(flat, row, plane):
    """The number of the block that each flat index lies in."""
    rows, columns = (plane // row >> BLOCK_SHIFT) + 1, (row >> BLOCK_SHIFT) + 1
    blocks = np.empty(flat.size, np.int64)
    for i in range(flat.size):
        z, y, x = _position(flat[i], row, plane)
        blocks[i] = ((z >> BLOCK_SHIFT) * rows + (y >> BLOCK_SHIFT)) * columns + (x >> BLOCK_SHIFT)
    return blocks


@njit(types.Tuple((types.int64[::1], types.int64[::1]))(types.int64[::1]), cache=True, nogil=True)
def _sorted_by(blocks):
    """A stable order by block (counting sort), and where each block with any element starts in it, and the end."""
    counts = np.zeros(blocks.max() + 2, np.int64)
    for block in blocks:
        counts[block + 1] += 1
    occupied = np.flatnonzero(counts)
    places = np.cumsum(counts)
    starts = np.append(places[occupied - 1], blocks.size)
    order = np.empty(blocks.size, np.int64)
    for i in range(blocks.size):
        order[places[blocks[i]]] = i
        places[blocks[i]] += 1
    return order, starts


@njit(GROUPED(STEPS, types.int64, types.int64), cache=True, nogil=True)
def _grouped(flat, row, plane):
    """Positions (n, 3) sorted by block, their order in ``flat``, where each block starts, and its box (low, high)."""
    order, starts = _sorted_by(_block_of(flat, row, plane))
    positions = np.empty((flat.size, 3), np.int64)
    boxes = np.empty((starts.size - 1, 6), np.int64)
    for block in range(starts.size - 1):
        box = boxes[block]
        box[:3], box[3:] = np.iinfo(np.int64).max, -1
        for i in range(starts[block], starts[block + 1]):
            point = positions[i]
            point[0], point[1], point[2] = _position(flat[order[i]], row, plane)
            for axis in range(3):
                box[axis] = min(box[axis], point[axis])
                box[axis + 3] = max(box[axis + 3], point[axis])
    return positions, order, starts, boxes


@njit(types.UniTuple(types.float64, 2)(BOXES, types.int64, BOXES, types.int64, AREAS), cache=True, nogil=True)
def _range_between(boxes, i, others, j, spacing):
    """Least and greatest squared distance in mm² between a point of one box and a point of another."""
    least, greatest = 0.0, 0.0
    for axis in range(3):
        low, high = boxes[i, axis], boxes[i, axis + 3]
        other_low, other_high = others[j, axis], others[j, axis + 3]
        gap = max(0, other_low - high, low - other_high) * spacing[axis]
        span = max(other_high - low, high - other_low) * spacing[axis]
        least += gap * gap
        greatest += span * span
    return least, greatest


@njit(
    types.Tuple((types.int64[::1], types.float64[::1]))(BOXES, types.int64, BOXES, AREAS),
    cache=True,
    nogil=True,
)
def _candidates(boxes, block, targets, spacing):
    """The target blocks that may hold the nearest neighbour of a point of ``block``, the nearest block first."""
    least = np.empty(len(targets), np.float64)
    bound = np.inf
    for j in range(len(targets)):
        least[j], greatest = _range_between(boxes, block, targets, j, spacing)
        bound = min(bound, greatest)
    chosen = np.flatnonzero(least <= bound)
    chosen = chosen[np.argsort(least[chosen])]
    return chosen, least[chosen]


@njit(types.float64(BOXES, types.int64, BOXES, types.int64, types.int64, types.float64, AREAS), cache=True, nogil=True)
def _nearest_in(points, i, targets, start, stop, best, spacing):
    """The squared distance from a point to the nearest of ``targets[start:stop]``, or ``best`` where that is less."""
    z, y, x = points[i, 0], points[i, 1], points[i, 2]
    for k in range(start, stop):
        a, b, c = (targets[k, 0] - z) * spacing[0], (targets[k, 1] - y) * spacing[1], (targets[k, 2] - x) * spacing[2]
        best = min(best, a * a + b * b + c * c)
    return best


@njit(types.float64[::1](STEPS, STEPS, types.int64, types.int64, AREAS), cache=True, nogil=True)
def nearest_distances(sources, targets, row, plane, spacing):
    """Distance in mm from each source to the nearest target.

    ``sources`` and ``targets`` are flat indices into a volume whose rows and planes are ``row`` and ``plane`` long.
    """
    points, order, starts, boxes = _grouped(sources, row, plane)
    target_points, _, target_starts, target_boxes = _grouped(targets, row, plane)
    distances = np.empty(sources.size, np.float64)
    here = np.empty((1, 6), np.int64)
    for block in range(len(boxes)):
        chosen, least = _candidates(boxes, block, target_boxes, spacing)
        for i in range(starts[block], starts[block + 1]):
            here[0, :3] = points[i]
            here[0, 3:] = points[i]
            best = np.inf
            for k in range(chosen.size):
                if least[k] > best:
                    break
                target = chosen[k]
                if _range_between(here, 0, target_boxes, target, spacing)[0] < best:
                    start, stop = target_starts[target], target_starts[target + 1]
                    best = _nearest_in(points, i, target_points, start, stop, best, spacing)
            distances[order[i]] = np.sqrt(best)
    return distances
