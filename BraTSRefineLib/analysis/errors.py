"""What is wrong with one prediction of one region: volumes, places and distances, taken from two masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..cohort import Geometry
from ..regions import REGIONS, LabelConvention
from .boxes import Box, joint_box, occupied_box

FAR_MM = 10.0
"""A false positive further than this from the reference is far off (distance between surfaces)."""

BOUNDARY_MM = 2.0
BOUNDARY_SHARE = 0.95
"""An error is one of the boundary where this share of it lies within 2 mm (or a voxel's diagonal) of the surface.

Of the other mask's: all of a thin rim lies within 2 mm of its own surface, also where half of it was not found.
"""

SAMPLED_VOXELS = 20_000
FALSE_POSITIVE, FALSE_NEGATIVE, WRONG_CLASS, CONFUSED_AWAY = 1, 2, 3, 4


@dataclass(frozen=True)
class Spot:
    """One connected piece: its volume in ml, the voxel (z, y, x) nearest to its centre and that voxel's LPS mm."""

    volume_ml: float
    index: tuple[int, int, int]
    center_lps: tuple[float, float, float]


@dataclass(frozen=True)
class RegionError:
    """How a prediction of a region differs from the reference; volumes in ml, distances in mm.

    ``far``: pieces of the prediction that touch no reference and lie more than ``FAR_MM`` from it.
    ``missed``: pieces of the reference of which the prediction touches nothing.
    ``boundary_only``: nothing is missed or made up as a whole and both surfaces lie within ``boundary_mm``.
    """

    region: str
    reference_ml: float
    prediction_ml: float
    false_positive_ml: float = 0.0
    false_negative_ml: float = 0.0
    largest_false_positive: Spot | None = None
    largest_false_negative: Spot | None = None
    far_count: int = 0
    far_ml: float = 0.0
    far_mm: float = 0.0
    missed_count: int = 0
    missed_ml: float = 0.0
    reference_count: int = 0
    boundary_only: bool = False
    boundary_mm: float = BOUNDARY_MM

    @property
    def dice(self) -> float:
        """Dice; 1 where both masks are empty."""
        total = self.reference_ml + self.prediction_ml
        return 1 - self.wrong_ml / total if total else 1.0

    @property
    def wrong_ml(self) -> float:
        return self.false_positive_ml + self.false_negative_ml

    @property
    def largest(self) -> Spot | None:
        """The larger of the two largest connected errors: where to look first."""
        spots = [spot for spot in (self.largest_false_positive, self.largest_false_negative) if spot]
        return max(spots, key=lambda spot: spot.volume_ml, default=None)


def describe_error(reference: np.ndarray, prediction: np.ndarray, geometry: Geometry, region: str) -> RegionError:
    """The error of one region from two boolean masks (z, y, x) on ``geometry``. Pieces are 26-connected."""
    box = joint_box(occupied_box(reference), occupied_box(prediction))
    if box is None:
        return RegionError(region, 0.0, 0.0)
    true, found = reference[box], prediction[box]
    grid = _Grid(geometry, box)
    false_positive, false_negative = found & ~true, true & ~found
    return RegionError(
        region,
        grid.ml(true),
        grid.ml(found),
        grid.ml(false_positive),
        grid.ml(false_negative),
        _largest_spot(false_positive, grid),
        _largest_spot(false_negative, grid),
        **_lonely_pieces(true, found, grid),
    )


def error_summary(
    reference: np.ndarray,
    prediction: np.ndarray,
    geometry: Geometry,
    convention: LabelConvention,
    *,
    prediction_labels: LabelConvention | None = None,
) -> dict[str, RegionError]:
    """The error of every region that both label maps (z, y, x) know, by region from the outermost."""
    theirs = prediction_labels or convention
    shared = [region for region in REGIONS if region in convention.regions and region in theirs.regions]
    return {
        region: describe_error(convention.mask(reference, region), theirs.mask(prediction, region), geometry, region)
        for region in shared
    }


def error_map(
    reference: np.ndarray,
    prediction: np.ndarray,
    convention: LabelConvention,
    region: str,
    *,
    prediction_labels: LabelConvention | None = None,
) -> np.ndarray:
    """Where a prediction of ``region`` errs (z, y, x), uint8: 0 right, 1 false positive, 2 false negative, 3 class.

    3, the wrong class, is marked in WT alone: both say tumour, but core or enhancing tumour differ; it is no error
    of WT's extent. Raises LabelError where a convention does not know the region.
    """
    theirs = prediction_labels or convention
    inner = REGIONS[1:] if region == "WT" else ()
    names = (region, *(name for name in inner if name in convention.regions and name in theirs.regions))
    true = {name: convention.mask(reference, name) for name in names}
    return error_kinds(true, {name: theirs.mask(prediction, name) for name in names}, region)


def error_kinds(true: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray], region: str) -> np.ndarray:
    """What is wrong where with the masks ``found`` of a region (of the shape of all), uint8; 0 where they are right.

    1 false positive: the reference has no tumour there. 2 false negative: the prediction has none. Where both have
    tumour, only its class is wrong: 3 in WT that the tissues differ, in others that another tissue was taken for the
    region, 4 that the region was taken for another tissue. Without WT on both sides everything is 1 or 2.
    """
    too_much, too_little = found[region] & ~true[region], true[region] & ~found[region]
    kinds = np.zeros(too_much.shape, np.uint8)
    kinds[too_much], kinds[too_little] = FALSE_POSITIVE, FALSE_NEGATIVE
    if "WT" not in true or "WT" not in found:
        return kinds
    both = true["WT"] & found["WT"]
    if region == "WT":
        for inner in [name for name in REGIONS[1:] if name in true and name in found]:
            kinds[both & (true[inner] != found[inner])] = WRONG_CLASS
    else:
        kinds[both & too_much], kinds[both & too_little] = WRONG_CLASS, CONFUSED_AWAY
    return kinds


