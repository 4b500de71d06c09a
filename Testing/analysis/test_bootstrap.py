"""Intervals that cover what they say, and the same ones every time."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from BraTSRefineLib.analysis.bootstrap import mean_interval, median_interval, quartiles, resampling_weights

COHORTS = 300
WITHIN = 3 * np.sqrt(0.95 * 0.05 / COHORTS)
"""Three standard errors of a rate of 95 %."""


def coverage(interval, truth: float, draw) -> float:
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(COHORTS):
        low, high = interval(draw(random), resamples=400)
        covered += low <= truth <= high
    return covered / COHORTS


def test_the_interval_of_the_median_covers_at_its_level():
    rate = coverage(median_interval, 0.0, lambda random: random.standard_t(3, size=30))
    assert rate == pytest.approx(0.95, abs=WITHIN)


def test_the_interval_of_the_mean_covers_at_its_level():
    rate = coverage(mean_interval, 0.1, lambda random: random.normal(0.1, 1.0, size=50))
    assert rate == pytest.approx(0.95, abs=WITHIN)


def test_the_order_of_the_values_does_not_matter():
    values = np.random.default_rng(1).random(40)
    assert median_interval(values) == median_interval(values[::-1])
    assert mean_interval(values) == mean_interval(np.roll(values, 7))


@pytest.mark.parametrize("values", [[], [0.5], [0.1, 0.2, 0.3, 0.4]])
def test_few_values_have_no_interval(values):
    assert np.isnan(median_interval(np.array(values))).all()
    assert np.isnan(mean_interval(np.array(values))).all()


def test_equal_values_have_an_interval_of_no_width():
    assert median_interval(np.full(9, 0.7)) == (0.7, 0.7)


def test_infinite_distances_stay_infinite_and_never_become_undefined():
    mostly_missed = np.array([2.0, 3.0, inf, inf, inf, inf])
    assert quartiles(mostly_missed) == (3.0, inf, inf)
    low, high = median_interval(mostly_missed)
    assert low <= high == inf


def test_a_resample_has_as_many_cases_as_the_cohort():
    weights = resampling_weights(7, 50)
    assert weights.shape == (50, 7)
    assert (weights.sum(axis=1) == 7).all()
