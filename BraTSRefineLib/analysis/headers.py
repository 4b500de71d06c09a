"""Why a prediction that lies on another grid was refused: is it its header that is wrong, or its content?

Reads nothing and scores nothing: the Dice values here are evidence for a finding alone.
"""

from __future__ import annotations

import numpy as np

from ..cohort import Geometry
from ..regions import REGIONS
from .finding import FLIPPED, LOST_HEADER, OTHER_GRID, Finding, evidence
from .flips import flipped_prediction
from .pairs import REFERENCE, Labelled
from .sides import Sides

FITS = 0.5
"""A mean Dice from which array or place counts as right."""

FITS_ANYWHERE = 0.8
"""A mean Dice that tumours of two people do not reach with one laid on the other (0.69 in 700 pairs, WT alone 0.84)."""

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
    if max(place, np.nan_to_num(array)) < FITS:
        turned = flipped_prediction(Sides(case, model, grid, truth, prediction, versus))
        kind, verdict = (FLIPPED, turned.message) if turned else (kind, verdict)
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
            f"right array, wrong place: voxel by voxel it fits (mean Dice {array:.2f}), by its header it does not "
            f"({place:.2f}); {_suspect(own, grid)}: write it again with the header of the case's image"
        )
    if place >= FITS and not place < array - AHEAD:
        return OTHER_GRID, (
            f"its header is right: put in its place by it, it fits (mean Dice {place:.2f}); "
            "export it on the case's grid"
        )
    if moved >= FITS_ANYWHERE:
        return LOST_HEADER, (
            f"right content, wrong place: moved so that the centres of mass meet it fits (mean Dice {moved:.2f}), "
            f"by its header it does not ({place:.2f}), as a crop that was saved without its place"
        )
    by_array = "its array has another size" if np.isnan(array) else f"voxel by voxel its mean Dice is {array:.2f}"
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
    """Mean Dice voxel by voxel; NaN where the arrays differ in size."""
    if truth.voxels.shape != prediction.voxels.shape:
        return float("nan")
    return _dice(truth, prediction, prediction.places, 1.0)


def _dice_by_header(truth: Labelled, grid: Geometry, prediction: Labelled, own: Geometry) -> float:
    """Mean Dice in mm3 with every voxel of the prediction put on the voxel of the case's grid nearest to it."""
    xyz = np.column_stack([prediction.places[:, ::-1], np.ones(len(prediction.places))])
    on_grid = np.rint(xyz @ np.linalg.solve(grid.affine, own.affine).T)[:, 2::-1].astype(np.int64)
    return _dice(truth, prediction, on_grid, _voxel_ratio(own, grid))


def _dice_when_moved(
    truth: Labelled, grid: Geometry, prediction: Labelled, own: Geometry
) -> tuple[float, tuple[int, ...]]:
    """Mean Dice with the arrays' axes alike and the centres of mass laid on each other, and the offset in voxels."""
    places, there = prediction.places, truth.places
    if not len(places) or not len(there):
        return 0.0, (0, 0, 0)
    scaled = places * (np.array(own.array_spacing) / np.array(grid.array_spacing))
    offset = np.rint(there.mean(axis=0) - scaled.mean(axis=0)).astype(np.int64)
    moved = np.rint(scaled).astype(np.int64) + offset
    return _dice(truth, prediction, moved, _voxel_ratio(own, grid)), tuple(offset.tolist())


def _dice(truth: Labelled, prediction: Labelled, where: np.ndarray, volume: float) -> float:
    """Mean over the regions that both have; 0 without one.

    ``where`` the places of the prediction lie in the truth, and the ``volume`` of a voxel in voxels of the truth.
    """
    inside = ((where >= 0) & (where < truth.voxels.shape)).all(axis=1)
    found = prediction.region_codes[prediction.voxels[tuple(prediction.places[inside].T)]]
    meets = found & truth.region_codes[truth.voxels[tuple(where[inside].T)]]
    dice = []
    for region in [region for region in truth.regions if region in prediction.regions]:
        both = volume * np.count_nonzero(meets >> REGIONS.index(region) & 1)
        if truth.size(region) and prediction.size(region):
            dice.append(min(2 * both / (truth.size(region) + volume * prediction.size(region)), 1.0))
    return float(np.mean(dice)) if dice else 0.0


def _voxel_ratio(own: Geometry, grid: Geometry) -> float:
    return float(np.prod(own.spacing) / np.prod(grid.spacing))
