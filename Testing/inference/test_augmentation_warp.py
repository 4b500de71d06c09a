"""Resampling in millimetres: rigid whatever the spacing, exact where it can be, and honest about what it lost."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_models import CPU, prepared_data

from BraTSRefineLib.inference import InferenceError
from BraTSRefineLib.inference.augmentation_brain import background_of, brain_centre, brain_mask, is_label_channel
from BraTSRefineLib.inference.augmentation_geometry import Rotation, Scaling
from BraTSRefineLib.inference.augmentation_warp import Warp, covered, resampled, resampled_on_background

GRIDS = [((48, 48, 48), (1.0, 1.0, 1.0)), ((24, 50, 40), (2.5, 1.0, 1.2))]
CHANGES = [Rotation(0, 10), Rotation(1, -10), Rotation(2, 10), Scaling(0.95), Scaling(1.05)]


def offsets(shape, spacing, centre):
    """mm from a voxel index, ``(3, a, b, c)``."""
    lines = [(torch.arange(n, dtype=torch.float64) - c) * s for n, s, c in zip(shape, spacing, centre, strict=True)]
    return torch.stack(torch.meshgrid(*lines, indexing="ij"))


def a_ball(shape, spacing, at=(0.0, 0.0, 0.0), radius=8.0, softness=2.0):
    """A smooth ball ``(1, a, b, c)``, its centre ``at`` mm from the middle of the grid."""
    middle = [(n - 1) / 2 for n in shape]
    distance = (offsets(shape, spacing, middle) - torch.tensor(at)[:, None, None, None]).square().sum(0).sqrt()
    return torch.sigmoid((radius - distance) / softness)[None].float()


def middle_of(shape):
    return tuple((n - 1) / 2 for n in shape)


@pytest.mark.parametrize(("shape", "spacing"), GRIDS)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_warped_ball_is_where_millimetres_say(change, shape, spacing):
    at = torch.tensor([3.0, -6.0, 5.0], dtype=torch.float64)
    matrix = change.matrix((0, 1, 2))
    warped = resampled(a_ball(shape, spacing, at.tolist()), Warp(matrix, middle_of(shape), spacing))
    factor = np.cbrt(np.linalg.det(matrix))
    expected = a_ball(shape, spacing, np.linalg.inv(matrix) @ at.numpy(), 8.0 / factor, 2.0 / factor)
    assert (warped - expected).abs().max() < (0.0075 if spacing == (1.0, 1.0, 1.0) else 0.025)


def test_an_anisotropic_grid_treated_as_isotropic_would_shear():
    shape, spacing = GRIDS[1]
    at = (0.0, 0.0, 9.0)
    matrix = Rotation(1, 30).matrix((0, 1, 2))
    expected = a_ball(shape, spacing, np.linalg.inv(matrix) @ at)
    right = resampled(a_ball(shape, spacing, at), Warp(matrix, middle_of(shape), spacing))
    wrong = resampled(a_ball(shape, spacing, at), Warp(matrix, middle_of(shape), (1.0, 1.0, 1.0)))
    assert (right - expected).abs().max() < 0.03 < 0.3 < (wrong - expected).abs().max()


@pytest.mark.parametrize(("shape", "spacing", "error"), [(*GRIDS[0], 0.01), (*GRIDS[1], 0.035)])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_the_way_there_and_back_loses_little_where_it_is_covered(change, shape, spacing, error):
    ball = a_ball(shape, spacing, (2.0, 4.0, -3.0))
    case = prepared_data(ball, spacing)
    back = change.invert(change.apply(ball, case), case)
    coverage = change.coverage(case)
    assert (back - ball)[0][coverage].abs().max() < error
    assert 0.7 < coverage.float().mean() < 0.95


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_constant_field_stays_constant_where_it_is_covered(change):
    case = prepared_data(a_ball((20, 31, 26), (2.0, 1.0, 1.0)), (2.0, 1.0, 1.0))
    coverage = change.coverage(case)
    back = change.invert(torch.full((2, 3, 20, 31, 26), 0.7), case)
    assert back.shape == (2, 3, 20, 31, 26)
    assert (back[..., coverage] - 0.7).abs().max() < 0.7 * 0.01


def test_a_warp_that_changes_nothing_covers_everything():
    still = Warp(np.eye(3), (9.3, 15.0, 12.0), (2.0, 1.0, 1.0))
    assert covered((20, 31, 26), still, CPU).all()


def test_a_field_is_exactly_constant_away_from_the_border():
    warp = Warp(Rotation(1, 7).matrix((0, 1, 2)), (14.2, 15.1, 16.3), (1.0, 1.0, 1.0))
    back = resampled(resampled(torch.full((1, 32, 32, 32), 0.7), warp), warp.inverse())
    assert (back[0, 8:-8, 8:-8, 8:-8] - 0.7).abs().max() < 1e-6


@pytest.mark.parametrize(("shape", "error"), [((32, 16, 64), 0.0), ((33, 40, 21), 1e-5)])
def test_a_shift_by_whole_voxels_only_moves(shape, error):
    data = torch.rand((2, *shape), generator=torch.Generator().manual_seed(0))
    shifted = resampled(data, Warp(np.eye(3), (3.3, 4.0, 5.0), (2.0, 1.0, 1.5), shift=(4.0, -1.0, 3.0)))
    expected = torch.zeros_like(data)
    expected[:, :-2, 1:, :-2] = data[:, 2:, :-1, 2:]
    assert (shifted - expected).abs().max() <= error


def test_a_quarter_turn_of_a_cube_is_the_turned_array():
    data = torch.rand((1, 16, 16, 16), generator=torch.Generator().manual_seed(0))
    turn = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    turned = resampled(data, Warp(turn, middle_of((16, 16, 16)), (1.0, 1.0, 1.0)))
    assert (turned - torch.rot90(data, -1, (2, 3))).abs().max() < 1e-5


def test_the_inverse_of_a_warp_undoes_its_index_map():
    warp = Warp(Rotation(2, 9).matrix((0, 1, 2)) / 1.1, (3.0, 5.5, 7.0), (2.5, 1.0, 1.2), (1.0, -2.0, 0.5))
    (there, first), (back, last) = warp.index_map(), warp.inverse().index_map()
    point = np.array([4.0, -1.0, 11.0])
    assert back @ (there @ point + first) + last == pytest.approx(point)


def test_resampling_by_slabs_gives_what_one_piece_gives(monkeypatch):
    ball, warp = a_ball(*GRIDS[1]), Warp(Rotation(0, 10).matrix((0, 1, 2)), (12.0, 20.0, 20.0), GRIDS[1][1])
    whole = resampled(ball, warp)
    monkeypatch.setattr("BraTSRefineLib.inference.augmentation_warp.VOXELS_AT_ONCE", 5000)
    assert torch.equal(resampled(ball, warp), whole)


def test_beyond_the_border_lies_each_channels_background():
    data = torch.cat([a_ball((16, 16, 16), (1.0,) * 3, radius=4, softness=0.01) - 1.5, torch.zeros(1, 16, 16, 16)])
    data[1, 5:9, 5:9, 5:9] = 3
    shifted = resampled_on_background(
        data, Warp(np.eye(3), (8.0, 8.0, 8.0), (1.0,) * 3, (9.0, 0.0, 0.0)), background_of(data)
    )
    assert torch.allclose(shifted[0, -9:], torch.tensor(-1.5))
    assert (shifted[1, -9:] == 0).all()


def test_the_background_is_the_commonest_value_of_the_faces():
    data = torch.full((2, 12, 12, 12), -0.37)
    data[1] = 0.25
    data[:, 2:10, 2:10, :9] += torch.rand((2, 8, 8, 9), generator=torch.Generator().manual_seed(1)) + 0.1
    assert torch.equal(background_of(data), torch.tensor([-0.37, 0.25]))
    assert brain_mask(data, background_of(data)).sum() == 8 * 8 * 9


def test_ripples_of_resampling_are_no_brain():
    data = 1e-5 * torch.randn((1, 20, 20, 20), generator=torch.Generator().manual_seed(1))
    data[0, 5:15, 5:15, 5:15] = 1
    assert brain_mask(data, background_of(data)).sum() == 1000


def test_the_brain_has_its_centre_where_its_voxels_have():
    data = torch.zeros((1, 100, 20, 30))
    data[0, 40:80, 5:9, 10:15] = 1
    assert brain_centre(data) == pytest.approx((59.5, 6.5, 12.0), abs=1.5)


def test_a_case_without_a_brain_is_refused():
    with pytest.raises(InferenceError, match="no brain; check"):
        brain_centre(torch.zeros((1, 8, 8, 8)))


def test_label_channels_are_told_from_images():
    labels = torch.zeros((4, 4, 4))
    labels[1:3] = 1
    assert is_label_channel(labels)
    assert not is_label_channel(labels * 0.5)
