"""What the panels are told: order, words, neighbours, flags; without Qt and without a scene."""

from __future__ import annotations

import math
import os

import pandas as pd
import pytest
from BraTSRefineUI import overview, runs, tables
from BraTSRefineUI.measures import MEASURES, measure, offered
from BraTSRefineUI.session import Session
from BraTSRefineUI.suspicions import ofCase, readSuspicions, suspicionRows
from BraTSRefineUI.tables import CaseRow

from BraTSRefineLib.analysis.metrics import is_share, metric_name
from BraTSRefineLib.cohort import CohortError, Workspace, WorkspaceError
from BraTSRefineLib.scoring import score_cohort, write_scores


@pytest.fixture(scope="module")
def opened(phantom_cohort, tmp_path_factory):
    """A session on the phantom cohort, scored in two models."""
    session = Session()
    session.open(phantom_cohort, tmp_path_factory.mktemp("session") / "workspace")
    scored = score_cohort(session.cohort, models=["fold_0", "fold_1"], measures=["lesions"], workers=1)
    write_scores(scored, session.workspace)
    session.reload()
    return session


def test_the_worst_dice_comes_first_and_what_could_not_be_scored_last(opened):
    dice = [row.values.get("dice", math.nan) for row in opened.rows()]
    known = [value for value in dice if math.isfinite(value)]
    assert dice[: len(known)] == sorted(known)
    assert len(opened.rows()) == len(opened.cohort.cases)


def test_a_broken_prediction_says_why_in_its_row(opened):
    broken = [row for row in opened.rows() if row.error]
    assert {row.error for row in broken}
    assert all("grid" in row.words or "truncated" in row.words for row in broken)
    assert all("/" not in row.words.split()[0] for row in broken)


def test_a_model_that_was_not_scored_is_listed_and_not_ranked(opened):
    model = opened.model
    opened.setModel("fold_4")
    assert {row.words for row in opened.rows() if not row.isBroken} == {"not scored"}
    opened.setModel(model)


def test_another_metric_ranks_by_its_own_direction(opened):
    assert opened.metrics()[:3] == ["dice", "hd95_mm", "nsd_1mm"]
    assert "lesionwise_dice" in opened.metrics()
    for metric in ("hd95_mm", "lesionwise_dice"):
        opened.setMetric(metric)
        good = [measure(metric).goodness(row.values.get(metric)) for row in opened.rows()]
        known = [value for value in good if math.isfinite(value)]
        assert good[: len(known)] == sorted(known)
    opened.setMetric("dice")


def test_a_model_without_the_chosen_metric_is_ranked_by_dice(opened):
    opened.setMetric("lesionwise_dice")
    opened.setModel("fold_1")
    assert opened.metric == "lesionwise_dice"
    opened.setModel("fold_4")
    assert (opened.metric, opened.metrics()) == ("dice", ["dice"])
    opened.setModel("fold_0")


def test_unscored_cohort_can_be_ranked_by_dice_alone():
    assert offered(None) == ["dice"]


def test_surface_dice_is_offered_with_each_tolerance():
    scores = pd.DataFrame({"metric": ["nsd_1mm", "dice", "nsd_0.5mm", "betti0_error", ""]})
    assert offered(scores) == ["dice", "nsd_0.5mm", "nsd_1mm"]
    assert measure("nsd_0.5mm").words == "surface Dice at 0.5 mm"


@pytest.mark.parametrize("metric", MEASURES)
def test_every_offered_metric_is_called_as_in_the_report(metric):
    assert measure(metric).words == metric_name(metric)
    assert measure(metric).isShare == is_share(metric)


def test_scores_of_an_older_version_are_said_and_count_as_none(opened, phantom_cohort, tmp_path):
    session = Session()
    session.open(phantom_cohort, tmp_path / "workspace")
    write_scores(pd.DataFrame(opened.scores), session.workspace)
    session.workspace.scores_json.unlink()
    session.reload()
    assert not session.hasScores
    assert "older version" in session.scoresProblem
    assert len(session.rows()) == len(session.cohort.cases)


def test_scoring_again_goes_by_the_convention_that_is_there(opened):
    assert opened.scoringParameters() == {"convention": "brats2023"}
    assert Session().scoringParameters() == {}


FINDINGS = """case,model,kind,message,evidence
a,unet,shifted prediction,"it lies beside its place, by a voxel",
b,unet,shifted prediction,so does this,
,small,region never predicted,no ET,
c,,empty region,no ET,
"""


def test_what_makes_numbers_doubtful_is_one_line_a_kind_and_model(tmp_path):
    workspace = Workspace.open(tmp_path / "workspace", tmp_path / "data")
    workspace.findings_csv.write_text(FINDINGS, encoding="utf-8")
    found = readSuspicions(workspace)
    rows = suspicionRows(found, {})
    assert [row.where for row in rows] == ["2 cases / unet", "small"]
    assert rows[0].message == "shifted prediction, as in a: it lies beside its place, by a voxel"
    assert all(row.isSuspicion and not row.isError for row in rows)
    assert [one.message for one in ofCase(found, "b", "unet")] == ["so does this"]
    assert ofCase(found, "b", "other") == []


def test_neighbours_follow_the_shown_list_and_the_ends_meet(opened):
    opened.case = "b"
    assert opened.neighbour(["a", "b", "c"], 1) == "c"
    opened.case = "c"
    assert opened.neighbour(["a", "b", "c"], 1) == "a"
    assert opened.neighbour(["x", "y"], 1) == "x"
    assert opened.neighbour([], 1) == ""


