"""The filter's language: what it keeps, what it says of what it does not understand, and that it never fails."""

from __future__ import annotations

import numpy as np
import pytest
from case_rows import cohort_of


@pytest.fixture(scope="module")
def columns():
    return cohort_of(
        dice={"a1": 0.9, "b2": 0.2, "c3": None, "d4": 0.5},
        size={"a1": 20.0, "b2": 3.0, "c3": 8.0, "d4": 0.4},
        centers={"a1": "Aachen", "b2": "Bonn", "c3": "", "d4": "Bonn"},
        decisions={"b2": "major", "d4": "bad image"},
        hd95_mm={"a1": 1.0, "b2": 30.0, "c3": None, "d4": 4.0},
    )


def kept(columns, text: str) -> str:
    from BraTSRefineUI.casefilter import filtered

    return " ".join(np.array(columns.cases)[filtered(columns, text).rows])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "a1 b2 c3 d4"),
        ("   ", "a1 b2 c3 d4"),
        ("bonn", "b2 d4"),
        ("BONN far", "b2"),
        ("dice<0.5", "b2"),
        ("dice<=0.5", "b2 d4"),
        ("Dice<=0,5", "b2 d4"),
        ("dice<50%", "b2"),
        ("size>=3ml", "a1 b2 c3"),
        ("size<5 centre:bonn", "b2 d4"),
        ("center=Bonn hd95>10", "b2"),
        ("centre:aachen,-", "a1 c3"),
        ("centre!=Bonn", "a1 c3"),
        ("dice=0.5", "d4"),
        ("dice!=0.5", "a1 b2"),
        ("dice=-", "c3"),
        ("dice!=-", "a1 b2 d4"),
        ("-bonn", "a1 c3"),
        ("-dice<0.5", "a1 c3 d4"),
        ("dice.ET<0.5", "b2"),
        ("et.dice<0.5", "b2"),
        ("hd95_mm>3", "b2 d4"),
        ("rank<2", "b2"),
        ('decision:"bad image"', "d4"),
        ('"bad image"', "d4"),
        ('decision:"bad', "d4"),
        ("decision=-", "a1 c3"),
        ("case:3", "c3"),
        ("nothing like it", ""),
    ],
)
def test_keeps_the_rows_that_hold_all_conditions(columns, text, expected):
    assert kept(columns, text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dice<", "dice< needs a number"),
        ("dice<abc", "not 'abc'"),
        ("size<5 dice<", "dice< needs a number"),
        ("foo<3", "there is no 'foo': try case, centre"),
        ("dice.wt<0.5", "there is no 'dice.wt'"),
        ("centre<3", "centre is words, not a number: write centre:3"),
        ("centre:", "centre: needs a word"),
        ("ranksum>3", "fewer than two"),
        ("dice<<3", "needs a number"),
        ("dice<1e", "needs a number"),
        ("dice<" + "9" * 400, ""),
        ("((", ""),
        ("\\", ""),
        ("*[a-", ""),
        ('"', ""),
        ("-", ""),
        ("💥", ""),
        ("<", ""),
        ("%s{}", ""),
    ],
)
def test_what_is_not_understood_is_said_and_passed_over(columns, text, says):
    from BraTSRefineUI.casefilter import filtered

    found = filtered(columns, text)
    assert says in found.problem
    assert bool(found.problem) == bool(says)
    assert found.rows.dtype == bool
    assert len(found.rows) == len(columns)


def test_an_unknown_name_lists_all_that_are_known(columns):
    from BraTSRefineUI.casefilter import filtered

    assert filtered(columns, "foo<3").known == "dice, hd95_mm, volume_reference_ml"


def test_a_condition_that_is_half_typed_does_not_empty_the_table(columns):
    assert kept(columns, "dice<") == kept(columns, "")
    assert kept(columns, "bonn dice<") == "b2 d4"


def test_names_that_only_scores_could_give_are_told_before_the_first_score():
    from BraTSRefineUI.casecolumns import CaseColumns
    from BraTSRefineUI.casefilter import filtered
    from BraTSRefineUI.tables import CaseRow

    assert "not scored yet" in filtered(CaseColumns([CaseRow("a")]), "dice<0.5").problem
    assert "before the cohort is scored" in filtered(CaseColumns([CaseRow("a")]), "rank<2").problem
