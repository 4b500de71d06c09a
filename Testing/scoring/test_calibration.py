from math import isnan, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from BraTSRefineLib.scoring import (
    ScoringError,
    brier_score,
    calibration_scores,
    expected_calibration_error,
    negative_log_likelihood,
    reliability,
)

GIVEN = settings(max_examples=60, deadline=None)
SCORES = (expected_calibration_error, brier_score, negative_log_likelihood)
VOXELS = st.lists(st.tuples(st.integers(0, 64).map(lambda n: n / 64), st.booleans()), min_size=1, max_size=60)


@pytest.fixture
def voxels():
    """Probabilities, some at 0, 1 and the edges of bins, and outcomes that are not quite as probable."""
    rng = np.random.default_rng(4)
    probability = rng.choice([0, 1, 1 / 3, 0.2, 0.5, *rng.random(30)], 4000)
    return probability, rng.random(4000) < probability**1.5


@pytest.fixture
def a_region():
    """Probability, reference and brain of a ball in a brain that fills most of the image."""
    grid = np.indices((24, 30, 30)) - np.array([12, 15, 14])[:, None, None, None]
    distance = np.sqrt((grid**2).sum(axis=0))
    return 1 / (1 + np.exp(distance - 5)), distance <= 4.5, distance <= 14


@pytest.mark.parametrize("bins", [1, 5, 10, 15, 40])
def test_bins_are_those_of_scikit_learn(voxels, bins):
    probability, outcome = voxels
    observed, mean = calibration_curve(outcome, probability, n_bins=bins)
    table = reliability(probability, outcome, bins=bins)
    filled = table[table["count"] > 0]
    assert filled["observed"].to_numpy() == pytest.approx(observed)
    assert filled["mean_probability"].to_numpy() == pytest.approx(mean)
    share = filled["count"] / len(outcome)
    assert expected_calibration_error(probability, outcome, bins=bins) == pytest.approx(share @ abs(observed - mean))


def test_proper_scores_are_those_of_scikit_learn(voxels):
    probability, outcome = voxels
    assert brier_score(probability, outcome) == pytest.approx(brier_score_loss(outcome, probability))
    inside = np.clip(probability, 1e-7, 1 - 1e-7)
    assert negative_log_likelihood(probability, outcome) == pytest.approx(log_loss(outcome, inside))


def test_calibration_error_by_hand():
    probability = np.array([0.1, 0.2, 0.6, 0.8])
    outcome = np.array([False, True, True, True])
    assert expected_calibration_error(probability, outcome, bins=2) == pytest.approx((0.35 + 0.3) / 2)


def test_a_bin_holds_its_upper_edge_and_the_first_one_zero_too():
    table = reliability(np.array([0, 0.25, 0.5, 0.75, 1]), np.ones(5, bool), bins=4)
    assert table["count"].tolist() == [2, 1, 1, 1]
    assert table["lower"].tolist() == [0, 0.25, 0.5, 0.75]
    assert table["upper"].tolist() == [0.25, 0.5, 0.75, 1]


def test_a_bin_without_voxels_has_no_mean():
    table = reliability(np.array([0.1, 0.9]), np.array([False, True]), bins=3)
    assert table["count"].tolist() == [1, 0, 1]
    assert table.loc[1, ["mean_probability", "observed"]].isna().all()


def test_no_voxel_of_probability_zero_is_dropped():
    probability = np.r_[np.zeros(900), np.full(100, 0.9)]
    outcome = np.r_[np.zeros(900), np.ones(50), np.zeros(50)]
    assert expected_calibration_error(probability, outcome) == pytest.approx(0.4 * 100 / 1000)


def test_a_voxel_that_was_ruled_out_costs_at_most_the_clip():
    assert negative_log_likelihood(np.array([0.0]), np.array([True])) == pytest.approx(-log(1e-7))
    assert negative_log_likelihood(np.array([1.0]), np.array([True])) == pytest.approx(0, abs=2e-7)


@pytest.mark.parametrize("score", SCORES)
def test_only_the_domain_counts(voxels, score):
    probability, outcome = voxels
    domain = np.arange(4000) % 3 == 0
    elsewhere = np.where(domain, probability, np.nan)
    assert score(elsewhere, outcome, domain=domain) == score(probability[domain], outcome[domain])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_saved_precision_is_taken_as_it_is(voxels, dtype):
    probability, outcome = voxels[0].astype(dtype), voxels[1]
    for score in SCORES:
        assert score(probability, outcome) == score(probability.astype(np.float64), outcome)


