"""SIMPLE: members that agree least with the vote lose weight, and those far behind the best lose their vote.

Langerak et al. 2010, "Label fusion in atlas-based segmentation using a selective and iterative method for performance
level estimation (SIMPLE)", IEEE TMI 29(12). The bar is held against the Dice itself; held against the weights, which
never fall below a quarter of the best, it would drop nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .boxes import checked_masks, nested, union_box

FIRST_BAR, BAR_STEP = 0.05, 0.07
SETTLED_VOXELS = 25
MOST_ROUNDS = 25
FEWEST = 2
"""Members that always keep their vote."""


@dataclass(frozen=True)
class Simple:
    """The fused ``mask`` ``(z, y, x)``, which members kept their vote, and after how many rounds the vote settled."""

    mask: np.ndarray
    kept: tuple[int, ...]
    rounds: int


def simple(masks: Sequence[np.ndarray]) -> Simple:
    """SIMPLE of one region's masks ``(z, y, x)``; empty where the first vote is. A tie is background.

    Raises FusionError for no member, another shape or a type that is not boolean.
    """
    masks = checked_masks(masks)
    result = np.zeros(masks[0].shape, dtype=bool)
    box = union_box(masks, 0)
    if box is None:
        return Simple(result, tuple(range(len(masks))), 0)
    cropped = np.stack([mask[box] for mask in masks])
    result[box], kept, rounds = _settled_vote(cropped)
    return Simple(result, kept, rounds)


def simple_regions(stacks: Iterable[np.ndarray]) -> np.ndarray:
    """Boolean stack ``(region, z, y, x)`` of the members' stacks: each region by itself, then nested.

    Raises FusionError as ``simple``.
    """
    stacks = checked_masks(list(stacks))
    return nested(np.stack([simple(masks).mask for masks in zip(*stacks, strict=True)]))


def _settled_vote(masks: np.ndarray) -> tuple[np.ndarray, tuple[int, ...], int]:
    kept, weights, size = np.arange(len(masks)), np.ones(len(masks)), -SETTLED_VOXELS
    for number in range(MOST_ROUNDS):
        vote = _vote(masks[kept], weights)
        last, size = size, int(vote.sum())
        if not size:
            break
        agreement = _dice(masks[kept], vote)
        voters = _above_the_bar(agreement, FIRST_BAR + number * BAR_STEP)
        if voters.all() and abs(size - last) < SETTLED_VOXELS:
            break
        kept, weights = kept[voters], (1 + agreement[voters]) ** 2
    return vote, tuple(kept.tolist()), number + 1


def _vote(masks: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.tensordot(weights, masks, axes=1) > weights.sum() / 2


def _dice(masks: np.ndarray, vote: np.ndarray) -> np.ndarray:
    members = masks.reshape(len(masks), -1)
    return 2 * (members & vote.ravel()).sum(axis=1) / (members.sum(axis=1) + vote.sum())


def _above_the_bar(agreement: np.ndarray, bar: float) -> np.ndarray:
    """Who reaches ``bar`` times the best agreement; the two best in any case."""
    passed = agreement >= bar * agreement.max()
    passed[np.argsort(-agreement, kind="stable")[:FEWEST]] = True
    return passed
