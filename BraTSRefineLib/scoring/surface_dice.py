"""nnU-Net v1's surface Dice of two masks, as BraTS 2024 takes it, searched no farther than the tolerance."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product

import numpy as np

from .surface import NO_DIVISION_BY_ZERO


def surface_dice(
    reference: np.ndarray, prediction: np.ndarray, spacing: tuple[float, ...], tolerances_mm: Sequence[float]
) -> tuple[float, ...]:
    """The mean share of both edges within each tolerance of the other; the same as ``SurfacePair.nsd_of_shares``.

    ``reference`` and ``prediction`` are 3D arrays of 0 and 1 of one shape, neither of them empty; beyond them lies
    background. ``spacing`` in mm in their order. An edge voxel is one of the mask with a face neighbour outside it.
    """
    steps, distances = _steps(spacing, max(tolerances_mm))
    edges = [_edges(mask, np.abs(steps).max(axis=0) + 1) for mask in (reference, prediction)]
    offsets = steps @ np.array(edges[0].strides)
    shares = np.array([_shares(*sides, offsets, distances, tolerances_mm) for sides in (edges, edges[::-1])])
    return tuple((shares.sum(axis=0) / (2 + NO_DIVISION_BY_ZERO)).tolist())


@lru_cache(maxsize=32)
def _steps(spacing: tuple[float, ...], largest_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Every step (n, 3) of at most ``largest_mm``, the shortest first, and its length in mm."""
    reach = [int(largest_mm / size) + 1 for size in spacing]
    steps = np.array(list(product(*(range(-n, n + 1) for n in reach))))
    distances = np.sqrt(np.add.reduce((steps * np.asarray(spacing)).T ** 2, axis=0))
    order = np.argsort(distances, kind="stable")
    order = order[distances[order] <= largest_mm]
    return steps[order], distances[order]


def _edges(mask: np.ndarray, margin: np.ndarray) -> np.ndarray:
    """The edge voxels, with an empty margin of so many voxels around."""
    padded = np.pad(mask, [(width, width) for width in margin.tolist()])
    inner = padded[1:-1, 1:-1, 1:-1].copy()
    for axis in range(3):
        for shift in (slice(None, -2), slice(2, None)):
            window = [slice(1, -1)] * 3
            window[axis] = shift
            inner &= padded[tuple(window)]
    padded[1:-1, 1:-1, 1:-1] ^= inner
    return padded.view(bool)


def _shares(source: np.ndarray, target: np.ndarray, offsets, distances, tolerances_mm: Sequence[float]) -> list[float]:
    """Share of the voxels of ``source`` that have one of ``target`` within each tolerance."""
    flat, unmet = target.reshape(-1), np.flatnonzero(source)
    total = len(unmet)
    left = np.empty(len(offsets))
    for place, offset in enumerate(offsets.tolist()):
        unmet = unmet[~flat[unmet + offset]]
        left[place] = len(unmet)
    met = [np.searchsorted(distances, tolerance, side="right") for tolerance in tolerances_mm]
    return [1 - left[count - 1] / total for count in met]
