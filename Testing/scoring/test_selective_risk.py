from math import inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import auc

from BraTSRefineLib.scoring import ScoringError, risk_coverage

GIVEN = settings(max_examples=80, deadline=None)
PREDICTIONS = st.lists(st.tuples(st.integers(0, 9), st.floats(0, 1, width=32)), min_size=1, max_size=30)


def predictions(seed, levels=None, binary=False, count=60):
    rng = np.random.default_rng(seed)
    confidence = rng.random(count) if levels is None else rng.integers(levels, size=count) / levels
    risk = rng.random(count) ** 2
    return confidence, (risk > 0.5).astype(float) if binary else risk


def plain_curve(confidence, risk):
    """Coverage, selective and generalized risk, one threshold at a time from the highest."""
    coverages, selective, generalized = [], [], []
    for threshold in sorted(set(confidence), reverse=True):
        kept = risk[confidence >= threshold]
        coverages.append(len(kept) / len(risk))
        selective.append(kept.mean())
        generalized.append(kept.sum() / len(risk))
    return [0, *coverages], [selective[0], *selective], [0, *generalized]


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("levels", [None, 10, 2])
@pytest.mark.parametrize("seed", range(4))
def test_the_areas_are_those_under_the_curve_of_thresholds(seed, levels, binary):
    confidence, risk = predictions(seed, levels, binary)
    coverages, selective, generalized = plain_curve(confidence, risk)
    ours = risk_coverage(confidence, risk)
    assert ours.coverages == pytest.approx(coverages)
    assert ours.selective_risks == pytest.approx(selective)
    assert ours.generalized_risks == pytest.approx(generalized)
    assert ours.aurc == pytest.approx(auc(coverages, selective), abs=1e-12)
    assert ours.augrc == pytest.approx(auc(coverages, generalized), abs=1e-12)


def test_a_threshold_keeps_the_predictions_that_are_at_least_as_confident():
    ours = risk_coverage([0.1, 0.9, 0.5, 0.9], [1, 0, 0.5, 0.2])
    assert ours.thresholds.tolist() == [inf, 0.9, 0.5, 0.1]
    assert ours.coverages.tolist() == [0, 0.5, 0.75, 1]
    assert ours.selective_risks == pytest.approx([0.1, 0.1, 0.7 / 3, 0.425])


@pytest.mark.parametrize("binary", [False, True])
def test_a_constant_confidence_gives_the_mean_risk(binary):
    _, risk = predictions(5, binary=binary)
    ours = risk_coverage(np.ones(60), risk)
    assert ours.aurc == pytest.approx(risk.mean())
    assert ours.augrc == pytest.approx(risk.mean() / 2)


def test_the_best_ranking_leaves_no_excess():
    _, risk = predictions(6)
    assert risk_coverage(-risk, risk).e_aurc == pytest.approx(0, abs=1e-12)
    assert risk_coverage(risk, risk).e_aurc > 0.1


def test_the_best_ranking_of_many_binary_risks_reaches_the_limit():
    risk = np.arange(100_000) < 20_000
    ours = risk_coverage(~risk + np.linspace(0, 0.5, risk.size), risk)
    assert ours.least_area == pytest.approx(0.2 + 0.8 * log(0.8))
    assert ours.e_aurc == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(("wrong", "aurc"), [(0, 0), (1, 1)])
def test_predictions_that_are_all_right_or_all_wrong_cannot_be_ranked(wrong, aurc):
    ours = risk_coverage([0.2, 0.4, 0.6], [wrong] * 3)
    assert (ours.aurc, ours.e_aurc, ours.augrc) == pytest.approx((aurc, 0, aurc / 2))


def test_one_prediction_is_its_own_curve():
    ours = risk_coverage([0.5], [0.3])
    assert (ours.aurc, ours.e_aurc, ours.augrc) == pytest.approx((0.3, 0, 0.15))


@GIVEN
@given(PREDICTIONS, st.randoms())
def test_the_order_and_the_scale_of_the_confidence_do_not_matter(pairs, random):
    confidence, risk = np.array(pairs, dtype=float).T
    ours = risk_coverage(confidence, risk)
    assert risk.min() - 1e-12 <= ours.aurc <= risk.max() + 1e-12
    assert -1e-12 <= ours.augrc <= risk.mean() + 1e-12
    random.shuffle(pairs)
    shuffled, their_risk = np.array(pairs, dtype=float).T
    again = risk_coverage(np.exp(shuffled), their_risk)
    assert (again.aurc, again.e_aurc, again.augrc) == pytest.approx((ours.aurc, ours.e_aurc, ours.augrc))


@pytest.mark.parametrize(
    ("confidence", "risk", "message"),
    [
        ([], [], "there are no predictions"),
        ([0.1, 0.2], [1], r"confidence has shape \(2,\), risk \(1,\)"),
        ([0.1, np.nan], [0, 1], "confidence: 1 of 2 values are NaN"),
        ([0.1, 0.2], [0, np.nan], "risk: values are NaN or infinite"),
        ([0.1, 0.2], [0, inf], "risk: values are NaN or infinite"),
        (["a", "b"], [0, 1], "confidence: must be real numbers"),
    ],
)
def test_says_what_cannot_be_ranked(confidence, risk, message):
    with pytest.raises(ScoringError, match=message):
        risk_coverage(confidence, risk)
