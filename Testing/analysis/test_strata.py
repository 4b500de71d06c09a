"""Strata divide the cohort without a rest, and say where their figures hang on few cases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib.analysis import AnalysisError, known_factors, strata
from BraTSRefineLib.cohort import Case, Cohort


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


def test_the_failure_rate_is_the_same_whatever_the_metric(twelve_cases, three_centers):
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


def attributed(**columns: list[str]) -> Cohort:
    """Twelve cases with these attributes."""
    told = [{name: values[i] for name, values in columns.items() if values[i]} for i in range(12)]
    return Cohort(Path("x"), "", tuple(Case(f"case_{i:02}", attributes=told[i]) for i in range(12)))


def test_any_attribute_of_the_cases_divides_them(twelve_cases):
    cohort = attributed(scanner=["Skyra"] * 4 + ["Prisma"] * 6 + [""] * 2)
    found = by_stratum(strata(twelve_cases, cohort, by="scanner", region="ET"))
    assert found["n"].to_dict() == {"Prisma": 6, "Skyra": 4, "unknown scanner": 2}


def test_numbers_are_in_their_order_and_not_in_that_of_letters(twelve_cases):
    cohort = attributed(field=["3", "1.5", "10", "7"] * 3)
    assert list(by_stratum(strata(twelve_cases, cohort, by="field", region="ET")).index) == ["1.5", "3", "7", "10"]


def test_an_attribute_of_many_numbers_is_divided_into_thirds(twelve_cases):
    cohort = attributed(age=[str(20 + i) for i in range(11)] + [""])
    found = by_stratum(strata(twelve_cases, cohort, by="age", region="ET"))
    assert list(found.index) == [
        "smallest third (20 to 23)",
        "middle third (24 to 27)",
        "largest third (28 to 30)",
        "unknown age",
    ]


def test_what_is_not_known_names_what_is(twelve_cases):
    cohort = attributed(scanner=["Skyra"] * 12, age=[""] * 12)
    assert known_factors(cohort) == ["size", "center", "region", "scanner"]
    with pytest.raises(AnalysisError, match="'age': divide them by size, center, region, scanner"):
        strata(twelve_cases, cohort, by="age", region="ET")


def test_two_factors_make_a_table_of_two_ways(twelve_cases, three_centers):
    found = strata(twelve_cases, three_centers, by=("size", "center"), region="ET", cuts=[3])
    of_a = found[found["model"] == "a"]
    assert of_a[["stratum", "second", "n"]].values.tolist() == [
        ["absent", "unknown centre", 1],
        ["under 3 ml", "north", 2],
        ["from 3 ml", "north", 3],
        ["from 3 ml", "south", 5],
        ["from 3 ml", "unknown centre", 1],
    ]


def test_two_factors_add_up_to_one(twelve_cases, three_centers):
    one = strata(twelve_cases, three_centers, by="center", region="ET").groupby("stratum")["n"].sum()
    two = strata(twelve_cases, three_centers, by=("center", "size"), region="ET").groupby("stratum")["n"].sum()
    assert one.to_dict() == two.to_dict()


def test_with_the_region_as_a_factor_each_has_its_own_cuts(make, three_centers):
    scores = make.table(*(make.rows("c", "a", r, dice=0.5, volume_reference_ml=15.0) for r in ("WT", "TC", "ET", "RC")))
    found = strata(scores, three_centers, by=("region", "size"))
    assert found["second"].tolist() == ["under 20 ml", "5 to 20 ml", "from 10 ml", "from 10 ml"]
    assert found["region"].tolist() == ["WT", "TC", "ET", "RC"]


def test_the_interval_holds_the_median_and_one_case_has_none(twelve_cases, three_centers):
    found = by_stratum(strata(twelve_cases, three_centers, region="ET", cuts=[1.5]))
    large = found.loc["from 1.5 ml"]
    assert large["q25"] > large["low"]
    assert large["low"] < large["median"] < large["high"]
    assert np.isnan(found.loc["under 1.5 ml", ["low", "high"]].astype(float)).all()
    assert found.loc["under 1.5 ml", "warning"] == "fewer than 5 cases: read with care"


def test_the_order_of_the_rows_changes_nothing(twelve_cases, three_centers):
    for by in ("size", "center", ("size", "center")):
        one = strata(twelve_cases, three_centers, by=by, region="ET")
        other = strata(twelve_cases.sample(frac=1, random_state=1), three_centers, by=by, region="ET")
        pd.testing.assert_frame_equal(one, other)


@pytest.fixture
def every_failure(make):
    """One case fails by Dice, one is missed, one is far off, one of no voxel on either side is fine, one is good."""
    scores = make.table(
        make.rows("low", "a", "ET", dice=0.3, hd95_mm=9.0),
        make.rows("missed", "a", "ET", dice=0.0, hd95_mm=374.0),
        make.rows("far", "a", "ET", dice=0.8, hd95_mm=21.0),
        make.rows("none", "a", "ET", dice=1.0, hd95_mm=0.0),
        make.rows("good", "a", "ET", dice=0.9, hd95_mm=2.0),
    )
    scores.loc[scores["case"] == "missed", "status"] = "prediction empty"
    scores.loc[scores["case"] == "none", "status"] = "both empty"
    return scores


def test_a_case_fails_in_any_of_three_ways(every_failure):
    cohort = Cohort(Path("x"), "", tuple(Case(case) for case in every_failure["case"].unique()))
    row = strata(every_failure, cohort, by="center", region="ET").iloc[0]
    assert row["failure_rate"] == pytest.approx(3 / 5)
    assert row["dice_below_half"] == pytest.approx(2 / 5)
    assert row["missed"] == pytest.approx(1 / 5)
    assert row["hd95_above_20mm"] == pytest.approx(1 / 5)


def test_a_cohort_of_one_case_is_a_table_with_warnings(make):
    scores = make.table(make.rows("c", "a", "ET", dice=0.9, volume_reference_ml=2.0))
    cohort = Cohort(Path("x"), "", (Case("c", center="north"),))
    for by in ("size", "center", "region", ("size", "center")):
        assert strata(scores, cohort, by=by, region="ET")["warning"].tolist() == ["fewer than 5 cases: read with care"]
    tertiles = strata(scores, cohort, region="ET", cuts="tertiles")
    assert tertiles["stratum"].tolist() == ["smallest third (2 to 2 ml)"]


def test_a_case_that_occurs_twice_is_refused(twelve_cases, three_centers):
    with pytest.raises(AnalysisError, match="occurs more than once"):
        strata(pd.concat([twelve_cases, twelve_cases]), three_centers, region="ET")
