"""Lesion by lesion: how many of each size are found, and the worst of them."""

from __future__ import annotations

from math import nan

import pandas as pd
import pytest

from BraTSRefineLib.analysis import AnalysisError, lesion_strata, read_lesions, unranked_lesions, worst_lesions
from BraTSRefineLib.cohort import Workspace

COLUMNS = [
    "case",
    "model",
    "region",
    "lesion",
    "side",
    "status",
    "counted",
    "volume_ml",
    "l_mm",
    "p_mm",
    "s_mm",
    "predictions",
    "dice",
    "hd95_mm",
    "convention",
]


def lesion(case, number, status, ml, dice=nan, hd95=nan, *, model="a", region="ET", counted=True):
    side = "prediction" if status == "false positive" else "reference"
    return (case, model, region, number, side, status, counted, ml, 1.0, 2.0, 3.0, 1, dice, hd95, "brats2023-gli")


@pytest.fixture
def lesions() -> pd.DataFrame:
    """Of four small lesions one is found, of two large ones both; one false lesion of each size."""
    rows = [
        lesion("x", 1, "matched", 5.0, 0.9, 2.0),
        lesion("x", 2, "missed", 0.05, 0.0, 374.0),
        lesion("x", 3, "missed", 0.06, 0.0, 374.0),
        lesion("y", 1, "matched", 4.0, 0.7, 9.0),
        lesion("y", 2, "matched", 0.02, 0.3, 4.0),
        lesion("y", 3, "missed", 0.09, 0.0, 374.0),
        lesion("y", 4, "missed", 0.001, 0.0, 374.0, counted=False),
        lesion("x", 1, "false positive", 0.08),
        lesion("y", 1, "false positive", 2.0),
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_small_lesions_are_found_less_often(lesions):
    table = lesion_strata(lesions).set_index("stratum")
    assert list(table.index) == ["under 0.1 ml", "1 to 10 ml"]
    assert table["n"].tolist() == [4, 2]
    assert table["detected"].tolist() == [1, 2]
    assert table["missed"].tolist() == [3, 0]
    assert table["detection_rate"].tolist() == [0.25, 1.0]
    assert table["median_dice"].tolist() == [0.3, pytest.approx(0.8)]
    assert table["false_positives"].tolist() == [1, 1]
    assert set(table["warning"]) == {"fewer than 5 lesions: read with care"}


def test_the_interval_of_a_rate_is_wilsons(lesions):
    row = lesion_strata(lesions).iloc[0]
    assert (row["low"], row["high"]) == (pytest.approx(0.0456, abs=1e-4), pytest.approx(0.6994, abs=1e-4))


def test_lesions_that_do_not_count_are_taken_on_request(lesions):
    assert lesion_strata(lesions, uncounted=True)["n"].tolist() == [5, 2]


def test_missed_and_false_lesions_come_first_the_largest_of_them_first(lesions):
    worst = worst_lesions(lesions)
    assert worst["volume_ml"].tolist() == [2.0, 0.09, 0.08, 0.06, 0.05, 0.02, 4.0, 5.0]
    assert worst.loc[0, ["rank", "case", "side", "status"]].tolist() == [1, "y", "prediction", "false positive"]
    assert worst_lesions(lesions, by="hd95_mm")["hd95_mm"].tolist()[-3:] == [9.0, 4.0, 2.0]


def test_a_shorter_list_is_the_beginning_of_a_longer_one_in_any_order_of_the_table(lesions):
    longest = worst_lesions(lesions)
    for worst in (1, 4, 8):
        shuffled = lesions.sample(frac=1, random_state=worst)
        pd.testing.assert_frame_equal(worst_lesions(shuffled, worst=worst), longest.head(worst))


def test_small_lesions_can_be_left_out(lesions):
    assert worst_lesions(lesions, minimum_ml=1.0)["volume_ml"].tolist() == [2.0, 4.0, 5.0]


def test_a_matched_lesion_without_a_number_is_listed_apart(lesions):
    lesions.loc[0, "dice"] = nan
    assert len(worst_lesions(lesions)) == 7
    assert unranked_lesions(lesions)[["case", "lesion"]].values.tolist() == [["x", 1]]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"region": "WT"}, "known: ET"),
        ({"model": "b"}, "known: a"),
        ({"by": "luck"}, "'dice'"),
        ({"worst": 0}, "least 1"),
    ],
)
def test_a_question_that_cannot_be_answered_names_what_can(lesions, wrong, says):
    with pytest.raises(AnalysisError, match=says):
        worst_lesions(lesions, **wrong)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_the_table_of_a_workspace_comes_back(lesions, tmp_path, ending):
    lesions["case"] = lesions["case"].map({"x": "001", "y": "002"})
    write = {"parquet": lesions.to_parquet, "csv": lesions.to_csv}[ending]
    write(tmp_path / f"lesions.{ending}", index=False)
    pd.testing.assert_frame_equal(worst_lesions(read_lesions(Workspace(tmp_path))), worst_lesions(lesions))


def test_a_workspace_without_lesions_or_of_another_version_says_so(lesions, tmp_path):
    with pytest.raises(AnalysisError, match="no table of lesions"):
        read_lesions(Workspace(tmp_path))
    lesions.drop(columns="status").to_csv(tmp_path / "lesions.csv", index=False)
    with pytest.raises(AnalysisError, match="no column status"):
        read_lesions(Workspace(tmp_path))
