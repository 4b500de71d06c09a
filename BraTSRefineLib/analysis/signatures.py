"""A few kilobytes that tell one reference from another, so that a cohort is compared without its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np

from ..cohort import Geometry, to_canonical
from ..regions import REGIONS
from .pairs import Labelled

GRID = 32
"""Samples along each axis of the tumour's box."""

LEAST_ML = 1.0
"""Tumours below this many ml are too alike to tell persons apart."""

VOLUME_TOLERANCE = 0.1
"""Relative difference in volume of a region beyond which two references are not of one brain."""

EXTENT_TOLERANCE = 2.0
"""Voxels (the coarser ones) by which the boxes of two references of one tumour may differ along an axis."""

SAME_DICE = 0.9
SAME_TURNED_DICE = 0.95
"""WT Dice from which two references are one; all regions must reach more where one has to be turned first."""


@dataclass(frozen=True)
class Signature:
    """The tumour of one reference along the body's axes (z, y, x), its box sampled on ``GRID`` points an axis.

    ``samples`` holds the regions WT, TC, ET of the points as packed bits; ``extent_mm`` is the box's size and
    ``voxel_mm`` the spacing.
    """

    case: str
    volumes_ml: Mapping[str, float]
    extent_mm: tuple[float, ...]
    voxel_mm: tuple[float, ...]
    samples: bytes

    def masks(self) -> np.ndarray:
        """(region, GRID, GRID, GRID), boolean."""
        bits = np.unpackbits(np.frombuffer(self.samples, dtype=np.uint8))
        return bits.reshape(len(REGIONS), GRID, GRID, GRID).astype(bool)


@dataclass(frozen=True)
class Likeness:
    """Two references that nearly coincide: WT Dice of their samples, and whether one had to be turned for it."""

    first: str
    second: str
    dice: float
    turned: bool


def signature(case: str, reference: Labelled, geometry: Geometry) -> Signature | None:
    """None for a tumour of less than ``LEAST_ML``."""
    volumes = {region: reference.size(region) * geometry.voxel_ml for region in reference.regions}
    if volumes.get("WT", 0.0) < LEAST_ML:
        return None
    where, spacing = to_canonical(reference.voxels, geometry)
    box = Labelled(where, reference.labels).box
    points = [axis.start + ((np.arange(GRID) + 0.5) / GRID * (axis.stop - axis.start)).astype(int) for axis in box]
    codes = reference.region_codes[where[np.ix_(*points)]]
    bits = np.stack([codes >> bit & 1 for bit in range(len(REGIONS))])
    extent = tuple((axis.stop - axis.start) * mm for axis, mm in zip(box, spacing, strict=True))
    return Signature(case, volumes, extent, tuple(spacing), np.packbits(bits).tobytes())


def alike(signatures: list[Signature]) -> Iterator[Likeness]:
    """Every pair that nearly coincides, by volumes first, boxes next and samples last."""
    ordered = sorted(signatures, key=lambda one: (one.volumes_ml["WT"], one.case))
    for index, first in enumerate(ordered):
        for second in ordered[index + 1 :]:
            if not _close(first.volumes_ml["WT"], second.volumes_ml["WT"]):
                break
            found = _likeness(*sorted((first, second), key=lambda one: one.case))
            if found is not None:
                yield found


def _likeness(first: Signature, second: Signature) -> Likeness | None:
    shared = first.volumes_ml.keys() & second.volumes_ml.keys()
    if not all(_close(first.volumes_ml[region], second.volumes_ml[region]) for region in shared):
        return None
    orders = [order for order in permutations(range(3)) if _same_box(first, second, order)]
    if not orders:
        return None
    mine, theirs = first.masks(), second.masks()
    if (0, 1, 2) in orders and (dice := _dice(mine[0], theirs[0])) > SAME_DICE:
        return Likeness(first.case, second.case, dice, turned=False)
    regions = [index for index, region in enumerate(REGIONS) if region in shared and mine[index].any()]
    for order, reverse in product(orders, product((1, -1), repeat=3)):
        turned = theirs.transpose(0, *(axis + 1 for axis in order))[:, :: reverse[0], :: reverse[1], :: reverse[2]]
        if min(_dice(mine[index], turned[index]) for index in regions) > SAME_TURNED_DICE:
            return Likeness(first.case, second.case, _dice(mine[0], turned[0]), turned=True)
    return None


def _same_box(first: Signature, second: Signature, order: tuple[int, ...]) -> bool:
    tolerance = EXTENT_TOLERANCE * max(*first.voxel_mm, *second.voxel_mm)
    return all(abs(first.extent_mm[i] - second.extent_mm[axis]) <= tolerance for i, axis in enumerate(order))


def _dice(a: np.ndarray, b: np.ndarray) -> float:
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return float(2 * np.count_nonzero(a & b) / total) if total else 1.0


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= VOLUME_TOLERANCE * max(a, b)
