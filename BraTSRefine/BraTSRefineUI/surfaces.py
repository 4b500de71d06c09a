"""How far a surface lies from another one, in millimetres, at each of its points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .casedata import Labels
from .vtkarrays import Surface

SMALLEST_LIMIT_MM, LARGEST_LIMIT_MM = 2.0, 20.0
SHARE_INSIDE_LIMIT = 0.98
NEIGHBOURS = 3


def signedDistances(reference: Labels, prediction: Labels, region: str) -> dict[str, np.ndarray]:
    """How far, in mm, the prediction of a region lies outside the reference, or (negative) falls short of it.

    Under "prediction" at the points of its own surface; under "reference" at the reference's points, where what the
    prediction leaves out is seen. Empty where one of the two has nothing of the region. No common grid is needed.
    """
    true, found = reference.surfaces.get(region), prediction.surfaces.get(region)
    if true is None or found is None:
        return {}
    missed = ~_isInside(prediction, region, true.points)
    excess = ~_isInside(reference, region, found.points)
    ofTrue, ofFound = distances(true.points, found), distances(found.points, true)
    return {"reference": np.where(missed, -ofTrue, ofTrue), "prediction": np.where(excess, ofFound, -ofFound)}


def distances(points: np.ndarray, surface: Surface) -> np.ndarray:
    """Distance (n,) in mm of ``points`` (n, 3) to a surface.

    The nearest triangles are sought by their middles and then measured exactly, which is right where triangles are
    about as large as voxels, as those of a label map's surface are.
    """
    from scipy.spatial import cKDTree

    points = points.astype(float)
    triangles = surface.points.astype(float)[surface.triangles]
    tree = cKDTree(triangles.mean(axis=1), balanced_tree=False, compact_nodes=False)
    _, nearest = tree.query(points, k=min(NEIGHBOURS, len(triangles)), workers=-1)
    columns = nearest.reshape(len(points), -1).T
    return np.sqrt(np.min([_toTriangles(points, triangles[column]) for column in columns], axis=0))


def _toTriangles(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Squared distance of each point (n, 3) to its triangle (n, 3 corners, 3).

    Ericson, Real-Time Collision Detection (2005), 5.1.5: inside the triangle's prism it is that to its plane, else that
    to the nearest of its sides.
    """
    first, second, third = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    normal = np.cross(second - first, third - first)
    size = np.einsum("ij,ij->i", normal, normal)
    toSides = np.min([_toSide(points, a, b) for a, b in ((first, second), (second, third), (third, first))], axis=0)
    isInside = size > 0
    for a, b in ((first, second), (second, third), (third, first)):
        isInside &= np.einsum("ij,ij->i", np.cross(b - a, points - a), normal) >= 0
    height = np.einsum("ij,ij->i", points - first, normal)
    return np.where(isInside, height**2 / np.where(size > 0, size, 1.0), toSides)


def _toSide(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Squared distance of each point to its line segment."""
    along, away = end - start, points - start
    length = np.einsum("ij,ij->i", along, along)
    share = np.clip(np.einsum("ij,ij->i", away, along) / np.where(length > 0, length, 1.0), 0.0, 1.0)
    gap = away - share[:, None] * along
    return np.einsum("ij,ij->i", gap, gap)


def _isInside(labels: Labels, region: str, points: np.ndarray) -> np.ndarray:
    """Whether each point (n, 3; RAS mm) lies in a voxel of the region."""
    mask, toIjk = labels.regions[region], np.linalg.inv(np.diag([-1.0, -1.0, 1.0, 1.0]) @ labels.geometry.affine)
    places = np.rint(points @ toIjk[:3, :3].T + toIjk[:3, 3]).astype(np.intp)[:, ::-1]
    isOnGrid = ((places >= 0) & (places < mask.shape)).all(axis=1)
    inside = np.zeros(len(points), dtype=bool)
    inside[isOnGrid] = mask[tuple(places[isOnGrid].T)]
    return inside


def limit(values: Sequence[np.ndarray]) -> float:
    """The end of a symmetric scale in whole millimetres, 2 to 20, that has nearly all of the values inside.

    What lies farther off is far off; a longer scale would show no difference in what is near.
    """
    sizes = np.abs(np.concatenate([np.zeros(1), *values]))
    return float(np.clip(np.ceil(np.quantile(sizes, SHARE_INSIDE_LIMIT)), SMALLEST_LIMIT_MM, LARGEST_LIMIT_MM))
