"""Surface elements (surfels): the area of a mask's surface inside a 2x2x2 block of voxels, for each of the 256 blocks.

The surface is the one of surface-distance (Nikolov et al. 2018, "Deep learning to achieve clinically applicable
segmentation of head and neck anatomy"), derived here from the geometry: the voxel centres are the corners of a unit
cube, and the smaller of inside and outside is cut off, each edge-connected part by a polygon through the middles of
the edges that leave it. A polygon that is not flat is cut into triangles where its area at unit spacing is largest,
then where its largest triangle is largest.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np

Point = tuple[float, float, float]
Triangle = tuple[Point, Point, Point]

CORNERS = tuple(product((0, 1), repeat=3))
"""Corners (z, y, x) of the cube; corner ``i`` is bit ``i`` of a block's code."""


@lru_cache(maxsize=32)
def surfel_areas(spacing: tuple[float, float, float]) -> np.ndarray:
    """Area in mm² by the code of the block (256 values, read-only); ``spacing`` in mm in array order."""
    z, y, x = spacing
    faces = np.array([y * x, z * x, z * y])
    areas = np.array([sum(np.sqrt((np.array(n) * faces) @ (np.array(n) * faces)) for n in ns) for ns in _normals()])
    areas.flags.writeable = False
    return areas


@lru_cache(maxsize=1)
def _normals() -> list[list[Point]]:
    """The triangles' area vectors (z, y, x) at unit spacing, a list a code."""
    return [[_area_vector(t) for part in _parts(code) for t in _triangles(_polygon(part))] for code in range(256)]


def _parts(code: int) -> list[frozenset]:
    """The edge-connected parts of the inside corners, or of the outside ones where those are fewer."""
    inside = {corner for bit, corner in enumerate(CORNERS) if code >> bit & 1}
    rest = inside if len(inside) <= 4 else set(CORNERS) - inside
    parts = []
    while rest:
        part = _connected(min(rest), rest)
        parts.append(part)
        rest = rest - part
    return parts


def _connected(start: tuple, corners: set) -> frozenset:
    part, front = set(), {start}
    while front:
        part |= front
        front = {c for c in corners - part if any(_adjacent(c, d) for d in part)}
    return frozenset(part)


def _adjacent(a: tuple, b: tuple) -> bool:
    return sum(p != q for p, q in zip(a, b, strict=True)) == 1


def _polygon(part: frozenset) -> list[Point]:
    """The middles of the edges that leave ``part``, in the order in which they follow each other round it."""
    middles = [
        tuple((p + q) / 2 for p, q in zip(inside, outside, strict=True))
        for inside in sorted(part)
        for outside in CORNERS
        if outside not in part and _adjacent(inside, outside)
    ]
    polygon = [middles.pop(0)]
    while middles:
        following = next(point for point in middles if _on_one_face(polygon[-1], point))
        middles.remove(following)
        polygon.append(following)
    return polygon


def _on_one_face(a: Point, b: Point) -> bool:
    return any(p == q and p in (0, 1) for p, q in zip(a, b, strict=True))


def _triangles(polygon: list[Point]) -> list[Triangle]:
    return max(_triangulations(polygon), key=_preference)


def _preference(triangles: list[Triangle]) -> tuple[float, float]:
    areas = [_length(_area_vector(triangle)) for triangle in triangles]
    return round(sum(areas), 9), round(max(areas), 9)


def _triangulations(polygon: list[Point]) -> list[list[Triangle]]:
    """Every way to cut the polygon into triangles without new points."""
    if len(polygon) < 3:
        return [[]]
    first, last = polygon[0], polygon[-1]
    return [
        [*left, (first, polygon[i], last), *right]
        for i in range(1, len(polygon) - 1)
        for left in _triangulations(polygon[: i + 1])
        for right in _triangulations(polygon[i:])
    ]


def _area_vector(triangle: Triangle) -> Point:
    """Half the cross product of two sides."""
    (az, ay, ax), (bz, by, bx), (cz, cy, cx) = triangle
    u, v = (bz - az, by - ay, bx - ax), (cz - az, cy - ay, cx - ax)
    return (u[1] * v[2] - u[2] * v[1]) / 2, (u[2] * v[0] - u[0] * v[2]) / 2, (u[0] * v[1] - u[1] * v[0]) / 2


def _length(vector: Point) -> float:
    return sum(component**2 for component in vector) ** 0.5
