"""Compiled loops over voxels. Importing this module imports numba and compiles once (kept on disk)."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from .packing import REFERENCE_BITS

MAP = types.Array(types.uint8, 3, "C", readonly=True)
BYTES = types.Array(types.uint8, 1, "C", readonly=True)
STEPS = types.Array(types.int64, 1, "C", readonly=True)
AREAS = types.Array(types.float64, 1, "C", readonly=True)

SWAP = REFERENCE_BITS
BIT_OF_EACH_BYTE = np.uint64(0x0101010101010101)
GATHER = np.uint64(0x0102040810204080)
BIT_OF = np.array([value.bit_length() - 1 if value else 0 for value in range(129)], np.int64)
"""The place of the one bit of a power of two."""


def packed_voxels(reference, prediction, reference_table, prediction_table) -> tuple[np.ndarray, np.ndarray]:
    """The packed crop, and how often each pair of labels occurs in it (256, 256)."""
    reference, prediction = np.ascontiguousarray(reference), np.ascontiguousarray(prediction)
    return _packed(reference, prediction, reference_table, prediction_table, _box(reference, prediction))


@njit(types.int64[::1](MAP, MAP), cache=True, nogil=True)
def _box(reference, prediction):
    """First and past-last index in z, y, x of the box of all labels; all zero where there is none."""
    depth, height, width = reference.shape
    box = np.array([depth, 0, height, 0, width, 0])
    columns = np.zeros(width, np.uint8)
    for z in range(depth):
        for y in range(height):
            seen = np.uint8(0)
            for x in range(width):
                seen |= reference[z, y, x] | prediction[z, y, x]
            if seen:
                box[0], box[1] = min(box[0], z), z + 1
                box[2], box[3] = min(box[2], y), max(box[3], y + 1)
                for x in range(width):
                    columns[x] |= reference[z, y, x] | prediction[z, y, x]
    occupied = np.flatnonzero(columns)
    if occupied.size == 0:
        return np.zeros(6, np.int64)
    box[4], box[5] = occupied[0], occupied[-1] + 1
    return box


@njit(
    types.Tuple((types.uint8[:, :, ::1], types.int64[:, ::1]))(MAP, MAP, BYTES, BYTES, types.int64[::1]),
    cache=True,
    nogil=True,
)
def _packed(reference, prediction, reference_table, prediction_table, box):
    voxels = np.zeros((box[1] - box[0], box[3] - box[2], box[5] - box[4]), np.uint8)
    joint = np.zeros((256, 256), np.int64)
    labelled = 0
    for z in range(voxels.shape[0]):
        for y in range(voxels.shape[1]):
            a_row = reference[z + box[0], y + box[2], box[4] : box[5]]
            b_row = prediction[z + box[0], y + box[2], box[4] : box[5]]
            row = voxels[z, y]
            run = 0
            for x in range(row.size):
                a, b = a_row[x], b_row[x]
                if a | b:
                    row[x] = reference_table[a] | prediction_table[b]
                    run += 1
                    if x + 1 == row.size or a_row[x + 1] != a or b_row[x + 1] != b:
                        joint[a, b] += run
                        labelled += run
                        run = 0
    joint[0, 0] = voxels.size - labelled
    return voxels, joint


@njit(types.int64[::1](types.uint8[:, :, ::1], types.int64[:, ::1]), cache=True, nogil=True)
def _flat_nonzero(elements, counts):
    """Flat indices of what is set; ``counts`` (z, y) says how much of it is in each row."""
    depth, height, width = elements.shape
    indices = np.empty(counts.sum(), np.int64)
    filled = 0
    for z in range(depth):
        for y in range(height):
            if counts[z, y]:
                row, start = elements[z, y], (z * height + y) * width
                for x in range(width):
                    if row[x]:
                        indices[filled] = start + x
                        filled += 1
    return indices


@njit(types.Tuple((types.uint8[:, :, ::1], types.int64[::1]))(MAP, types.int64), cache=True, nogil=True)
def surface_elements(voxels, margin):
    """Which masks have a surface element at each voxel corner, and the flat indices of the corners with any.

    ``voxels`` (z, y, x) has an empty margin of at least ``margin`` >= 1 on every side. Corner (z, y, x) lies before
    voxel (z, y, x); it is an element of a mask that holds some but not all of the eight voxels around it.
    """
    depth, height, width = voxels.shape
    elements = np.zeros((depth, height, width), np.uint8)
    counts = np.zeros((depth, height), np.int64)
    some, every = np.zeros(width, np.uint8), np.zeros(width, np.uint8)
    for z in range(margin, depth - margin + 1):
        for y in range(margin, height - margin + 1):
            first, second, third, fourth = voxels[z - 1, y - 1], voxels[z - 1, y], voxels[z, y - 1], voxels[z, y]
            any_seen = np.uint8(0)
            for x in range(width):
                some[x] = first[x] | second[x] | third[x] | fourth[x]
                every[x] = first[x] & second[x] & third[x] & fourth[x]
                any_seen |= some[x]
            if any_seen:
                row, found = elements[z, y], 0
                for x in range(1, width):
                    row[x] = (some[x - 1] | some[x]) & ~(every[x - 1] & every[x])
                    found += row[x] != 0
                counts[z, y] = found
    return elements, _flat_nonzero(elements, counts)


@njit(types.uint8(MAP, types.int64, types.int64, types.uint8[::1]), cache=True, nogil=True)
def _edges_of_row(voxels, z, y, edges):
    """Write the edge bits of the row (z, y) into ``edges`` and return which there are."""
    here, seen = voxels[z, y], np.uint8(0)
    above, below, before, after = voxels[z - 1, y], voxels[z + 1, y], voxels[z, y - 1], voxels[z, y + 1]
    for x in range(1, here.size - 1):
        inside = above[x] & below[x] & before[x] & after[x] & here[x - 1] & here[x + 1]
        edges[x] = here[x] & ~inside
        seen |= edges[x]
    return seen


@njit(types.Tuple((types.uint8[:, :, ::1], types.int64[::1]))(MAP, types.int64), cache=True, nogil=True)
def mask_edges(voxels, margin):
    """Which masks have an edge voxel at each voxel, and the flat indices of the voxels with any.

    ``voxels`` as in ``surface_elements``. An edge voxel is one of the mask with a face neighbour outside it.
    """
    edges = np.zeros(voxels.shape, np.uint8)
    counts = np.zeros(voxels.shape[:2], np.int64)
    for z in range(margin, voxels.shape[0] - margin):
        for y in range(margin, voxels.shape[1] - margin):
            row, found = edges[z, y], 0
            if _edges_of_row(voxels, z, y, row):
                for x in range(row.size):
                    found += row[x] != 0
                counts[z, y] = found
    return edges, _flat_nonzero(edges, counts)


@njit(types.int64[::1](MAP), cache=True, nogil=True)
def edge_counts(voxels):
    """How many voxels have which masks' edges (256); ``voxels`` has an empty margin of one."""
    counts = np.zeros(256, np.int64)
    edges = np.zeros(voxels.shape[2], np.uint8)
    for z in range(1, voxels.shape[0] - 1):
        for y in range(1, voxels.shape[1] - 1):
            if _edges_of_row(voxels, z, y, edges):
                for x in range(1, edges.size - 1):
                    if edges[x]:
                        counts[edges[x]] += 1
    return counts


