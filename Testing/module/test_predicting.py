"""What is chosen to predict, whose map is shown, whose score counts; without Qt and without a worker."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pandas as pd
import pytest
from BraTSRefineUI import maps, runs
from BraTSRefineUI.maps import MapFile

from BraTSRefineLib.cohort import Workspace
from BraTSRefineLib.inference import InferenceError

OWN = [MapFile(quantity, "ET", Path("x"), "mine") for quantity in ("entropy", "mean", "variance")]
ACROSS = [MapFile(quantity, "ET", Path("x")) for quantity in ("disagreement", "mean")]


@pytest.fixture(scope="module")
def predicting():
    """The module needs Slicer's translation, which the host serves."""
    from BraTSRefine.Standalone import names

    names.install()
    from BraTSRefineUI import predicting

    return predicting


def choice(predicting, folds: str, of: tuple[str, ...] = ("0", "1", "2")):
    return predicting.Choice((predicting.Trained("/models/m", "m", "", of),), ("A",), folds)


@pytest.mark.parametrize(
    ("available", "quantity", "own", "expected"),
    [
        ([*OWN, *ACROSS], "", True, ("entropy", "mine")),
        ([*OWN, *ACROSS], "mean", True, ("mean", "mine")),
        ([*OWN, *ACROSS], "mean", False, ("mean", "")),
        ([*OWN, *ACROSS], "variance", False, ("disagreement", "")),
        (ACROSS, "variance", True, ("disagreement", "")),
        (OWN, "disagreement", False, ("entropy", "mine")),
    ],
)
def test_the_wanted_source_counts_more_than_the_wanted_quantity(available, quantity, own, expected):
    chosen = maps.best(available, quantity, own)
    assert (chosen.quantity, chosen.model) == expected


def test_where_there_is_no_map_none_is_chosen():
    assert maps.best([], "entropy", True) is None


def test_the_maps_of_a_model_are_those_of_this_very_case_and_region(tmp_path):
    workspace = Workspace(tmp_path)
    for case in ("A", "A-ET"):
        path = workspace.model_map_path("mine", case, "ET", "mean")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert [one.quantity for one in maps.found(workspace, "A", "ET", "mine")] == ["mean"]
    assert maps.found(workspace, "A", "WT", "mine") == []
    assert maps.found(workspace, "A", "ET", "other") == []


@pytest.mark.parametrize(
    ("typed", "folds"), [("", None), (" ", None), ("0", ["0"]), ("0,1, 2", ["0", "1", "2"]), ("0 1;", ["0", "1"])]
)
def test_folds_are_typed_with_commas_or_blanks(predicting, typed, folds):
    assert choice(predicting, typed).foldNames == folds


def test_folds_that_are_not_there_are_told_with_those_that_are(predicting):
    assert choice(predicting, "1, 4").problemOfFolds() == "m has no fold 4; it has 0, 1, 2"
    assert "leave the line empty" in choice(predicting, "1", of=()).problemOfFolds()
    assert choice(predicting, "2").problemOfFolds() == ""


def test_nothing_at_a_path_is_an_error_that_says_what_is_understood(predicting, tmp_path):
    with pytest.raises(InferenceError, match="no trained model"):
        predicting.trainedAt(str(tmp_path))


def test_what_was_skipped_is_told_once_a_message_and_without_a_case_where_it_concerns_none(predicting):
    from BraTSRefineUI.jobrow import JobRow

    row = JobRow(SimpleNamespace(jobProgress=Mock(), jobLabel=Mock(), cancelJobButton=Mock()))
    for case, message in (("A", "t2f is missing"), ("", "the disk: full"), ("B", "t2f is missing"), ("", "full")):
        row.tell({"event": "problem", "case": case, "message": message})
    assert row.problemsInShort(9) == ["2 cases: t2f is missing", "the disk: full", "full"]
    assert row.problems == ["A: t2f is missing", "the disk: full", "B: t2f is missing", "full"]


def test_of_several_runs_the_newest_score_of_a_case_and_model_counts(tmp_path):
    workspace = Workspace(tmp_path)
    columns = {"region": "ET", "metric": "dice", "status": "ok", "convention": "brats2023"}
    for name, age, cases, value in (("first", 10, ["A", "B"], 0.1), ("second", 20, ["B", "C"], 0.2)):
        path = workspace.run(name) / "outputs" / "scores.csv"
        path.parent.mkdir(parents=True)
        pd.DataFrame({"case": cases, "model": "mine", "value": value, **columns}).to_csv(path, index=False)
        os.utime(path, (age, age))
    scores = runs.scoresWithRuns(workspace)
    assert dict(zip(scores["case"], scores["value"], strict=True)) == {"A": 0.1, "B": 0.2, "C": 0.2}
