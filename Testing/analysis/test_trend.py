"""Whether small regions are segmented worse."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from BraTSRefineLib.analysis import AnalysisError, size_trend


def test_a_planted_trend_is_found_and_is_that_of_scipy(twelve_cases):
    row = size_trend(twelve_cases).set_index("model").loc["a"]
    assert row["n"] == 11
    assert (row["spearman"], row["kendall"]) == (pytest.approx(1), pytest.approx(1))
    assert row["q"] < 0.001


def test_values_are_those_of_scipy(make):
    random = np.random.default_rng(3)
    sizes, dice = random.lognormal(size=25), random.random(25)
    scores = make.table(
        *(
            make.rows(f"c{i}", "a", "ET", dice=d, volume_reference_ml=v)
            for i, (v, d) in enumerate(zip(sizes, dice, strict=True))
        )
    )
    row = size_trend(scores).iloc[0]
    assert row["spearman_p"] == pytest.approx(spearmanr(sizes, dice).pvalue)
    assert row["kendall_p"] == pytest.approx(kendalltau(sizes, dice).pvalue)


def test_without_a_trend_the_rate_of_false_alarms_is_the_nominal_one(make):
    random = np.random.default_rng(7)
    cohorts = 300
    groups = [
        make.rows(f"c{i}", f"m{cohort}", "ET", dice=d, volume_reference_ml=float(i + 1))
        for cohort in range(cohorts)
        for i, d in enumerate(random.random(12))
    ]
    rate = (size_trend(make.table(*groups))["kendall_p"] < 0.05).mean()
    assert rate == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / cohorts))


def test_absent_regions_do_not_count_and_few_cases_tell_nothing(make):
    scores = make.table(*(make.rows(f"c{i}", "a", "ET", dice=0.1 * i, volume_reference_ml=i * 1.0) for i in range(5)))
    row = size_trend(scores).iloc[0]
    assert row["n"] == 4
    assert np.isnan(row["kendall"])
    assert row["warning"] == "fewer than 5 cases: no trend can be told"


def test_equal_numbers_tell_nothing(make):
    scores = make.table(*(make.rows(f"c{i}", "a", "ET", dice=0.5, volume_reference_ml=i + 1.0) for i in range(9)))
    assert size_trend(scores).iloc[0]["warning"] == "all equal: no trend can be told"


def test_unknown_metric_is_named(twelve_cases):
    with pytest.raises(AnalysisError, match="dise"):
        size_trend(twelve_cases, metric="dise")


def test_a_perfect_order_is_no_rarer_than_the_permutations_of_its_cases(make):
    scores = make.table(
        *(make.rows(f"c{i}", "a", "ET", dice=0.1 * i, volume_reference_ml=i * 1.0) for i in range(1, 7))
    )
    row = size_trend(scores).iloc[0]
    assert row["spearman_p"] == pytest.approx(2 / 720)
    assert row["kendall_p"] == pytest.approx(2 / 720)
