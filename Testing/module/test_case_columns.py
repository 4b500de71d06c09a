"""The columns of the table of cases: metrics, ranks, words; sorted with what is unknown last."""

from __future__ import annotations

import numpy as np
import pytest
from case_rows import cohort_of


@pytest.fixture
def columns():
    return cohort_of(
        dice={"a": 0.9, "b": 0.2, "c": None, "d": 0.5, "e": 0.2},
        size={"a": 20.0, "b": 3.0, "c": 8.0, "d": 0.4, "e": 8.0},
        centers={"a": "A", "b": "B", "c": "", "d": "A", "e": "B"},
        decisions={"b": "major", "a": "accept"},
    )


def test_a_metric_of_a_region_is_aligned_with_the_rows(columns):
    from BraTSRefineUI.casecolumns import Key

    assert columns.numbers(Key("dice", "ET")).tolist() == pytest.approx([0.9, 0.2, np.nan, 0.5, 0.2], nan_ok=True)
    assert np.isnan(columns.numbers(Key("dice", "WT"))).all()
    assert columns.metrics() == ["dice", "volume_reference_ml"]
    assert columns.regions() == ["ET"]


@pytest.mark.parametrize(
    ("key", "descending", "expected"),
    [
        ("dice ET", False, "bedac"),
        ("dice ET", True, "adbec"),
        ("volume_reference_ml ET", False, "dbcea"),
        ("centre", False, "adbec"),
        ("centre", True, "beadc"),
        ("decision", False, "abcde"),
        ("case", True, "edcba"),
    ],
)
def test_sorting_is_stable_and_unknown_comes_last_both_ways(columns, key, descending, expected):
    from BraTSRefineUI.casecolumns import Key

    order = columns.order(Key.read(key), descending)
    assert "".join(columns.cases[row] for row in order) == expected


@pytest.mark.parametrize("text", ["dice ET", "mean rank", "rank sum", "what is wrong", "lesionwise_hd95_mm WT", "case"])
def test_a_key_is_read_as_it_was_written(text):
    from BraTSRefineUI.casecolumns import Key

    assert str(Key.read(text)) == text


def test_ranks_are_those_of_the_challenge_and_one_model_has_no_rank_sum(columns):
    from BraTSRefineUI.casecolumns import MEAN_RANK, RANK_SUM, Key

    ranks = columns.numbers(Key(MEAN_RANK))
    assert ranks.tolist() == pytest.approx([4.0, 1.5, np.nan, 3.0, 1.5], nan_ok=True)
    assert not columns.has(Key(RANK_SUM))
    assert "fewer than two" in columns.rankProblem


def test_without_scores_there_are_names_and_centres_only():
    from BraTSRefineUI.casecolumns import CASE, CENTER, CaseColumns, Key
    from BraTSRefineUI.tables import CaseRow

    columns = CaseColumns([CaseRow("a", "A"), CaseRow("b")])
    assert columns.metrics() == columns.regions() == []
    assert columns.has(Key(CASE))
    assert columns.has(Key(CENTER))
    assert not columns.has(Key("dice", "ET"))
    assert not columns.has(Key("mean rank"))
