"""The best single model or pair by mean foreground Dice."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_members import truth

from BraTSRefineLib.fusion import best_combination, contested


def region(*members, cases: int = 4):
    """Cases of members that make of the truth what the given functions say."""
    random = np.random.default_rng(0)
    masks = [truth(random) for _ in range(cases)]
    return [contested([member(mask).astype(np.float32) for member in members], mask) for mask in masks]


def too_much(mask):
    return mask | np.roll(mask, 1, axis=2)


def too_little(mask):
    return mask & np.roll(mask, 1, axis=2)


def shifted(mask):
    return np.roll(mask, 3, axis=1)


def test_two_that_are_wrong_in_opposite_ways_are_right_together():
    sure_of_too_much, sure_of_too_little = (lambda mask: 0.8 * mask + 0.6 * ~mask), (lambda mask: 0.45 * mask)
    members, dice = best_combination({"WT": region(shifted, sure_of_too_much, sure_of_too_little)})
    assert members == (1, 2)
    assert dice == 1.0


def test_a_single_model_that_is_as_good_as_a_pair_is_preferred():
    members, dice = best_combination({"WT": region(shifted, lambda mask: 0.9 * mask, lambda mask: 0.2 * mask)})
    assert members == (1,)
    assert dice == 1.0


def test_a_second_model_that_is_the_same_adds_nothing_so_the_single_one_is_chosen():
    assert best_combination({"WT": region(too_much, too_much)})[0] == (0,)


def test_a_model_and_its_opposite_make_an_empty_pair():
    members, dice = best_combination({"WT": region(too_little, lambda mask: ~too_little(mask))})
    assert members == (0,)
    assert 0 < dice < 1


def test_cases_empty_in_both_are_left_out_and_so_are_regions_without_any():
    empty = np.zeros((4, 4, 4), bool)
    nothing = [contested([empty, empty], empty)]
    cases = region(too_much, too_little)
    alone = best_combination({"WT": cases})
    assert best_combination({"WT": [*cases, *nothing], "TC": nothing, "ET": []}) == alone
    assert np.isnan(best_combination({"WT": nothing})[1])


def test_regions_count_alike_however_many_cases_they_have():
    first, second = region(too_much, too_little, cases=6), region(too_little, too_much, cases=2)
    _, dice = best_combination({"WT": first, "TC": second}, largest=1)
    means = [
        [np.mean([case.dice(np.eye(2))[member] for case in cases]) for member in (0, 1)] for cases in (first, second)
    ]
    assert dice == pytest.approx(np.mean(means, axis=0).max())
