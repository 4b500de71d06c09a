"""Which voxels are one lesion: components of a region, joined where their dilations touch.

Arrays are in the order of the files, (x, y, z), because the published rules number lesions along it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import cc3d
import numpy as np

BITS = 64


class Runs(NamedTuple):
    """Stretches of one label along the last axis: flat index of the first voxel, voxels, and the label."""

    starts: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray

    def where(self, chosen: np.ndarray) -> Runs:
        """Only the runs for which ``chosen`` is true."""
        return Runs(*(column[chosen] for column in self))

    def flat(self) -> np.ndarray:
        """The flat index of every voxel, run by run."""
        ends = np.cumsum(self.lengths)
        return np.arange(self.lengths.sum()) + np.repeat(self.starts - ends + self.lengths, self.lengths)

    def ends(self, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Index of the first and of the last voxel of each run, (3, n)."""
        first = np.stack(np.unravel_index(self.starts, shape))
        return first, first + np.stack([0 * self.lengths, 0 * self.lengths, self.lengths - 1])

    def box(self, shape: tuple[int, ...], margin: int) -> tuple[slice, ...]:
        """The smallest box that holds all runs and ``margin`` voxels around, within ``shape``; else of one voxel."""
        first, last = self.ends(shape)
        low = np.maximum(first.min(axis=1, initial=np.max(shape)) - margin, 0)
        high = np.minimum(last.max(axis=1, initial=0) + 1 + margin, shape)
        return tuple(slice(a, b) for a, b in zip(np.minimum(low, high - 1).tolist(), high.tolist(), strict=True))


class Shapes(NamedTuple):
    """By lesion (0 stands empty): voxels (n,), first and last index along each axis (n, 3), centroids (n, 3)."""

    voxels: np.ndarray
    first: np.ndarray
    last: np.ndarray
    centroids: np.ndarray


@dataclass(frozen=True)
class Lesions:
    """The lesions of a region, ``labels`` of the label map ``voxels``, whose runs are ``runs``.

    ``zones`` numbers the components of the dilated region; ``numbers`` is the lesion of each zone, 0 where it is
    dropped.
    """

    voxels: np.ndarray
    labels: tuple[int, ...]
    runs: Runs
    zones: np.ndarray
    numbers: np.ndarray

    @property
    def count(self) -> int:
        """The highest number of a lesion."""
        return int(self.numbers.max())

    @cached_property
    def run_numbers(self) -> np.ndarray:
        """The lesion of each run: a run is connected, so it lies in one zone."""
        return self.numbers[self.zones.reshape(-1)[self.runs.starts]]

    def renumbered(self, numbers: np.ndarray) -> Lesions:
        """``numbers[old]`` is a lesion's new number, 0 to drop it."""
        return replace(self, numbers=numbers[self.numbers])

    def mask(self, lesions: list[int], first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """0 and 1 in the box from the voxel ``first`` to the voxel ``last``, which holds all of these lesions."""
        chosen = np.zeros(self.count + 1, dtype=bool)
        chosen[lesions] = True
        runs = self.runs.where(chosen[self.run_numbers])
        mask = np.zeros(last - first + 1, np.uint8)
        starts = np.ravel_multi_index(runs.ends(self.zones.shape)[0] - first[:, None], mask.shape)
        mask.reshape(-1)[runs._replace(starts=starts).flat()] = 1
        return mask

    @cached_property
    def shapes(self) -> Shapes:
        first, last = self.runs.ends(self.zones.shape)
        size = self.count + 1
        voxels = np.bincount(self.run_numbers, weights=self.runs.lengths, minlength=size).astype(np.int64)
        middles = (first + last) / 2 * self.runs.lengths
        sums = [np.bincount(self.run_numbers, weights=middle, minlength=size) for middle in middles]
        order = np.argsort(self.run_numbers, kind="stable")
        numbers, groups = np.unique(self.run_numbers[order], return_index=True)
        low, high = np.zeros((size, 3), np.int64), np.full((size, 3), -1)
        if len(order):
            low[numbers] = np.minimum.reduceat(first.T[order], groups)
            high[numbers] = np.maximum.reduceat(last.T[order], groups)
        voxels[0] = 0
        return Shapes(voxels, low, high, (np.array(sums) / np.maximum(voxels, 1)).T)


def label_runs(voxels: np.ndarray) -> Runs:
    """The runs of a contiguous label map, background left out."""
    flat, row = voxels.reshape(-1), voxels.shape[-1]
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    within = np.flatnonzero(flat[row::row])
    breaks = np.unique(np.concatenate([[0], changes, (within + 1) * row, [flat.size]]))
    starts, lengths = breaks[:-1], np.diff(breaks)
    labelled = flat[starts] != 0
    return Runs(starts[labelled], lengths[labelled], flat[starts[labelled]])


def joined_runs(parts: list[Runs]) -> Runs:
    """All runs of several."""
    return Runs(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def lesions_of(voxels: np.ndarray, runs: Runs, labels: tuple[int, ...], dilation: int) -> Lesions:
    """Components of a region are one lesion where their dilations touch; 26-connected, numbered from 1.

    Dilation is the union of every component's own, and each of these is connected: a component of the dilated region
    is the dilation of the lesion inside it, so none needs to be dilated by itself.
    """
    runs = runs.where(np.isin(runs.labels, labels))
    box = runs.box(voxels.shape, margin=dilation)
    region = dilated(np.isin(voxels[box], labels), dilation)
    # as uint8: for bool, cc3d 4.1 and before fail on a single line of voxels
    found, count = cc3d.connected_components(region.view(np.uint8), connectivity=26, return_N=True)
    zones = np.zeros(voxels.shape, found.dtype)
    zones[box] = found
    return Lesions(voxels, labels, runs, zones, np.arange(count + 1))


def without_specks(lesions: Lesions, largest: float) -> Lesions:
    """Only the lesions of more than ``largest`` voxels, under their old numbers."""
    return lesions.renumbered(np.where(lesions.shapes.voxels > largest, np.arange(lesions.count + 1), 0))


def dilated(mask: np.ndarray, steps: int) -> np.ndarray:
    """``mask`` grown ``steps`` times by the 18-neighbourhood, within the array; computed 64 voxels a word."""
    if not steps:
        return mask
    # What grows beyond the array comes back only to voxels that as many steps inside reach too.
    padding = -mask.shape[2] % BITS
    words = np.packbits(np.pad(mask, ((0, 0), (0, 0), (0, padding))), axis=2, bitorder="little").view("<u8")
    for _ in range(steps):
        words = _grown(words)
    return np.unpackbits(words.view(np.uint8), axis=2, count=mask.shape[2], bitorder="little").view(bool)


def _grown(words: np.ndarray) -> np.ndarray:
    across = words.copy()
    across[1:] |= words[:-1]
    across[:-1] |= words[1:]
    across[:, 1:] |= words[:, :-1]
    across[:, :-1] |= words[:, 1:]
    grown = across | across << np.uint64(1) | across >> np.uint64(1)
    grown[:, :, 1:] |= across[:, :, :-1] >> np.uint64(BITS - 1)
    grown[:, :, :-1] |= across[:, :, 1:] << np.uint64(BITS - 1)
    grown[1:, 1:] |= words[:-1, :-1]
    grown[1:, :-1] |= words[:-1, 1:]
    grown[:-1, 1:] |= words[1:, :-1]
    grown[:-1, :-1] |= words[1:, 1:]
    return grown
