"""The worst first, the same list every time, and what has no number apart."""

from __future__ import annotations

from math import nan

import pandas as pd
import pytest

from BraTSRefineLib.analysis import AnalysisError, mean_ranks, unranked, worst_cases, worst_on_average


def test_the_lowest_dice_comes_first(twelve_cases):
    worst = worst_cases(twelve_cases, metric="dice", region="ET", worst=3)
    assert list(zip(worst["rank"], worst["case"], worst["model"], strict=True)) == [
        (1, "case_00", "a"),
        (2, "case_00", "b"),
        (3, "case_01", "a"),
    ]
    assert list(worst["value"]) == pytest.approx([0.3, 0.35, 0.35])


def test_the_largest_hd95_comes_first(twelve_cases):
    worst = worst_cases(twelve_cases, metric="hd95_mm", region="ET", worst=1, model="b")
    assert worst.loc[0, ["case", "value"]].tolist() == ["case_00", 19.95]


def test_a_volume_error_counts_by_its_size(make):
    scores = make.table(
        *(make.rows(case, "a", "WT", volume_error_ml=error) for case, error in zip("xyz", (2, -9, 4), strict=True))
    )
    assert worst_cases(scores, metric="volume_error_ml", region="WT")["case"].tolist() == ["y", "z", "x"]


def test_ties_go_by_case_then_model_whatever_the_order_of_the_table(make):
    scores = make.table(*(make.rows(c, m, "ET", dice=0.0) for c, m in (("b", "x"), ("a", "y"), ("a", "x"))))
    for shuffled in (scores, scores.iloc[::-1], scores.sample(frac=1, random_state=3)):
        assert worst_cases(shuffled)[["case", "model"]].values.tolist() == [["a", "x"], ["a", "y"], ["b", "x"]]


def test_a_shorter_list_is_the_beginning_of_a_longer_one(twelve_cases):
    longest = worst_cases(twelve_cases, worst=100)
    assert len(longest) == 22
    for worst in (1, 5, 22):
        pd.testing.assert_frame_equal(worst_cases(twelve_cases, worst=worst), longest.head(worst))


def test_what_has_no_number_is_listed_apart_with_its_reason(make):
    scores = make.table(
        make.rows("good", "a", "ET", dice=0.9),
        make.rows("no ET", "a", "ET", dice=nan),
        make.failure("broken", "a", "x.nii.gz: truncated"),
    )
    assert worst_cases(scores)["case"].tolist() == ["good"]
    assert unranked(scores).values.tolist() == [["broken", "a", "x.nii.gz: truncated"], ["no ET", "a", "both empty"]]


def test_an_infinite_distance_is_the_worst_of_all(make):
    scores = make.table(*(make.rows(c, "a", "ET", hd95_mm=value) for c, value in (("x", 3.0), ("y", float("inf")))))
    assert worst_cases(scores, metric="hd95_mm")["case"].tolist() == ["y", "x"]


def test_a_row_says_how_large_the_region_is_and_what_it_was_compared_with(make):
    convention = "brats2023 vs consensus of the others"
    scores = make.table(make.rows("c", "a", "ET", convention, dice=0.4, volume_reference_ml=0.224))
    assert worst_cases(scores).loc[0, ["volume_reference_ml", "convention"]].tolist() == [0.224, convention]


@pytest.mark.parametrize(
    ("wrong", "known"),
    [
        ({"metric": "dise"}, "dice"),
        ({"region": "XX"}, "WT, TC, ET"),
        ({"model": "c"}, "a, b"),
        ({"by": "luck"}, "mean rank"),
        ({"worst": 0}, "at least 1"),
        ({"metric": "volume_reference_ml"}, "hd95_mm"),
    ],
)
def test_a_question_that_cannot_be_answered_names_what_can(twelve_cases, wrong, known):
    with pytest.raises(AnalysisError, match=known):
        worst_cases(twelve_cases, **wrong)


def test_cases_without_predictions_give_an_empty_ranking(make):
    scores = make.table(make.rows("c", "", "ET", volume_reference_ml=3.0))
    assert worst_cases(scores).empty
    assert worst_cases(scores, by="mean rank").empty


def test_the_mean_rank_is_taken_over_regions_and_metrics(make):
    scores = make.table(
        make.rows("x", "a", "WT", dice=0.9, hd95_mm=2.0),
        make.rows("x", "a", "ET", dice=0.1, hd95_mm=50.0),
        make.rows("y", "a", "WT", dice=0.8, hd95_mm=9.0),
        make.rows("y", "a", "ET", dice=0.7, hd95_mm=5.0),
        make.rows("z", "a", "WT", dice=0.7, hd95_mm=30.0),
        make.rows("z", "a", "ET", dice=0.6, hd95_mm=7.0),
    )
    ranks = mean_ranks(scores)
    assert ranks["case"].tolist() == ["z", "x", "y"]
    assert ranks["mean_rank"].tolist() == [1.5, 2.0, 2.5]
    assert worst_cases(scores, by="mean rank")["value"].tolist() == [1.5, 2.0, 2.5]


def test_a_region_that_few_predictions_have_does_not_make_them_look_worse(make):
    scores = make.table(
        *(make.rows(f"c{index}", "a", "WT", dice=index / 10) for index in range(10)),
        make.rows("c9", "a", "ET", dice=0.2),
    )
    ranks = mean_ranks(scores, metrics=["dice"]).set_index("case")
    assert ranks.loc["c9", "mean_rank"] == 10
    assert ranks.loc["c9", "rankings"] == 2


def test_small_and_absent_regions_can_be_left_out(twelve_cases):
    assert len(worst_cases(twelve_cases, minimum_ml=5)) == 2 * 7
    assert worst_cases(twelve_cases, minimum_ml=5)["volume_reference_ml"].min() == 5
    absent = twelve_cases.fillna({"value": 1.0})
    assert "case_11" in set(worst_cases(absent, worst=100)["case"])
    assert "case_11" not in set(worst_cases(absent, worst=100, minimum_ml=0.001)["case"])


def test_small_regions_left_out_of_a_mean_rank_are_left_out_region_by_region(make):
    scores = make.table(
        make.rows("x", "a", "WT", dice=0.9, volume_reference_ml=50.0),
        make.rows("x", "a", "ET", dice=0.0, volume_reference_ml=0.001),
        make.rows("y", "a", "WT", dice=0.8, volume_reference_ml=50.0),
        make.rows("y", "a", "ET", dice=0.5, volume_reference_ml=5.0),
    )
    assert worst_cases(scores, by="mean rank")["value"].tolist() == [1.5, 1.5]
    assert worst_cases(scores, by="mean rank", minimum_ml=0.1)["case"].tolist() == ["y", "x"]


def test_every_list_is_the_beginning_of_a_longer_one(twelve_cases):
    for by in ("metric", "mean rank", "rank sum"):
        longest = worst_cases(twelve_cases, by=by, worst=100)
        shuffled = twelve_cases.sample(frac=1, random_state=5)
        pd.testing.assert_frame_equal(worst_cases(shuffled, by=by, worst=7), longest.head(7))


def test_tissues_are_ranked_as_regions_are(make):
    scores = make.table(make.rows("x", "a", "RC", dice=0.4), make.rows("y", "a", "RC", dice=0.3))
    assert worst_cases(scores, region="RC")["case"].tolist() == ["y", "x"]
    assert worst_on_average(scores)["region"].tolist() == ["RC", "RC"]
