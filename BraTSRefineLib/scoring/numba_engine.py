"""Surface distances of all regions in one pass over the surface elements.

From each element the grid is searched in the order of physical distance, so the first hit is the nearest; what lies
beyond the walked radius is searched block by block. Elements are shared among the threads that the process may use.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from .block_search import Blocks
from .kernels import areas_by_distance, element_areas, mask_edges, surface_elements
from .packing import REFERENCE_BITS, Packed
from .surface import EDGES, Directed, SurfacePair
from .surfels import surfel_areas

RADIUS_VOXELS = 5.0
"""Searched radius in voxels of the same volume as a cube; larger distances are rare and cheaper by blocks."""

PART = 8192
"""Elements that are walked at a time: some tenths of a millisecond. Sums do not depend on the number of threads."""

WORTH_THREADS = 4 * PART
"""Below this many elements, waking threads takes longer than the work."""

ONE_EACH = np.ones(256)


class Search(NamedTuple):
    """Steps (n, 3) in array order by ascending distance, the rank of each one's distance, and the distances in mm."""

    steps: np.ndarray
    levels: np.ndarray
    distances: np.ndarray


class Elements(NamedTuple):
    """Padded voxels, the elements' bits, and the flat indices of the places with any."""

    voxels: np.ndarray
    bits: np.ndarray
    places: np.ndarray


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


def surface_pairs(
    packed: Packed, regions: list[int], spacing: tuple[float, ...], surface: str, threads: int
) -> dict[int, SurfacePair]:
    """Entries are shared by the elements of one distance, but for those beyond the searched radius."""
    search = search_order(spacing)
    areas = ONE_EACH if surface == EDGES else surfel_areas(spacing)
    elements = _elements(packed.voxels, regions, np.abs(search.steps).max(axis=0), surface)
    threads = threads if len(elements.places) > WORTH_THREADS else 1
    near, missed, blocks = _near(elements, search, areas, spacing, threads)
    bits = [bit for region in regions for bit in (region, region + REFERENCE_BITS)]
    far = _far(elements, blocks, missed, bits, areas, threads)
    directed = {bit: _directed(search.distances, near[:, bit], beyond) for bit, beyond in far.items()}
    return {region: SurfacePair(directed[region], directed[region + REFERENCE_BITS]) for region in regions}


def _elements(voxels: np.ndarray, regions: list[int], reach: np.ndarray, surface: str) -> Elements:
    active = np.uint8(sum(1 << region | 1 << (region + REFERENCE_BITS) for region in regions))
    margin = int(reach.max()) + 1
    padded = np.zeros([size + 2 * margin for size in voxels.shape], np.uint8)
    np.bitwise_and(voxels, active, out=padded[(slice(margin, -margin),) * 3])
    return Elements(padded, *(mask_edges if surface == EDGES else surface_elements)(padded, margin))


def _near(
    elements: Elements, search: Search, areas: np.ndarray, spacing: tuple[float, ...], threads: int
) -> tuple[np.ndarray, np.ndarray, Blocks | None]:
    """Area by distance and mask (levels, 8), the masks that each place missed, and the blocks to search for those.

    Where there are threads, blocks are made beside the walk, else where they turn out to be needed.
    """
    offsets = search.steps @ np.array(elements.voxels.strides)
    parts = np.array_split(elements.places, 1 + len(elements.places) // PART)
    walks = [
        partial(areas_by_distance, elements.voxels, elements.bits, part, offsets, search.levels, areas)
        for part in parts
    ]
    group = partial(Blocks, elements.places, elements.bits.ravel()[elements.places], elements.bits.shape, spacing)
    blocks, *walked = _in_turn([group, *walks], threads) if threads > 1 else [None, *_in_turn(walks, 1)]
    missed = np.concatenate([of_part for _, of_part in walked])
    if blocks is None and missed.any():
        blocks = group()
    return np.add.reduce([near for near, _ in walked]), missed, blocks


def _in_turn(jobs: Sequence[Callable[[], Any]], threads: int) -> list[Any]:
    """The results in the order of the jobs, which this thread and others take one after the other."""
    if threads < 2 or len(jobs) < 2:
        return [job() for job in jobs]
    results, waiting = [None] * len(jobs), deque(range(len(jobs)))

    def share() -> None:
        while True:
            try:
                place = waiting.popleft()
            except IndexError:  # another thread took the last one
                return
            results[place] = jobs[place]()

    others = [_pool(threads - 1).submit(share) for _ in range(threads - 1)]
    share()
    for other in others:
        other.result()
    return results


@lru_cache(maxsize=1)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="surface")


def _far(
    elements: Elements, blocks: Blocks | None, missed: np.ndarray, bits: list[int], areas: np.ndarray, threads: int
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """By mask the distances and areas of its elements whose counterpart lies beyond the searched radius."""
    if not missed.any():
        return dict.fromkeys(bits, (np.empty(0), np.empty(0)))
    search = blocks.searches(missed)

    def searched(bit: int) -> tuple[np.ndarray, np.ndarray]:
        places, distances = search(bit, bit ^ REFERENCE_BITS)
        return distances, element_areas(elements.voxels, places, bit, areas)

    return dict(zip(bits, _in_turn([partial(searched, bit) for bit in bits], threads), strict=True))


def _directed(levels: np.ndarray, near: np.ndarray, far: tuple[np.ndarray, np.ndarray]) -> Directed:
    met = near > 0
    order = np.argsort(far[0], kind="stable")
    return Directed(np.concatenate([levels[met], far[0][order]]), np.concatenate([near[met], far[1][order]]))