@dataclass(frozen=True)
class _Grid:
    """A box cut out of a geometry."""

    geometry: Geometry
    box: Box

    @property
    def spacing(self) -> np.ndarray:
        return np.array(self.geometry.array_spacing)

    def ml(self, mask: np.ndarray) -> float:
        return int(np.count_nonzero(mask)) * self.geometry.voxel_ml

    def spot(self, voxels: int, index: np.ndarray) -> Spot:
        whole = tuple(int(i) + cut.start for i, cut in zip(index, self.box, strict=True))
        return Spot(voxels * self.geometry.voxel_ml, whole, self.geometry.to_physical(whole))


def _pieces(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels of the 26-connected pieces from 1, and their voxel counts from piece 0, the background."""
    import cc3d

    # as uint8: for bool, cc3d 4.1 and before fail on a single line of voxels
    labels, count = cc3d.connected_components(mask.view(np.uint8), connectivity=26, return_N=True)
    return labels, np.bincount(labels.ravel(), minlength=count + 1)


def _largest_spot(mask: np.ndarray, grid: _Grid) -> Spot | None:
    labels, counts = _pieces(mask)
    if len(counts) < 2:
        return None
    piece = 1 + int(np.argmax(counts[1:]))
    places = np.argwhere(labels == piece)
    away = ((places - places.mean(axis=0)) * grid.spacing) ** 2
    return grid.spot(int(counts[piece]), places[np.argmin(away.sum(axis=1))])


def _lonely_pieces(true: np.ndarray, found: np.ndarray, grid: _Grid) -> Mapping[str, float]:
    """The pieces of either mask that the other does not touch, and whether the rest is an error of the boundary."""
    if not true.any():
        return {}
    labels, counts = _pieces(true)
    missed = _untouched(labels, counts, found)
    summary = {
        "missed_count": len(missed),
        "missed_ml": float(counts[missed].sum()) * grid.geometry.voxel_ml,
        "reference_count": len(counts) - 1,
    }
    if not found.any():
        return summary
    surface = _Surface(true, grid.spacing)
    labels, counts = _pieces(found)
    made_up = _untouched(labels, counts, true)
    summary |= _far(labels, counts, made_up, surface, grid.geometry.voxel_ml)
    summary["boundary_mm"] = surface.near_mm
    summary["boundary_only"] = not len(missed) and not len(made_up) and _hug(true, found, surface, grid.spacing)
    return summary


def _untouched(labels: np.ndarray, counts: np.ndarray, other: np.ndarray) -> np.ndarray:
    touched = np.bincount(labels[other], minlength=len(counts))
    return 1 + np.flatnonzero(touched[1:] == 0)


class _Surface:
    """Distances to the surface voxels of a mask."""

    def __init__(self, mask: np.ndarray, spacing: np.ndarray) -> None:
        from scipy.ndimage import binary_erosion
        from scipy.spatial import KDTree

        self._spacing = spacing
        self.near_mm = max(BOUNDARY_MM, float(np.linalg.norm(spacing)))
        self._tree = KDTree(np.argwhere(mask & ~binary_erosion(mask)) * spacing)

    def distances(self, places: np.ndarray, at_most: float = np.inf) -> np.ndarray:
        """Millimetres from voxel indices (n, 3) to the nearest surface voxel; infinite beyond ``at_most``."""
        return self._tree.query(places * self._spacing, distance_upper_bound=at_most)[0]

    def share_near(self, mask: np.ndarray) -> float:
        """The share of a mask's voxels that lie near the surface; of an even sample where it is large."""
        places = np.argwhere(mask)
        sample = places[:: max(1, len(places) // SAMPLED_VOXELS)]
        return float((self.distances(sample, self.near_mm + 1e-6) < np.inf).mean())


def _far(
    labels: np.ndarray, counts: np.ndarray, made_up: np.ndarray, surface: _Surface, voxel_ml: float
) -> dict[str, float]:
    """Number, volume and largest distance of the pieces that lie further than ``FAR_MM`` from the reference."""
    if not len(made_up):
        return {}
    chosen = np.isin(labels, made_up)
    nearest = np.full(len(counts), np.inf)
    places = np.argwhere(chosen)
    np.minimum.at(nearest, labels[chosen], surface.distances(places))
    far = made_up[nearest[made_up] > FAR_MM]
    if not len(far):
        return {}
    return {
        "far_count": len(far),
        "far_ml": float(counts[far].sum()) * voxel_ml,
        "far_mm": float(nearest[far].max()),
    }


def _hug(true: np.ndarray, found: np.ndarray, surface: _Surface, spacing: np.ndarray) -> bool:
    """Whether what is too much lies along the reference's ``surface``, and what is missing along the prediction's."""
    too_much, missing = found & ~true, true & ~found
    along = (too_much, surface), (missing, _Surface(found, spacing))
    near = sum(np.count_nonzero(wrong) * theirs.share_near(wrong) for wrong, theirs in along if wrong.any())
    return near >= BOUNDARY_SHARE * max(np.count_nonzero(true != found), 1)
