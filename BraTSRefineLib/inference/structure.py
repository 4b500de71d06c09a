"""How far the members agree on whole structures: spread of their volumes, and their Dice with one another.

Structure-wise uncertainty after Wang et al. 2019: the volume variation coefficient, standard deviation / mean of the
members' volumes. Mean pairwise Dice after Roy et al. 2019 predicts the true Dice without a reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .model import InferenceError

FEW_VOXELS = 10
BYTES_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class StructureAgreement:
    """One region of one case over its members.

    ``mean_volume`` and ``volume_sd`` (population) in mm3. ``volume_variation`` is their ratio. Both it and
    ``pairwise_dice`` (0-1; 1 for two members that are both empty) are None where every member is empty, and the latter
    where there is one member. ``few_voxels``: a mean below 10 voxels, so that neither is reliable.
    """

    members: int
    mean_volume: float
    volume_sd: float
    volume_variation: float | None
    pairwise_dice: float | None
    few_voxels: bool


class StructureSamples:
    """Takes the members' masks one by one and keeps one bit a voxel of each.

    ``regions``: names along the first axis. ``voxel_volume``: mm3.
    """

    def __init__(self, regions: Sequence[str], voxel_volume: float) -> None:
        self.regions, self.voxel_volume = tuple(regions), voxel_volume
        self._first: np.ndarray | None = None
        self._packed: list[np.ndarray] = []

    def add(self, masks: np.ndarray, covered: np.ndarray | None = None) -> None:
        """A member's boolean ``(region, z, y, x)``; the first one's where ``covered`` ``(z, y, x)`` is False.

        Raises InferenceError for another type or shape, or a first member that does not cover everything.
        """
        masks = np.asarray(masks)
        self._check(masks, covered)
        if self._first is None:
            self._first = masks.copy()
        elif covered is not None:
            masks = np.where(covered, masks, self._first)
        self._packed.append(np.packbits(masks.reshape(len(masks), -1), axis=1))

    def agreement(self) -> Mapping[str, StructureAgreement]:
        """By region. Raises InferenceError where no member was added."""
        if not self._packed:
            raise InferenceError("no member was added, so nothing can agree")
        return {region: self._agreement(number) for number, region in enumerate(self.regions)}

    def _agreement(self, region: int) -> StructureAgreement:
        shared = shared_voxels(np.stack([member[region] for member in self._packed]))
        voxels = np.diag(shared)
        mean, spread = float(voxels.mean()), float(voxels.std())
        return StructureAgreement(
            members=len(voxels),
            mean_volume=mean * self.voxel_volume,
            volume_sd=spread * self.voxel_volume,
            volume_variation=spread / mean if mean else None,
            pairwise_dice=mean_pairwise_dice(shared) if mean and len(voxels) > 1 else None,
            few_voxels=mean < FEW_VOXELS,
        )

    def _check(self, masks: np.ndarray, covered: np.ndarray | None) -> None:
        number = len(self._packed) + 1
        expected = (len(self.regions), *masks.shape[1:]) if self._first is None else self._first.shape
        if masks.dtype != np.bool_ or masks.ndim != 4 or masks.shape != expected:
            raise InferenceError(
                f"member {number} is {masks.dtype} of shape {masks.shape}, expected boolean {expected} for the regions "
                f"{', '.join(self.regions)}"
            )
        if self._first is None and covered is not None and not np.all(covered):
            raise InferenceError("the first member does not cover every voxel; begin with the identity")


def shared_voxels(packed: np.ndarray) -> np.ndarray:
    """``(member, member)``: how many voxels two members both set, on the diagonal each one's own; from packed bits.

    Only bytes in which any member sets a bit are unpacked, some at a time, for one matrix product.
    """
    used = packed[:, np.bitwise_or.reduce(packed, axis=0) != 0]
    shared = np.zeros((len(packed), len(packed)))
    step = max(1, BYTES_AT_ONCE // len(packed))
    for start in range(0, used.shape[1], step):
        bits = np.unpackbits(used[:, start : start + step], axis=1).astype(np.float32)
        shared += bits @ bits.T
    return shared


def mean_pairwise_dice(shared: np.ndarray) -> float:
    """Mean over pairs of 2 |A and B| / (|A| + |B|); two empty members agree fully."""
    first, second = np.triu_indices(len(shared), k=1)
    sizes = shared[first, first] + shared[second, second]
    dice = np.where(sizes > 0, 2 * shared[first, second] / np.maximum(sizes, 1), 1.0)
    return float(dice.mean())
