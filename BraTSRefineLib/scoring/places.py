"""Where the masks of a packed volume lie, and how far their edges coincide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .packing import REFERENCE_BITS, Packed, with_bits


@dataclass(frozen=True)
class Places:
    """By packed byte (256 rows): voxels and the sums of their z, y, x indices; and how many edge voxels have it."""

    sums: np.ndarray
    edges: np.ndarray

    def centroid(self, bit: int) -> np.ndarray:
        """Mean index (z, y, x) of a mask's voxels; NaN where it is empty."""
        count, *sums = self.sums[with_bits(1 << bit)].sum(axis=0)
        return np.array(sums) / count if count else np.full(3, np.nan)

    def centroid_distance(self, region: int, spacing: tuple[float, ...]) -> float:
        """Distance in mm between the centroids of reference and prediction."""
        apart = (self.centroid(region) - self.centroid(region + REFERENCE_BITS)) * np.asarray(spacing)
        return float(np.sqrt(apart @ apart))

    def boundary_iou(self, region: int) -> float:
        """The Jaccard index of the edge voxels of reference and prediction (MetricsReloaded; Cheng et al. 2021)."""
        reference, prediction = with_bits(1 << region), with_bits(1 << (region + REFERENCE_BITS))
        either = int(self.edges[reference | prediction].sum())
        return int(self.edges[reference & prediction].sum()) / either if either else np.nan


def places(packed: Packed, engine: str) -> Places:
    """``engine`` is ``numba`` or ``scipy``, both with the same result."""
    padded = np.pad(packed.voxels, 1)
    if engine == "numba":
        from .kernels import edge_counts, sums_by_byte

        return Places(sums_by_byte(packed.voxels), edge_counts(padded))
    return Places(_sums_by_byte(packed.voxels), _edge_counts(padded))


def _sums_by_byte(voxels: np.ndarray) -> np.ndarray:
    sums = np.zeros((256, 4))
    flat = np.flatnonzero(voxels)
    found = voxels.ravel()[flat]
    sums[:, 0] = np.bincount(found, minlength=256)
    for axis, index in enumerate(np.unravel_index(flat, voxels.shape), 1):
        sums[:, axis] = np.bincount(found, weights=index, minlength=256)
    return sums


def _edge_counts(padded: np.ndarray) -> np.ndarray:
    inside = np.full(tuple(size - 2 for size in padded.shape), 255, np.uint8)
    for axis in range(3):
        for shift in (0, 2):
            window = [slice(1, -1)] * 3
            window[axis] = slice(shift, shift + inside.shape[axis])
            inside &= padded[tuple(window)]
    counts = np.bincount((padded[1:-1, 1:-1, 1:-1] & ~inside).ravel(), minlength=256)
    counts[0] = 0
    return counts
