"""How sure the order of the models is."""

from __future__ import annotations

from math import inf

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib.analysis import AnalysisError, ranking_stability


def test_a_clear_order_holds_in_every_resample(make):
    found = ranking_stability(make.drawn({"weak": -0.2, "strong": 0.2, "middle": 0.0}))
    for aggregation in ("mean", "rank sum"):
        models = found.models[found.models["aggregation"] == aggregation]
        assert models["model"].tolist() == ["strong", "middle", "weak"]
        assert models[["rank", "low", "high"]].values.tolist() == [[1, 1, 1], [2, 2, 2], [3, 3, 3]]
        assert models["first"].tolist() == [1, 0, 0]
    assert (found.pairs["holds"] == 1).all()


def test_the_order_of_equals_is_a_toss_up(make):
    flips = [
        ranking_stability(make.drawn({"a": 0.0, "b": 0.0}, seed=seed), aggregations=["mean"], resamples=200)
        .pairs.loc[0, "flips"]
        for seed in range(40)
    ]  # fmt: skip
    assert 0.15 < np.mean(flips) < 0.35
    assert max(flips) <= 0.6


def test_the_same_model_twice_is_a_tie(make):
    scores = make.drawn({"a": 0.0})
    twin = scores.assign(model="b")
    found = ranking_stability(pd.concat([scores, twin], ignore_index=True))
    assert (found.pairs["ties"] == 1).all()
    assert set(found.models["rank"]) == {1}


def test_shares_of_a_model_over_the_ranks_add_up(make):
    found = ranking_stability(make.drawn({"a": 0.0, "b": 0.01, "c": 0.02}, cases=9))
    sums = found.ranks.groupby(["aggregation", "model"])["share"].sum()
    assert sums.tolist() == pytest.approx([1.0] * 6)
    assert (found.pairs[["holds", "flips", "ties"]].sum(axis=1)).tolist() == pytest.approx([1.0] * 6)


def test_a_distance_is_shown_as_it_is_and_the_shortest_wins(make):
    found = ranking_stability(make.drawn({"a": 0.0, "b": 0.1}), metric="hd95_mm", aggregations=["mean"])
    assert found.models["model"].tolist() == ["b", "a"]
    assert (found.models["value"] > 0).all()
    assert found.pairs.loc[0, "difference"] < 0


def test_the_order_of_the_rows_changes_nothing(make):
    scores = make.drawn({"a": 0.0, "b": 0.01})
    one, other = ranking_stability(scores), ranking_stability(scores.sample(frac=1, random_state=4))
    pd.testing.assert_frame_equal(one.models, other.models)
    pd.testing.assert_frame_equal(one.pairs, other.pairs)


def test_strata_have_rankings_of_their_own(make, three_centers):
    scores = make.drawn({"a": 0.0, "b": 0.1}, cases=12)
    found = ranking_stability(scores, aggregations=["mean"], cohort=three_centers, by="center")
    assert found.pairs["stratum"].tolist() == ["all cases", "north", "south", "unknown centre"]
    few = found.models[found.models["stratum"] == "unknown centre"]
    assert set(few["warning"]) == {"fewer than 5 cases: read with care"}


def test_only_common_cases_of_models_with_enough_of_them_are_compared(make):
    scores = make.drawn({"a": 0.0, "b": 0.1, "rare": 0.2}, cases=10)
    scores = scores[(scores["model"] != "rare") | (scores["case"] == "case_00")]
    scores = scores[(scores["model"] != "b") | (scores["case"] != "case_09")]
    found = ranking_stability(scores)
    assert set(found.models["model"]) == {"a", "b"}
    assert set(found.models["n"]) == {9}
    assert found.notes == (
        "Left out, for they predicted less than half of the cases: rare.",
        "1 case left out that some of the models did not predict.",
    )


def test_a_cohort_of_one_case_has_an_order_and_a_warning(make):
    found = ranking_stability(make.drawn({"a": 0.0, "b": 0.5}, cases=1), aggregations=["mean"])
    assert found.models["model"].tolist() == ["b", "a"]
    assert set(found.models["warning"]) == {"fewer than 5 cases: read with care"}


def test_one_infinite_distance_is_the_end_of_a_mean(make):
    scores = make.drawn({"a": 0.0, "b": 0.0}, cases=6)
    scores.loc[(scores["model"] == "b") & (scores["metric"] == "hd95_mm") & (scores["case"] == "case_03"), "value"] = (
        inf
    )
    found = ranking_stability(scores, metric="hd95_mm", aggregations=["mean"])
    assert found.models.set_index("model").loc["b", ["value", "rank"]].tolist() == [inf, 2]
    assert not found.pairs[["holds", "flips", "ties"]].isna().any(axis=None)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"metric": "dise"}, "dice"),
        ({"region": "XX"}, "WT"),
        ({"aggregations": ["luck"]}, "'mean' or 'rank sum'"),
        ({"by": "center"}, "need the cohort"),
    ],
)
def test_a_question_that_cannot_be_answered_names_what_can(make, options, says):
    with pytest.raises(AnalysisError, match=says):
        ranking_stability(make.drawn({"a": 0.0, "b": 0.0}, cases=4), **options)


def test_one_model_or_no_common_case_cannot_be_ranked(make):
    with pytest.raises(AnalysisError, match="two models"):
        ranking_stability(make.drawn({"a": 0.0}))
    apart = make.table(*(make.rows(c, m, "WT", dice=0.5) for c, m in (("x", "a"), ("y", "b"))))
    with pytest.raises(AnalysisError, match="no case was predicted by all"):
        ranking_stability(apart)
