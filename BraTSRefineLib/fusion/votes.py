"""Fusing label maps: each region is voted on by itself, never the exclusive labels.

Voting on labels lets necrosis, oedema and enhancement split the vote of one lesion and lose it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .members import FusionError, checked_mask


def majority(stacks: Iterable[np.ndarray]) -> np.ndarray:
    """Boolean stack: set where more than half of the members say so; a tie is background.

    Nested members (ET in TC in WT) give a nested result. Members are read one at a time; memory does not grow
    with them. Raises FusionError for no member, another shape or a type that is not boolean.
    """
    votes, members = _count(stacks)
    return votes > members // 2


def vote_fraction(stacks: Iterable[np.ndarray]) -> np.ndarray:
    """Fraction of the members that set a voxel, float32 in 0-1. Raises as ``majority``."""
    votes, members = _count(stacks)
    return votes.astype(np.float32) / np.float32(members)


def vote_variance(stacks: Iterable[np.ndarray]) -> np.ndarray:
    """Disagreement f (1 - f) of the vote fraction f, float32 in 0-0.25: the variance of 0/1 members.

    Raises as ``majority``.
    """
    fraction = vote_fraction(stacks)
    return fraction * (1 - fraction)


def _count(stacks: Iterable[np.ndarray]) -> tuple[np.ndarray, int]:
    votes, members = None, 0
    for members, stack in enumerate(stacks, start=1):
        stack = checked_mask(stack, None if votes is None else votes.shape, members)
        votes = np.zeros(stack.shape, dtype=np.uint16) if votes is None else votes
        votes += stack
    if votes is None:
        raise FusionError("there is no member to fuse")
    return votes, members
