"""Lesion by lesion: which predicted lesions meet it, and how well they cover it together.

Arrays are in the order of the files, (x, y, z).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .engines import surface_pairs
from .lesion_labels import Lesions, Shapes
from .lesion_rules import LesionRules
from .packing import pack
from .surface_dice import surface_dice

REFERENCE, PREDICTION = "reference", "prediction"
MATCHED, MISSED, FALSE_POSITIVE = "matched", "missed", "false positive"

Pairs = dict[int, dict[int, int]]
"""Voxels that two labels share, by the first and then the second label."""


class Lesion(NamedTuple):
    """A reference lesion, or a predicted one that meets none; ``nsd`` by the rules' tolerances, in their order.

    ``counted`` lesions make up the score. ``z, y, x`` is the mean voxel index; ``predictions`` is how many predicted
    lesions meet it.
    """

    lesion: int
    side: str
    status: str
    counted: bool
    volume_ml: float
    z: float
    y: float
    x: float
    predictions: int
    dice: float
    hd95_mm: float
    nsd: tuple[float, ...]


@dataclass(frozen=True)
class Grid:
    """Where a crop in the order of the file lies in an image in array order (z, y, x).

    ``spacing`` in mm and ``start``, the crop's first voxel, are x, y, z; ``shape`` is the whole image's.
    """

    spacing: tuple[float, ...]
    start: tuple[int, ...]
    shape: tuple[int, ...]

    def volume_mm3(self, voxels: int) -> float:
        """Multiplied in the order of the published scripts: the last bit can decide at a threshold."""
        x, y, z = self.spacing
        return float(voxels) * x * y * z

    def position(self, centroid: np.ndarray) -> tuple[float, ...]:
        """Index z, y, x in the image of a position x, y, z in the crop."""
        return tuple((centroid + self.start)[::-1].tolist())


@dataclass(frozen=True)
class Matching:
    """The lesions of a reference and of a prediction, and how they meet.

    ``meeting`` are the voxels that a lesion's zone shares with each predicted lesion, ``shared`` those of the lesion.
    """

    reference: Lesions
    prediction: Lesions
    meeting: Pairs
    shared: Pairs

    def partners(self, lesion: int) -> list[int]:
        """The predicted lesions that meet a lesion's zone."""
        return list(self.meeting.get(lesion, ()))

    def strays(self) -> list[int]:
        """The predicted lesions that meet no zone."""
        met = {partner for partners in self.meeting.values() for partner in partners}
        return [number for number in np.flatnonzero(self.prediction.shapes.voxels).tolist() if number not in met]

    def dice(self, lesion: int) -> float:
        """Dice of a lesion and all of its partners."""
        partners, shared = self.partners(lesion), self.shared.get(lesion, {})
        predicted = int(self.prediction.shapes.voxels[partners].sum())
        both = sum(shared.get(partner, 0) for partner in partners)
        return 2 * both / (int(self.reference.shapes.voxels[lesion]) + predicted)

    def masks(self, lesion: int) -> tuple[np.ndarray, np.ndarray]:
        """A lesion and its partners in the smallest box that holds them, as 0 and 1."""
        ours, theirs = self.reference.shapes, self.prediction.shapes
        partners = self.partners(lesion)
        first = np.vstack([ours.first[[lesion]], theirs.first[partners]]).min(axis=0)
        last = np.vstack([ours.last[[lesion]], theirs.last[partners]]).max(axis=0)
        return self.reference.mask([lesion], first, last), self.prediction.mask(partners, first, last)


def matched(reference: Lesions, prediction: Lesions) -> Matching:
    """Every predicted lesion that meets the zone of a reference lesion is matched to it, and to any other it meets."""
    runs = prediction.runs.where(prediction.run_numbers != 0)
    flat = runs.flat()
    numbers = np.repeat(prediction.run_numbers[prediction.run_numbers != 0], runs.lengths)
    zones = reference.numbers[reference.zones.reshape(-1)[flat]]
    inside = np.isin(reference.voxels.reshape(-1)[flat], reference.labels)
    return Matching(reference, prediction, _pairs(zones, numbers), _pairs(zones[inside], numbers[inside]))


def lesion_rows(matching: Matching, rules: LesionRules, grid: Grid, engine: str) -> list[Lesion]:
    """A row a reference lesion, then one a predicted lesion that meets none."""
    lesions = range(1, matching.reference.count + 1)
    found = [_found(lesion, matching, rules, grid, engine) for lesion in lesions]
    return found + [_stray(number, matching.prediction.shapes, rules, grid) for number in matching.strays()]


def _found(lesion: int, matching: Matching, rules: LesionRules, grid: Grid, engine: str) -> Lesion:
    partners = len(matching.partners(lesion))
    surface = _surface_scores(matching.masks(lesion), rules, grid, engine) if partners else _nothing(rules, grid)
    volume = grid.volume_mm3(matching.reference.shapes.voxels[lesion])
    place = volume / 1000, *grid.position(matching.reference.shapes.centroids[lesion])
    status = MATCHED if partners else MISSED
    return Lesion(lesion, REFERENCE, status, volume > rules.smallest, *place, partners, matching.dice(lesion), *surface)


def _stray(number: int, predictions: Shapes, rules: LesionRules, grid: Grid) -> Lesion:
    place = grid.volume_mm3(predictions.voxels[number]) / 1000, *grid.position(predictions.centroids[number])
    counted = rules.false_positives_count
    return Lesion(number, PREDICTION, FALSE_POSITIVE, counted, *place, 0, 0.0, *_nothing(rules, grid))


def _nothing(rules: LesionRules, grid: Grid) -> tuple[float, tuple[float, ...]]:
    return rules.penalty(grid.shape), (0.0,) * len(rules.tolerances_mm)


def _surface_scores(masks: tuple[np.ndarray, np.ndarray], rules: LesionRules, grid: Grid, engine: str):
    """HD95 as surface-distance's, and nnU-Net v1's surface Dice at each tolerance."""
    packed = pack(*masks, [(1,)], [(1,)], engine)
    hd95 = surface_pairs(packed, [0], grid.spacing, engine)[0].hd95
    return hd95, surface_dice(*masks, grid.spacing, rules.tolerances_mm) if rules.tolerances_mm else ()


def _pairs(first: np.ndarray, second: np.ndarray) -> Pairs:
    """How often each two numbers other than 0 stand side by side."""
    width = int(second.max(initial=0)) + 1
    codes, counts = np.unique(first[first != 0] * width + second[first != 0], return_counts=True)
    pairs: Pairs = {}
    for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
        pairs.setdefault(code // width, {})[code % width] = count
    return pairs
