"""Surfaces made from masks, and how far they lie apart, measured against VTK's own exact distance."""

from __future__ import annotations

import numpy as np
import pytest
import vtk
from BraTSRefineUI import surfaces, vtkarrays
from BraTSRefineUI.casedata import Labels
from BraTSRefineUI.vtkarrays import rasOf
from small_grid import GRID, SHAPE


def ball(radius: float, centre=(10, 15, 20)) -> np.ndarray:
    """A ball of that radius in mm on a grid of 2 x 1 x 1 mm voxels."""
    z, y, x = np.indices(SHAPE)
    return (2 * (z - centre[0])) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 <= radius**2


def labels_of(mask: np.ndarray) -> Labels:
    return Labels("ball", {"WT": mask}, GRID)


def test_distances_agree_with_vtk_where_triangles_are_as_small_as_voxels():
    inner, outer = (labels_of(ball(radius)).surfaces["WT"] for radius in (6, 10))
    exact = vtk.vtkImplicitPolyDataDistance()
    exact.SetInput(vtkarrays.polyDataOf(inner))
    expected = np.abs([exact.EvaluateFunction(point) for point in outer.points])
    found = surfaces.distances(outer.points, inner)
    assert found == pytest.approx(expected, abs=0.1)
    assert (found >= expected - 1e-3).all()


def test_a_surface_has_no_distance_to_itself():
    surface = labels_of(ball(8)).surfaces["WT"]
    assert surfaces.distances(surface.points, surface) == pytest.approx(0.0, abs=1e-6)


def test_the_surface_of_a_mask_lies_where_the_mask_ends():
    middle = rasOf(GRID.to_physical((10, 15, 20)))
    radii = np.linalg.norm(labels_of(ball(8)).surfaces["WT"].points - middle, axis=1)
    assert radii.mean() == pytest.approx(8.0, abs=0.5)


def test_what_reaches_beyond_the_reference_is_positive_and_what_falls_short_negative():
    small, large = labels_of(ball(6)), labels_of(ball(10))
    beyond = surfaces.signedDistances(small, large, "WT")
    assert set(beyond) == {"reference", "prediction"}
    assert all(values.mean() == pytest.approx(4.0, abs=0.6) and values.min() > 2 for values in beyond.values())
    short = surfaces.signedDistances(large, small, "WT")
    assert set(short) == {"reference", "prediction"}
    assert all(values.mean() == pytest.approx(-4.0, abs=0.6) and values.max() < -2 for values in short.values())


def test_a_region_that_one_of_the_two_lacks_has_no_distances():
    assert surfaces.signedDistances(labels_of(ball(6)), labels_of(ball(0) & ~ball(1)), "WT") == {}


@pytest.mark.parametrize(
    ("values", "end"), [([0.1, -0.4], 2.0), ([-7.2, 7.2, 1.0, -7.2], 8.0), ([90.0, -3.0], 20.0), ([], 2.0)]
)
def test_the_scale_is_symmetric_in_whole_millimetres_from_2_to_20(values, end):
    assert surfaces.limit([np.array(values)]) == end
