"""A brain without a tumour: the MNI152 tissue maps of nilearn on a BraTS grid, deformed case by case."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .grid import Axes, Grid, PhantomError, smooth_noise, squared_distance

TEMPLATE_ORIGIN_RAS = np.array([-72.0, -134.0, -98.0])
"""MNI position (Z, Y, X) of the template's first voxel, in mm."""
TEMPLATE_CENTRE_RAS = np.array([5.0, -17.0, 0.0])
FRAME_CENTRE_MM = np.array([71.5, 131.5, 120.5])
"""Where real BraTS brains have their centre (z, y, x), in mm from the first voxel."""
BRATS_TO_MNI_SIZE = 0.92
DEEP_MM = 22.0
SINUS_WIDTH_MM = 2.2
SINUS_DEPTH_MM = (0.5, 4.5)
DEEP_VEINS_RAS = (
    ((12, -18, 2), (11, -32, 2), (8, -45, 1), (2, -62, 1), (-6, -80, 0), (-10, -98, 0)),
    ((-8, 6, 4), (-10, 8, 14), (-14, 4, 28), (-18, -2, 40)),
    ((-8, 6, -4), (-10, 8, -14), (-14, 4, -28), (-18, -2, -40)),
    ((-30, -30, 0), (-18, -16, 0), (-12, 0, 0)),
)
"""Straight sinus, both middle cerebral arteries, the basilar artery: (Z, Y, X) in mm, approximate."""


@dataclass(frozen=True)
class Template:
    """Grey matter, white matter, brain and vessels of the template, float32 ``(Z, Y, X)`` at 1 mm, and depths in mm."""

    grey: np.ndarray
    white: np.ndarray
    brain: np.ndarray
    vessels: np.ndarray
    depth: np.ndarray


@dataclass(frozen=True)
class Anatomy:
    """Tissue fractions ``(z, y, x)`` in the grid's box, float32, zero outside ``brain``; ``depth`` in mm inside it."""

    white: np.ndarray
    grey: np.ndarray
    fluid: np.ndarray
    brain: np.ndarray
    vessels: np.ndarray
    choroid: np.ndarray
    depth: np.ndarray


@lru_cache(maxsize=1)
def load_template() -> Template:
    """The MNI152 template that is part of nilearn's package; nothing is downloaded.

    Raises PhantomError where nilearn is not installed.
    """
    from scipy import ndimage

    try:
        from nilearn import datasets
    except ImportError as error:
        raise PhantomError(f"{error}: a phantom needs nilearn; pip install 'bratsrefine[phantom]'") from error

    images = (
        datasets.load_mni152_gm_template(resolution=1),
        datasets.load_mni152_wm_template(resolution=1),
        datasets.load_mni152_template(resolution=1),
    )
    grey, white, head = (np.ascontiguousarray(image.get_fdata(dtype=np.float32).T) for image in images)
    inside = head > 0
    depth = ndimage.distance_transform_edt(inside).astype(np.float32)
    brain = ndimage.gaussian_filter(inside.astype(np.float32), 2.5)
    return Template(grey, white, brain, _template_vessels(depth), depth)


def _template_vessels(depth: np.ndarray) -> np.ndarray:
    """Superior sagittal sinus and the large deep vessels, 0 to 1."""
    from scipy import ndimage

    z, y, x = (np.arange(n) + origin for n, origin in zip(depth.shape, TEMPLATE_ORIGIN_RAS, strict=True))
    low, high = SINUS_DEPTH_MM
    midline = np.abs(x)[None, None, :] < SINUS_WIDTH_MM
    upper = (z[:, None, None] > 35) | ((y[None, :, None] < -70) & (z[:, None, None] > -2))
    tubes = np.zeros(depth.shape, dtype=bool)
    for line in DEEP_VEINS_RAS:
        nodes = np.array(line, dtype=float) - TEMPLATE_ORIGIN_RAS
        tubes[tuple(np.rint(_polyline(nodes)).astype(int).T)] = True
    tubes = ndimage.binary_dilation(tubes, iterations=1)
    vessels = (midline & upper & (depth > low) & (depth < high)) | tubes
    return ndimage.gaussian_filter(vessels.astype(np.float32), 0.6)


def _polyline(nodes: np.ndarray, points: int = 60) -> np.ndarray:
    along = np.linspace(0, len(nodes) - 1, points * (len(nodes) - 1))
    return np.stack([np.interp(along, np.arange(len(nodes)), column) for column in nodes.T], axis=1)


@dataclass(frozen=True)
class Pose:
    """How one brain differs from the template: size, rotation and mirror, and where a growing mass pushes it."""

    matrix: np.ndarray
    mass_centre_mm: np.ndarray
    mass_radius_mm: float
    mass_strength: float

    def to_template(self, frame_mm: np.ndarray) -> np.ndarray:
        """MNI (Z, Y, X) of positions ``(3, ...)`` in the frame, before the smooth deformation."""
        column = (3, *[1] * (frame_mm.ndim - 1))
        centred = frame_mm - FRAME_CENTRE_MM.astype(frame_mm.dtype).reshape(column)
        turned = np.tensordot(self.matrix.astype(frame_mm.dtype), centred, axes=1)
        return turned + TEMPLATE_CENTRE_RAS.astype(frame_mm.dtype).reshape(column)

    def to_frame(self, template_ras: np.ndarray) -> np.ndarray:
        """Position in the frame of a template position, before the smooth deformation."""
        return np.linalg.solve(self.matrix, np.asarray(template_ras) - TEMPLATE_CENTRE_RAS) + FRAME_CENTRE_MM


