"""How far the members agree on whole structures: spread of their volumes, and their Dice with one another.

Structure-wise uncertainty after Wang et al. 2019: the volume variation coefficient, standard deviation / mean of the
members' volumes. Mean pairwise Dice after Roy et al. 2019 predicts the true Dice without a reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .model import InferenceError

FEW_VOXELS = 10
GATHERING = 0x8040201008040201 - 2**64
"""Multiplied by it, eight bytes of 0 or 1 in one number have their bits together in its highest byte."""

SET_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1, dtype=np.uint8)


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
    """Takes the members' masks one by one and keeps only the bits that are set, so that memory hardly grows with them.

    ``regions``: names along the first axis. ``voxel_volume``: mm3.
    """

    def __init__(self, regions: Sequence[str], voxel_volume: float) -> None:
        self.regions, self.voxel_volume = tuple(regions), voxel_volume
        self._first: torch.Tensor | None = None
        self._members: list[list[Bits]] = []

    def add(self, masks: torch.Tensor, covered: torch.Tensor | None = None) -> None:
        """A member's boolean ``(region, z, y, x)``; the first one's where ``covered`` ``(z, y, x)`` is False.

        Raises InferenceError for another type or shape, or a first member that does not cover everything.
        """
        self._check(masks, covered)
        if self._first is None:
            self._first = masks.clone()
        elif covered is not None:
            masks = masks.where(covered, self._first)
        self._members.append([Bits.of(mask) for mask in packed(masks)])

    def agreement(self) -> dict[str, StructureAgreement]:
        """By region. Raises InferenceError where no member was added."""
        if not self._members:
            raise InferenceError("no member was added, so nothing can agree")
        return {region: self._agreement(number) for number, region in enumerate(self.regions)}

    def _agreement(self, region: int) -> StructureAgreement:
        shared = shared_voxels(together([member[region] for member in self._members]))
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

    def _check(self, masks: torch.Tensor, covered: torch.Tensor | None) -> None:
        number = len(self._members) + 1
        expected = (len(self.regions), *masks.shape[1:]) if self._first is None else tuple(self._first.shape)
        if masks.dtype != torch.bool or masks.ndim != 4 or tuple(masks.shape) != expected:
            raise InferenceError(
                f"member {number} is {masks.dtype} of shape {tuple(masks.shape)}, expected boolean {expected} for the "
                f"regions {', '.join(self.regions)}"
            )
        if self._first is None and covered is not None and not covered.all():
            raise InferenceError("the first member does not cover every voxel; begin with the identity")


@dataclass(frozen=True)
class Bits:
    """The bytes of a packed mask that are not 0, and where they are; all bytes where that takes less room."""

    places: np.ndarray | slice
    values: np.ndarray

    @classmethod
    def of(cls, mask: np.ndarray) -> Bits:
        places = np.flatnonzero(mask).astype(np.int32)
        if places.nbytes + len(places) >= mask.nbytes:
            return cls(slice(None), mask.copy())
        return cls(places, mask[places])


def packed(masks: torch.Tensor) -> np.ndarray:
    """uint8 ``(region, byte)``, eight voxels a byte; packed where the masks are, so that little has to be moved."""
    bits = masks.flatten(1).view(torch.uint8)
    eight = torch.nn.functional.pad(bits, (0, -bits.shape[1] % 8)).view(torch.int64)
    return ((eight * GATHERING) >> 56 & 255).to(torch.uint8).cpu().numpy()


def together(members: Sequence[Bits]) -> np.ndarray:
    """uint8 ``(member, byte)`` of the bytes that any member uses, or of all."""
    whole = next((len(member.values) for member in members if isinstance(member.places, slice)), None)
    if whole is None:
        used = np.unique(np.concatenate([member.places for member in members]))
        columns = [np.searchsorted(used, member.places) for member in members]
        rows = np.zeros((len(members), len(used)), np.uint8)
    else:
        columns = [member.places for member in members]
        rows = np.zeros((len(members), whole), np.uint8)
    for row, places, member in zip(rows, columns, members, strict=True):
        row[places] = member.values
    return rows


def shared_voxels(rows: np.ndarray) -> np.ndarray:
    """``(member, member)``: how many voxels two members both set, on the diagonal each one's own; from packed bits."""
    shared = np.zeros((len(rows), len(rows)))
    for number, row in enumerate(rows):
        shared[number, number:] = SET_BITS[rows[number:] & row].sum(axis=1, dtype=np.int64)
    return np.maximum(shared, shared.T)


def mean_pairwise_dice(shared: np.ndarray) -> float:
    """Mean over pairs of 2 |A and B| / (|A| + |B|); two empty members agree fully."""
    first, second = np.triu_indices(len(shared), k=1)
    sizes = shared[first, first] + shared[second, second]
    dice = np.where(sizes > 0, 2 * shared[first, second] / np.maximum(sizes, 1), 1.0)
    return float(dice.mean())
