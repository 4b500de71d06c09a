"""Masks into segments and back.

Slicer's exporter numbers the labels anew, by the order of the visible segments: a hidden segment turns enhancing
tumour into oedema. Here every segment is read by its own identity, seen or not.
"""

from __future__ import annotations

import numpy as np
import slicer
import vtk

from .casedata import occupiedBounds
from .vtkarrays import vtkArray

BINARY_LABELMAP = "Binary labelmap"
CLOSED_SURFACE = "Closed surface"


def orientedImage(mask: np.ndarray, ijkToRas: vtk.vtkMatrix4x4):
    """The mask ``(z, y, x)``, cropped to one voxel around what is set, as Slicer's oriented image.

    That of an empty mask has no voxels; without an image Slicer takes no segment.
    """
    image = emptyImage()
    image.SetImageToWorldMatrix(ijkToRas)
    bounds = occupiedBounds(mask)
    if bounds is None:
        return image
    (z0, z1), (y0, y1), (x0, x1) = bounds
    voxels = np.ascontiguousarray(mask[z0 : z1 + 1, y0 : y1 + 1, x0 : x1 + 1], dtype=np.uint8)
    image.SetExtent(x0, x1, y0, y1, z0, z1)
    image.GetPointData().SetScalars(vtkArray(voxels))
    return image


def emptyImage():
    """The oriented image of a mask in which nothing is set."""
    image = slicer.vtkOrientedImageData()
    image.SetExtent(0, -1, 0, -1, 0, -1)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    return image


def addSegment(node, identity: str, name: str, image, colour) -> None:
    """Give the node a segment with this oriented image as its mask."""
    segment = slicer.vtkSegment()
    segment.SetName(name)
    segment.SetColor(*colour)
    segment.AddRepresentation(BINARY_LABELMAP, image)
    node.GetSegmentation().AddSegment(segment, identity)


def maskOfSegment(node, identity: str, shape: tuple[int, int, int]) -> np.ndarray:
    """Boolean mask ``(z, y, x)`` of one segment on the grid that it was made on; all False where it does not exist.

    Its identity stays when it is renamed; what lies outside of the grid is cut off.
    """
    mask = np.zeros(shape, dtype=bool)
    segment = node.GetSegmentation().GetSegment(identity)
    image = segment.GetRepresentation(BINARY_LABELMAP) if segment is not None else None
    if image is None or not image.GetNumberOfPoints():
        return mask
    extent = image.GetExtent()
    first, last = extent[4::-2], extent[5::-2]
    low = [max(a, 0) for a in first]
    high = [min(b + 1, n) for b, n in zip(last, shape, strict=True)]
    if all(a < b for a, b in zip(low, high, strict=True)):
        inside = tuple(slice(a - f, b - f) for a, b, f in zip(low, high, first, strict=True))
        mask[tuple(map(slice, low, high))] = _voxels(image)[inside] == segment.GetLabelValue()
    return mask


def _voxels(image) -> np.ndarray:
    from vtk.util.numpy_support import vtk_to_numpy

    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
