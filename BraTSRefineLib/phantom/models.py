"""Five models that err, each in its own way: probabilities of WT, TC and ET made from the truth's distances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .anatomy import Anatomy
from .grid import Grid, signed_distance, smooth_noise, squared_distance, within
from .tumour import LABELS, Tumour

MARGIN_MM = 16.0
STEPS = 250.0
"""Probabilities are rounded to 1/STEPS, so that the files compress well."""
NEGLIGIBLE = 0.012
COARSE_REACH = 0.4
"""Per mm of spacing: on a coarse grid an error has to be larger to reach the next voxel."""


@dataclass(frozen=True)
class Habit:
    """How a model errs; lengths in mm, positive biases are too much, volumes in ml."""

    bias: tuple[float, float, float]
    waviness: float
    roughness: float
    softness: float
    misses_below_ml: float = 0.0
    specks: float = 0.0
    bad_days: float = 0.08


MODELS: Mapping[str, Habit] = {
    "fold_0": Habit((0.1, 0.0, 0.0), 1.7, 0.7, 1.1, bad_days=0.05),
    "fold_1": Habit((-1.1, -0.2, 0.0), 2.0, 0.7, 1.3),
    "fold_2": Habit((0.2, -0.6, -0.35), 1.8, 0.7, 1.2, misses_below_ml=0.6),
    "fold_3": Habit((1.5, 0.8, 0.3), 2.1, 0.8, 1.5, specks=2.5),
    "fold_4": Habit((-0.2, 0.2, 0.1), 1.9, 1.4, 1.0, specks=1.5, bad_days=0.12),
}
"""fold_0 is sound; fold_1 under-segments oedema; fold_2 misses small parts; fold_3 spills; fold_4 is rough."""


@dataclass(frozen=True)
class Target:
    """What the models look at: signed distances ``(3, z, y, x)`` in mm in a part of the box, positive inside."""

    part: tuple[slice, ...]
    distances: np.ndarray
    difficulty: np.ndarray


def make_target(grid: Grid, tumour: Tumour, rng: np.random.Generator) -> Target:
    """Distances around the tumour, and the waviness that every model shares because the image itself misleads."""
    part = _surroundings(tumour.labels > 0, grid)
    axes = within(grid.axes, part)
    masks = LABELS.masks(tumour.labels[part])
    distances = np.stack([signed_distance(mask, grid.spacing) for mask in masks])
    return Target(part, distances, 0.6 * smooth_noise(axes, 20.0, rng) + 0.3 * smooth_noise(axes, 7.0, rng))


def _surroundings(mask: np.ndarray, grid: Grid) -> tuple[slice, ...]:
    margin = int(np.ceil(MARGIN_MM / grid.spacing))
    places = np.argwhere(mask)
    low, high = places.min(axis=0) - margin, places.max(axis=0) + margin + 1
    return tuple(slice(max(0, a), min(b, n)) for a, b, n in zip(low, high, mask.shape, strict=True))


def predict(habit: Habit, target: Target, grid: Grid, anatomy: Anatomy, rng: np.random.Generator) -> np.ndarray:
    """Probabilities ``(3, z, y, x)`` in the grid's box, float16, nested: ET below TC below WT."""
    axes = within(grid.axes, target.part)
    common = habit.waviness * smooth_noise(axes, 17.0, rng) + habit.roughness * smooth_noise(axes, 6.0, rng)
    bad_day = _bad_day(axes, rng) if rng.random() < habit.bad_days else np.float32(0.0)
    probabilities = np.zeros((3, *anatomy.brain.shape), dtype=np.float32)
    for region, bias in enumerate(habit.bias):
        distance = target.distances[region]
        reach = max(_reach(distance), COARSE_REACH * grid.spacing)
        own = 0.5 * smooth_noise(axes, 9.0, rng)
        logit = distance + reach * (bias + 0.55 * common + 0.55 * target.difficulty + own + bad_day)
        logit[_missed(distance, habit, grid)] = -8.0
        probabilities[(region, *target.part)] = 1.0 / (1.0 + np.exp(-np.clip(logit / habit.softness, -30, 30)))
    _add_specks(probabilities, habit, grid, anatomy, rng)
    return settle(probabilities, anatomy.brain)


def _reach(distance: np.ndarray) -> float:
    """How far a model strays from this region's border: less where the region is thin or small."""
    thickness = float(np.clip(distance.max(), 0.0, 12.0))
    return 0.22 + 0.78 * thickness / 12.0


def _bad_day(axes, rng: np.random.Generator) -> np.ndarray:
    """A large part lost or invented, as models do now and then."""
    lobe = smooth_noise(axes, 45.0, rng)
    return rng.choice([-1.0, -1.0, 1.0]) * 11.0 * np.clip(lobe + 0.2, 0.0, 1.0)


def _missed(distance: np.ndarray, habit: Habit, grid: Grid) -> np.ndarray:
    """The parts of a region that are too small for this model, with their surroundings; never its largest part."""
    import cc3d

    if habit.misses_below_ml <= 0 or distance.max() <= 0:
        return np.zeros(distance.shape, dtype=bool)
    parts = cc3d.connected_components(distance > 0, connectivity=26)
    sizes = np.bincount(parts.ravel())
    sizes[0] = sizes.max()
    small = (sizes < grid.voxels(habit.misses_below_ml)) & (sizes < sizes[1:].max())
    return small[parts]


def _add_specks(probabilities, habit: Habit, grid: Grid, anatomy: Anatomy, rng: np.random.Generator) -> None:
    """Small false positives anywhere in the brain, for post-processing to remove."""
    for _ in range(rng.poisson(habit.specks)):
        places = np.flatnonzero(anatomy.brain & (anatomy.depth > 6.0))
        place = np.unravel_index(places[rng.integers(places.size)], anatomy.brain.shape)
        radius, peak, inner = rng.uniform(1.4, 2.6), rng.uniform(0.65, 0.9), rng.choice([0, 2, 2])
        blob = peak * np.exp(-squared_distance(grid.axes, grid.frame(np.array(place))) / (2.0 * radius**2))
        probabilities[: inner + 1] = np.maximum(probabilities[: inner + 1], blob * (blob > 0.05))


def settle(probabilities: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Probabilities as they are stored: inside the brain, nested outwards, rounded, the negligible ones zero."""
    whole, core, enhancing = probabilities
    core = np.maximum(core, enhancing)
    settled = np.stack([np.maximum(whole, core), core, enhancing]) * brain
    settled = np.rint(settled * STEPS) / STEPS
    settled[settled < NEGLIGIBLE] = 0.0
    settled[settled > 1.0 - NEGLIGIBLE] = 1.0
    return settled.astype(np.float16)


def painted(probabilities: np.ndarray) -> np.ndarray:
    """Label map (brats2023, uint8) of stored probabilities ``(3, z, y, x)``: above one half, the innermost wins."""
    return LABELS.paint(probabilities > 0.5)
