"""Distances between two surfaces and the metrics that derive from them, under the definitions in use.

A surface is made of *faces*, elements between the voxels weighted by their area (surface-distance, Nikolov et al.
2018), or of *edges*, the voxels of a mask that have a face neighbour outside it, each counting 1 (MONAI, medpy).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FACES, EDGES = "faces", "edges"
PERCENT = 0.95
TIE = 1e-9
NO_DIVISION_BY_ZERO = 1e-8
"""What nnU-Net v1 adds to the denominator of its surface Dice."""


@dataclass(frozen=True)
class Directed:
    """One surface's area (mm²) by its distance (mm) to the other surface; distances ascend.

    Where ``elementwise`` is set there is an entry a surface element, in the order (distance, area) in which
    surface-distance adds them up; otherwise elements of one distance share an entry.
    """

    distances: np.ndarray
    areas: np.ndarray
    elementwise: bool = False

    @property
    def total_area(self) -> float:
        return float(np.sum(self.areas))

    @property
    def mean(self) -> float:
        """Area-weighted mean distance in mm."""
        return float(np.sum(self.distances * self.areas) / np.sum(self.areas))

    @property
    def largest(self) -> float:
        return float(self.distances[-1])

    def area_within(self, tolerance_mm: float) -> float:
        """Area at a distance of at most ``tolerance_mm``."""
        return float(np.sum(self.areas[self.distances <= tolerance_mm]))

    def percentile(self, share: float = PERCENT) -> float:
        """The first distance within which lies at least ``share`` of the area."""
        reached = np.cumsum(self.areas) / np.sum(self.areas)
        return float(self.distances[min(np.searchsorted(reached, share), len(reached) - 1)])

    def is_tie(self, share: float = PERCENT) -> bool:
        """Whether rounding decides the percentile, so that the order of summation matters."""
        reached = np.cumsum(self.areas) / np.sum(self.areas)
        return not self.elementwise and bool((np.abs(reached - share) < TIE).any())

    def each(self) -> np.ndarray:
        """Of edges: the distance of every edge voxel, ascending."""
        return np.repeat(self.distances, np.rint(self.areas).astype(np.int64))


@dataclass(frozen=True)
class SurfacePair:
    """Both directions between the surfaces of two masks, neither of them empty."""

    from_reference: Directed
    from_prediction: Directed

    @property
    def hd(self) -> float:
        """The largest distance."""
        return max(self.from_reference.largest, self.from_prediction.largest)

    @property
    def hd95(self) -> float:
        """The larger directed 95 % distance by area (surface-distance, BraTS)."""
        return max(self.from_reference.percentile(), self.from_prediction.percentile())

    @property
    def hd95_interpolated(self) -> float:
        """The larger directed 95th percentile of edges, interpolated between neighbours (MONAI)."""
        return float(max(_single_precision_percentile(side.each()) for side in self._sides))

    @property
    def hd95_pooled(self) -> float:
        """The interpolated 95th percentile of the edges of both masks together (medpy, panoptica)."""
        return float(np.percentile(np.concatenate([side.each() for side in self._sides]), 100 * PERCENT))

    @property
    def mean_of_means(self) -> float:
        """Mean of the two directed mean distances."""
        return (self.from_reference.mean + self.from_prediction.mean) / 2

    @property
    def pooled_mean(self) -> float:
        """Mean distance over both surfaces together."""
        weighted = sum(float(np.sum(side.distances * side.areas)) for side in self._sides)
        return weighted / sum(side.total_area for side in self._sides)

    def nsd(self, tolerance_mm: float) -> float:
        """Share of both surfaces that lies within ``tolerance_mm`` of the other one."""
        within = sum(side.area_within(tolerance_mm) for side in self._sides)
        return within / sum(side.total_area for side in self._sides)

    def nsd_of_shares(self, tolerance_mm: float) -> float:
        """nnU-Net v1's surface Dice, from the share of each surface, whatever their sizes; used by BraTS 2024."""
        within = sum(side.area_within(tolerance_mm) / side.total_area for side in self._sides)
        return within / (2 + NO_DIVISION_BY_ZERO)

    def is_tie(self) -> bool:
        return any(side.is_tie() for side in self._sides)

    @property
    def _sides(self) -> tuple[Directed, Directed]:
        return self.from_reference, self.from_prediction


def _single_precision_percentile(ascending: np.ndarray, share: float = PERCENT) -> float:
    """As ``torch.quantile`` of single-precision numbers, whose rounded share shows in the sixth digit."""
    distances = ascending.astype(np.float32)
    rank = float(np.float32(share)) * (len(distances) - 1)
    low, high = distances[int(np.floor(rank))], distances[int(np.ceil(rank))]
    return float(low + np.float32(rank % 1) * (high - low))
