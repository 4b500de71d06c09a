"""Choosing the cases to annotate by their uncertainty."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib.selection import SelectionError, most_uncertain


@pytest.fixture
def pool() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "case": ["a", "b", "c", "d", "e"],
            "person": ["p1", "p1", "p2", "", ""],
            "center": ["X", "X", "Y", "Y", np.nan],
            "uncertainty": [0.3, 0.2, 0.1, 0.25, np.nan],
        }
    )


def test_the_most_uncertain_come_first_with_their_rank(pool):
    chosen = most_uncertain(pool, 2)
    assert list(chosen.columns) == ["rank", "case", "center", "uncertainty", "reason"]
    assert chosen["case"].tolist() == ["a", "d"]
    assert chosen["rank"].tolist() == [1, 2]


def test_one_case_for_each_person(pool):
    assert most_uncertain(pool, 3)["case"].tolist() == ["a", "d", "c"]


def test_cases_without_a_named_person_are_persons_of_their_own():
    table = pd.DataFrame({"case": ["a", "b"], "uncertainty": [0.1, 0.2]})
    assert most_uncertain(table, 2)["case"].tolist() == ["b", "a"]


def test_the_reason_is_in_words(pool):
    reason = most_uncertain(pool, 1)["reason"][0]
    assert reason == "uncertainty 0.3, higher than in 3 of the 3 other cases; same person as b, passed over"


def test_a_pool_smaller_than_k_is_used_up_and_said(pool):
    chosen = most_uncertain(pool, 10)
    assert len(chosen) == 3
    assert chosen["reason"].iloc[-1].endswith("the pool ends here: 3 of the 10 cases asked for")


def test_a_case_without_a_value_is_never_chosen(pool):
    assert "e" not in most_uncertain(pool, 5)["case"].tolist()


def test_ties_go_by_the_name_whatever_the_order_of_the_table():
    table = pd.DataFrame({"case": ["c", "a", "b"], "uncertainty": [0.5] * 3})
    assert most_uncertain(table, 2)["case"].tolist() == ["a", "b"]
    assert most_uncertain(table[::-1], 2)["case"].tolist() == ["a", "b"]


@pytest.mark.parametrize("k", [0, -3, 1.5, True])
def test_fewer_than_one_case_cannot_be_chosen(pool, k):
    with pytest.raises(SelectionError, match="at least 1"):
        most_uncertain(pool, k)


def test_missing_columns_are_named(pool):
    with pytest.raises(SelectionError, match="no column uncertainty"):
        most_uncertain(pool.drop(columns="uncertainty"), 1)


def test_no_case_with_a_value_is_an_error(pool):
    with pytest.raises(SelectionError, match="run the uncertainty job"):
        most_uncertain(pool.assign(uncertainty=np.nan), 1)


def test_the_table_is_not_modified(pool):
    before = pool.copy()
    most_uncertain(pool, 3)
    pd.testing.assert_frame_equal(pool, before)
