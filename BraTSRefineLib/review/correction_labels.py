"""The tissues that are painted, the one label map that they make, and the place to which an edit is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from ..cohort.volumes import Geometry
from ..regions import LabelConvention

TISSUE_NAMES = {
    "NCR": "necrosis",
    "NET": "non-enhancing tumour",
    "ED": "oedema",
    "ET": "enhancing tumour",
    "NETC": "non-enhancing core",
    "SNFH": "FLAIR hyperintensity",
    "RC": "resection cavity",
    "CC": "cystic component",
    "GTV": "gross tumour volume",
    "core": "tumour core",
    "rest": "rest of the tumour",
}
NEIGHBOURHOOD_MM = 10.0


@dataclass(frozen=True)
class Tissue:
    """One label that can be painted. ``known`` tells whether the case's convention has it."""

    label: int
    name: str
    known: bool = True

    @property
    def words(self) -> str:
        """The name and what it stands for."""
        meaning = TISSUE_NAMES.get(self.name, "")
        return f"{self.name} {meaning}" if meaning else self.name if not self.name.isdigit() else f"label {self.name}"


def tissues_of(convention: LabelConvention | None, labels: np.ndarray) -> list[Tissue]:
    """What can be painted in a label map, from the outermost tissue to the innermost.

    That is all of the convention and whatever else the map holds: a label that nobody knows is kept, not lost.
    Without a convention and without any label there is one, 1.
    """
    known = dict(convention.tissues) if convention else {}
    present = [int(label) for label in np.unique(labels[labels != 0])]
    strange = [label for label in present if label not in known.values()]
    if not known and not strange:
        strange = [1]
    found = [Tissue(label, name) for name, label in known.items()]
    found.sort(key=lambda tissue: _depth(convention, tissue.label))
    return [*(Tissue(label, f"label {label}", known=False) for label in strange), *found]


def _depth(convention: LabelConvention, label: int) -> int:
    """In how many of the nested regions a label lies."""
    return sum(label in parts for parts in convention.regions.values())


def joined(start: np.ndarray, masks: Mapping[int, np.ndarray]) -> np.ndarray:
    """One label map ``(z, y, x)``, uint8, of masks by label, from the outermost tissue to the innermost.

    Where masks overlap, what was painted wins over what was there before; among painted ones the innermost.
    """
    result = np.zeros_like(start, dtype=np.uint8)
    for label, mask in masks.items():
        result[mask & (start == label)] = label
    for label, mask in masks.items():
        result[mask & (start != label)] = label
    return result


def kept_inside(start: np.ndarray, edited: np.ndarray, inside: np.ndarray | None) -> tuple[np.ndarray, int]:
    """The edit where it may be, what was there elsewhere, and how many changed voxels were so left out."""
    if inside is None:
        return edited, 0
    outside = (edited != start) & ~inside
    return np.where(outside, start, edited), int(np.count_nonzero(outside))


def neighbourhood(
    geometry: Geometry,
    centre: tuple[float, float, float],
    volume_ml: float,
    box: tuple[float, ...] = (),
    reach_mm: float = NEIGHBOURHOOD_MM,
) -> np.ndarray:
    """Mask ``(z, y, x)`` of what lies within ``reach_mm`` of a flag; positions are LPS in mm.

    ``box`` is the flag's (low x, y, z, high x, y, z). Without one, or where it is not finite (an older table of
    flags), the flag counts as a ball of its volume about its centre.
    """
    low, high = np.full(3, np.nan), np.full(3, np.nan)
    if len(box) == 6:
        low, high = np.asarray(box[:3], float), np.asarray(box[3:], float)
    if not np.isfinite([*low, *high]).all():
        low = high = np.asarray(centre, float)
        reach_mm += (3 * max(volume_ml, 0.0) * 1000 / (4 * np.pi)) ** (1 / 3)
    part = _indices_around(geometry, low - reach_mm, high + reach_mm)
    mask = np.zeros(geometry.array_shape, dtype=bool)
    mask[part] = _distance(geometry, part, low, high) <= reach_mm
    return mask


def _indices_around(geometry: Geometry, low: np.ndarray, high: np.ndarray) -> tuple[slice, ...]:
    """The part of the array ``(z, y, x)`` that holds every voxel of a box in LPS mm."""
    indices = geometry.to_index([*product(*zip(low, high, strict=True))])
    first = np.maximum(np.floor(indices.min(axis=0)).astype(int), 0)
    last = np.ceil(indices.max(axis=0)).astype(int) + 1
    return tuple(slice(a, max(a, min(b, n))) for a, b, n in zip(first, last, geometry.array_shape, strict=True))


def _distance(geometry: Geometry, part: tuple[slice, ...], low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Distance in mm of the part's voxels ``(z, y, x)`` to the box; 0 inside."""
    z, y, x = np.ogrid[part]
    squared = np.zeros(np.broadcast_shapes(z.shape, y.shape, x.shape))
    for row, first, last in zip(geometry.affine[:3], low, high, strict=True):
        position = row[0] * x + row[1] * y + row[2] * z + row[3]
        squared += np.maximum(np.maximum(first - position, position - last), 0) ** 2
    return np.sqrt(squared)
