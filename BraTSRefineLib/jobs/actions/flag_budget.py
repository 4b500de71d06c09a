"""Flags that a reader has the time for: cut so that a case's hold a number of millilitres at most."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...review import Flag, Flagged

SHARES = (*np.linspace(0.02, 1.0, 99).round(2).tolist(), 1.01)
"""Of a quantity's maximum, where a budget may cut; at the last nothing is flagged."""


def within_budget(budget_ml: float, at: Callable[[float], list[Flagged]]) -> list[Flagged]:
    """The flags of each region at the lowest share of the maximum where all together hold ``budget_ml`` at most.

    ``at`` gives each region's flags above a share. A place that is flagged in two regions counts twice, as it is looked
    at twice. Where the shares are so coarse that nothing is left, those of the next lower share that fit are taken,
    the highest score first.
    """

    def fits(share: float) -> bool:
        return sum(flag.volume_ml for flag in _flags(at(share))) <= budget_ml

    place = bisect_left(SHARES, True, hi=len(SHARES) - 1, key=fits)
    found = at(SHARES[place])
    return found if place == 0 or _flags(found) else _those_that_fit(at(SHARES[place - 1]), budget_ml)


def _flags(found: list[Flagged]) -> list[Flag]:
    return [flag for flagged in found for flag in flagged.flags]


def _those_that_fit(found: list[Flagged], budget_ml: float) -> list[Flagged]:
    kept, left = [], budget_ml
    for flag in sorted(_flags(found), key=lambda flag: -flag.score):
        if flag.volume_ml <= left:
            kept.append(flag)
            left -= flag.volume_ml
    return [_only(flagged, [flag for flag in flagged.flags if flag in kept]) for flagged in found]


def _only(flagged: Flagged, flags: list[Flag]) -> Flagged:
    ranks = [flag.rank for flag in flags]
    return replace(flagged, flags=flags, labels=np.where(np.isin(flagged.labels, ranks), flagged.labels, 0))
