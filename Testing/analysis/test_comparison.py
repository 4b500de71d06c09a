"""Two models or two runs, case by case."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon

from BraTSRefineLib.analysis import AnalysisError, compare_models, compare_runs
from BraTSRefineLib.analysis.paired import rank_biserial, signed_rank_p

COHORTS = 300


def drawn(make, gain: float, *, cases: int = 20, seed: int = 1, convention: str = "brats2023") -> pd.DataFrame:
    """Models a and b on the same cases; b is better by ``gain`` in Dice on average."""
    return make.drawn({"a": 0.0, "b": gain}, "ET", convention, cases=cases, seed=seed)


def test_wilcoxon_holds_its_level_and_is_scipys():
    random = np.random.default_rng(1)
    differences = random.standard_t(3, size=(COHORTS, 14))
    p = np.array([signed_rank_p(row) for row in differences])
    assert p[0] == wilcoxon(differences[0]).pvalue
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / COHORTS))


def test_no_difference_at_all_is_none_and_no_case_is_unknown():
    assert signed_rank_p(np.zeros(5)) == 1
    assert np.isnan(signed_rank_p(np.array([])))
    assert rank_biserial(np.array([1.0, 2.0, 0.0])) == 1
    assert rank_biserial(np.array([-1.0, 2.0, -3.0])) == pytest.approx((2 - 4) / 6)


def test_a_planted_gain_is_found_with_its_size(make):
    row = compare_models(drawn(make, 0.06), "a", "b").set_index("metric").loc["dice"]
    assert row["mean_difference"] == pytest.approx(row["mean_b"] - row["mean_a"])
    assert row["low"] < 0.06 < row["high"]
    assert row["better"] + row["worse"] + row["equal"] == row["n"] == 20
    assert row["effect"] > 0.5
    assert row["p"] <= row["q"] < 0.05


def test_the_other_way_round_is_the_opposite(make):
    one = compare_models(drawn(make, 0.06), "a", "b").iloc[0]
    other = compare_models(drawn(make, 0.06), "b", "a").iloc[0]
    assert other["mean_difference"] == -one["mean_difference"]
    assert (other["better"], other["worse"]) == (one["worse"], one["better"])
    assert other["effect"] == -one["effect"]
    assert other["p"] == one["p"]


def test_a_shorter_distance_is_better(make):
    row = compare_models(drawn(make, 0.06), "a", "b").set_index("metric").loc["hd95_mm"]
    assert row["mean_difference"] < 0
    assert row["better"] > row["worse"]
    assert row["effect"] > 0.5


def test_of_an_error_the_size_is_compared(make):
    scores = make.table(make.rows("x", "a", "WT", volume_error_ml=-9.0), make.rows("x", "b", "WT", volume_error_ml=2.0))
    row = compare_models(scores, "a", "b", metrics=["volume_error_ml"]).iloc[0]
    assert (row["mean_difference"], row["better"]) == (-7, 1)


def test_the_order_of_the_rows_changes_nothing(make):
    scores = drawn(make, 0.02)
    shuffled = scores.sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(compare_models(scores, "a", "b"), compare_models(shuffled, "a", "b"))


def test_strata_follow_all_cases(make, three_centers):
    table = compare_models(drawn(make, 0.05, cases=12), "a", "b", metrics=["dice"], cohort=three_centers, by="center")
    assert table["stratum"].tolist() == ["all cases", "north", "south", "unknown centre"]
    assert table["n"].tolist() == [12, 5, 5, 2]
    assert table["warning"].tolist()[-1] == "fewer than 5 cases: read with care"
    sizes = compare_models(drawn(make, 0.05, cases=12), "a", "b", cohort=three_centers, by="size", cuts=[6])
    assert set(sizes["stratum"]) == {"all cases", "under 6 ml", "from 6 ml"}


def test_what_only_one_side_has_is_counted_and_not_compared(make):
    scores = make.table(
        make.rows("x", "a", "ET", dice=0.5), make.rows("x", "b", "ET", dice=0.6),
        make.rows("y", "a", "ET", dice=0.5), make.rows("z", "b", "ET", dice=nan),
    )  # fmt: skip
    row = compare_models(scores, "a", "b", metrics=["dice"]).iloc[0]
    assert row[["n", "only_a", "only_b"]].tolist() == [1, 1, 0]
    assert row["warning"] == "fewer than 5 cases: read with care; 1 without a partner"


def test_two_infinite_distances_are_equal(make):
    scores = make.table(*(make.rows("x", model, "ET", hd95_mm=inf) for model in "ab"))
    row = compare_models(scores, "a", "b", metrics=["hd95_mm"]).iloc[0]
    assert row[["equal", "mean_difference", "p"]].tolist() == [1, 0.0, 1.0]


def test_models_that_share_no_case_give_rows_that_say_so(make):
    scores = make.table(make.rows("x", "a", "ET", dice=0.5), make.rows("y", "b", "ET", dice=0.6))
    row = compare_models(scores, "a", "b", metrics=["dice"]).iloc[0]
    assert row["n"] == 0
    assert row["warning"] == "no case has both; 2 without a partner"


def test_a_cohort_of_one_case_is_compared_with_a_warning(make):
    row = compare_models(drawn(make, 0.1, cases=1), "a", "b").iloc[0]
    assert (row["n"], row["p"]) == (1, 1.0)
    assert np.isnan(row["low"])
    assert row["warning"] == "fewer than 5 cases: read with care"


def test_two_runs_are_compared_model_by_model(make):
    before, after = drawn(make, 0.0, seed=1), drawn(make, 0.0, seed=1)
    after.loc[(after["model"] == "b") & (after["metric"] == "dice"), "value"] += 0.03
    table = compare_runs(before, after, metrics=["dice"])
    assert table[["a", "b"]].values.tolist() == [["a", "a"], ["b", "b"]]
    assert table["mean_difference"].tolist() == [0.0, pytest.approx(0.03)]
    assert table["equal"].tolist() == [20, 0]
    renamed = compare_runs(
        before, after.replace({"model": {"b": "b post-processed"}}), models={"b": "b post-processed"}
    )
    assert set(renamed["b"]) == {"b post-processed"}


def test_runs_of_different_conventions_are_refused(make):
    with pytest.raises(AnalysisError, match="one run was scored under brats2023, the other under nan"):
        compare_runs(drawn(make, 0.0), drawn(make, 0.0, convention="nan"))


def test_a_run_of_mixed_conventions_is_refused(make):
    mixed = pd.concat([drawn(make, 0.0), drawn(make, 0.0, convention="nan").assign(model="c")])
    with pytest.raises(AnalysisError, match="mix the conventions brats2023 and nan"):
        compare_runs(mixed, drawn(make, 0.0))


def test_a_reference_and_a_consensus_are_not_compared(make):
    scores = make.table(
        make.rows("x", "a", "ET", dice=0.5), make.rows("x", "b", "ET", "brats2023 vs consensus of the others", dice=0.5)
    )
    with pytest.raises(AnalysisError, match="x: one side was scored under 'brats2023', the other under"):
        compare_models(scores, "a", "b", metrics=["dice"])


def test_case_names_of_two_centres_that_collide_are_refused(make):
    twice = pd.concat([drawn(make, 0.0), drawn(make, 0.0, seed=2)])
    with pytest.raises(AnalysisError, match=r"case_00 / a: dice of ET occurs more than once \(so in 20 cases\)"):
        compare_models(twice, "a", "b")


@pytest.mark.parametrize(
    ("models", "options", "says"),
    [
        (("a", "z"), {}, "known: a, b"),
        (("a", "a"), {}, "compared with itself"),
        (("a", "b"), {"metrics": ["dise"]}, "dice"),
        (("a", "b"), {"metrics": ["volume_reference_ml"]}, "hd95_mm"),
        (("a", "b"), {"by": "center"}, "need the cohort"),
    ],
)
def test_a_question_that_cannot_be_answered_names_what_can(make, models, options, says):
    with pytest.raises(AnalysisError, match=says):
        compare_models(drawn(make, 0.0, cases=3), *models, **options)


def test_runs_that_share_no_model_are_refused(make):
    with pytest.raises(AnalysisError, match="share no model"):
        compare_runs(drawn(make, 0.0), drawn(make, 0.0).replace({"model": {"a": "x", "b": "y"}}))
