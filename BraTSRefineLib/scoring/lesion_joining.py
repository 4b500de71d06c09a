"""Lesions of one tissue that touch one lesion of another are one, as the rules of BraTS 2024 have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cc3d
import numpy as np

from .lesion_labels import Lesions, joined_runs

Lowest = dict[int, int]
"""For each lesion that touches any lesion of another tissue, the lowest number of those."""


def joined_through(tissues: Mapping[str, Lesions], joined_by: Mapping[str, Sequence[str]]) -> dict[str, Lesions]:
    """The tissues of ``joined_by`` with their lesions joined through the tissues named there, one after the other.

    A lesion that touches several belongs to the first of them. Which lesions touch is always asked of the tissues as
    given, so it does not matter that the published script goes through them twice, nor that it leaves a tissue alone
    where a single pair touches.
    """
    if not joined_by:
        return dict(tissues)
    touched = dict.fromkeys(other for others in joined_by.values() for other in others)
    touching = _touching({name: tissues[name] for name in {**touched, **joined_by}}, list(touched))
    joined = {
        name: tissues[name].renumbered(_joint_numbers(tissues[name].count, [touching[name, other] for other in others]))
        for name, others in joined_by.items()
    }
    return {**tissues, **joined}


def _touching(tissues: Mapping[str, Lesions], touched: Sequence[str]) -> dict[tuple[str, str], Lowest]:
    """By pair of tissues, the second one of ``touched``: whose lesions share a face or an edge with whose."""
    owners = [(name, number) for name, lesions in tissues.items() for number in range(1, lesions.count + 1)]
    lowest: dict[tuple[str, str], Lowest] = {(a, b): {} for a in tissues for b in tissues}
    together = _together(tissues)
    near = joined_runs([tissues[name].runs for name in touched]).box(together.shape, margin=1)
    for edge in cc3d.region_graph(np.ascontiguousarray(together[near]), connectivity=18):
        for one, other in (edge, edge[::-1]):
            (tissue, lesion), (touched, number) = owners[one - 1], owners[other - 1]
            found = lowest[tissue, touched]
            found[lesion] = min(number, found.get(lesion, number))
    return lowest


def _together(tissues: Mapping[str, Lesions]) -> np.ndarray:
    """Every tissue's lesions in one array, numbered on from tissue to tissue."""
    together = np.zeros(next(iter(tissues.values())).zones.shape, np.uint32)
    before = 0
    for lesions in tissues.values():
        kept = lesions.run_numbers != 0
        numbers = np.repeat(lesions.run_numbers[kept] + before, lesions.runs.lengths[kept])
        together.reshape(-1)[lesions.runs.where(kept).flat()] = numbers
        before += lesions.count
    return together


def _joint_numbers(count: int, touching: Sequence[Lowest]) -> np.ndarray:
    """A new number for each lesion (from 1; 0 stays), the same for those that are one."""
    group = np.arange(count + 1)
    for lowest in touching:
        touched: Lowest = {}
        for lesion, other in lowest.items():
            touched[group[lesion]] = min(other, touched.get(group[lesion], other))
        joint: dict[int, int] = {}
        for own, other in sorted(touched.items()):
            group[group == own] = joint.setdefault(other, own)
    return np.unique(group, return_inverse=True)[1]
