"""Does the fusion remove the members' failures?"""

from __future__ import annotations

import numpy as np
import pytest

from BraTSRefineLib.fusion import FusionError, outlier_suppression


def one_corrupted_member_a_case(cases: int = 60) -> np.ndarray:
    random = np.random.default_rng(0)
    scores = random.uniform(0.8, 0.95, (cases, 5))
    corrupted = np.arange(0, cases, 4)
    scores[corrupted, random.integers(5, size=corrupted.size)] = 0.1
    return scores


def test_the_median_of_members_of_which_one_fails_suppresses_every_outlier():
    scores = one_corrupted_member_a_case()
    found = outlier_suppression(scores, np.median(scores, axis=1))
    assert found.rate == 1.0
    assert found.at_risk == found.rescued == tuple(range(0, 60, 4))
    assert found.broken == ()
    assert (found.low, found.high) == (pytest.approx(0.796, abs=1e-3), pytest.approx(1.0))


def test_a_fusion_that_follows_the_worst_member_suppresses_none():
    scores = one_corrupted_member_a_case()
    found = outlier_suppression(scores, scores.min(axis=1))
    assert found.rate == 0.0
    assert found.rescued == ()


def test_cases_that_the_fusion_broke_are_named_too():
    scores = one_corrupted_member_a_case()
    fused = np.median(scores, axis=1)
    fused[[1, 2]] = 0.05
    assert outlier_suppression(scores, fused).broken == (1, 2)


def test_distances_are_worst_where_they_are_largest_and_ties_at_the_end_are_outliers():
    distances = np.full((40, 2), 5.0)
    distances[:4, 0] = 374.0
    found = outlier_suppression(distances, np.full(40, 6.0), higher_is_better=False)
    assert found.threshold == 374.0
    assert found.at_risk == (0, 1, 2, 3)
    assert found.rate == 1.0


def test_unscored_cases_are_left_out_and_counted():
    scores = one_corrupted_member_a_case()
    scores[5, 0] = np.nan
    fused = np.median(np.nan_to_num(scores, nan=0.9), axis=1)
    fused[0] = np.nan
    found = outlier_suppression(scores, fused)
    assert found.unscored == 2
    assert 0 not in found.at_risk


def test_scores_that_do_not_belong_together_are_refused():
    with pytest.raises(FusionError, match="expected \\(case, member\\)"):
        outlier_suppression(np.zeros((3, 2)), np.zeros(2))
    with pytest.raises(FusionError, match="no case is scored"):
        outlier_suppression(np.full((2, 2), np.nan), np.zeros(2))
