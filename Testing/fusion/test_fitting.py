"""Fitting weights: what each method must find, and when it must find nothing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from simulated_members import cohort, truth

from BraTSRefineLib.fusion import METHODS, FusionError, contested, fit, mean_dice, uniform
from BraTSRefineLib.fusion.convex import minimum_on_simplex
from BraTSRefineLib.fusion.fitting import STEPS, subset_means
from BraTSRefineLib.fusion.soft_dice import loss_and_gradient

BY_DICE = [method for method in METHODS if method != "convex"]


def with_a_perfect_member() -> list:
    """The third of four members is the reference itself."""
    random, cases = np.random.default_rng(4), []
    for _ in range(8):
        mask = truth(random)
        wrong = [np.clip(mask * 0.1 + 0.7 * random.random(mask.shape), 0, 1) for _ in range(3)]
        cases.append(contested([*wrong[:2], mask.astype(float), wrong[2]], mask))
    return cases


@pytest.mark.parametrize("method", METHODS)
def test_a_perfect_member_gets_all_the_weight(method):
    assert fit(with_a_perfect_member(), method)[2] > 0.95


@pytest.mark.parametrize("method", METHODS)
def test_identical_members_keep_the_plain_mean(method):
    random = np.random.default_rng(0)
    masks = [truth(random) for _ in range(4)]
    cases = [contested([mask | (random.random(mask.shape) > 0.9)] * 3, mask) for mask in masks]
    assert fit(cases, method) == pytest.approx(uniform(3))


@pytest.mark.parametrize("method", METHODS)
def test_weights_are_shares_and_the_same_for_the_same_seed(method):
    cases = cohort([0.2, 0.3, 0.5], cases=6)
    weights = fit(cases, method, seed=3)
    assert weights.sum() == pytest.approx(1)
    assert weights.min() >= 0
    assert np.array_equal(weights, fit(cohort([0.2, 0.3, 0.5], cases=6), method, seed=3))


@pytest.mark.parametrize("method", BY_DICE)
def test_no_fit_is_worse_on_its_cases_than_the_plain_mean(method):
    for seed in range(3):
        cases = cohort([0.2, 0.3, 0.5], cases=6, seed=seed)
        assert mean_dice(cases, fit(cases, method)[None])[0] >= mean_dice(cases, uniform(3)[None])[0]


@pytest.mark.parametrize("method", METHODS)
def test_the_better_member_gets_the_most_weight(method):
    assert fit(cohort([0.5, 0.15, 0.5], cases=8), method).argmax() == 1


@pytest.mark.parametrize("method", METHODS)
def test_a_region_that_no_reference_has_teaches_nothing(method):
    random = np.random.default_rng(0)
    empty = np.zeros((4, 4, 4), bool)
    cases = [contested(list(random.random((2, 4, 4, 4))), empty) for _ in range(5)]
    assert np.array_equal(fit(cases, method), uniform(2))


@pytest.mark.parametrize("method", METHODS)
def test_at_most_so_many_models_have_weight(method):
    weights = fit(cohort([0.2, 0.6, 0.2, 0.6], cases=6), method, max_models=2)
    assert weights[[1, 3]].tolist() == [0, 0]
    assert weights.sum() == pytest.approx(1)


def test_more_models_than_there_are_is_all_of_them():
    cases = cohort([0.2, 0.3], cases=4)
    assert np.array_equal(fit(cases, "select", max_models=9), fit(cases, "select"))


def test_random_search_for_two_members_is_as_good_as_a_grid():
    cases = cohort([0.3, 0.2], cases=6)
    grid = np.linspace(0, 1, 201)
    best = mean_dice(cases, np.stack([grid, 1 - grid], axis=1)).max()
    assert mean_dice(cases, fit(cases, "dirichlet")[None])[0] > best - 0.002


def test_selection_gives_multiples_of_at_least_a_twentieth_and_no_worse_than_the_best_member():
    cases = cohort([0.2, 0.25, 0.4], cases=6)
    weights = fit(cases, "select")
    assert any(np.allclose(weights * steps, np.rint(weights * steps)) for steps in range(1, STEPS + 1))
    assert mean_dice(cases, weights[None])[0] >= mean_dice(cases, np.eye(3)).max()


def test_a_member_twice_changes_nothing_in_what_selection_reaches():
    cases = cohort([0.2, 0.25, 0.4], cases=6)
    twice = [case.of([0, 1, 2, 1]) for case in cases]
    reached = [mean_dice(each, fit(each, "select")[None])[0] for each in (cases, twice)]
    assert reached[0] == pytest.approx(reached[1], abs=1e-6)


def test_the_gradient_of_the_soft_dice_is_that_of_its_loss():
    cases, logits, step = cohort([0.2, 0.3, 0.5], cases=3), np.array([0.3, -0.2, 0.1]), 1e-6
    _, gradient = loss_and_gradient(logits, cases, 20.0)
    for axis in np.eye(3) * step:
        numeric = (
            loss_and_gradient(logits + axis, cases, 20.0)[0] - loss_and_gradient(logits - axis, cases, 20.0)[0]
        ) / (2 * step)
        assert gradient[axis.argmax()] == pytest.approx(numeric, abs=1e-5)


def test_the_lowest_brier_score_meets_its_conditions():
    """Karush-Kuhn-Tucker: one slope for all members that have weight, none smaller among the others."""
    random = np.random.default_rng(1)
    for _ in range(20):
        values = random.random((5, 40))
        squares, products = values @ values.T / 40, values @ random.random(40) / 40
        weights = minimum_on_simplex(squares, products)
        slopes = 2 * (squares @ weights - products)
        assert np.ptp(slopes[weights > 0]) < 1e-8
        assert slopes.min() > slopes[weights > 0].max() - 1e-6
        assert weights.sum() == pytest.approx(1)


def test_means_of_few_members_come_smallest_first():
    means = subset_means(4, 3)
    assert len(means) == 4 + 6 + 4
    assert all(first <= second for first, second in pairwise((means > 0).sum(axis=1)))
    assert np.allclose(means.sum(axis=1), 1)


def test_what_cannot_be_fitted_is_said():
    cases = cohort([0.2, 0.3], cases=2)
    with pytest.raises(FusionError, match="no method 'magic'"):
        fit(cases, "magic")
    with pytest.raises(FusionError, match="no case"):
        fit([], "select")
    with pytest.raises(FusionError, match="different numbers of members"):
        fit([*cases, *cohort([0.2] * 3, cases=1)], "select")
    with pytest.raises(FusionError, match="max_models is 0"):
        fit(cases, "select", max_models=0)
