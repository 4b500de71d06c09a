"""Judging fitted weights: honest folds, honest units, and the plain mean where nothing is gained."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_members import cohort, noisy, persons, truth

from BraTSRefineLib.fusion import METHODS, FusionError, contested, fit, held_out_folds, judge, person_bootstrap, uniform


def judged(cases, method="select", **options):
    names = persons(len(cases))
    return judge(cases, names, held_out_folds(names, 5), method, **options)


def test_a_member_that_is_better_is_found_and_the_gain_is_that_of_held_out_cases():
    result = judged(cohort([0.15, 0.7, 0.7]))
    assert result.accepted
    assert result.weights.argmax() == 0
    assert result.gain == pytest.approx(result.outer - result.plain)
    assert result.low <= result.gain <= result.high
    assert result.gain > result.standard_error


@pytest.mark.parametrize("method", ["select", "dirichlet"])
def test_members_of_pure_noise_rarely_get_weights(method):
    accepted = [judged(cohort([0.4] * 3, cases=12, seed=seed), method).accepted for seed in range(40)]
    assert np.mean(accepted) <= 0.1


def test_what_gains_nothing_falls_back_to_the_plain_mean_and_says_why():
    result = judged(cohort([0.4] * 3, seed=1))
    assert not result.accepted
    assert np.array_equal(result.weights, uniform(3))
    assert "so the plain mean" in result.why
    assert result.inner >= result.plain - 0.01
    assert result.optimism == result.inner - result.outer


@pytest.mark.parametrize("method", METHODS)
def test_no_held_out_case_has_part_in_its_fit(method):
    """In the last case the reference is turned round, so that a fit that saw it would change."""
    cases, names = cohort([0.2, 0.3, 0.5], cases=10), persons(10)
    folds = held_out_folds(names, 5)
    poisoned = [*cases[:-1], turned(seed=9)]
    clean, spoilt = (judge(each, names, folds, method).fold_weights for each in (cases, poisoned))
    assert np.array_equal(clean[folds[-1]], spoilt[folds[-1]])
    seen = [case for case, fold in zip(cases, folds, strict=True) if fold != folds[-1]]
    assert np.array_equal(clean[folds[-1]], fit(seen, method))


def turned(seed: int):
    random = np.random.default_rng(seed)
    mask = truth(random)
    return contested([1 - noisy(mask, spread, random) for spread in (0.1, 0.3, 0.5)], mask)


def test_members_that_are_kept_are_chosen_anew_in_each_fold():
    cases, names = cohort([0.2, 0.3, 0.5], cases=10), persons(10)
    folds = held_out_folds(names, 5)
    result = judge(cases, names, folds, "select", max_models=1)
    assert ((result.fold_weights > 0).sum(axis=1) == 1).all()


def test_a_person_s_cases_lie_in_one_fold():
    groups = [f"person {number // 3}" for number in range(30)]
    folds = held_out_folds(groups, 5, seed=2)
    assert sorted(set(folds)) == [0, 1, 2, 3, 4]
    assert all(len({fold for fold, group in zip(folds, groups, strict=True) if group == one}) == 1 for one in groups)


def test_every_centre_can_be_a_fold_of_its_own():
    folds = held_out_folds(["A", "B", "A", "C"], None)
    assert folds[0] == folds[2]
    assert len(set(folds)) == 3


def test_one_fold_judges_nothing():
    with pytest.raises(FusionError, match="at least two folds; there is 1"):
        held_out_folds(["A", "A"], None)


def test_few_patients_teach_nothing_however_many_cases_they_have():
    cases = cohort([0.2, 0.7], cases=12)
    names = [f"person {number % 6}" for number in range(12)]
    result = judge(cases, names, held_out_folds(names, 5), "select")
    assert not result.accepted
    assert result.why.startswith("6 patients are too few")
    assert np.isnan(result.gain)


def test_a_region_that_no_reference_has_is_not_judged():
    empty = np.zeros((4, 4, 4), bool)
    result = judged([contested([empty, ~empty], empty)] * 12)
    assert np.array_equal(result.weights, uniform(2))
    assert "no reference has this region" in result.why


def test_cases_of_one_fold_hold_none_out():
    cases = cohort([0.2, 0.7], cases=12)
    result = judge(cases, persons(12), np.zeros(12, int), "select")
    assert not result.accepted
    assert result.why.startswith("all cases lie in one fold")


def test_the_bootstrap_draws_persons_and_not_cases():
    values = np.repeat(np.random.default_rng(0).random(12), 5)
    names = np.repeat(persons(12), 5).tolist()
    of_persons = person_bootstrap(values, names)
    of_cases = person_bootstrap(values, persons(60))
    assert of_persons[0] == pytest.approx(of_cases[0])
    assert of_persons[1] > 1.8 * of_cases[1]
    assert of_persons == pytest.approx(person_bootstrap(values[::5], persons(12)))


def test_the_same_seed_gives_the_same_judgement():
    first, second = (judged(cohort([0.2, 0.4, 0.4], seed=5), "dirichlet", seed=1) for _ in range(2))
    assert first.gain == second.gain
    assert np.array_equal(first.weights, second.weights)
