"""Distances between the edges of two masks, as MONAI, medpy and the official BraTS 2024 code take them."""

from __future__ import annotations

import numpy as np

from .engines import chosen_engine, surface_pairs
from .packing import pack
from .surface import EDGES, SurfacePair


def edge_pair(
    reference: np.ndarray, prediction: np.ndarray, spacing: tuple[float, ...], engine: str = "auto"
) -> SurfacePair:
    """The edges of two boolean masks (z, y, x), neither of them empty; beyond the array lies background."""
    packed = pack(reference.view(np.uint8), prediction.view(np.uint8), [(1,)], [(1,)], chosen_engine(engine))
    return surface_pairs(packed, [0], tuple(map(float, spacing)), engine, EDGES)[0]


def edge_distances(
    reference: np.ndarray, prediction: np.ndarray, spacing: tuple[float, ...], engine: str = "auto"
) -> tuple[np.ndarray, np.ndarray]:
    """Distances in mm, ascending, of every edge voxel of the reference to the prediction's edge, and the other way.

    Masks as in ``edge_pair``. An edge voxel is one of the mask with a face neighbour outside it.
    """
    pair = edge_pair(reference, prediction, spacing, engine)
    return pair.from_reference.each(), pair.from_prediction.each()