def random_pose(rng: np.random.Generator) -> np.ndarray:
    """Matrix (Z, Y, X) from the frame to the template: 92 % of MNI's size give or take, tilted, perhaps mirrored."""
    size = BRATS_TO_MNI_SIZE * np.exp(rng.normal(0.0, [0.02, 0.025, 0.025]))
    tilt, turn, roll = rng.normal(0.0, [0.04, 0.025, 0.025])
    flip = rng.choice([-1.0, 1.0])
    about_x = np.array([[1, -tilt, 0], [tilt, 1, 0], [0, 0, 1]])
    about_z = np.array([[1, 0, 0], [0, 1, -turn], [0, turn, 1]])
    about_y = np.array([[1, 0, -roll], [0, 1, 0], [roll, 0, 1]])
    lps_to_ras = np.diag([1.0, -1.0, flip])
    return np.diag(1.0 / size) @ lps_to_ras @ about_x @ about_z @ about_y


def make_anatomy(grid: Grid, pose: Pose, atrophy: float, rng: np.random.Generator) -> Anatomy:
    """The template in this pose, deformed, with sulci and ventricles widened by ``atrophy`` (1 = as the template)."""
    template = load_template()
    where = _sampling(grid, pose, rng)
    inside = _stripped(grid, _sample(template.brain, where), rng)
    grey, white, vessels, depth = (
        _sample_inside(volume, where, inside)
        for volume in (template.grey, template.white, template.vessels, template.depth)
    )
    fluid = np.clip(1.0 - grey - white, 0.0, 1.0)
    fluid *= atrophy * np.exp(0.35 * smooth_noise(grid.axes, 22.0, rng))
    white, grey, fluid = _sharpened(white, grey, fluid, inside)
    tubes = _cortical_vessels(grid.axes, fluid, depth, rng)
    choroid = fluid * (depth > DEEP_MM) * np.clip(smooth_noise(grid.axes, 6.0, rng) - 0.9, 0.0, 1.0)
    return Anatomy(white, grey, fluid, inside, np.maximum(vessels, tubes * inside), choroid, depth)


def _stripped(grid: Grid, brain: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What skull stripping leaves: here the outer fluid is kept, there the cut goes to the cortex."""
    cut = 0.57 + 0.08 * smooth_noise(grid.axes, 18.0, rng) + 0.02 * smooth_noise(grid.axes, 7.0, rng)
    return brain > cut


def _sampling(grid: Grid, pose: Pose, rng: np.random.Generator) -> np.ndarray:
    """Template voxel coordinates ``(3, z, y, x)`` of every voxel of the box."""
    frame = np.stack(np.meshgrid(*grid.axes, indexing="ij")).astype(np.float32)
    offset = frame - pose.mass_centre_mm.astype(np.float32).reshape(3, 1, 1, 1)
    reach = 2.0 * max(pose.mass_radius_mm, 1.0) ** 2
    push = pose.mass_strength * np.exp(-squared_distance(grid.axes, pose.mass_centre_mm) / (2.0 * reach))
    push *= _room_to_skull(pose, frame)
    frame -= offset * push
    for wavelength, amplitude in ((70.0, 2.8), (26.0, 1.4), (12.0, 0.6), (7.0, 0.3)):
        for axis in range(3):
            frame[axis] += np.float32(amplitude) * smooth_noise(grid.axes, wavelength, rng)
    return pose.to_template(frame) - TEMPLATE_ORIGIN_RAS.astype(np.float32).reshape(3, 1, 1, 1)


def _room_to_skull(pose: Pose, frame: np.ndarray) -> np.ndarray:
    """0 at the skull, which does not give way, to 1 from 20 mm inwards."""
    where = pose.to_template(frame) - TEMPLATE_ORIGIN_RAS.astype(np.float32).reshape(3, 1, 1, 1)
    return np.clip(_sample(load_template().depth, where) / 20.0, 0.0, 1.0)


def _sample(volume: np.ndarray, where: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    return ndimage.map_coordinates(volume, where, order=1, mode="constant", output=np.float32)


def _sample_inside(volume: np.ndarray, where: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Sampled where it is inside, zero elsewhere: two thirds of the box are no brain."""
    sampled = np.zeros(inside.shape, dtype=np.float32)
    sampled[inside] = _sample(volume, where[:, inside])
    return sampled


def _sharpened(white: np.ndarray, grey: np.ndarray, fluid: np.ndarray, inside: np.ndarray, power: float = 2.8) -> tuple:
    """Fractions of sum 1 with crisper borders: the template is an average of many brains, one brain is not."""
    tissues = [np.power(np.clip(tissue, 0.0, None), power) for tissue in (white, grey, fluid)]
    total = sum(tissues) + 1e-6
    return tuple((tissue / total * inside).astype(np.float32) for tissue in tissues)


def _cortical_vessels(axes: Axes, fluid: np.ndarray, depth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Thin winding tubes (curves where two random fields vanish) near sulci and the brain's surface, 0 to 1."""
    first, second = smooth_noise(axes, 26.0, rng), smooth_noise(axes, 26.0, rng)
    tube = np.exp(-(first**2 + second**2) / 0.035)
    superficial = np.clip(fluid * 2.5, 0.0, 1.0) * (depth < DEEP_MM) + 0.5 * (depth < 4.0)
    return (tube * np.clip(superficial, 0.0, 1.0)).astype(np.float32)
