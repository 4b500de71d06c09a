"""Why a prediction that lies on another grid was refused: is it its header that is wrong, or its content?

Reads nothing and scores nothing: the Dice values here are evidence for a finding alone.
"""

from __future__ import annotations

import numpy as np

from ..cohort import Geometry
from ..regions import REGIONS
from .finding import LOST_HEADER, OTHER_GRID, Finding, evidence
from .pairs import REFERENCE, Labelled

FITS = 0.5
"""A WT Dice from which array or place counts as right."""

AHEAD = 0.1
"""By which one of them must be ahead of the other to be the one that is right."""

IDENTITIES = (np.eye(4), np.diag([-1.0, -1.0, 1.0, 1.0]))
"""What a header that was lost says, in LPS: ITK's default, and NIfTI's."""


def refused_grid(
    case: str, model: str, truth: Labelled, grid: Geometry, prediction: Labelled, own: Geometry, versus: str = REFERENCE
) -> Finding:
    """What is wrong with a prediction on the grid ``own`` where the case's is ``grid``: header, grid or content."""
    array = _dice_of_arrays(truth, prediction)
    place = _dice_by_header(truth, grid, prediction, own)
    moved, offset = _dice_when_moved(truth, grid, prediction, own)
    kind, verdict = _verdict(array, place, moved, own, grid)
    message = f"its grid differs from the case's ({own.difference(grid)}), so it was not scored; {verdict}"
    if versus != REFERENCE:
        message += f" (compared with the {versus})"
    facts = evidence(by_array=array, by_header=place, moved=moved, offset_zyx=offset)
    return Finding(case, model, kind, message, f"{facts}; {evidence(header_is_default=is_default(own))}")


def is_default(geometry: Geometry) -> bool:
    """Whether a header says nothing: spacing 1 mm, origin 0, directions of the identity (of LPS or RAS)."""
    return any(np.allclose(geometry.affine, identity, atol=1e-6) for identity in IDENTITIES)


def _verdict(array: float, place: float, moved: float, own: Geometry, grid: Geometry) -> tuple[str, str]:
    if array >= FITS and array > place + AHEAD:
        return LOST_HEADER, (
            f"right array, wrong place: voxel by voxel it fits (WT Dice {array:.2f}), by its header it does not "
            f"({place:.2f}); {_suspect(own, grid)}: write it again with the header of the case's image"
        )
    if place >= FITS and not place < array - AHEAD:
        return OTHER_GRID, (
            f"its header is right: put in its place by it, it fits (WT Dice {place:.2f}); export it on the case's grid"
        )
    if moved >= FITS:
        return LOST_HEADER, (
            f"right content, wrong place: moved so that the centres of mass meet it fits (WT Dice {moved:.2f}), "
            f"by its header it does not ({place:.2f}), as a crop that was saved without its place"
        )
    by_array = "its array has another size" if np.isnan(array) else f"voxel by voxel its WT Dice is {array:.2f}"
    return OTHER_GRID, (
        f"header or content cannot be told right: {by_array}, by its header {place:.2f}, "
        f"moved onto the tumour's centre {moved:.2f}; was it made of other images, or resampled?"
    )


def _suspect(own: Geometry, grid: Geometry) -> str:
    if is_default(own) and not is_default(grid):
        return "its header was lost (the identity, as after saving without one)"
    if is_default(grid) and not is_default(own):
        return "the case's own header looks lost (the identity), so look at that first"
    return "one of the two headers is wrong"


def _dice_of_arrays(truth: Labelled, prediction: Labelled) -> float:
    """WT Dice voxel by voxel; NaN where the arrays differ in size."""
    if truth.voxels.shape != prediction.voxels.shape:
        return float("nan")
    return _dice(truth, prediction, _places(prediction), 1.0)


def _dice_by_header(truth: Labelled, grid: Geometry, prediction: Labelled, own: Geometry) -> float:
    """WT Dice in mm3 with every voxel of the prediction put on the voxel of the case's grid nearest to it."""
    xyz = np.column_stack([_places(prediction)[:, ::-1], np.ones(prediction.size("WT"))])
    on_grid = np.rint(xyz @ np.linalg.solve(grid.affine, own.affine).T)[:, 2::-1].astype(np.int64)
    return _dice(truth, prediction, on_grid, _voxel_ratio(own, grid))


def _dice_when_moved(
    truth: Labelled, grid: Geometry, prediction: Labelled, own: Geometry
) -> tuple[float, tuple[int, ...]]:
    """WT Dice with the arrays' axes alike and the centres of mass laid on each other, and the offset in voxels."""
    places, there = _places(prediction), _places(truth)
    if not len(places) or not len(there):
        return 0.0, (0, 0, 0)
    scaled = places * (np.array(own.array_spacing) / np.array(grid.array_spacing))
    offset = np.rint(there.mean(axis=0) - scaled.mean(axis=0)).astype(np.int64)
    moved = np.rint(scaled).astype(np.int64) + offset
    return _dice(truth, prediction, moved, _voxel_ratio(own, grid)), tuple(offset.tolist())


def _dice(truth: Labelled, prediction: Labelled, places: np.ndarray, volume: float) -> float:
    """``places``: where the prediction's voxels lie in the truth; ``volume`` of such a voxel in voxels of the truth."""
    inside = places[((places >= 0) & (places < truth.voxels.shape)).all(axis=1)]
    both = np.count_nonzero(truth.region_codes[truth.voxels[tuple(inside.T)]] & 1) * volume
    total = truth.size("WT") + prediction.size("WT") * volume
    return float(min(2 * both / total, 1.0)) if total else 0.0


def _places(label_map: Labelled) -> np.ndarray:
    """Indices (n, 3) of the voxels of WT."""
    whole = 1 << REGIONS.index("WT")
    if label_map.box is None:
        return np.zeros((0, 3), dtype=np.int64)
    inside = np.argwhere(label_map.region_codes[label_map.voxels[label_map.box]] & whole)
    return inside + np.array([axis.start for axis in label_map.box])


def _voxel_ratio(own: Geometry, grid: Geometry) -> float:
    return float(np.prod(own.spacing) / np.prod(grid.spacing))
