import json
from math import inf, nan

import pandas as pd
import pytest

from BraTSRefineLib.cohort.workspace import Workspace
from BraTSRefineLib.scoring import SCORE_COLUMNS, ScoringError, read_scores, wide, write_scores
from BraTSRefineLib.scoring.table import VERSION, score_table

ROWS = [
    ("B", "m1", "WT", "dice", 0.1 + 0.2, "ok", "deepmind"),
    ("B", "m1", "ET", "dice", 0.5, "ok", "deepmind"),
    ("B", "m1", "ET", "hd95_mm", inf, "prediction empty", "deepmind"),
    ("A", "001", "WT", "dice", nan, "both empty", "deepmind"),
    ("A", "m2", "", "", nan, "file.nii.gz: truncated, or damaged", "deepmind"),
]


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "w")


@pytest.fixture
def scores():
    return score_table(ROWS)


@pytest.mark.parametrize("lost", ["scores_parquet", "scores_csv"])
def test_what_was_written_is_read_again_from_either_file(scores, workspace, lost):
    write_scores(scores, workspace)
    getattr(workspace, lost).unlink()
    pd.testing.assert_frame_equal(read_scores(workspace), scores)


def test_the_same_scores_give_the_same_bytes(scores, workspace):
    write_scores(scores, workspace)
    first = workspace.scores_csv.read_bytes(), workspace.scores_parquet.read_bytes()
    write_scores(read_scores(workspace), workspace)
    assert (workspace.scores_csv.read_bytes(), workspace.scores_parquet.read_bytes()) == first


def test_an_empty_table_survives(workspace):
    write_scores(score_table([]), workspace)
    assert read_scores(workspace).empty
    assert tuple(read_scores(workspace).columns) == SCORE_COLUMNS


def test_no_scores_yet_says_which_command_makes_them(workspace):
    with pytest.raises(ScoringError, match="bratsrefine score"):
        read_scores(workspace)


def test_a_table_with_other_columns_is_refused(workspace):
    workspace.scores_csv.write_text("case,model,dice\nA,m,0.9\n")
    with pytest.raises(ScoringError, match=r"scores\.csv: not a table of scores .*columns case, model, dice"):
        read_scores(workspace)
    with pytest.raises(ScoringError, match="not a table of scores"):
        write_scores(pd.DataFrame({"case": ["A"]}), workspace)


@pytest.mark.parametrize("name", ["scores.parquet", "scores.csv"])
def test_a_damaged_file_is_refused_by_name(workspace, name):
    (workspace.root / name).write_bytes(b'PAR1 no table"')
    with pytest.raises(ScoringError, match=name):
        read_scores(workspace)


def test_a_csv_whose_values_are_no_numbers_is_refused(workspace):
    workspace.scores_csv.write_text(",".join(SCORE_COLUMNS) + "\nA,m,WT,dice,high,ok,brats2023\n")
    with pytest.raises(ScoringError, match="not readable"):
        read_scores(workspace)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"version": "two"}', '{"version": null}'])
def test_a_damaged_description_of_the_scores_is_refused_by_name(scores, workspace, content):
    write_scores(scores, workspace)
    workspace.scores_json.write_text(content, encoding="utf-8")
    with pytest.raises(ScoringError, match=r"scores\.json: damaged .*score the cohort again"):
        read_scores(workspace)


@pytest.mark.parametrize(("version", "age"), [(1, "an older"), (99, "a newer")])
def test_scores_of_another_version_are_refused(scores, workspace, version, age):
    write_scores(scores, workspace)
    workspace.scores_json.write_text(json.dumps({"version": version}), encoding="utf-8")
    with pytest.raises(ScoringError, match=rf"scores of {age} version \({version}, this is {VERSION}\)"):
        read_scores(workspace)


def test_wide_has_a_row_a_case_and_model_in_order_and_a_column_a_region(scores):
    table = wide(scores, "dice")
    assert list(table.columns) == ["WT", "ET"]
    assert list(table.index) == [("B", "m1"), ("A", "001")]
    assert table.loc[("B", "m1"), "ET"] == 0.5


def test_wide_of_a_metric_that_was_not_computed_is_empty(scores):
    assert wide(scores, "nsd_2mm").empty
