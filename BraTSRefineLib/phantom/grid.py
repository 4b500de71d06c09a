"""The grid of a simulated case, and smooth random fields that look the same on every grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..cohort.volumes import Geometry

BRATS_SIZE = (240, 240, 155)
BRATS_ORIGIN = (0.0, -239.0, 0.0)
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
FIELD_OF_VIEW_MM = (155.0, 240.0, 240.0)
BRAIN_BOX_MM = ((0.0, 155.0), (38.0, 228.0), (38.0, 204.0))
SPLINE_DEVIATION = (151 / 315) ** 1.5

Axes = tuple[np.ndarray, np.ndarray, np.ndarray]


class PhantomError(ValueError):
    """A phantom cohort that cannot be made; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class Grid:
    """A BraTS grid at ``spacing`` mm and the box around the brain in which everything is computed.

    Positions "in the frame" are (z, y, x) in mm from the first voxel, so that they do not depend on the spacing.
    """

    spacing: float

    @classmethod
    def of_scale(cls, scale: float) -> Grid:
        """The grid of 240x240x155 voxels times ``scale``, over the same physical extent."""
        return cls(1.0 / scale)

    @cached_property
    def geometry(self) -> Geometry:
        size = tuple(max(1, int(np.floor(count / self.spacing + 0.5))) for count in BRATS_SIZE)
        return Geometry(size, (self.spacing,) * 3, BRATS_ORIGIN, IDENTITY)

    @property
    def shape(self) -> tuple[int, ...]:
        """(z, y, x) of the whole volume."""
        return self.geometry.array_shape

    @cached_property
    def box(self) -> tuple[slice, ...]:
        """The part of the volume that can hold brain."""
        edges = zip(BRAIN_BOX_MM, self.shape, strict=True)
        return tuple(slice(int(low / self.spacing), min(int(high / self.spacing), n)) for (low, high), n in edges)

    @cached_property
    def axes(self) -> Axes:
        """Positions of the box's voxels in the frame along z, y and x, in mm."""
        z, y, x = (np.arange(part.start, part.stop, dtype=np.float32) * np.float32(self.spacing) for part in self.box)
        return z, y, x

    @property
    def voxel_ml(self) -> float:
        return self.spacing**3 / 1000.0

    def voxels(self, volume_ml: float) -> int:
        """How many voxels a volume is; at least one."""
        return max(1, round(volume_ml / self.voxel_ml))

    def whole(self, box_voxels: np.ndarray) -> np.ndarray:
        """The whole volume ``(..., z, y, x)`` with the box filled in and zero around it."""
        volume = np.zeros(box_voxels.shape[:-3] + self.shape, dtype=box_voxels.dtype)
        volume[(..., *self.box)] = box_voxels
        return volume

    def to_lps(self, frame_mm: np.ndarray) -> tuple[float, float, float]:
        """LPS position in mm of a position (z, y, x) in the frame."""
        return self.geometry.to_physical(tuple(np.asarray(frame_mm, dtype=float) / self.spacing))

    def index(self, frame_mm: np.ndarray) -> tuple[int, ...]:
        """Index in the box (z, y, x) of the voxel nearest to a position in the frame."""
        start = np.array([part.start for part in self.box])
        last = np.array([part.stop - part.start - 1 for part in self.box])
        index = np.rint(np.asarray(frame_mm, dtype=float) / self.spacing).astype(int) - start
        return tuple(int(i) for i in np.clip(index, 0, last))

    def frame(self, box_index: np.ndarray) -> np.ndarray:
        """Position in the frame, in mm, of an index (z, y, x) in the box."""
        start = np.array([part.start for part in self.box])
        return (np.asarray(box_index) + start) * self.spacing


def within(axes: Axes, part: tuple[slice, ...]) -> Axes:
    """The positions of a part of the box."""
    z, y, x = (axis[piece] for axis, piece in zip(axes, part, strict=True))
    return z, y, x


def squared_distance(axes: Axes, centre_mm: np.ndarray) -> np.ndarray:
    """Squared distance in mm² of every voxel to a position in the frame, float32 ``(z, y, x)``."""
    z, y, x = (np.square(axis - np.float32(c)) for axis, c in zip(axes, centre_mm, strict=True))
    return z[:, None, None] + y[None, :, None] + x[None, None, :]


def smooth_noise(axes: Axes, wavelength_mm: float, rng: np.random.Generator) -> np.ndarray:
    """A Gaussian random field of unit variance, float32 ``(z, y, x)``, with structures of about ``wavelength_mm``.

    Cubic B-splines over a lattice of white noise that lies fixed in the frame: the same generator gives the same
    field whatever the spacing.
    """
    step = wavelength_mm / 2.0
    counts = [int(extent / step) + 5 for extent in FIELD_OF_VIEW_MM]
    field = rng.standard_normal(counts, dtype=np.float32)
    for axis, positions in enumerate(axes):
        weights = _spline_weights(positions / step, counts[axis])
        used = weights.any(axis=0)
        nodes = np.compress(used, field, axis=axis)
        field = np.moveaxis(np.tensordot(weights[:, used], nodes, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(field) / np.float32(SPLINE_DEVIATION)


def _spline_weights(positions: np.ndarray, count: int) -> np.ndarray:
    """Cubic B-spline weights ``(position, node)`` of nodes at -1, 0, 1, ..."""
    away = np.abs(positions[:, None] - (np.arange(count, dtype=np.float32)[None, :] - 1.0))
    near = 2.0 / 3.0 - away**2 + away**3 / 2.0
    far = np.maximum(2.0 - away, 0.0) ** 3 / 6.0
    return np.where(away < 1.0, near, far).astype(np.float32)


def signed_distance(mask: np.ndarray, spacing: float) -> np.ndarray:
    """Distance in mm to a mask's border, positive inside, float32; the border lies between voxels.

    An empty mask is 100 mm away everywhere.
    """
    import SimpleITK

    if not mask.any():
        return np.full(mask.shape, -100.0, dtype=np.float32)
    image = SimpleITK.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing((spacing,) * 3)
    distance = SimpleITK.SignedMaurerDistanceMap(
        image, insideIsPositive=True, squaredDistance=False, useImageSpacing=True
    )
    # ITK gives 0 to the outermost voxels inside
    return SimpleITK.GetArrayFromImage(distance) + np.float32(spacing / 2.0)
