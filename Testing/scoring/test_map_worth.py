"""What an uncertainty map of one case is worth."""

from __future__ import annotations

import numpy as np
import pytest

from BraTSRefineLib.scoring import ScoringError
from BraTSRefineLib.scoring.map_worth import COVERAGES, SAMPLE, map_worth

SHAPE, SPACING = (40, 40, 40), (1.0, 1.0, 1.0)


def cube(start: int, stop: int) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[start:stop, start:stop, start:stop] = True
    return mask


REFERENCE, PREDICTED = cube(12, 26), cube(14, 28)
PROBABILITY = np.where(PREDICTED, 0.9, 0.1)


def test_an_uncertainty_that_is_the_error_itself_leaves_nothing_to_gain():
    oracle = (REFERENCE != PREDICTED).astype(float)
    found = map_worth(REFERENCE, PREDICTED, PROBABILITY, oracle, SPACING)
    assert found.scores["e_aurc"] == pytest.approx(0, abs=1e-3)
    assert found.risks[0] == 0


def test_a_constant_uncertainty_keeps_the_share_of_errors():
    found = map_worth(REFERENCE, PREDICTED, PROBABILITY, np.full(SHAPE, 0.5), SPACING)
    assert found.scores["aurc"] == pytest.approx(found.scores["error_share"])
    assert found.risks == pytest.approx(np.full(len(COVERAGES), found.scores["error_share"]))


def test_the_domain_is_ten_millimetres_around_reference_and_prediction():
    small = map_worth(cube(18, 20), cube(18, 20), np.zeros(SHAPE), np.zeros(SHAPE), SPACING)
    assert small.bins["count"].sum() < 23**3
    assert small.bins["count"].sum() > 20**3 / 2


def test_the_brain_limits_the_domain():
    brain = np.zeros(SHAPE, bool)
    brain[:20] = True
    whole = map_worth(REFERENCE, PREDICTED, PROBABILITY, np.zeros(SHAPE), SPACING)
    half = map_worth(REFERENCE, PREDICTED, PROBABILITY, np.zeros(SHAPE), SPACING, brain)
    assert half.bins["count"].sum() < whole.bins["count"].sum()


def test_dice_and_calibration_are_those_of_the_probability():
    found = map_worth(REFERENCE, PREDICTED, REFERENCE.astype(float), np.zeros(SHAPE), SPACING)
    assert found.scores["dice"] == pytest.approx(2 * 12**3 / (2 * 14**3))
    assert (found.scores["ece"], found.scores["brier"]) == (0, 0)


def test_the_sample_for_the_temperature_is_bounded_and_always_the_same():
    first, again = (map_worth(REFERENCE, PREDICTED, PROBABILITY, np.zeros(SHAPE), SPACING) for _ in range(2))
    assert len(first.outcome) == SAMPLE
    assert np.array_equal(first.probability, again.probability)


def test_a_region_that_is_nowhere_has_no_worth():
    nothing = np.zeros(SHAPE, bool)
    assert map_worth(nothing, nothing, np.zeros(SHAPE), np.zeros(SHAPE), SPACING) is None


def test_uncertainty_lies_between_nothing_and_one():
    with pytest.raises(ScoringError, match="uncertainty"):
        map_worth(REFERENCE, PREDICTED, PROBABILITY, np.full(SHAPE, 1.2), SPACING)
    with pytest.raises(ScoringError, match="off the brain"):
        map_worth(REFERENCE, PREDICTED, PROBABILITY, np.zeros(SHAPE), SPACING, np.zeros(SHAPE, bool))