@njit(types.float64[:, ::1](MAP), cache=True, nogil=True)
def sums_by_byte(voxels):
    """For each byte (256): how many voxels have it, and the sums of their z, y and x indices."""
    sums = np.zeros((256, 4), np.float64)
    for z in range(voxels.shape[0]):
        for y in range(voxels.shape[1]):
            row = voxels[z, y]
            start = 0
            for x in range(1, row.size + 1):
                if x == row.size or row[x] != row[start]:
                    if row[start]:
                        entry, run = sums[row[start]], x - start
                        entry[0] += run
                        entry[1] += run * z
                        entry[2] += run * y
                        entry[3] += run * (start + x - 1) / 2
                    start = x
    return sums


@njit(types.uint64(BYTES, types.int64, types.int64, types.int64), cache=True, nogil=True, inline="always")
def _block(flat, corner, row, plane):
    """The eight voxels around a corner as one word, byte ``i`` being ``surfels.CORNERS[i]``."""
    word = np.uint64(0)
    start = corner - plane - row - 1
    shift = np.uint64(0)
    for step in (0, 1, row, row + 1, plane, plane + 1, plane + row, plane + row + 1):
        word |= np.uint64(flat[start + step]) << shift
        shift += np.uint64(8)
    return word


@njit(types.int64(types.uint64, types.int64), cache=True, nogil=True, inline="always")
def _code(block, bit):
    """Which of the eight voxels of a block are in the mask of that bit."""
    ones = (block >> np.uint64(bit)) & BIT_OF_EACH_BYTE
    return np.int64((ones * GATHER) >> np.uint64(56))


@njit(
    types.Tuple((types.float64[:, ::1], types.uint8[::1]))(MAP, MAP, STEPS, STEPS, STEPS, AREAS),
    cache=True,
    nogil=True,
)
def areas_by_distance(voxels, elements, corners, offsets, levels, areas):
    """For each mask the area by the distance of its elements to the nearest element of its counterpart.

    ``offsets`` are flat steps in ascending distance, the first being 0, and ``levels`` their ranks among the
    distances. Returns areas (levels, 8) and, a byte a corner, the masks whose counterpart is farther than every
    offset.
    """
    flat_voxels, flat = voxels.reshape(-1), elements.reshape(-1)
    plane, row = voxels.shape[1] * voxels.shape[2], voxels.shape[2]
    area = np.zeros((levels[-1] + 1, 8), np.float64)
    missed = np.zeros(corners.size, np.uint8)
    for i in range(corners.size):
        corner = corners[i]
        here = flat[corner]
        wanted = np.uint8((here << np.uint8(SWAP)) | (here >> np.uint8(SWAP)))
        block = _block(flat_voxels, corner, row, plane)
        for k in range(offsets.size):
            hit = flat[corner + offsets[k]] & wanted
            if hit:
                wanted &= ~hit
                while hit:
                    own = BIT_OF[hit & (~hit + np.uint8(1))] ^ SWAP
                    area[levels[k], own] += areas[_code(block, own)]
                    hit &= hit - np.uint8(1)
                if wanted == 0:
                    break
        missed[i] = np.uint8((wanted << np.uint8(SWAP)) | (wanted >> np.uint8(SWAP)))
    return area, missed


@njit(types.float64[::1](MAP, STEPS, types.int64, AREAS), cache=True, nogil=True)
def element_areas(voxels, corners, bit, areas):
    """Area of the element that the mask of that bit has at each of ``corners`` (flat indices)."""
    flat = voxels.reshape(-1)
    plane, row = voxels.shape[1] * voxels.shape[2], voxels.shape[2]
    result = np.empty(corners.size, np.float64)
    for i in range(corners.size):
        result[i] = areas[_code(_block(flat, corners[i], row, plane), bit)]
    return result
