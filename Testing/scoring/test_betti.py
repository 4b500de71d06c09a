import numpy as np
import pytest
from gudhi import CubicalComplex
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage
from skimage.measure import euler_number

from BraTSRefineLib.scoring import ScoringError, Topology, topology, topology_errors

GIVEN = settings(max_examples=80, deadline=None)
MASKS = arrays(bool, array_shapes(min_dims=3, max_dims=3, max_side=5))
SHAPE = (24, 24, 24)
Z, Y, X = np.indices(SHAPE) - 12
FROM_CENTRE = np.sqrt(Z**2 + Y**2 + X**2)


def betti(mask):
    found = topology(mask)
    return found.betti0, found.betti1, found.betti2


def persistent_betti(mask):
    """Betti numbers by persistent homology: voxels are top cells, so that a shared corner joins them, as in ours."""
    if not mask.any():
        return 0, 0, 0
    complex_ = CubicalComplex(top_dimensional_cells=np.where(np.pad(mask, 1), 0.0, 1.0))
    complex_.compute_persistence()
    return tuple(complex_.persistent_betti_numbers(0, 0))[:3]


def blobs(seed, shape=(14, 15, 16)):
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.random(shape), rng.uniform(0, 1.2))
    return noise > np.quantile(noise, rng.uniform(0.2, 0.9))


SHAPES = {
    "ball": (FROM_CENTRE < 6, (1, 0, 0)),
    "hollow ball": ((FROM_CENTRE < 8) & (FROM_CENTRE > 5), (1, 0, 1)),
    "ball in a hollow ball": ((FROM_CENTRE < 9) & ~((FROM_CENTRE > 4) & (FROM_CENTRE < 7)), (2, 0, 1)),
    "torus": ((np.hypot(Y, X) - 7) ** 2 + Z**2 < 6, (1, 1, 0)),
    "hollow torus": (abs((np.hypot(Y, X) - 7) ** 2 + Z**2 - 9) < 6, (1, 2, 1)),
    "two balls": ((abs(Z) > 3) & (np.hypot(np.hypot(Y, X), abs(Z) - 7) < 4), (2, 0, 0)),
    "whole image": (np.ones(SHAPE, bool), (1, 0, 0)),
    "nothing": (np.zeros(SHAPE, bool), (0, 0, 0)),
}


@pytest.mark.parametrize(("mask", "expected"), SHAPES.values(), ids=SHAPES)
def test_known_shapes(mask, expected):
    assert betti(mask) == expected
    assert topology(mask).euler == expected[0] - expected[1] + expected[2]


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_persistent_homology(seed):
    mask = blobs(seed)
    assert betti(mask) == persistent_betti(mask)


@GIVEN
@given(MASKS)
def test_agrees_with_persistent_homology_and_scikit_image_on_anything_small(mask):
    assert betti(mask) == persistent_betti(mask)
    assert topology(mask).euler == euler_number(mask, connectivity=3)


@GIVEN
@given(MASKS, st.permutations(range(3)), st.integers(0, 2))
def test_turning_a_mask_changes_nothing(mask, axes, axis):
    assert topology(np.flip(mask.transpose(axes), axis)) == topology(mask)


def test_voxels_that_share_a_corner_are_one_piece():
    mask = np.zeros((2, 2, 2), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = True
    assert betti(mask) == (1, 0, 0)


def test_a_cavity_that_opens_by_a_corner_is_still_closed():
    mask = np.ones((5, 5, 5), bool)
    mask[1, 1, 1] = mask[0, 0, 0] = False
    assert betti(mask) == (1, 0, 1)


def test_a_hollow_at_the_border_of_the_image_is_open():
    mask = np.ones((5, 5, 5), bool)
    mask[0, 2, 2] = False
    assert betti(mask) == (1, 0, 0)
    mask[:, 2, 2] = False
    assert betti(mask) == (1, 1, 0)


def test_sizes_come_largest_first():
    mask = np.zeros((9, 9, 20), bool)
    mask[1:8, 1:8, 1:8] = True
    mask[2, 2, 2] = mask[4:6, 4:6, 4] = False
    mask[4, 4, 12:14] = True
    assert topology(mask) == Topology(2, 0, 2, piece_voxels=(7**3 - 5, 2), cavity_voxels=(4, 1))


def test_errors_are_absolute_and_volumes_in_ml():
    hollow, two = SHAPES["hollow ball"][0], SHAPES["two balls"][0]
    errors = topology_errors(two, hollow, (2, 1, 1))
    assert {name: errors[f"{name}_error"] for name in ("betti0", "betti1", "betti2", "euler")} == {
        "betti0": 1,
        "betti1": 0,
        "betti2": 1,
        "euler": 0,
    }
    assert (errors["betti0_reference"], errors["betti0_prediction"]) == (2, 1)
    inside = (FROM_CENTRE <= 5).sum() * 2 / 1000
    assert errors["cavity_volume_reference_ml"] == 0
    assert errors["cavity_volume_prediction_ml"] == errors["cavity_volume_error_ml"] == pytest.approx(inside)


def test_without_spacing_there_are_no_volumes():
    errors = topology_errors(*[SHAPES["torus"][0]] * 2)
    assert not [name for name in errors if name.endswith("_ml")]
    assert {value for name, value in errors.items() if name.endswith("_error")} == {0}


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ([np.ones((2, 2, 2))] * 2, "mask: a mask is boolean"),
        ([np.ones((2, 2), bool)] * 2, "mask: has 2 dimensions"),
        ([np.ones((2, 2, 2), bool), np.ones((2, 2, 3), bool)], "not one grid"),
    ],
)
def test_says_what_has_no_topology(masks, message):
    with pytest.raises(ScoringError, match=message):
        topology_errors(*masks)
