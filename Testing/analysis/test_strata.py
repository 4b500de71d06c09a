"""Strata divide the cohort without a rest, and say where their figures hang on few cases."""

from __future__ import annotations

import pytest

from BraTSRefineLib.analysis import AnalysisError, strata


def by_stratum(table, model="a"):
    return table[table["model"] == model].set_index("stratum")


def test_fixed_cuts_divide_at_the_stated_ml(twelve_cases, three_centers):
    found = by_stratum(strata(twelve_cases, three_centers, by="size", region="ET", cuts=[3, 6]))
    assert found["n"].to_dict() == {"absent": 1, "under 3 ml": 2, "3 to 6 ml": 3, "from 6 ml": 6}
    assert found.loc["under 3 ml", "median"] == pytest.approx(0.325)
    assert found.loc["from 6 ml", "mean"] == pytest.approx(sum(0.3 + i * 0.05 for i in range(5, 11)) / 6)


def test_default_cuts_depend_on_the_region(twelve_cases, three_centers):
    assert "1 to 10 ml" in set(strata(twelve_cases, three_centers, region="ET")["stratum"])
    wt = twelve_cases.replace({"region": {"ET": "WT"}})
    assert set(strata(wt, three_centers, region="WT")["stratum"]) == {"absent", "under 20 ml"}


def test_strata_come_from_small_to_large(twelve_cases, three_centers):
    found = by_stratum(strata(twelve_cases, three_centers, region="ET", cuts=[3, 6]))
    assert list(found.index) == ["absent", "under 3 ml", "3 to 6 ml", "from 6 ml"]


def test_strata_keep_their_order_where_the_first_model_lacks_one(make, three_centers):
    sizes = {"c1": 0.5, "c2": 5.0, "c3": 20.0}
    scores = make.table(
        *(
            make.rows(c, m, "ET", dice=0.5, volume_reference_ml=ml)
            for c, ml in sizes.items()
            for m in "ab"
            if c + m != "c1a"
        )
    )
    found = strata(scores, three_centers, region="ET")
    assert list(dict.fromkeys(found["stratum"])) == ["under 1 ml", "1 to 10 ml", "from 10 ml"]


def test_tertiles_differ_by_one_case_at_most_and_print_their_edges(twelve_cases, three_centers):
    found = by_stratum(strata(twelve_cases, three_centers, region="ET", cuts="tertiles"))
    thirds = found.drop(index="absent")
    assert sorted(thirds["n"]) == [3, 4, 4]
    assert list(thirds.index) == [
        "smallest third (1 to 4 ml)",
        "middle third (5 to 8 ml)",
        "largest third (9 to 11 ml)",
    ]


def test_tertiles_of_equal_sizes_still_divide(make, three_centers):
    scores = make.table(*(make.rows(f"c{i}", "a", "ET", dice=0.5, volume_reference_ml=2.0) for i in range(7)))
    assert sorted(strata(scores, three_centers, region="ET", cuts="tertiles")["n"]) == [2, 2, 3]


def test_the_failure_rate_is_the_share_of_dice_below_a_half_whatever_the_metric(twelve_cases, three_centers):
    for metric in ("dice", "hd95_mm"):
        found = by_stratum(strata(twelve_cases, three_centers, region="ET", metric=metric, cuts=[6.5]))
        assert found.loc["under 6.5 ml", "failure_rate"] == pytest.approx(4 / 6)
        assert found.loc["from 6.5 ml", "failure_rate"] == 0


def test_a_case_is_in_one_stratum_for_every_model_where_the_consensus_differs(make, three_centers):
    sizes = {"x": 0.5, "y": 2.0, "z": 3.0}
    scores = make.table(*(make.rows("c", m, "ET", dice=0.5, volume_reference_ml=ml) for m, ml in sizes.items()))
    assert set(strata(scores, three_centers, region="ET")["stratum"]) == {"1 to 10 ml"}


def test_centres_are_named_and_the_unnamed_come_last(twelve_cases, three_centers):
    found = by_stratum(strata(twelve_cases, three_centers, by="center", region="ET"))
    assert found["n"].to_dict() == {"north": 5, "south": 5, "unknown centre": 2}
    assert list(found.index) == ["north", "south", "unknown centre"]


def test_few_cases_and_missing_values_are_warned_of(twelve_cases, three_centers):
    found = by_stratum(strata(twelve_cases, three_centers, by="center", region="ET"))
    assert found.loc["north", "warning"] == ""
    assert found.loc["unknown centre", "warning"] == "fewer than 5 cases: read with care; 1 without a value"


def test_regions_are_strata_too(make, three_centers):
    scores = make.table(*(make.rows("c", "a", region, dice=0.5) for region in ("ET", "WT")))
    assert strata(scores, three_centers, by="region")["stratum"].tolist() == ["whole tumour", "enhancing tumour"]


def test_cases_without_predictions_are_counted_without_figures(make, three_centers):
    scores = make.table(*(make.rows(f"c{i}", "", "ET", volume_reference_ml=i * 6.0) for i in range(4)))
    found = strata(scores, three_centers, region="ET").set_index("stratum")
    assert found["n"].to_dict() == {"absent": 1, "1 to 10 ml": 1, "from 10 ml": 2}
    assert found["median"].isna().all()
    assert set(found["warning"]) == {"not scored"}


def test_an_empty_table_gives_no_strata(make, three_centers):
    assert strata(make.table(), three_centers, region="ET").empty


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"by": "colour"}, "'colour': divide them by size, center, region"),
        ({"by": ("size", "center", "region")}, "one or by two"),
        ({"by": ("size", "size")}, "different factors"),
        ({"metric": "dise"}, "dice"),
        ({"region": "XX"}, "WT, TC, ET"),
        ({"cuts": [10, 1]}, "ascend"),
        ({"cuts": "quarters"}, "tertiles"),
    ],
)
def test_a_question_that_cannot_be_answered_names_what_can(twelve_cases, three_centers, wrong, says):
    with pytest.raises(AnalysisError, match=says):
        strata(twelve_cases, three_centers, **{"region": "ET"} | wrong)
