"""Axes as a training framework's reader hands an image over, and the way back to the case's ``(z, y, x)``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..cohort.volumes import Geometry
from .model import InferenceError

if TYPE_CHECKING:
    import torch

AS_STORED = ("SimpleITKIO", "NibabelIO")
"""nnU-Net's readers that leave the axes of the file as they are."""


@dataclass(frozen=True)
class ReadingAxes:
    """Axis t of what the reader gives is the case's axis ``order[t]``, running backwards where ``reverse[t]``."""

    order: tuple[int, int, int] = (0, 1, 2)
    reverse: tuple[bool, bool, bool] = (False, False, False)

    def read(self, image: np.ndarray) -> np.ndarray:
        """A view of ``(z, y, x)`` in the reader's axes."""
        return image.transpose(self.order)[tuple(slice(None, None, -1 if back else 1) for back in self.reverse)]

    def undo(self, values: torch.Tensor) -> torch.Tensor:
        """``(n, ...)`` in the reader's axes back to ``(n, z, y, x)``; a view where no axis is reversed."""
        backwards = [axis + 1 for axis, back in enumerate(self.reverse) if back]
        values = values.flip(backwards) if backwards else values
        return values.permute(0, *(int(axis) + 1 for axis in np.argsort(self.order)))

    def box(self, box: tuple[slice, ...], shape: tuple[int, ...]) -> tuple[slice, slice, slice]:
        """A box in the reader's axes as one of the case's grid of that ``(z, y, x)`` shape."""
        case_box = [slice(None)] * 3
        for axis, back, part in zip(self.order, self.reverse, box, strict=True):
            side = shape[axis]
            case_box[axis] = slice(side - part.stop, side - part.start) if back else part
        return tuple(case_box)


def reading_axes(reader: str, geometry: Geometry) -> ReadingAxes:
    """The axes that nnU-Net's ``reader`` gives an image of this geometry. Raises InferenceError for an unknown one."""
    if reader in AS_STORED:
        return ReadingAxes()
    if reader == "NibabelIOWithReorient":
        return _nibabel_canonical(geometry)
    if reader == "SimpleITKIOWithReorient":
        return _itk_right_anterior_superior(geometry)
    raise InferenceError(
        f"plans.json: images were read by {reader}, whose order of axes is not known; train with SimpleITKIO, or name "
        "in image_reader_writer the one of nnU-Net's readers that it equals"
    )


def _nibabel_canonical(geometry: Geometry) -> ReadingAxes:
    """``nibabel``'s ``io_orientation`` of the affine in RAS: axes to right, anterior and superior, then reversed."""
    from nibabel.orientations import io_orientation

    orientation = io_orientation(np.diag([-1.0, -1.0, 1.0, 1.0]) @ geometry.affine)
    voxel_axis = [int(axis) for axis in np.argsort(orientation[:, 0])]
    return _from_voxel_axes(voxel_axis, [orientation[axis, 1] < 0 for axis in voxel_axis])


def _itk_right_anterior_superior(geometry: Geometry) -> ReadingAxes:
    """``SimpleITK.DICOMOrient`` asked about a single voxel of this direction."""
    import SimpleITK

    voxel = SimpleITK.Image([1, 1, 1], SimpleITK.sitkUInt8)
    voxel.SetDirection(geometry.direction)
    orient = SimpleITK.DICOMOrientImageFilter()
    orient.SetDesiredCoordinateOrientation("RAS")
    orient.Execute(voxel)
    return _from_voxel_axes(list(orient.GetPermuteOrder()), list(orient.GetFlipAxes()))


def _from_voxel_axes(voxel_axis: list[int], backwards: list[bool]) -> ReadingAxes:
    """From (x, y, z) to array axes, which run the other way round."""
    return ReadingAxes(
        tuple(2 - int(axis) for axis in reversed(voxel_axis)), tuple(bool(back) for back in reversed(backwards))
    )
