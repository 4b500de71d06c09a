"""A glioma that grows in an anatomy: core with necrosis and enhancing rim, oedema along white matter, satellites."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..regions import CONVENTIONS
from .anatomy import Anatomy
from .grid import Grid, signed_distance, smooth_noise

LABELS = CONVENTIONS["brats2023"]
SPEED = {"white": 1.0, "grey": 0.14, "fluid": 0.02, "core": 8.0}
"""How fast oedema spreads, relative to white matter."""
OUTSIDE = np.float32(1e6)


@dataclass(frozen=True)
class TumourPlan:
    """What is to grow: volumes in ml, lengths in mm, position (z, y, x) in the frame."""

    centre_mm: np.ndarray
    core_ml: float
    oedema_ml: float
    rim_mm: float
    enhancing: bool
    satellites: int
    cavity_ml: float

    @property
    def core_radius_mm(self) -> float:
        """Radius of a ball of the core's volume."""
        return _ball_radius_mm(self.core_ml)


@dataclass(frozen=True)
class Tumour:
    """What grew, in the grid's box ``(z, y, x)``: label map (brats2023), cavity, spread of the oedema (0 at the core,
    1 at its edge), and each satellite's mask."""

    labels: np.ndarray
    cavity: np.ndarray
    spread: np.ndarray
    satellites: tuple[np.ndarray, ...]


def _ball_radius_mm(volume_ml: float) -> float:
    return float((3000.0 * volume_ml / (4.0 * np.pi)) ** (1.0 / 3.0))


def grow(plan: TumourPlan, grid: Grid, anatomy: Anatomy, rng: np.random.Generator) -> Tumour:
    """Grow the tumour of ``plan``; the regions are nested and lie within the brain."""
    solid = anatomy.brain & (anatomy.fluid < 0.6)
    cavity = _cavity(plan, grid, anatomy, rng)
    core = _blob(plan.centre_mm, plan.core_ml, grid, anatomy, solid & ~cavity, rng)
    satellites = _satellites(plan, grid, anatomy, solid & ~cavity & ~core, core, rng)
    every_core = core | np.any(satellites, axis=0) if satellites else core
    spread = _spread(plan, grid, anatomy, core | cavity, satellites, rng)
    oedema, spread = _oedema(plan, grid, solid & ~cavity & ~every_core, spread)
    enhancing = _enhancing(plan, grid, every_core, core, rng)
    labels = LABELS.paint(np.stack([oedema | every_core, every_core, enhancing]))
    return Tumour(labels, cavity, spread, tuple(satellites))


def _blob(centre_mm, volume_ml: float, grid: Grid, anatomy: Anatomy, allowed: np.ndarray, rng) -> np.ndarray:
    """An irregular mass of about that volume around a position: the level set of a warped, tissue-aware distance."""
    radius = _ball_radius_mm(volume_ml)
    distance = _warped_distance(centre_mm, radius, grid, rng)
    distance *= 1.0 + 0.35 * anatomy.grey + 1.0 * anatomy.fluid
    mask = _lowest(np.where(allowed, distance, OUTSIDE), grid.voxels(volume_ml))
    return _largest_component(mask)


def _warped_distance(centre_mm, radius: float, grid: Grid, rng) -> np.ndarray:
    """Distance in mm to a position, in a space that is stretched and bent at the mass's own scale and below."""
    stretch = np.exp(rng.normal(0.0, 0.18, 3)).astype(np.float32)
    squared = np.zeros(tuple(len(axis) for axis in grid.axes), dtype=np.float32)
    for axis, positions in enumerate(grid.axes):
        along = (positions - np.float32(centre_mm[axis])).reshape([-1 if a == axis else 1 for a in range(3)])
        bend = 0.28 * radius * smooth_noise(grid.axes, max(8.0, 1.7 * radius), rng)
        bend += 0.11 * radius * smooth_noise(grid.axes, max(5.0, 0.6 * radius), rng)
        squared += np.square((along + bend) * stretch[axis])
    return np.sqrt(squared) + 0.35 * min(radius, 8.0) * 0.3 * smooth_noise(grid.axes, 5.0, rng)


def _lowest(field: np.ndarray, count: int) -> np.ndarray:
    """The ``count`` voxels of the lowest values; voxels at OUTSIDE never belong."""
    possible = np.sort(field[field < OUTSIDE])
    if possible.size == 0:
        return np.zeros(field.shape, dtype=bool)
    return field <= possible[min(count, possible.size) - 1]


def _largest_component(mask: np.ndarray) -> np.ndarray:
    import cc3d

    return cc3d.largest_k(mask, k=1, connectivity=26) > 0 if mask.any() else mask


def _cavity(plan: TumourPlan, grid: Grid, anatomy: Anatomy, rng) -> np.ndarray:
    """The hole that surgery left, between the tumour's centre and the brain's surface."""
    if plan.cavity_ml <= 0:
        return np.zeros(anatomy.brain.shape, dtype=bool)
    radius = _ball_radius_mm(plan.cavity_ml)
    outwards = _outwards(plan.centre_mm)
    centre = plan.centre_mm + outwards * (0.55 * radius + 0.6 * plan.core_radius_mm)
    distance = _warped_distance(centre, 0.7 * radius, grid, rng)
    allowed = anatomy.brain & (anatomy.depth > 1.5)
    return _largest_component(_lowest(np.where(allowed, distance, OUTSIDE), grid.voxels(plan.cavity_ml)))


