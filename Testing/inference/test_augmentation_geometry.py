"""Rotations and scalings as the engine sees them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_models import prepared_data

from BraTSRefineLib.inference import InferenceError
from BraTSRefineLib.inference.augmentation_geometry import Rotation, Scaling


def a_rod(shape=(32, 32, 32), axis=2):
    """A rod along one axis through the middle, ``(1, a, b, c)``; 0 around it."""
    data = torch.zeros((1, *shape))
    place = [slice(14, 18)] * 3
    place[axis] = slice(6, 26)
    data[(0, *place)] = 1
    return data


def test_a_turn_about_an_axis_leaves_a_rod_along_it():
    turned = Rotation(2, 10).apply(a_rod(), prepared_data(a_rod()))
    assert turned[0, 15:17, 15:17, 8:24].min() == pytest.approx(1, abs=1e-5)
    across = Rotation(0, 10).apply(a_rod(), prepared_data(a_rod()))
    assert across[0, 15:17, 15:17, 8:24].min() < 0.9


def test_an_axis_is_one_of_the_case_whatever_the_networks_order():
    straight = a_rod(axis=2)
    transposed = straight.permute(0, 3, 1, 2)
    turned = Rotation(0, 10).apply(straight, prepared_data(straight))
    other = Rotation(0, 10).apply(transposed, prepared_data(transposed, axes=(2, 0, 1)))
    assert (other - turned.permute(0, 3, 1, 2)).abs().max() < 1e-5


def test_turns_back_and_forth_are_each_others_inverse():
    assert Rotation(1, 5).matrix((0, 1, 2)) @ Rotation(1, -5).matrix((0, 1, 2)) == pytest.approx(np.eye(3))
    assert np.linalg.det(Rotation(1, 5).matrix((2, 1, 0))) == pytest.approx(1)


def test_scaling_up_shows_the_brain_larger_about_its_centre():
    data = torch.zeros((1, 40, 40, 40))
    data[0, 5:21, 10:26, 12:28] = 1
    for factor in (0.8, 1.25):
        scaled = Scaling(factor).apply(data, prepared_data(data))
        assert float(scaled.sum() / data.sum()) == pytest.approx(factor**3, rel=0.02)
        assert scaled[0, 12:14, 17:19, 19:21].min() == pytest.approx(1)


def test_a_network_that_is_equivariant_has_no_spread():
    """Thresholds move with the image: the mean of the inverted masks is the mask, but for the surface."""
    data = a_rod()
    case = prepared_data(data)
    for change in (Rotation(0, 5), Rotation(1, -5), Scaling(1.05), Scaling(0.95)):
        back = change.invert((change.apply(data, case) > 0.5).float(), case)
        inside, outside = back[0, 15:17, 15:17, 8:24], back[0, :12]
        assert inside.min() > 0.99
        assert outside.max() < 0.01


def test_a_thin_lesion_is_weakened_but_stays_in_its_voxel():
    data = a_rod()
    spot = torch.zeros_like(data)
    spot[0, 20, 9, 12] = 1
    back = Rotation(0, 5).invert(Rotation(0, 5).apply(spot, prepared_data(data)), prepared_data(data))
    assert back.flatten().argmax() == spot.flatten().argmax()
    assert 0.2 < back.max() < 0.9


def test_what_leaves_the_grid_is_not_covered():
    case = prepared_data(a_rod())
    coverage = Scaling(1.25).coverage(case)
    assert not coverage[0].any()
    assert coverage[8:24, 8:24, 8:24].all()


def test_an_axis_of_one_voxel_cannot_be_turned_over():
    data = torch.zeros((1, 1, 24, 24))
    data[0, 0, 5:19, 5:19] = 1
    assert Rotation(0, 5).coverage(prepared_data(data))[0, 6:18, 6:18].all()
    assert Rotation(1, 5).coverage(prepared_data(data)).float().mean() < 0.2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rotation(3, 5), "axis 3: use 0"),
        (lambda: Rotation(0, 0), "not 0"),
        (lambda: Rotation(0, 90), "at most 45"),
        (lambda: Scaling(1), "not 1"),
        (lambda: Scaling(3), "0.5 to 2"),
        (lambda: Scaling(float("nan")), "0.5 to 2"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(make, message):
    with pytest.raises(InferenceError, match=message):
        make()


def test_names_say_what_is_done():
    names = [change.name for change in (Rotation(0, 5), Rotation(2, -7.5), Scaling(0.95))]
    assert names == ["rotate z +5", "rotate x -7.5", "scale 0.95"]


def test_a_turn_about_the_networks_axis_ignores_how_the_case_lies():
    rod = a_rod(axis=2)
    turn = Rotation(2, 10, of_network=True)
    assert torch.equal(turn.apply(rod, prepared_data(rod, axes=(2, 1, 0))), turn.apply(rod, prepared_data(rod)))
    assert turn.name == "rotate c +10"
