"""Weighted means and votes."""

from __future__ import annotations

import numpy as np
import pytest

from BraTSRefineLib.fusion import FusionError, majority, mean_probability, weighted_mean, weighted_regions


def random_members(count: int = 4) -> np.ndarray:
    return np.random.default_rng(2).random((count, 3, 4, 5, 6)).astype(np.float32)


def voxel(*values: float) -> list[np.ndarray]:
    return [np.full((3, 1, 1, 1), value, np.float32) for value in values]


def test_equals_the_average_of_the_stacked_members_region_by_region():
    members, weights = random_members(), np.random.default_rng(5).random((4, 3))
    for region in range(3):
        expected = np.average(members[:, region].astype(float), axis=0, weights=weights[:, region])
        assert np.abs(weighted_mean(iter(members), weights)[region] - expected).max() < 1e-6


def test_equal_weights_give_the_plain_mean():
    members = random_members()
    assert np.abs(weighted_mean(members, np.full((4, 3), 7.0)) - mean_probability(members)).max() < 1e-6


def test_all_weight_on_one_member_gives_that_member():
    members = random_members()
    assert np.array_equal(weighted_mean(members, np.eye(4)[:, [2, 2, 2]]), members[2])


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 7, 10])
def test_equal_votes_of_masks_are_the_strict_majority_however_the_shares_are_rounded(count):
    masks = np.random.default_rng(count).random((count, 3, 6, 6, 6)) > 0.5
    assert np.array_equal(weighted_mean(masks, np.full((count, 3), 1 / count)) > 0.5 + 1e-6, majority(masks))


def test_regions_come_out_nested():
    whole, core, enhancing = weighted_regions(random_members(), np.random.default_rng(0).random((4, 3)))
    assert not (core & ~whole).any()
    assert not (enhancing & ~core).any()


@pytest.mark.parametrize("weights", [[[1, 1, 0], [1, 1, 0]], [[1, -1, 1], [1, 3, 1]], [[np.nan] * 3] * 2, [1.0, 1.0]])
def test_weights_that_say_nothing_are_refused(weights):
    with pytest.raises(FusionError, match="weights"):
        weighted_mean(voxel(0.2, 0.4), np.array(weights, float))


def test_members_and_weights_must_belong_together():
    with pytest.raises(FusionError, match="3 members have weights, 2 came"):
        weighted_mean(voxel(0.2, 0.4), np.ones((3, 3)))
    with pytest.raises(FusionError, match="member 2 with 3 regions; the weights are 1x3"):
        weighted_mean(voxel(0.2, 0.4), np.ones((1, 3)))
    with pytest.raises(FusionError, match="member 2 holds values"):
        weighted_mean(voxel(0.2, np.nan), np.ones((2, 3)))
