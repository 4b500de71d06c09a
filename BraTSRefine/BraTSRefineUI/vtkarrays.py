"""Arrays and grids as VTK has them. Needs VTK alone, so that a process without Slicer can make surfaces too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import vtk


@dataclass(frozen=True)
class Surface:
    """A surface in RAS as arrays: points and normals (n, 3) float32, triangles (m, 3) as indices into them, int64.

    Raises ValueError for a triangle of points that there are not: VTK would read beyond them.
    """

    points: np.ndarray
    normals: np.ndarray
    triangles: np.ndarray

    def __post_init__(self) -> None:
        if self.triangles.size and not 0 <= self.triangles.min() <= self.triangles.max() < len(self.points):
            raise ValueError("a triangle of the surface has a corner that is none of its points")


def ijkToRas(geometry) -> vtk.vtkMatrix4x4:
    """Matrix from voxel index (i, j, k) to RAS in mm."""
    matrix = vtk.vtkMatrix4x4()
    for row, values in enumerate(np.diag([-1.0, -1.0, 1.0, 1.0]) @ geometry.affine):
        for column, value in enumerate(values):
            matrix.SetElement(row, column, float(value))
    return matrix


def rasOf(lps: Sequence[float]) -> tuple[float, float, float]:
    """RAS position of an LPS position."""
    return -float(lps[0]), -float(lps[1]), float(lps[2])


def vtkArray(voxels: np.ndarray):
    """The voxels in VTK's order, in memory that VTK owns."""
    from vtk.util.numpy_support import numpy_to_vtk

    return numpy_to_vtk(np.ascontiguousarray(voxels).ravel(), deep=1)


def sharedArray(voxels: np.ndarray):
    """The voxels in VTK's order where they lie, not copied: nobody may change them any more.

    VTK keeps them alive, at the least until the next array is shared: see ``forgetShared``.
    """
    from vtk.util.numpy_support import numpy_to_vtk

    return numpy_to_vtk(np.ascontiguousarray(voxels).ravel())


def forgetShared() -> None:
    """Give back the memory of shared voxels that nothing shows any more: VTK does so when it is given another array."""
    holder = vtk.vtkPointData()
    holder.AddArray(sharedArray(np.zeros(1)))


def surfaceOf(polyData) -> Surface | None:
    """A surface of triangles with normals as arrays, copied out of VTK's memory; None where there is nothing."""
    from vtk.util.numpy_support import vtk_to_numpy

    if polyData is None or not polyData.GetNumberOfPolys():
        return None
    normals = polyData.GetPointData().GetNormals()
    return Surface(
        vtk_to_numpy(polyData.GetPoints().GetData()).astype(np.float32),
        vtk_to_numpy(normals).astype(np.float32),
        vtk_to_numpy(polyData.GetPolys().GetConnectivityArray()).astype(np.int64).reshape(-1, 3),
    )


def polyDataOf(surface: Surface):
    """The surface as vtkPolyData, in memory that VTK owns."""
    from vtk.util.numpy_support import numpy_to_vtk

    points, polygons, found = vtk.vtkPoints(), vtk.vtkCellArray(), vtk.vtkPolyData()
    points.SetData(numpy_to_vtk(surface.points, deep=1))
    corners = numpy_to_vtk(surface.triangles.ravel(), deep=1, array_type=vtk.VTK_ID_TYPE)
    polygons.SetData(3, corners)
    found.SetPoints(points)
    found.SetPolys(polygons)
    found.GetPointData().SetNormals(numpy_to_vtk(surface.normals, deep=1))
    return found