def test_a_shown_case_holds_images_reference_and_prediction(opened):
    case = next(row.case for row in opened.rows() if not row.error)
    opened.forgetCase()
    data = opened.loadCase(case)
    assert set(data.images) == {"t1n", "t1c", "t2w", "t2f"}
    assert data.reference.name == "reference"
    assert data.prediction.name == opened.model
    assert opened.versus == "reference"
    assert opened.verdict()[0]


def test_images_are_read_once_while_the_case_stays(opened):
    case = next(row.case for row in opened.rows() if not row.error)
    opened.forgetCase()
    assert opened.loadCase(case).images
    opened.setModel("fold_1")
    assert opened.loadCase(case).images is None
    opened.setModel("fold_0")


def test_a_damaged_prediction_is_said_and_the_rest_is_shown(opened):
    broken = [row.case for row in opened.rows() if "truncated" in row.error]
    data = opened.loadCase(broken[0])
    assert data.prediction is None
    assert any("truncated" in problem for problem in data.problems)
    assert data.reference is not None


def test_an_opened_workspace_is_taken_as_it_is_and_another_folder_is_not(opened, phantom_cohort, tmp_path):
    again = Session()
    again.open(phantom_cohort, opened.workspace.root)
    assert again.hasScores
    with pytest.raises(CohortError, match="no such folder"):
        again.open(tmp_path / "nowhere", tmp_path / "workspace")
    assert again.hasScores


def test_the_workspace_may_not_be_the_data_folder(phantom_cohort):
    with pytest.raises(WorkspaceError):
        Session().open(phantom_cohort, phantom_cohort)


def test_equal_problems_are_one_line(opened):
    rows = opened.problems()
    assert [row.isError for row in rows] == sorted((row.isError for row in rows), reverse=True)
    assert len({(row.where, row.message) for row in rows}) == len(rows)


def test_real_cases_without_reference_are_compared_with_the_consensus(real_data, tmp_path):
    session = Session()
    session.open(real_data / "tcga-lgg", tmp_path / "workspace")
    data = session.loadCase(session.caseNames[0])
    assert data.consensus
    assert session.versus == "consensus of the others"
    assert set(data.reference.regions) == {"WT", "TC", "ET"}


def test_real_cases_without_image_and_without_prediction_are_shown(real_data, tmp_path):
    session = Session()
    session.open(real_data / "brats2020", tmp_path / "one")
    assert session.loadCase("BraTS20_Training_002").images == {}
    session.open(real_data / "brats2023-ssa", tmp_path / "two")
    data = session.loadCase(session.caseNames[0])
    assert data.prediction is None
    assert data.reference is not None
    assert len(data.images) == 4


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"dice": 0.5, "sensitivity": 0.9, "precision": 0.4, "hd95_mm": 40.0}, "too much, far off"),
        ({"dice": 0.5, "sensitivity": 0.4, "precision": 0.9, "hd95_mm": 3.0}, "too little"),
        ({"dice": 0.95, "sensitivity": 0.95, "precision": 0.95, "hd95_mm": 1.0}, "boundary only"),
        ({"volume_reference_ml": 3.0}, "no prediction"),
    ],
)
def test_a_row_says_what_is_wrong_in_words(values, words):
    assert CaseRow("a", values=values).words == words


def test_a_distance_by_rule_is_not_passed_off_as_measured():
    assert CaseRow("a", values={"hd95_mm": 374.0}, status="prediction empty").distance == "374.0 mm (by rule)"
    assert CaseRow("a", values={"hd95_mm": 3.2}, status="ok").distance == "3.2 mm"


def test_numbers_that_could_not_be_computed_are_a_dash():
    assert tables.number(math.nan) == "-"
    assert tables.milliliters(math.inf) == "-"
    assert [tables.milliliters(value) for value in (212.4, 3.14, 0.044)] == ["212", "3.1", "0.04"]


def test_short_names_drop_what_all_cases_share():
    assert overview.shortNames(["BraTS20_Training_001", "BraTS20_Training_012"]) == {
        "BraTS20_Training_001": "001",
        "BraTS20_Training_012": "012",
    }
    assert overview.shortNames(["ab_1"]) == {"ab_1": "ab_1"}


def test_long_names_keep_their_end():
    assert overview.cutInside("BraTS20_Training_008", 14) == "BraT…ining_008"
    assert len(overview.cutInside("BraTS20_Training_008", 14)) == 14
    assert overview.cutInside("center_1", 9) == "center_1"


def test_messages_without_their_files():
    assert overview.withoutPaths("/data/c/x.nii.gz: truncated; copy it again") == "truncated; copy it again"
    assert (
        overview.withoutPaths("p/x.nii.gz lies on another grid than c/y.nii.gz: size") == "lies on another grid: size"
    )


def test_before_and_after_lists_the_largest_loss_first(tmp_path):
    table = pd.DataFrame(
        {
            "case": ["a", "b", "c"],
            "region": "ET",
            "metric": "dice",
            "before": [0.5, 0.5, 0.5],
            "after": [0.6, 0.4, 0.5],
            "change": [0.1, -0.1, 0.0],
        }
    )
    table.to_csv(tmp_path / "before_after.csv", index=False)
    assert [change.case for change in runs.changes(tmp_path / "before_after.csv", "ET")] == ["b", "c", "a"]
    assert runs.changes(tmp_path / "before_after.csv", "WT") == []


def test_the_newest_run_comes_first(tmp_path):
    workspace = Workspace(tmp_path)
    for name, age in (("fuse-old", 10), ("fuse-new", 20)):
        path = workspace.run(name) / "outputs" / "before_after.csv"
        path.parent.mkdir(parents=True)
        path.write_text("case\n")
        os.utime(path, (age, age))
    assert runs.runsWith(workspace, "before_after.csv") == ["fuse-new", "fuse-old"]
