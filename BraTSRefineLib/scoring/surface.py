"""Distances between two surfaces and the metrics that derive from them, as surface-distance defines them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PERCENT = 0.95
TIE = 1e-9


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


@dataclass(frozen=True)
class SurfacePair:
    """Both directions between the surfaces of two masks, neither of them empty."""

    from_reference: Directed
    from_prediction: Directed

    @property
    def hd95(self) -> float:
        return max(self.from_reference.percentile(), self.from_prediction.percentile())

    @property
    def assd(self) -> float:
        """Mean of the two directed mean distances."""
        return (self.from_reference.mean + self.from_prediction.mean) / 2

    def nsd(self, tolerance_mm: float) -> float:
        """Share of both surfaces that lies within ``tolerance_mm`` of the other one."""
        within = self.from_reference.area_within(tolerance_mm) + self.from_prediction.area_within(tolerance_mm)
        return within / (self.from_reference.total_area + self.from_prediction.total_area)

    def is_tie(self) -> bool:
        return self.from_reference.is_tie() or self.from_prediction.is_tie()
