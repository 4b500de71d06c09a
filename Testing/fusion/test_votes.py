"""Fusing label maps by vote."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from BraTSRefineLib.fusion import FusionError, majority, vote_fraction, vote_variance
from BraTSRefineLib.regions import label_convention


def random_members(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((count, 3, 4, 5, 6)) > 0.5


def voxel(*values: bool) -> list[np.ndarray]:
    return [np.full((3, 1, 1, 1), value, dtype=bool) for value in values]


def test_majority_equals_the_mode_of_an_odd_number_of_members():
    members = random_members(5)
    assert np.array_equal(majority(members), stats.mode(members.astype(int), axis=0).mode == 1)


@pytest.mark.parametrize(
    ("votes", "expected"), [((1, 0), False), ((1, 1, 0, 0), False), ((1, 1, 0), True), ((1, 0, 0), False), ((1,), True)]
)
def test_majority_is_strict_so_that_a_tie_is_background(votes, expected):
    assert majority(voxel(*map(bool, votes))).all() == expected
    assert majority(voxel(*map(bool, votes))).any() == expected


def test_three_raters_who_name_three_tissues_still_find_the_whole_tumour():
    convention = label_convention("brats2021")
    members = [convention.masks(np.full((1, 1, 1), label, dtype=np.uint8)) for label in (1, 2, 4)]
    assert majority(members).ravel().tolist() == [True, True, False]


def test_majority_of_nested_members_is_nested():
    convention = label_convention("brats2023")
    maps = np.random.default_rng(3).integers(0, 4, (4, 6, 6, 6)).astype(np.uint8)
    whole, core, enhancing = majority(convention.masks(label_map) for label_map in maps)
    assert not (core & ~whole).any()
    assert not (enhancing & ~core).any()


def test_vote_variance_of_one_dissenter_in_five_is_sixteen_hundredths():
    assert vote_variance(voxel(True, False, False, False, False)) == pytest.approx(0.16)


def test_vote_variance_of_half_and_half_is_a_quarter_and_of_agreement_zero():
    assert vote_variance(voxel(True, False)) == pytest.approx(0.25)
    assert not vote_variance(voxel(True, True)).any()


def test_vote_variance_equals_the_variance_of_stacked_members():
    members = random_members(7)
    assert np.abs(vote_variance(iter(members)) - members.var(axis=0)).max() < 1e-6
    assert vote_variance(members).dtype == np.float32


def test_vote_fraction_counts_members():
    assert vote_fraction(voxel(True, True, False)) == pytest.approx(2 / 3)


def test_more_than_255_members_do_not_overflow():
    assert majority(voxel(True)[0] for _ in range(300)).all()


def test_a_member_on_another_grid_is_named():
    with pytest.raises(FusionError, match=r"member 2 has shape 3x1x1x2, the first member has 3x1x1x1"):
        majority([np.zeros((3, 1, 1, 1), bool), np.zeros((3, 1, 1, 2), bool)])


def test_probabilities_are_not_taken_for_votes():
    with pytest.raises(FusionError, match="member 1 holds float32 values"):
        majority([np.full((3, 1, 1, 1), 0.3, np.float32)])


def test_no_member_is_an_error():
    with pytest.raises(FusionError, match="no member"):
        majority([])
