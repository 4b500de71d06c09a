"""What is known about a voxel before anybody looks: who sees the region there, how far off its surface is.

Each voxel falls into one cell: what the members say x signed distance to the fused label's surface x local share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .flag_regions import box_around, signed_distance
from .flag_types import ReviewError

DISTANCES_MM = (-6.0, -3.0, -2.0, -1.2, -0.6, 0.0, 0.6, 1.2, 2.0, 3.0, 6.0)
"""Edges of the signed distance from the surface, negative inside; centre to centre less half of the finest spacing."""

SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Edges of the mean vote in a cube around the voxel."""

AROUND_MM = 15.0
MARGIN_MM = 3.0
"""How far from the nearest member voxels still have evidence; farther out the members agree on nothing being there."""

MOST_PATTERNS = 6
"""Up to this many members each combination of votes is told apart; of more only their share is."""

LEVELS = 16
PLACES = (len(DISTANCES_MM) + 1) * (len(SHARES) + 1)


@dataclass(frozen=True)
class Evidence:
    """The cell of every voxel in ``box`` of an array of ``shape``; what lies outside the box has none.

    ``kind`` names what the cells mean: tables are exchanged only between evidence of one kind. ``cells`` is how many
    cells there are and ``parents`` gives for each the cell of a coarser table that it falls back to.
    """

    kind: str
    codes: np.ndarray
    box: tuple[slice, ...]
    shape: tuple[int, ...]
    parents: np.ndarray

    @property
    def cells(self) -> int:
        return len(self.parents)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """A map ``(z, y, x)`` of a value a cell, float32; 0 outside the box."""
        result = np.zeros(self.shape, np.float32)
        result[self.box] = values.astype(np.float32)[self.codes]
        return result


def vote_evidence(
    masks: Sequence[np.ndarray], members: Sequence[str], fused: np.ndarray, spacing: tuple[float, ...]
) -> Evidence:
    """Evidence from one region's masks ``(z, y, x)``, boolean, a member each, and the fused mask.

    Raises ReviewError where there is no member, a name is missing, or shapes differ.
    """
    masks = np.asarray(masks)
    if masks.ndim != 4 or len(masks) != len(members) or masks.shape[1:] != fused.shape:
        raise ReviewError(f"{len(members)} members: expected one mask each of the fused label's shape {fused.shape}")
    box = _box(masks.any(axis=0) | fused, spacing)
    inside = np.stack([mask[box] for mask in masks])
    count = inside.sum(axis=0, dtype=np.int32)
    if len(members) <= MOST_PATTERNS:
        said = np.tensordot(1 << np.arange(len(members)), inside.astype(np.int32), axes=1)
        fallback = np.array([pattern.bit_count() for pattern in range(1 << len(members))])
        kind = f"votes of {', '.join(members)}"
    else:
        said = np.rint(count * ((LEVELS - 1) / len(members))).astype(np.int32)
        fallback, kind = np.arange(LEVELS), "share of the votes"
    places = _places(fused[box], count / np.float32(len(members)), spacing)
    return Evidence(kind, said * PLACES + places, box, fused.shape, _parents(fallback))


def level_evidence(
    uncertainty: np.ndarray, fused: np.ndarray, spacing: tuple[float, ...], *, highest: float, source: str
) -> Evidence:
    """Evidence from an uncertainty map ``(z, y, x)`` from 0 to ``highest`` and the fused mask.

    Raises ReviewError where their shapes differ.
    """
    if uncertainty.shape != fused.shape:
        raise ReviewError(f"{source}: the map has shape {uncertainty.shape}, the fused label {fused.shape}")
    box = _box(fused | (uncertainty >= highest / LEVELS), spacing)
    said = np.clip(uncertainty[box] * (LEVELS / highest), 0, LEVELS - 1).astype(np.int32)
    places = _places(fused[box], fused[box].astype(np.float32), spacing)
    return Evidence(f"levels of {source}", said * PLACES + places, box, fused.shape, _parents(np.arange(LEVELS)))


def _parents(fallback: np.ndarray) -> np.ndarray:
    return (fallback[:, None] * PLACES + np.arange(PLACES)).ravel()


def _box(anywhere: np.ndarray, spacing: tuple[float, ...]) -> tuple[slice, ...]:
    if not anywhere.any():
        return (slice(0, 0),) * 3
    return box_around(anywhere, spacing, MARGIN_MM)


def _places(fused: np.ndarray, share: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Distance bin x local share bin of every voxel."""
    from scipy.ndimage import uniform_filter

    if not fused.size:
        return np.zeros(fused.shape, np.int32)
    cube = [max(1, round(AROUND_MM / length)) for length in spacing]
    around = np.digitize(uniform_filter(share.astype(np.float32), cube, mode="constant"), SHARES)
    return (np.digitize(_signed_distance(fused, spacing), DISTANCES_MM) * (len(SHARES) + 1) + around).astype(np.int32)


def _signed_distance(fused: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Distance to the surface in mm, negative inside; infinite where it is beyond the last edge."""
    result = np.full(fused.shape, np.inf, np.float32)
    if not fused.any():
        return result
    if fused.all():
        return -result
    box, signed = signed_distance(fused, spacing, DISTANCES_MM[-1] + min(spacing) / 2)
    result[box] = signed
    return result
