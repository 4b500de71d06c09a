"""Numbers as people read them: never more precise than they are, never 0 for what is not."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib.analysis.cells import heading, is_numeric, number, p_value, shown, volume


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (0.876, "0.88"), (0.004, "0.004"), (-0.0004, "0.000"), (12.34, "12.3"), (374.0, "374"),
     (inf, "∞"), (-inf, "-∞"), (nan, "-"), (None, "-")],
)  # fmt: skip
def test_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.00042, "0.00042"), (0.05, "0.05"), (0.0, "0.00"), (12.0, "12.0")])
def test_a_lesion_of_few_voxels_is_not_shown_as_none(value, text):
    assert volume(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.0, "<0.001"), (0.0009, "<0.001"), (0.034, "0.034"), (0.5, "0.50")])
def test_no_p_is_zero(value, text):
    assert p_value(value) == text


def test_a_column_says_how_its_values_are_written():
    assert shown("adjusted_q", 0.0002) == "<0.001"
    assert shown("p_mm", 0.5) == "0.50"
    assert shown("failure_rate", 0.125) == "12 %"
    assert shown("volume_ml", 0.012) == "0.012"
    assert shown("metric", "hd95_mm") == "HD95"
    assert shown("flagged", np.bool_(True)) == "yes"
    assert shown("n", 12) == "12"
    assert shown("warning", "") == ""
    assert shown("median", nan) == "-"


def test_headings_are_words():
    assert heading("center") == "Centre"
    assert heading("false_positives") == "False positives"
    assert heading("low", {"low": "95 % low"}) == "95 % low"


def test_only_numbers_are_set_to_the_right():
    frame = pd.DataFrame({"n": [1], "dice": [0.5], "flagged": [True], "case": ["a"]})
    assert [is_numeric(frame, column) for column in frame] == [True, True, False, False]