def _outwards(centre_mm: np.ndarray) -> np.ndarray:
    from .anatomy import FRAME_CENTRE_MM

    away = (centre_mm - FRAME_CENTRE_MM) * np.array([0.6, 0.8, 1.2])
    return away / max(float(np.linalg.norm(away)), 1e-6)


def _satellites(plan: TumourPlan, grid: Grid, anatomy: Anatomy, allowed: np.ndarray, core, rng) -> list[np.ndarray]:
    """Small separate masses in white matter, some way off the core and off each other."""
    masks: list[np.ndarray] = []
    for _ in range(plan.satellites):
        away = -signed_distance(np.any([core, *masks], axis=0), grid.spacing)
        places = _satellite_places(away, anatomy, allowed)
        if len(places) == 0:
            break
        centre = grid.frame(places[rng.integers(len(places))])
        volume_ml = float(np.clip(rng.lognormal(np.log(0.5), 0.6), 0.2, 2.0))
        apart = allowed & (away > max(3.0, 1.5 * grid.spacing))
        masks.append(_blob(centre, volume_ml, grid, anatomy, apart, rng))
    return masks


def _satellite_places(away: np.ndarray, anatomy: Anatomy, allowed: np.ndarray) -> np.ndarray:
    """Where a satellite may sit: 12 to 28 mm off what is there, in white matter; further off where that is full."""
    deep = allowed & (anatomy.white > 0.7) & (anatomy.depth > 8.0) & (away > 12.0)
    places = np.argwhere(deep & (away < 28.0))
    return places if len(places) else np.argwhere(deep)


def _spread(plan: TumourPlan, grid: Grid, anatomy: Anatomy, seed: np.ndarray, satellites, rng) -> np.ndarray:
    """Time at which oedema arrives (fast marching from the core; satellites start later), float32 ``(z, y, x)``."""
    import SimpleITK

    fluid_free = 1.0 - anatomy.fluid
    speed = SPEED["white"] * anatomy.white + SPEED["grey"] * anatomy.grey + SPEED["fluid"] * anatomy.fluid
    speed *= np.exp(0.45 * smooth_noise(grid.axes, 24.0, rng)) * fluid_free
    speed[seed] = SPEED["core"]
    speed[~anatomy.brain] = 1e-3
    starts = [grid.index(plan.centre_mm), *(_middle(mask) for mask in satellites)]
    thickness = _ball_radius_mm(plan.core_ml + plan.oedema_ml) - plan.core_radius_mm
    image = SimpleITK.GetImageFromArray(np.maximum(speed, 1e-3).astype(np.float32))
    image.SetSpacing((grid.spacing,) * 3)
    marching = SimpleITK.FastMarchingImageFilter()
    marching.SetTrialPoints([[int(i) for i in start[::-1]] for start in starts])
    marching.SetInitialTrialValues([0.0] + [0.6 * thickness] * len(satellites))
    marching.SetStoppingValue(12.0 + 6.0 * thickness + 2.0 * plan.core_radius_mm)
    return np.minimum(SimpleITK.GetArrayFromImage(marching.Execute(image)), OUTSIDE)


def _middle(mask: np.ndarray) -> tuple[int, ...]:
    """The voxel of a mask that lies nearest to its centre of mass."""
    places = np.argwhere(mask)
    return tuple(places[np.square(places - places.mean(axis=0)).sum(axis=1).argmin()])


def _oedema(plan: TumourPlan, grid: Grid, allowed: np.ndarray, arrival: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The oedema's mask, with a border as smooth as a hand draws it, and the spread from 0 to 1."""
    from scipy import ndimage

    arrived = np.where(allowed, arrival, OUTSIDE)
    mask = _lowest(arrived, grid.voxels(plan.oedema_ml))
    latest = float(arrived[mask].max()) if mask.any() else 1.0
    smooth = ndimage.gaussian_filter(mask.astype(np.float32), 1.6 / grid.spacing) > 0.5
    spread = np.clip(arrival / max(latest, 1e-3), 0.0, 1.5).astype(np.float32)
    return (smooth | (mask & ndimage.binary_erosion(mask))) & allowed, spread


def _enhancing(plan: TumourPlan, grid: Grid, core: np.ndarray, main: np.ndarray, rng) -> np.ndarray:
    """A rim of uneven thickness around each part of the core, with inner strands, and gaps in the main part."""
    if not plan.enhancing:
        return np.zeros(core.shape, dtype=bool)
    depth = signed_distance(core, grid.spacing)
    uneven = np.exp(0.4 * smooth_noise(grid.axes, 14.0, rng) + 0.25 * smooth_noise(grid.axes, 6.0, rng))
    thickness = np.maximum(plan.rim_mm * uneven, 0.9 * grid.spacing)
    gap = main & (smooth_noise(grid.axes, 16.0, rng) > 1.9)
    strands = np.abs(smooth_noise(grid.axes, 13.0, rng)) < 0.12
    return core & ((depth <= thickness) & ~gap | (strands & (depth <= 4.0 * plan.rim_mm)))
