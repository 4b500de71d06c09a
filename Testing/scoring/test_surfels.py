import numpy as np
import pytest

from BraTSRefineLib.scoring.surfels import CORNERS, surfel_areas

SPACINGS = [(1.0, 1.0, 1.0), (3.0, 0.9, 0.9), (0.5, 1.25, 2.0), (0.1, 7.0, 2.3)]


@pytest.mark.parametrize("spacing", SPACINGS)
def test_areas_of_all_256_blocks_are_those_of_surface_distance(surface_distance, spacing):
    kernel = surface_distance.tables.ENCODE_NEIGHBOURHOOD_3D_KERNEL
    theirs = surface_distance.tables.create_table_neighbour_code_to_surface_area(spacing)
    codes = [sum(int(kernel[c]) for bit, c in enumerate(CORNERS) if code >> bit & 1) for code in range(256)]
    np.testing.assert_allclose(surfel_areas(spacing), theirs[codes], rtol=0, atol=1e-12)


def test_areas_at_1_mm_equal_the_peer_to_the_last_bit_so_that_ties_fall_alike(surface_distance):
    kernel = surface_distance.tables.ENCODE_NEIGHBOURHOOD_3D_KERNEL
    theirs = surface_distance.tables.create_table_neighbour_code_to_surface_area((1.0, 1.0, 1.0))
    codes = [sum(int(kernel[c]) for bit, c in enumerate(CORNERS) if code >> bit & 1) for code in range(256)]
    assert (surfel_areas((1.0, 1.0, 1.0)) == theirs[codes]).all()


def test_a_block_that_is_all_inside_or_outside_has_no_surface():
    areas = surfel_areas((1.0, 2.0, 3.0))
    assert areas[0] == areas[255] == 0
    assert (areas[1:255] > 0).all()


def test_a_flat_surface_has_the_area_of_its_voxel_face():
    lower_half = sum(1 << bit for bit, corner in enumerate(CORNERS) if corner[0] == 0)
    assert surfel_areas((5.0, 2.0, 3.0))[lower_half] == pytest.approx(6.0)


def test_inside_and_outside_share_one_surface():
    areas = surfel_areas((1.5, 0.7, 2.2))
    np.testing.assert_allclose(areas, areas[::-1], rtol=1e-12)
