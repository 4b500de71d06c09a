"""The temperature that makes a region's probability as sure as it is right."""

from __future__ import annotations

import numpy as np
import pytest

from BraTSRefineLib.scoring import ScoringError, negative_log_likelihood
from BraTSRefineLib.scoring.temperature import LOWEST, fit_temperature, with_temperature


@pytest.fixture
def inflated() -> tuple[np.ndarray, np.ndarray]:
    """Logits three times too large, and outcomes drawn from the probabilities before."""
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 1.5, 60_000)
    outcome = generator.random(logits.size) < 1 / (1 + np.exp(-logits))
    return 1 / (1 + np.exp(-3 * logits)), outcome


def test_logits_inflated_three_times_have_a_temperature_of_three(inflated):
    found = fit_temperature(*inflated)
    assert found.value == pytest.approx(3, rel=0.03)
    assert not found.at_bound


def test_the_likelihood_is_that_of_the_scaled_probability_and_never_worse(inflated):
    found = fit_temperature(*inflated)
    scaled = with_temperature(inflated[0], found.value)
    assert found.nll_after == pytest.approx(negative_log_likelihood(scaled, inflated[1]), abs=1e-6)
    assert found.nll_after <= found.nll_before


def test_scaling_does_not_move_the_mask(inflated):
    assert np.array_equal(with_temperature(inflated[0], 3.0) > 0.5, inflated[0] > 0.5)


def test_a_temperature_of_one_changes_nothing(inflated):
    assert with_temperature(inflated[0], 1.0) == pytest.approx(np.clip(inflated[0], 1e-7, 1 - 1e-7))


def test_a_region_that_is_nowhere_keeps_its_temperature():
    assert fit_temperature(np.full(10, 0.2), np.zeros(10, bool)).value == 1


def test_perfect_separation_stops_at_the_bound_and_says_so():
    found = fit_temperature(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True]))
    assert found.value == pytest.approx(LOWEST, rel=0.01)
    assert found.at_bound


def test_weights_count_as_repetitions():
    probability, outcome = np.array([0.9, 0.9, 0.2]), np.array([True, False, False])
    weighted = fit_temperature(probability, outcome, [3, 1, 2])
    repeated = fit_temperature(np.repeat(probability, [3, 1, 2]), np.repeat(outcome, [3, 1, 2]))
    assert weighted.value == pytest.approx(repeated.value)


@pytest.mark.parametrize("value", [0, -1, np.inf, np.nan])
def test_a_temperature_is_above_zero(value):
    with pytest.raises(ScoringError, match="temperature"):
        with_temperature(np.array([0.5]), value)


def test_nothing_to_fit_to_is_refused():
    with pytest.raises(ScoringError, match="no voxel"):
        fit_temperature(np.array([]), np.array([], bool))
    with pytest.raises(ScoringError, match="weights"):
        fit_temperature(np.array([0.5]), np.array([True]), [0])
