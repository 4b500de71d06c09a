"""Surface distances with numpy and scipy alone, for hosts that bundle nothing else."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_erosion
from scipy.spatial import cKDTree

from .packing import REFERENCE_BITS, Packed
from .surface import EDGES, Directed, SurfacePair
from .surfels import CORNERS, surfel_areas

Surface = tuple[np.ndarray, np.ndarray]
"""Positions (n, 3) of the elements on the grid (z, y, x), and their areas in mm² (edge voxels count 1)."""


def surface_pairs(
    packed: Packed, regions: list[int], spacing: tuple[float, ...], surface: str
) -> dict[int, SurfacePair]:
    """An entry a surface element, so that no tie is left open."""
    return {region: _surface_pair(packed.voxels, region, spacing, surface) for region in regions}


def _surface_pair(voxels: np.ndarray, region: int, spacing: tuple[float, ...], surface: str) -> SurfacePair:
    reference, prediction = (
        _surface(voxels & np.uint8(1 << bit) != 0, spacing, surface) for bit in (region, region + REFERENCE_BITS)
    )
    return SurfacePair(_directed(reference, prediction, spacing), _directed(prediction, reference, spacing))


def _surface(mask: np.ndarray, spacing: tuple[float, ...], surface: str) -> Surface:
    if surface == EDGES:
        edges = np.argwhere(mask & ~binary_erosion(mask))
        return edges, np.ones(len(edges))
    padded = np.pad(mask.view(np.uint8), 1)
    blocks = tuple(size - 1 for size in padded.shape)
    codes = np.zeros(blocks, dtype=np.uint8)
    for bit, corner in enumerate(CORNERS):
        window = tuple(slice(start, start + size) for start, size in zip(corner, blocks, strict=True))
        codes |= padded[window] << np.uint8(bit)
    elements = np.nonzero((codes != 0) & (codes != 255))
    return np.stack(elements, axis=1), surfel_areas(spacing)[codes[elements]]


def _directed(source: Surface, target: Surface, spacing: tuple[float, ...]) -> Directed:
    distances, areas = nearest_distances(source[0], target[0], spacing), source[1]
    order = np.lexsort((areas, distances))
    return Directed(distances[order], areas[order], elementwise=True)


def nearest_distances(points: np.ndarray, targets: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Distance in mm from each of ``points`` to the nearest of ``targets``; grid positions (n, 3) in array order.

    The tree names the neighbour; the distance is then taken as scipy's Euclidean distance transform takes it, so
    that both agree to the last bit.
    """
    tree = cKDTree(targets * np.asarray(spacing), balanced_tree=False, compact_nodes=False)
    _, nearest = tree.query(points * np.asarray(spacing))
    steps = ((points - targets[nearest]) * np.asarray(spacing)).T
    return np.sqrt(np.add.reduce(steps * steps, axis=0))
