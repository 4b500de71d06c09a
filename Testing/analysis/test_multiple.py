"""Benjamini-Hochberg as the textbooks have it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from BraTSRefineLib.analysis.multiple import benjamini_hochberg

TEXTBOOK = (0.001, 0.008, 0.039, 0.041, 0.042, 0.060, 0.074, 0.205, 0.212, 0.216)


def test_two_of_the_textbook_vector_are_rejected():
    adjusted = benjamini_hochberg(np.array(TEXTBOOK))
    assert (adjusted < 0.05).sum() == 2
    assert adjusted[:2] == pytest.approx([0.01, 0.04])


def test_values_are_those_of_scipy():
    assert benjamini_hochberg(np.array(TEXTBOOK)) == pytest.approx(false_discovery_control(TEXTBOOK))


def test_a_test_that_was_not_made_does_not_count():
    adjusted = benjamini_hochberg(np.array([0.01, np.nan, 0.04]))
    assert adjusted[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan(adjusted[1])


def test_nothing_tested_is_nothing_adjusted():
    assert len(benjamini_hochberg(np.array([]))) == 0
    assert np.isnan(benjamini_hochberg(np.full(3, np.nan))).all()


def test_without_an_effect_false_calls_stay_at_their_level():
    random = np.random.default_rng(2)
    any_called = [(benjamini_hochberg(random.random(12)) < 0.05).any() for _ in range(400)]
    assert np.mean(any_called) == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 400))
