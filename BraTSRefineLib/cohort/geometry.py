"""Whether everything in a case lies on one grid, compared header by header before any number is computed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .case import Case
from .nifti_header import looks_truncated, read_nifti_header
from .volumes import GEOMETRY_TOLERANCE_MM, Geometry, VolumeError, check_complete, read_geometry


class Geometries:
    """Reads each file's geometry once; files with the same header bytes share one reading."""

    def __init__(self) -> None:
        self._by_header: dict[bytes, Geometry] = {}

    def read(self, path: Path) -> Geometry:
        """Raises VolumeError for a missing, unreadable or truncated file and for one that is not 3D."""
        header = read_nifti_header(path) if path.is_file() else None
        if header is None:
            return read_geometry(path)
        key = header.geometry_bytes
        if key not in self._by_header:
            self._by_header[key] = read_geometry(path)
        if looks_truncated(path, header):
            check_complete(path)
        return self._by_header[key]


def case_geometry(case: Case) -> Geometry:
    """The grid of a case: its reference's, else its first image's, else that of most of its predictions.

    Raises VolumeError where the case has no volume, its file is unreadable, or the predictions are split evenly.
    """
    first = case.reference or next(iter(case.images.values()), None)
    if first is not None:
        return read_geometry(first)
    readable: dict[str, Geometry] = {}
    reasons = []
    for model, path in case.predictions.items():
        try:
            readable[model] = read_geometry(path)
        except VolumeError as error:
            reasons.append(str(error))
    if not readable:
        raise VolumeError(f"{case.case}: no volume to take the grid from ({'; '.join(reasons) or 'it has no file'})")
    model = majority_grid(readable)
    if not model:
        raise VolumeError(f"{case.case}: {split_evenly(readable)}")
    return readable[model]


def majority_grid(geometries: Mapping[str, Geometry]) -> str:
    """The first model that lies on the grid of most models; empty where two grids have equally many."""
    votes = {
        model: sum(not geometry.difference(other) for other in geometries.values())
        for model, geometry in geometries.items()
    }
    winner = max(votes, key=lambda model: votes[model])
    rivals = [model for model in votes if votes[model] == votes[winner]]
    same = all(not geometries[winner].difference(geometries[model]) for model in rivals)
    return winner if same else ""


def split_evenly(geometries: Mapping[str, Geometry]) -> str:
    """Says that no grid has a majority, and which model has which size and origin."""
    grids = dict.fromkeys(
        f"size {'x'.join(map(str, grid.size))} origin {np.round(grid.origin, 3).tolist()}"
        for grid in geometries.values()
    )
    found = " / ".join(grids)
    return f"the predictions of {', '.join(geometries)} lie on different grids ({found}); add an image or a reference"


def relation(mine: Geometry, theirs: Geometry) -> str:
    """How two grids that differ belong together, in words; empty where they do not share voxel positions."""
    to_theirs = np.linalg.solve(theirs.affine, mine.affine)
    turn, shift = np.rint(to_theirs[:3, :3]), np.rint(to_theirs[:3, 3])
    exact = np.eye(4)
    exact[:3, :3], exact[:3, 3] = turn, shift
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in mine.size], [1])).reshape(4, -1)
    apart = np.abs((theirs.affine @ exact - mine.affine) @ corners).max()
    if apart > GEOMETRY_TOLERANCE_MM or abs(round(np.linalg.det(turn))) != 1:
        return _lost_place(mine)
    placed = (exact @ corners)[:3]
    low, high = placed.min(axis=1).astype(int), placed.max(axis=1).astype(int)
    if (low == 0).all() and (high == np.array(theirs.size) - 1).all():
        return f"it is the same physical grid with {_turned(turn)}"
    if (low >= 0).all() and (high < np.array(theirs.size)).all():
        return _crop(low, mine, theirs)
    return _lost_place(mine) or "its voxels fall on that grid's, but it covers another box"


def _turned(turn: np.ndarray) -> str:
    if (np.abs(turn) != np.eye(3)).any():
        return "its axes in another order"
    return f"axis {' and '.join(axis for axis, sign in zip('xyz', np.diag(turn), strict=True) if sign < 0)} reversed"


def _crop(low: np.ndarray, mine: Geometry, theirs: Geometry) -> str:
    if mine.origin == theirs.origin:
        return "it has another size but the same origin, as a crop that was saved without its place"
    return f"it is a crop that lies exactly on that grid, from voxel {tuple(low.tolist())}"


def _lost_place(geometry: Geometry) -> str:
    """A header without orientation is read as the identity (RAS), which is diag(-1, -1, 1) in LPS."""
    identity = np.diag([-1.0, -1.0, 1.0, 1.0])
    return "its header is the identity, as after saving without it" if np.allclose(geometry.affine, identity) else ""
