"""Whether a prediction lies a voxel or two beside the place where it belongs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..cohort import Geometry
from .boxes import occupied_box
from .finding import SHIFTED, Finding
from .pairs import Pair

REACH = 2
"""Voxels by which a prediction is moved along each axis, at most."""

WHOLE_GAIN = 0.05
"""Gain in WT Dice that tells by itself."""

INNER_GAIN = 0.005
LEAST_DICE = 0.5
"""Core and enhancing tumour are thin: where both stand to gain ``INNER_GAIN`` by one and the same move, they are off.

A prediction in its place loses by every move; one that is poor anyway (Dice below ``LEAST_DICE``) tells nothing.
"""

TOWARDS = (("left", "right"), ("back", "front"), ("head", "feet"))
"""Words for + and - along L, P and S."""

Shift = tuple[int, int, int]
STEPS = tuple(tuple(int(sign * (axis == moved)) for axis in range(3)) for moved in range(3) for sign in (1, -1))


def shifted_prediction(pair: Pair) -> Finding | None:
    """The move by whole voxels that makes the prediction fit better than chance explains."""
    overlaps = _overlaps(pair)
    before = {region: overlap.dice((0, 0, 0)) for region, overlap in overlaps.items()}
    if not any(dice >= LEAST_DICE for dice in before.values()):
        return None
    shift = _best_shift(list(overlaps.values()))
    after = {region: overlap.dice(shift) for region, overlap in overlaps.items()}
    if not _telling(before, after):
        return None
    gains = ", ".join(f"{region} {before[region]:.2f} to {after[region]:.2f}" for region in before)
    message = (
        f"it seems to lie beside its place: moved {_in_words(shift, pair.geometry)} its Dice goes from {gains}; "
        "was it made on images of another registration?"
    )
    return Finding(pair.case.case, pair.model, SHIFTED, message)


class _Overlap:
    """Truth and prediction of one region, cut to the box of both, under moves of the prediction."""

    def __init__(self, truth: np.ndarray, prediction: np.ndarray) -> None:
        box = occupied_box(truth | prediction, REACH)
        self._truth, self._prediction = truth[box], prediction[box]
        self._total = np.count_nonzero(self._truth) + np.count_nonzero(self._prediction)

    def dice(self, shift: Shift) -> float:
        """Dice with the prediction moved by ``shift`` voxels (z, y, x); what leaves the array counts as missed."""
        extents = list(zip(shift, self._truth.shape, strict=True))
        here = tuple(slice(max(0, by), min(size, size + by)) for by, size in extents)
        there = tuple(slice(max(0, -by), min(size, size - by)) for by, size in extents)
        return 2 * np.count_nonzero(self._truth[here] & self._prediction[there]) / self._total


def _overlaps(pair: Pair) -> dict[str, _Overlap]:
    """By region, those that both sides have voxels of."""
    found = pair.prediction.masks
    there = [region for region in pair.regions if found[region].any() and pair.truth[region].any()]
    return {region: _Overlap(pair.truth[region], found[region]) for region in there}


def _best_shift(overlaps: list[_Overlap]) -> Shift:
    """Step by step along the axes while the mean Dice of the regions grows."""

    def mean_dice(shift: Shift) -> float:
        return float(np.mean([overlap.dice(shift) for overlap in overlaps]))

    shift, reached = (0, 0, 0), mean_dice((0, 0, 0))
    while True:
        moves = [tuple(a + b for a, b in zip(shift, step, strict=True)) for step in STEPS]
        moves = [move for move in moves if max(map(abs, move)) <= REACH]
        values = [mean_dice(move) for move in moves]
        best = int(np.argmax(values))
        if values[best] <= reached:
            return shift
        shift, reached = moves[best], values[best]


def _telling(before: Mapping[str, float], after: Mapping[str, float]) -> bool:
    gains = {region: after[region] - before[region] for region in before}
    if gains.get("WT", 0.0) > WHOLE_GAIN:
        return True
    inner = [region for region in ("TC", "ET") if region in gains]
    sure = all(gains[region] > INNER_GAIN and before[region] >= LEAST_DICE for region in inner)
    return sure and len(inner) == 2 and gains.get("WT", 0.0) > -INNER_GAIN


def _in_words(shift: Shift, geometry: Geometry) -> str:
    """``1 voxel (1 mm) towards the feet``; by array axis where the grid is oblique."""
    direction = np.reshape(geometry.direction, (3, 3))
    parts = []
    for axis, by in zip("xyz", shift[::-1], strict=True):
        if by:
            column = direction[:, "xyz".index(axis)] * by
            world = int(np.argmax(np.abs(column)))
            where = TOWARDS[world][0 if column[world] > 0 else 1]
            mm = abs(by) * geometry.spacing["xyz".index(axis)]
            parts.append(f"{abs(by)} voxel{'s' if abs(by) > 1 else ''} ({mm:g} mm) towards the {where}")
    return " and ".join(parts)
