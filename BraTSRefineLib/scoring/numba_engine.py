"""Surface distances of all regions in one pass over the surface elements.

From each element the grid is searched in the order of physical distance, so the first hit is the nearest; what lies
beyond the walked radius is searched block by block.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np

from .block_search import nearest_distances
from .kernels import areas_by_distance, element_areas, surface_elements
from .packing import REFERENCE_BITS, Packed
from .surface import Directed, SurfacePair
from .surfels import surfel_areas

RADIUS_VOXELS = 4.0
"""Searched radius in voxels of the same volume as a cube; larger distances are rare and cheaper by blocks."""


class Search(NamedTuple):
    """Steps (n, 3) in array order by ascending distance, the rank of each one's distance, and the distances in mm."""

    steps: np.ndarray
    levels: np.ndarray
    distances: np.ndarray


class Elements(NamedTuple):
    """Padded voxels, the elements' bits at the voxel corners, and the flat indices of corners with any."""

    voxels: np.ndarray
    bits: np.ndarray
    corners: np.ndarray


@lru_cache(maxsize=32)
def search_order(spacing: tuple[float, float, float]) -> Search:
    """Every step up to a radius that is complete in all directions."""
    step = np.asarray(spacing)
    radius = min(RADIUS_VOXELS * float(np.prod(step)) ** (1 / 3), 2 * RADIUS_VOXELS * float(step.min()))
    reach = [int(radius / size) for size in step]
    steps = np.array(list(product(*(range(-n, n + 1) for n in reach))), dtype=np.int64)
    squares = np.add.reduce((steps * step).T ** 2, axis=0)
    order = np.argsort(squares, kind="stable")
    order = order[squares[order] <= radius**2]
    distances, levels = np.unique(np.sqrt(squares[order]), return_inverse=True)
    return Search(steps[order], levels.astype(np.int64), distances)


def surface_pairs(packed: Packed, regions: list[int], spacing: tuple[float, ...]) -> dict[int, SurfacePair]:
    """Entries are shared by the elements of one distance, but for those beyond the searched radius."""
    search, areas = search_order(spacing), surfel_areas(spacing)
    elements = _elements(packed.voxels, regions, np.abs(search.steps).max(axis=0))
    offsets = search.steps @ np.array(elements.voxels.strides)
    near, missed = areas_by_distance(*elements, offsets, search.levels, areas)
    directed = {
        bit: _directed(search.distances, near[bit], _far(elements, missed, bit, spacing))
        for region in regions
        for bit in (region, region + REFERENCE_BITS)
    }
    return {region: SurfacePair(directed[region], directed[region + REFERENCE_BITS]) for region in regions}


def _elements(voxels: np.ndarray, regions: list[int], reach: np.ndarray) -> Elements:
    active = np.uint8(sum(1 << region | 1 << (region + REFERENCE_BITS) for region in regions))
    margin = int(reach.max()) + 1
    padded = np.pad(voxels & active, margin)
    return Elements(padded, *surface_elements(padded, margin))


def _far(elements: Elements, missed: np.ndarray, bit: int, spacing: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Distances and areas of a mask's elements whose counterpart lies beyond the searched radius."""
    sources = elements.corners[missed >> bit & 1 != 0]
    if len(sources) == 0:
        return np.empty(0), np.empty(0)
    at_corners = elements.bits.ravel()[elements.corners]
    targets = elements.corners[at_corners >> (bit ^ REFERENCE_BITS) & 1 != 0]
    _, height, row = elements.bits.shape
    distances = nearest_distances(sources, targets, row, row * height, np.asarray(spacing))
    return distances, element_areas(elements.voxels, sources, bit, surfel_areas(spacing))


def _directed(levels: np.ndarray, near: np.ndarray, far: tuple[np.ndarray, np.ndarray]) -> Directed:
    met = near > 0
    order = np.argsort(far[0], kind="stable")
    return Directed(np.concatenate([levels[met], far[0][order]]), np.concatenate([near[met], far[1][order]]))
