"""Masks and the peer that the scoring tests share."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def surface_distance():
    """surface-distance's Dice, HD95, NSD and ASSD of two masks; it takes names from numpy 1 that numpy 2 dropped."""
    from surface_distance import lookup_tables, metrics

    np.Inf, np.NaN = np.inf, np.nan

    def scores(reference, prediction, spacing, tolerance_mm=1.0):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            distances = metrics.compute_surface_distances(reference, prediction, spacing)
            return {
                "dice": metrics.compute_dice_coefficient(reference, prediction),
                "hd95_mm": metrics.compute_robust_hausdorff(distances, 95),
                "assd_mm": np.mean(metrics.compute_average_surface_distance(distances)),
                f"nsd_{tolerance_mm:g}mm": metrics.compute_surface_dice_at_tolerance(distances, tolerance_mm),
            }

    yield SimpleNamespace(scores=scores, tables=lookup_tables)
    del np.Inf, np.NaN


@pytest.fixture(scope="session")
def hd95_of_faces(surface_distance):
    """surface-distance's HD95 of two masks, alone."""
    return lambda reference, prediction, spacing: surface_distance.scores(reference, prediction, spacing)["hd95_mm"]


def _ball(shape, centre, radius):
    grid = np.indices(shape)
    return sum((axis - c) ** 2 for axis, c in zip(grid, centre, strict=True)) <= radius**2


def _blobs(rng, shape, share):
    noise = ndimage.gaussian_filter(rng.random(shape), rng.uniform(0.6, 2.0))
    return noise > np.quantile(noise, 1 - share)


@pytest.fixture(scope="session")
def fuzz_pairs():
    """(name, reference, prediction, spacing): small masks of every kind that has given someone a wrong number."""
    rng = np.random.default_rng(7)
    spacings = [(1.0, 1.0, 1.0), (3.0, 0.9, 0.9), (0.5, 1.25, 2.0), (0.7, 0.7, 0.7)]
    pairs = []
    for number in range(120):
        shape = tuple(rng.integers(3, 22, 3))
        masks = [_blobs(rng, shape, rng.uniform(0.01, 0.6)) for _ in range(2)]
        pairs.append((f"blobs {number}", *masks, spacings[number % 4]))
    for number in range(40):
        shape = tuple(rng.integers(2, 8, 3))
        masks = [rng.random(shape) < rng.uniform(0.02, 0.98) for _ in range(2)]
        pairs.append((f"specks {number}", *masks, spacings[number % 4]))
    shape = (20, 24, 28)
    empty, full, one, other = (np.zeros(shape, bool) for _ in range(4))
    full[:] = True
    one[4, 5, 6], other[4, 5, 8] = True, True
    near, far = _ball(shape, (4, 5, 6), 3), _ball(shape, (15, 18, 22), 4)
    slab = np.zeros(shape, bool)
    slab[:, :3] = True
    kinds = {
        "both empty": (empty, empty),
        "prediction empty": (near, empty),
        "reference empty": (empty, near),
        "one voxel each": (one, other),
        "one voxel in both": (one, one),
        "one voxel against the whole volume": (one, full),
        "whole volume": (full, full),
        "disjoint": (near, far),
        "with a far false positive": (near, near | far),
        "at the border": (slab, slab[:, ::-1]),
        "identical": (far, far),
        "one voxel shifted": (far, np.roll(far, 1, axis=2)),
    }
    pairs += [(f"{kind} {spacing}", *masks, spacing) for kind, masks in kinds.items() for spacing in spacings]
    return pairs
