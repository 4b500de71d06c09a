"""The challenges' ranking: models against each other in each case, region and metric."""

from __future__ import annotations

from math import inf, nan

import pytest

from BraTSRefineLib.analysis import AnalysisError, case_rank_sums, rank_sums, worst_cases


@pytest.fixture
def three_models(make):
    """Case x is won by a, case y by b; c is last in both, and has no case z."""
    return make.table(
        make.rows("x", "a", "WT", dice=0.9, hd95_mm=1.0),
        make.rows("x", "b", "WT", dice=0.8, hd95_mm=2.0),
        make.rows("x", "c", "WT", dice=0.7, hd95_mm=2.0),
        make.rows("y", "a", "WT", dice=0.5, hd95_mm=9.0),
        make.rows("y", "b", "WT", dice=0.6, hd95_mm=8.0),
        make.rows("y", "c", "WT", dice=0.1, hd95_mm=30.0),
        make.rows("z", "a", "WT", dice=0.4, hd95_mm=9.0),
        make.rows("z", "b", "WT", dice=0.4, hd95_mm=9.0),
    )


def test_the_rank_sum_is_the_mean_over_cases_of_the_sum_over_rankings(three_models):
    table = rank_sums(three_models).set_index("model")
    assert table["rank_sum"].to_dict() == {
        "a": pytest.approx((2 + 4 + 3) / 3),
        "b": pytest.approx((2 + 2.5 + 2 + 3) / 3),
        "c": pytest.approx((3 + 2.5 + 6 + 6) / 3),
    }
    assert table["rank"].to_dict() == {"a": 1, "b": 2, "c": 3}
    assert table.loc["c", ["cases", "missing"]].tolist() == [2, 1]
    assert table.loc["a", "mean_rank"] == pytest.approx(1.5)


def test_the_ranks_of_a_case_add_up_to_what_they_must(three_models):
    table = case_rank_sums(three_models)
    assert table.groupby("case")["rank_sum"].sum().to_dict() == {"x": 12, "y": 12, "z": 8}
    assert table.iloc[0][["case", "model", "rank_sum"]].tolist() == ["y", "c", 6.0]
    assert ("z", "c") not in set(zip(table["case"], table["model"], strict=True))


def test_worst_cases_by_rank_sum_are_the_same_for_a_shorter_list_and_a_shuffled_table(three_models):
    longest = worst_cases(three_models, by="rank sum", worst=20)
    assert longest["value"].is_monotonic_decreasing
    assert worst_cases(three_models.sample(frac=1, random_state=1), by="rank sum", worst=3).equals(longest.head(3))


def test_one_model_is_ranked_among_all(three_models):
    listed = worst_cases(three_models, by="rank sum", model="a")
    assert listed[["case", "value"]].values.tolist() == [["y", 4.0], ["z", 4.0], ["x", 2.0]]


def test_a_right_empty_region_is_the_best_whatever_number_the_convention_gives_it(make):
    scores = make.table(
        make.rows("x", "right", "ET", dice=nan, hd95_mm=nan),
        make.rows("x", "false", "ET", dice=0.0, hd95_mm=inf),
    )
    assert rank_sums(scores)["model"].tolist() == ["right", "false"]


def test_a_case_with_fewer_rankings_is_stretched(make):
    scores = make.table(
        *(make.rows("x", m, r, dice=d) for m, d in (("a", 0.9), ("b", 0.1)) for r in ("WT", "ET")),
        *(make.rows("y", m, "WT", dice=d) for m, d in (("a", 0.9), ("b", 0.1))),
    )
    table = case_rank_sums(scores, metrics=["dice"])
    assert table["rank_sum"].tolist() == [4.0, 4.0, 2.0, 2.0]
    assert table.set_index("case")["rankings"].to_dict() == {"x": 2, "y": 1}


def test_a_case_of_more_models_is_no_worse_for_it(make):
    few = [make.rows("few", m, "WT", dice=d) for m, d in (("a", 0.9), ("b", 0.1))]
    many = [make.rows("many", m, "WT", dice=d) for m, d in (("a", 0.9), ("b", 0.8), ("c", 0.7), ("d", 0.1))]
    lonely = make.rows("lonely", "a", "WT", dice=0.0)
    table = case_rank_sums(make.table(*few, *many, lonely), metrics=["dice"])
    assert table[["case", "model", "rank_sum"]].values.tolist()[:2] == [["few", "b", 4.0], ["many", "d", 4.0]]
    assert "lonely" not in set(table["case"])


def test_a_prediction_without_a_number_is_last_and_before_nobody(make):
    scores = make.table(*(make.rows("x", m, "WT", hd95_mm=d) for m, d in (("a", 3.0), ("b", 9.0), ("c", inf))))
    scores.loc[scores["model"] == "c", ["value", "status"]] = [nan, "prediction empty"]
    assert case_rank_sums(scores, metrics=["hd95_mm"])[["model", "rank_sum"]].values.tolist() == [
        ["c", 3.0],
        ["b", 2.0],
        ["a", 1.0],
    ]


def test_one_model_alone_cannot_be_ranked(make):
    with pytest.raises(AnalysisError, match="fewer than two"):
        rank_sums(make.table(make.rows("x", "a", "WT", dice=0.9, hd95_mm=1.0)))


def test_a_case_that_occurs_twice_is_refused(make, three_models):
    twice = make.table(make.rows("x", "a", "WT", dice=0.2), make.rows("x", "a", "WT", dice=0.3))
    with pytest.raises(AnalysisError, match=r"x / a: dice of WT occurs more than once.*<centre>/<case>"):
        rank_sums(twice)


def test_conventions_are_not_mixed(make):
    scores = make.table(make.rows("x", "a", "WT", dice=0.9), make.rows("y", "b", "WT", "nan", dice=0.9))
    with pytest.raises(AnalysisError, match="brats2023 and nan"):
        rank_sums(scores)
