"""A small grid with voxels that are no cubes, an origin and axes that MRML turns round."""

from __future__ import annotations

from BraTSRefineLib.cohort.volumes import Geometry

SHAPE = (20, 30, 40)
GRID = Geometry(SHAPE[::-1], (1.0, 1.0, 2.0), (10.0, -20.0, 5.0), (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0))
