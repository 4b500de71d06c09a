"""Surfaces of masks in RAS: made from arrays alone, before any node knows them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import vtk

from .casedata import occupiedBounds
from .vtkarrays import vtkArray

SMOOTHING_STEPS = 10
PASS_BAND = 0.16
BRAIN_STEP = 3


def ofMask(mask: np.ndarray, ijkToRas: vtk.vtkMatrix4x4):
    """The smoothed surface of a mask ``(z, y, x)`` with normals, as vtkPolyData; None where the mask is empty.

    Slicer's own conversion takes four times as long; the two are 0.1 mm apart on average.
    """
    bounds = occupiedBounds(mask, margin=0)
    if bounds is None:
        return None
    box = tuple(slice(first, last + 1) for first, last in bounds)
    return _inRas(_smoothed(_ofBox(mask[box], box)), ijkToRas)


def ofPart(mask: np.ndarray, box: Sequence[slice], ijkToRas: vtk.vtkMatrix4x4):
    """The surface, not smoothed, of a mask ``(z, y, x)`` that fills ``box`` of the volume, as vtkPolyData."""
    return _inRas(_ofBox(mask, box), ijkToRas)


def ofBrain(voxels: np.ndarray, ijkToRas: vtk.vtkMatrix4x4):
    """A coarse hull, as vtkPolyData, of everything that is not 0 in a skull-stripped image."""
    from scipy.ndimage import gaussian_filter

    sample = voxels[::BRAIN_STEP, ::BRAIN_STEP, ::BRAIN_STEP] > 0
    smooth = np.pad(gaussian_filter(sample.astype(np.float32), 1.2), 1)
    return _inRas(_contour(_padded(smooth, (0, 0, 0), BRAIN_STEP)), ijkToRas)


def _ofBox(mask: np.ndarray, box: Sequence[slice]):
    return _contour(_padded(np.pad(mask.view(np.uint8), 1), [side.start for side in box], 1))


def _padded(voxels: np.ndarray, first, step: int):
    """The voxels, padded by one, as an image whose coordinates are the indices of the whole array."""
    image = vtk.vtkImageData()
    image.SetDimensions(*voxels.shape[::-1])
    image.SetSpacing(step, step, step)
    image.SetOrigin(*(float(index - step) for index in reversed(first)))
    image.GetPointData().SetScalars(vtkArray(voxels))
    return image


def _contour(image):
    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.5)
    contour.ComputeScalarsOff()
    contour.ComputeNormalsOn()
    contour.Update()
    return contour.GetOutput()


def _smoothed(surface):
    smoothing = vtk.vtkWindowedSincPolyDataFilter()
    smoothing.SetInputData(surface)
    smoothing.SetNumberOfIterations(SMOOTHING_STEPS)
    smoothing.SetPassBand(PASS_BAND)
    smoothing.BoundarySmoothingOff()
    smoothing.FeatureEdgeSmoothingOff()
    smoothing.NonManifoldSmoothingOn()
    smoothing.NormalizeCoordinatesOn()
    smoothing.Update()
    return smoothing.GetOutput()


def _inRas(surface, ijkToRas):
    transform = vtk.vtkTransform()
    transform.SetMatrix(ijkToRas)
    moved = vtk.vtkTransformPolyDataFilter()
    moved.SetTransform(transform)
    moved.SetInputData(surface)
    moved.Update()
    return moved.GetOutput()
