"""Whether a prediction's array runs along other axes than the truth's: mirrored, reversed or transposed.

A few thousand of the prediction's voxels are looked up in the truth under each of the 47 other ways to lay a box on
a box, so that the whole search takes a few milliseconds; the best one is then counted over every voxel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np

from ..cohort import Geometry
from ..regions import REGIONS
from .directions import sides_of
from .finding import FLIPPED, Finding, evidence
from .sides import Sides, mean

SUSPICIOUS = 0.8
"""Only predictions with a mean Dice below this are turned at all."""

GAIN = 0.2
CREDIBLE = 0.6
CREDIBLE_OFF_CENTER = 0.7
CREDIBLE_IN_PART = 0.8
"""The turn must raise the mean Dice by ``GAIN``, to at least ``CREDIBLE``: to more about another plane than the
middle, and to more where not all of WT, TC and ET are there to be compared.

Two tumours of different people reach 0.53 under their best turn (1,400 comparisons of 702 pairs), by WT and TC
alone 0.75.
"""

SIMPLER = 0.1
"""By how much a turn must beat a move by at most ``SMALL_MOVE`` voxels, which explains a round tumour as well."""

SMALL_MOVE = 3
OFF_CENTER = 0.1
"""The brain's middle lies within this share of the volume's size from the volume's."""

SAMPLED_VOXELS = 3000


@dataclass(frozen=True)
class Turn:
    """Array axis ``order[i]`` becomes axis ``i`` (z, y, x), then axes are reversed, then moved by ``offset`` voxels."""

    order: tuple[int, int, int]
    reversed: tuple[bool, bool, bool]
    offset: tuple[int, int, int] = (0, 0, 0)

    def of(self, places: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Voxel indices (n, 3) of the prediction in an array of ``shape`` after the turn."""
        turned = places[:, self.order]
        for axis, back in enumerate(self.reversed):
            if back:
                turned[:, axis] = shape[axis] - 1 - turned[:, axis]
        return turned + np.array(self.offset)


def flipped_prediction(sides: Sides) -> Finding | None:
    """The turn of the array that makes a poor prediction fit."""
    before = {region: dice for region, dice in sides.dice.items() if sides.have_both(region)}
    if not before or mean(before) >= SUSPICIOUS:
        return None
    places = sides.prediction.places
    sample = places[:: max(1, len(places) // SAMPLED_VOXELS)]
    turns = [*_turns(sides.truth.voxels.shape, sides.prediction.voxels.shape), *_off_center(sides, sample)]
    if not turns:
        return None
    best = max(turns, key=lambda turn: mean(_dice(sides, sample, turn)))
    after = _dice(sides, places, best)
    if mean(after) < _credible(best, after) or mean(after) - mean(before) <= GAIN:
        return None
    if any(mean(after) - mean(_dice(sides, places, move)) <= SIMPLER for move in _moved(sides)):
        return None
    facts = evidence(
        axes_zyx=best.order, reversed_zyx=best.reversed, offset_zyx=best.offset, before=before, after=after
    )
    return Finding(sides.case, sides.model, FLIPPED, _message(best, sides.geometry, before, after), facts)


def _credible(turn: Turn, after: dict[str, float]) -> float:
    if len(after) < len(REGIONS):
        return CREDIBLE_IN_PART
    return CREDIBLE_OFF_CENTER if any(turn.offset) else CREDIBLE


def _turns(truth: tuple[int, ...], prediction: tuple[int, ...]) -> Iterator[Turn]:
    """Every turn but the identity that lays one array on the other."""
    for order in permutations(range(3)):
        if tuple(prediction[axis] for axis in order) == truth:
            for reverse in product((False, True), repeat=3):
                if any(reverse) or order != (0, 1, 2):
                    yield Turn(order, reverse)


def _off_center(sides: Sides, sample: np.ndarray) -> Iterator[Turn]:
    """Mirrored about a plane near the volume's middle, as about the brain's: where the centres of mass meet."""
    shape = sides.truth.voxels.shape
    truth = sides.truth.places.mean(axis=0)
    for axis in range(3 * sides.same_size):
        reverse = tuple(one == axis for one in range(3))
        apart = truth[axis] - Turn((0, 1, 2), reverse).of(sample, shape).mean(axis=0)[axis]
        for by in range(round(apart) - 2, round(apart) + 3):
            if by and abs(by) <= 2 * OFF_CENTER * shape[axis]:
                yield Turn((0, 1, 2), reverse, tuple(by * (one == axis) for one in range(3)))


def _moved(sides: Sides) -> Iterator[Turn]:
    """The small move without a turn by which the centres of mass meet, where there is one."""
    apart = sides.truth.places.mean(axis=0) - sides.prediction.places.mean(axis=0)
    if sides.same_size and np.abs(apart).max() <= SMALL_MOVE:
        yield Turn((0, 1, 2), (False, False, False), tuple(np.rint(apart).astype(int).tolist()))


def _dice(sides: Sides, places: np.ndarray, turn: Turn) -> dict[str, float]:
    """By region; of a sample of the prediction's voxels it is an estimate."""
    truth, prediction = sides.truth, sides.prediction
    turned = turn.of(places, truth.voxels.shape)
    inside = ((turned >= 0) & (turned < truth.voxels.shape)).all(axis=1)
    found = prediction.region_codes[prediction.voxels[tuple(places[inside].T)]]
    meets = found & truth.region_codes[truth.voxels[tuple(turned[inside].T)]]
    each = prediction.counts[prediction.region_codes > 0].sum() / len(places)
    shared = {
        region: each * np.count_nonzero(meets >> REGIONS.index(region) & 1)
        for region in sides.dice
        if sides.have_both(region)
    }
    return {r: float(2 * both / (truth.size(r) + prediction.size(r))) for r, both in shared.items()}


def _message(turn: Turn, geometry: Geometry, before: dict[str, float], after: dict[str, float]) -> str:
    gains = ", ".join(f"{region} {before[region]:.2f} to {after[region]:.2f}" for region in before)
    return (
        f"{_in_words(turn, geometry)}: turned back its Dice goes from {gains}; "
        "its array does not run as its header says: was it written with another image's header, or augmented?"
    )


def _in_words(turn: Turn, geometry: Geometry) -> str:
    """``its left and right look exchanged (array axis x reversed about the volume's middle)``."""
    names = [name for name, back in zip("zyx", turn.reversed, strict=True) if back]
    where = "a plane beside the volume's middle" if any(turn.offset) else "the volume's middle"
    if turn.order != (0, 1, 2):
        order = ", ".join("zyx"[axis] for axis in turn.order)
        also = f", {' and '.join(names)} reversed" if names else ""
        return f"its array axes look exchanged (z, y, x are its {order}{also})"
    ends = ", and ".join(sides_of(geometry, "xyz".index(name)) for name in reversed(names))
    axes = f"array {'axes' if len(names) > 1 else 'axis'} {' and '.join(reversed(names))}"
    return f"its {ends} look exchanged ({axes} reversed about {where})"
