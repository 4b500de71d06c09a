"""What decides a weighted fusion's Dice: the voxels on whose side of one half the members differ.

Everywhere else every weighted mean falls on the same side, so that counts suffice. The Dice of any weights is exact
(before the regions are nested) and costs a product of two small matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .members import FusionError, checked_probability
from .weighting import ABOVE_A_TIE

AT_ONCE = 4_000_000
"""Weighted means that are held at a time, which bounds the memory."""
MOST_BITS = 52
"""As many votes a number of double precision can tell apart."""


@dataclass(frozen=True)
class Contested:
    """One region of one case, as far as weights matter.

    ``values`` ``(member, voxel)``: what the members say of the contested voxels, in 0-1; ``truth`` and ``voxels``:
    whether a voxel belongs to the region, and how many voxels of the case are alike. ``sure_hits`` and ``sure``: the
    voxels that every weighting sets, those that belong to the region and all; ``size``: the voxels of the reference.
    """

    values: np.ndarray
    truth: np.ndarray
    voxels: np.ndarray
    sure_hits: int
    sure: int
    size: int
    _known: dict[bytes, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    @property
    def members(self) -> int:
        return len(self.values)

    def dice(self, weights: np.ndarray) -> np.ndarray:
        """Dice ``(draw,)`` of each row of ``weights`` ``(draw, member)``, of sum 1; 1 where both are empty."""
        weights = np.ascontiguousarray(weights, dtype=np.float64)
        key = weights.tobytes()
        if key not in self._known:
            self._known[key] = self._dice(weights)
        return self._known[key]

    def of(self, members: Sequence[int]) -> Contested:
        """The same with some of the members only."""
        return Contested(self.values[list(members)], self.truth, self.voxels, self.sure_hits, self.sure, self.size)

    def _dice(self, weights: np.ndarray) -> np.ndarray:
        hits, extra = np.zeros(len(weights)), np.zeros(len(weights))
        in_truth, outside = self.voxels * self.truth, self.voxels * ~self.truth
        step = max(1, AT_ONCE // max(1, self.values.shape[1]))
        for start in range(0, len(weights), step):
            part = slice(start, start + step)
            chosen = weights[part].astype(np.float32) @ self.values > ABOVE_A_TIE
            hits[part], extra[part] = chosen @ in_truth, chosen @ outside
        hits, total = self.sure_hits + hits, self.sure + hits + extra + self.size
        return np.where(total > 0, 2 * hits / np.maximum(total, 1), 1.0)


def contested(members: Sequence[np.ndarray], reference: np.ndarray) -> Contested:
    """One region of one case from the members' probabilities or masks and the reference mask, all ``(z, y, x)``.

    Raises FusionError for fewer than two members, another shape, NaN or values outside 0-1.
    """
    if len(members) < 2:
        raise FusionError(f"weights need at least two members, there is {len(members)}")
    reference = np.asarray(reference)
    if reference.dtype != np.bool_:
        raise FusionError(f"the reference holds {reference.dtype} values, expected a boolean mask")
    members = [checked_probability(member, reference.shape, number) for number, member in enumerate(members, start=1)]
    lowest, highest = np.minimum.reduce(members), np.maximum.reduce(members)
    sure = lowest > ABOVE_A_TIE
    places = np.flatnonzero((highest > ABOVE_A_TIE) & ~sure)
    values = np.stack([member.ravel()[places] for member in members]).astype(np.float32)
    values, truth, voxels = _merged(values, reference.ravel()[places])
    counts = int((sure & reference).sum()), int(sure.sum()), int(reference.sum())
    return Contested(values, truth, voxels, *counts)


def _merged(values: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Voxels of which all members and the reference say the same put together; only masks have many of them."""
    rows = np.vstack([values, truth])
    if len(rows) > MOST_BITS or not np.isin(values, (0.0, 1.0)).all():
        return values, truth, np.ones(truth.size)
    _, first, voxels = np.unique(2.0 ** np.arange(len(rows)) @ rows, return_index=True, return_counts=True)
    return values[:, first], truth[first], voxels.astype(np.float64)