@GIVEN
@given(VOXELS, st.integers(1, 20), st.randoms())
def test_scores_are_bounded_and_blind_to_the_order_of_voxels(pairs, bins, random):
    probability, outcome = (np.array(line) for line in zip(*pairs, strict=True))
    scores = [expected_calibration_error(probability, outcome, bins=bins), brier_score(probability, outcome)]
    assert all(0 <= value <= 1 for value in scores)
    assert scores[0] >= abs(probability.mean() - outcome.mean()) - 1e-12
    random.shuffle(pairs)
    shuffled = [np.array(line) for line in zip(*pairs, strict=True)]
    again = [expected_calibration_error(*shuffled, bins=bins), brier_score(*shuffled)]
    assert again == pytest.approx(scores, abs=1e-12)


def test_scores_of_a_region_are_those_of_its_brain_and_of_its_band(a_region):
    probability, reference, brain = a_region
    spacing = (2.0, 1.0, 1.5)
    scores = calibration_scores(probability, reference, spacing, brain=brain, band_mm=4)
    near = ndimage.distance_transform_edt(~reference, sampling=spacing) <= 4
    expected = {}
    for name, domain in (("brain", brain), ("band", brain & near)):
        for short, score in zip(("ece", "brier", "nll"), SCORES, strict=True):
            expected[f"{short}_{name}"] = score(probability, reference, domain=domain)
    assert scores == expected
    assert scores["ece_band"] > scores["ece_brain"]


def test_a_band_of_no_width_is_the_region_itself(a_region):
    probability, reference, brain = a_region
    scores = calibration_scores(probability, reference, (1, 1, 1), brain=brain, band_mm=0)
    assert scores["brier_band"] == pytest.approx(np.mean((1 - probability[reference]) ** 2))


def test_a_band_reaches_no_further_than_the_image(a_region):
    probability, _, brain = a_region
    corner = np.zeros_like(brain)
    corner[0, 0, 0] = corner[-1, -1, -1] = True
    everywhere = np.ones_like(brain)
    scores = calibration_scores(probability, corner, (1, 1, 1), brain=everywhere, band_mm=60)
    assert scores["ece_band"] == scores["ece_brain"]


def test_without_a_region_there_is_no_band(a_region):
    probability, reference, brain = a_region
    scores = calibration_scores(probability, np.zeros_like(reference), (1, 1, 1), brain=brain)
    assert [name for name, value in scores.items() if isnan(value)] == ["ece_band", "brier_band", "nll_band"]


@pytest.mark.parametrize(
    ("probability", "outcome", "options", "message"),
    [
        ([0.1, 1.1], [0, 1], {}, "probability: values lie between 0.1 and 1.1, outside 0 to 1"),
        ([0.1, np.nan], [0, 1], {}, "probability: 1 of 2 values are NaN"),
        ([0.1, 0.2], [0, 2], {}, "outcome: must be boolean, or 0 and 1"),
        ([0.1, 0.2], [0], {}, "not one grid"),
        ([0.1, 0.2], [0, 1], {"domain": [1, 0]}, "domain: a mask is boolean"),
        ([0.1, 0.2], [0, 1], {"domain": [True]}, "not one grid"),
        ([0.1, 0.2], [0, 1], {"domain": [False, False]}, "the domain holds no voxel"),
        ([], [], {}, "the domain holds no voxel"),
        ([0.1, 0.2], [0, 1], {"bins": 0}, "bins 0"),
    ],
)
def test_says_what_cannot_be_scored(probability, outcome, options, message):
    with pytest.raises(ScoringError, match=message):
        expected_calibration_error(np.array(probability), np.array(outcome), **options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spacing": (1, 1)}, "three positive numbers"),
        ({"band_mm": -1}, "band -1 must be a distance in mm"),
        ({"brain": np.ones((24, 30, 30))}, "brain: a mask is boolean"),
        ({"brain": np.zeros((24, 30, 30), bool)}, "the domain holds no voxel"),
    ],
)
def test_says_which_region_cannot_be_scored(a_region, change, message):
    probability, reference, brain = a_region
    with pytest.raises(ScoringError, match=message):
        calibration_scores(probability, reference, **{"spacing": (1, 1, 1), "brain": brain, **change})
