"""Whether a prediction lies a voxel or two beside the place where it belongs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..cohort import Geometry
from .boxes import Box, occupied_box
from .directions import towards
from .finding import SHIFTED, Finding, evidence
from .pairs import Labelled
from .sides import Sides, mean

REACH = 3
LOOK = 4
"""Voxels along each axis: the largest shift that is told, and how far a prediction is moved to see.

One that fits ever better beyond the reach is a poor prediction drifting to the truth's middle, not a shifted one.
"""

CLEAR_GAIN = 0.05
"""Gain in WT Dice, or in the mean Dice of the regions while WT loses nothing, that tells by itself."""

INNER_GAIN = 0.005
LEAST_DICE = 0.5
"""Core and enhancing tumour are thin: where both gain ``INNER_GAIN`` by one and the same move, they may be off.

A prediction in its place loses by every move; one that is poor anyway (Dice below ``LEAST_DICE``) tells nothing.
"""

Shift = tuple[int, int, int]
STEPS = tuple(tuple(int(sign * (axis == moved)) for axis in range(3)) for moved in range(3) for sign in (1, -1))


def shifted_prediction(sides: Sides) -> Finding | None:
    """The move by whole voxels that makes the prediction fit better than chance explains."""
    overlaps = _overlaps(sides)
    before = {region: overlap.dice((0, 0, 0)) for region, overlap in overlaps.items()}
    if not any(dice >= LEAST_DICE for dice in before.values()):
        return None
    shift = _best_shift(list(overlaps.values()))
    if max(map(abs, shift)) > REACH:
        return None
    after = {region: overlap.dice(shift) for region, overlap in overlaps.items()}
    clear = _clear(before, after)
    if not clear and not _hinted(before, after):
        return None
    gains = {region: after[region] - before[region] for region in before}
    facts = evidence(sure="yes" if clear else "weak", shift_zyx=shift, before=before, after=after, gain=gains)
    return Finding(sides.case, sides.model, SHIFTED, _message(sides, shift, before, after, clear), facts)


def _message(sides: Sides, shift: Shift, before: Mapping[str, float], after: Mapping[str, float], clear: bool) -> str:
    digits = 2 if clear else 3
    gains = ", ".join(f"{region} {before[region]:.{digits}f} to {after[region]:.{digits}f}" for region in before)
    seems = "it seems to lie" if clear else "it may lie (weak evidence: a small gain in every inner region)"
    return (
        f"{seems} beside its place: moved {_in_words(shift, sides.geometry)} its Dice goes from {gains}; "
        "was it made on images of another registration?"
    )


class _Overlap:
    """Truth and prediction of one region, cut to the truth's box, under moves of the prediction."""

    def __init__(self, truth: np.ndarray, prediction: np.ndarray, total: int) -> None:
        self._truth, self._prediction, self._total = truth, prediction, total

    def dice(self, shift: Shift) -> float:
        """Dice with the prediction moved by ``shift`` voxels (z, y, x)."""
        extents = list(zip(shift, self._truth.shape, strict=True))
        here = tuple(slice(max(0, by), min(size, size + by)) for by, size in extents)
        there = tuple(slice(max(0, -by), min(size, size - by)) for by, size in extents)
        return 2 * np.count_nonzero(self._truth[here] & self._prediction[there]) / self._total


def _overlaps(sides: Sides) -> dict[str, _Overlap]:
    """By region, those that both sides have voxels of; the margin lets voxels from outside move into the truth."""
    overlaps = {}
    if sides.truth.box is None:
        return overlaps
    box = _widened(sides.truth.box, sides.truth.voxels.shape)
    for region in sides.dice:
        truth, prediction = _mask(sides.truth, region, box), _mask(sides.prediction, region, box)
        total = sides.truth.size(region) + sides.prediction.size(region)
        own = occupied_box(truth, LOOK)
        if own is not None and sides.have_both(region):
            overlaps[region] = _Overlap(np.ascontiguousarray(truth[own]), np.ascontiguousarray(prediction[own]), total)
    return overlaps


def _best_shift(overlaps: list[_Overlap]) -> Shift:
    """Step by step along the axes while the mean Dice of the regions grows."""
    known: dict[Shift, float] = {}

    def mean_dice(shift: Shift) -> float:
        if shift not in known:
            known[shift] = float(np.mean([overlap.dice(shift) for overlap in overlaps]))
        return known[shift]

    shift = (0, 0, 0)
    while True:
        moves = [tuple(a + b for a, b in zip(shift, step, strict=True)) for step in STEPS]
        moves = [move for move in moves if max(map(abs, move)) <= LOOK]
        best = max(moves, key=mean_dice)
        if mean_dice(best) <= mean_dice(shift):
            return shift
        shift = best


def _clear(before: Mapping[str, float], after: Mapping[str, float]) -> bool:
    whole = after.get("WT", 0.0) - before.get("WT", 0.0)
    return whole > CLEAR_GAIN or (whole >= 0 and mean(after) - mean(before) > CLEAR_GAIN)


def _hinted(before: Mapping[str, float], after: Mapping[str, float]) -> bool:
    gains = {region: after[region] - before[region] for region in before}
    inner = [region for region in ("TC", "ET") if region in gains]
    sure = all(gains[region] > INNER_GAIN and before[region] >= LEAST_DICE for region in inner)
    return sure and len(inner) == 2 and gains.get("WT", 0.0) > -INNER_GAIN


def _in_words(shift: Shift, geometry: Geometry) -> str:
    """``1 voxel (1 mm) towards the feet``; by array axis where the grid is oblique."""
    parts = []
    for axis, by in enumerate(shift[::-1]):
        if by:
            mm = abs(by) * geometry.spacing[axis]
            voxels = f"{abs(by)} voxel{'s' if abs(by) > 1 else ''} ({mm:g} mm)"
            parts.append(f"{voxels} towards the {towards(geometry, axis, by)}")
    return " and ".join(parts)


def _mask(label_map: Labelled, region: str, box: Box) -> np.ndarray:
    return label_map.labels.mask(label_map.voxels[box], region)


def _widened(box: Box, shape: tuple[int, ...]) -> Box:
    return tuple(slice(max(0, s.start - LOOK), min(n, s.stop + LOOK)) for s, n in zip(box, shape, strict=True))
