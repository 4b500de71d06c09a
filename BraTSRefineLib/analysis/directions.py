"""The axes of an array in the words of the body."""

from __future__ import annotations

import numpy as np

from ..cohort import Geometry

ENDS = (("left", "right"), ("back", "front"), ("head", "feet"))
"""Words for + and - along L, P and S."""

SIDES = ("left and right", "front and back", "top and bottom")


def towards(geometry: Geometry, axis: int, step: int) -> str:
    """Where ``step`` along voxel axis ``axis`` (0 x, 1 y, 2 z) leads: ``feet``; the nearest where it is oblique."""
    world, sign = _world(geometry, axis)
    return ENDS[world][0 if sign * step > 0 else 1]


def sides_of(geometry: Geometry, axis: int) -> str:
    """What lies at the two ends of voxel axis ``axis`` (0 x, 1 y, 2 z): ``left and right``."""
    return SIDES[_world(geometry, axis)[0]]


def _world(geometry: Geometry, axis: int) -> tuple[int, float]:
    column = np.reshape(geometry.direction, (3, 3))[:, axis]
    world = int(np.argmax(np.abs(column)))
    return world, float(column[world])
