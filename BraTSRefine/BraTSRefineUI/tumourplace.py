"""Where the tumour of a case lies, and how much of the head has to be seen around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .casedata import CaseData
from .vtkarrays import rasOf

if TYPE_CHECKING:
    from BraTSRefineLib.cohort.volumes import Geometry

SMALLEST_BOX_MM = 130.0
ROOM_AROUND_TUMOUR = 1.25


def of(data: CaseData, region: str) -> tuple[tuple[float, float, float], np.ndarray] | None:
    """Where to look (RAS, mm) and the size of the box to be seen (along R, A, S in mm); None without a tumour."""
    tumour = _tumour(data, region)
    if tumour is None:
        return None
    mask, geometry = tumour
    box = _box(data, region) * ROOM_AROUND_TUMOUR
    return rasOf(middleOfLargestSlice(mask, geometry)), np.maximum(box, SMALLEST_BOX_MM)


def middleOfLargestSlice(mask: np.ndarray, geometry: Geometry) -> tuple[float, float, float]:
    """LPS position inside the mask: the set voxel nearest to the middle of the slice where most is set."""
    largest = int(mask.sum(axis=(1, 2)).argmax())
    inSlice = np.argwhere(mask[largest])
    nearest = inSlice[np.abs(inSlice - inSlice.mean(axis=0)).sum(axis=1).argmin()]
    return geometry.to_physical((largest, *map(float, nearest)))


def _tumour(data: CaseData, region: str) -> tuple[np.ndarray, Geometry] | None:
    """The region (or any that is not empty) of reference or prediction, with its geometry."""
    for each in (region, "ET", "TC", "WT"):
        for labels in (data.reference, data.prediction):
            if labels is not None and each in labels.regionBounds:
                return labels.regions[each], labels.geometry
    return None


def _box(data: CaseData, region: str) -> np.ndarray:
    """Size of the box around the largest region of reference and prediction along R, A, S in mm."""
    boxes = [
        _boxOf(labels.regionBounds[each], labels.geometry)
        for labels in (data.reference, data.prediction)
        if labels is not None
        for each in {"WT", region} & labels.regionBounds.keys()
    ]
    return np.max(boxes, axis=0)


def _boxOf(bounds: Sequence[tuple[int, int]], geometry: Geometry) -> np.ndarray:
    """Size along R, A and S, in mm, of the box between the first and last indices."""
    extent = np.array([last - first + 1 for first, last in bounds]) * np.asarray(geometry.array_spacing)
    return np.abs(np.reshape(geometry.direction, (3, 3))) @ extent[::-1]
