"""Masks into segments and back, keeping our own label values.

Slicer's exporter numbers the labels anew, by the order of the visible segments: a hidden segment turns enhancing
tumour into oedema. Here every segment is read by its own name and painted with the label that we say.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import slicer
import vtk

from .casedata import occupiedBounds

BINARY_LABELMAP = "Binary labelmap"
CLOSED_SURFACE = "Closed surface"


def ijkToRas(geometry) -> vtk.vtkMatrix4x4:
    """Matrix from voxel index (i, j, k) to RAS in mm."""
    matrix = vtk.vtkMatrix4x4()
    for row, values in enumerate(np.diag([-1.0, -1.0, 1.0, 1.0]) @ geometry.affine):
        for column, value in enumerate(values):
            matrix.SetElement(row, column, float(value))
    return matrix


def orientedImage(mask: np.ndarray, ijkToRas: vtk.vtkMatrix4x4):
    """The mask ``(z, y, x)``, cropped to one voxel around what is set, as Slicer's oriented image; None if empty."""
    bounds = occupiedBounds(mask)
    if bounds is None:
        return None
    (z0, z1), (y0, y1), (x0, x1) = bounds
    voxels = np.ascontiguousarray(mask[z0 : z1 + 1, y0 : y1 + 1, x0 : x1 + 1], dtype=np.uint8)
    image = slicer.vtkOrientedImageData()
    image.SetExtent(x0, x1, y0, y1, z0, z1)
    image.GetPointData().SetScalars(vtkArray(voxels))
    image.SetImageToWorldMatrix(ijkToRas)
    return image


def vtkArray(voxels: np.ndarray):
    """The voxels in VTK's order, in memory that VTK owns."""
    from vtk.util.numpy_support import numpy_to_vtk

    return numpy_to_vtk(np.ascontiguousarray(voxels).ravel(), deep=1)


def fillSegmentation(node, masks: Mapping[str, np.ndarray], ijkToRas: vtk.vtkMatrix4x4, colour) -> None:
    """Give the node one segment a mask, named and identified by the mapping's key; empty masks are left out."""
    segmentation = node.GetSegmentation()
    segmentation.SetSourceRepresentationName(BINARY_LABELMAP)
    for name, mask in masks.items():
        image = orientedImage(mask, ijkToRas)
        if image is None:
            continue
        segment = slicer.vtkSegment()
        segment.SetName(name)
        segment.SetColor(*colour)
        segment.AddRepresentation(BINARY_LABELMAP, image)
        segmentation.AddSegment(segment, name)


def segmentMask(node, name: str, shape: tuple[int, int, int]) -> np.ndarray:
    """Boolean mask ``(z, y, x)`` of one segment on the grid that it was made on; all False where it does not exist."""
    mask = np.zeros(shape, dtype=bool)
    segment = node.GetSegmentation().GetSegment(node.GetSegmentation().GetSegmentIdBySegmentName(name))
    if segment is None:
        return mask
    image = segment.GetRepresentation(BINARY_LABELMAP)
    x0, x1, y0, y1, z0, z1 = image.GetExtent()
    if x1 < x0 or y1 < y0 or z1 < z0:
        return mask
    mask[z0 : z1 + 1, y0 : y1 + 1, x0 : x1 + 1] = _voxels(image) == segment.GetLabelValue()
    return mask


def labelMap(node, labels: Mapping[str, int], shape: tuple[int, int, int]) -> np.ndarray:
    """Label map ``(z, y, x)``, uint8, painted in the order of ``labels`` (segment name to label), hidden or not."""
    result = np.zeros(shape, dtype=np.uint8)
    for name, label in labels.items():
        result[segmentMask(node, name, shape)] = label
    return result


def _voxels(image) -> np.ndarray:
    from vtk.util.numpy_support import vtk_to_numpy

    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
