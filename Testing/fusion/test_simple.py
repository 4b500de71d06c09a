"""SIMPLE: whom it drops, whom it keeps, and where there is nothing to vote on."""

from __future__ import annotations

import numpy as np
import pytest

from BraTSRefineLib.fusion import FusionError, majority, simple, simple_regions

SHAPE = (16, 18, 20)


def ball(radius: float = 5.0, shift: float = 0.0) -> np.ndarray:
    places = np.indices(SHAPE)
    middle = [length / 2 for length in SHAPE]
    middle[2] += shift
    return np.sqrt(sum((axis - center) ** 2 for axis, center in zip(places, middle, strict=True))) < radius


def noisy(mask: np.ndarray, seed: int, share: float = 0.03) -> np.ndarray:
    return mask ^ (np.random.default_rng(seed).random(SHAPE) < share)


def test_an_inverted_member_among_five_good_ones_is_dropped_within_five_rounds():
    good = [noisy(ball(), seed) for seed in range(5)]
    result = simple([*good, ~ball()])
    assert result.kept == (0, 1, 2, 3, 4)
    assert result.rounds <= 5
    assert np.array_equal(result.mask, majority(good))


def test_a_member_that_is_half_right_keeps_its_vote_with_less_weight():
    result = simple([ball(5), ball(5), ball(7), ball(7)])
    assert result.kept == (0, 1, 2, 3)
    assert np.array_equal(result.mask, ball(5))


def test_identical_members_keep_their_vote_and_their_mask():
    result = simple([ball()] * 4)
    assert result.kept == (0, 1, 2, 3)
    assert np.array_equal(result.mask, ball())


def test_two_members_are_always_kept():
    result = simple([ball(5, shift=-2), ball(5, shift=2)])
    assert result.kept == (0, 1)
    assert np.array_equal(result.mask, ball(5, shift=-2) & ball(5, shift=2))


def test_whoever_shares_nothing_with_the_vote_is_dropped():
    assert simple([ball(4), ball(4), ball(4, shift=-8), ball(4), ball(4, shift=8)]).kept == (0, 1, 3)


def test_an_empty_first_vote_gives_an_empty_region():
    spots = [np.zeros(SHAPE, bool) for _ in range(3)]
    for number, spot in enumerate(spots):
        spot[number, 0, 0] = True
    assert not simple(spots).mask.any()
    nothing = simple([np.zeros(SHAPE, bool)] * 3)
    assert not nothing.mask.any()
    assert nothing.kept == (0, 1, 2)


def test_a_lesion_of_one_voxel_is_kept_where_two_of_three_see_it():
    seen = np.zeros(SHAPE, bool)
    seen[8, 8, 8] = True
    assert np.array_equal(simple([seen, seen, np.zeros_like(seen)]).mask, seen)


def test_regions_are_voted_on_one_by_one_and_nested():
    random = np.random.default_rng(1)
    stacks = [random.random((3, 6, 6, 6)) > 0.5 for _ in range(4)]
    whole, core, enhancing = simple_regions(iter(stacks))
    assert not (core & ~whole).any()
    assert not (enhancing & ~core).any()
    assert np.array_equal(enhancing, simple([stack[2] for stack in stacks]).mask)


def test_a_member_that_cannot_vote_is_named():
    with pytest.raises(FusionError, match="member 2 has shape"):
        simple([np.zeros((1, 1, 1), bool), np.zeros((1, 1, 2), bool)])
    with pytest.raises(FusionError, match="member 1 holds float32"):
        simple_regions([np.zeros((3, 1, 1, 1), np.float32)])
