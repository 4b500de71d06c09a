"""Whether an image shows a whole head, in which a face may be recognised, or a brain that was cut out of it."""

from __future__ import annotations

import numpy as np

from .volumes import Geometry

UNSTRIPPED = "looks unstripped: faces may be recognised; do not pass pictures on"

MOST_BRAIN_ML = 2600.0
"""More than any cut-out brain with all that its mask leaves around it; an adult's head is 3500 ml and more."""

FAINT = 0.01
"""What differs less from the background than this share of the grey levels' range is background too."""

STEP = 3


def looks_unstripped(voxels: np.ndarray, geometry: Geometry) -> bool:
    """Whether more of an image ``(z, y, x)`` is filled than a brain can fill.

    In a cut-out brain all around is one grey level, here that of most corners; in a whole head the head or the air's
    noise is left. Every third voxel along each axis is looked at. A small child's head, or a part of one, in air
    without noise is no larger than a brain and not noticed.
    """
    sample = voxels[::STEP, ::STEP, ::STEP]
    sample = sample[np.isfinite(sample)].astype(np.float32) if sample.dtype.kind == "f" else sample.ravel()
    if not sample.size:
        return False
    ground, top = _corners(voxels), np.percentile(sample, 99.5)
    filled = np.abs(sample - ground) > FAINT * abs(float(top) - ground)
    return bool(np.count_nonzero(filled) * STEP**3 * geometry.voxel_ml > MOST_BRAIN_ML)


def _corners(voxels: np.ndarray) -> float:
    """The middle one of the eight corners' grey levels."""
    ends = voxels[np.ix_(*[(0, -1)] * 3)].astype(float)
    ends = ends[np.isfinite(ends)]
    return float(np.median(ends)) if ends.size else 0.0
