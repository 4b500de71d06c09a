"""The jobs that fill the workspace: scores, findings, report."""

from __future__ import annotations

import pandas as pd
import pytest

from BraTSRefineLib import jobs
from BraTSRefineLib.jobs import JobError
from BraTSRefineLib.scoring import CONSENSUS, read_scores


@pytest.fixture(scope="module")
def scored(fused):
    """The three cases after a score job; with its summary and events."""
    events = []
    summary = jobs.run(jobs.create(fused.workspace, "score", name="scores"), on_event=events.append)
    return fused.workspace, summary, events


def dice(workspace, case: str, model: str, region: str = "WT") -> float:
    scores = read_scores(workspace).set_index(["case", "model", "region", "metric"])
    return scores.loc[(case, model, region, "dice"), "value"]


def test_scores_of_every_model_are_in_the_workspace(scored):
    workspace, summary, _ = scored
    assert dice(workspace, "A", "true") == 1.0
    assert dice(workspace, "A", "left") < 1.0
    assert summary["models"] == ["left", "mine", "right", "true"]
    assert summary["mean_dice"]["true"]["WT"] == pytest.approx((1 + 1 + dice(workspace, "C", "true")) / 3)


def test_csv_and_parquet_say_the_same(scored):
    workspace, _, _ = scored
    csv = pd.read_csv(workspace.scores_csv, keep_default_na=False)
    assert csv["value"].to_numpy() == pytest.approx(read_scores(workspace)["value"].to_numpy(), nan_ok=True)


def test_a_case_without_reference_is_scored_against_the_others_and_says_so(scored):
    scores = read_scores(scored[0])
    of_case = scores[scores["case"] == "C"]
    assert set(of_case.loc[of_case["metric"] == "dice", "convention"]) == {"brats2023" + CONSENSUS}
    assert set(of_case["convention"]) == {"brats2023" + CONSENSUS, "brats2023-gli" + CONSENSUS}


def test_what_was_made_here_is_scored_like_any_model_but_only_against_references(scored):
    scores = read_scores(scored[0])
    mine = scores[scores["model"] == "mine"]
    assert set(mine["case"]) == {"A", "B"}
    assert "lesionwise_dice" in set(mine["metric"])
    of_c = scores[(scores["case"] == "C") & (scores["metric"] == "dice")]
    assert set(of_c["model"]) == {"left", "right", "true"}


def test_findings_are_written(scored):
    workspace, summary, _ = scored
    found = pd.read_csv(workspace.findings_csv, keep_default_na=False)
    assert {"case", "model", "kind", "message"} <= set(found.columns)
    assert len(found) == summary["findings"]


def test_progress_counts_up_to_its_end(scored):
    steps = [(event["step"], event["of"]) for event in scored[2] if event["event"] == "progress"]
    assert [step for step, _ in steps] == list(range(1, steps[-1][1] + 1))


def test_a_file_that_cannot_be_scored_is_a_problem_and_a_row(data, tmp_path, small):
    (data / "predictions" / "left" / "B.nii.gz").write_bytes(b"no image")
    workspace, events = small.opened(data, tmp_path / "broken"), []
    summary = jobs.run(jobs.create(workspace, "score"), on_event=events.append)
    problems = [event for event in events if event["event"] == "problem"]
    assert [problem["case"] for problem in problems] == ["B"]
    assert problems[0]["message"].startswith("left: ")
    assert summary["not_scored"] == 1
    assert dice(workspace, "B", "true") == 1.0


def test_tables_and_problems_name_files_from_the_root_of_the_data(data, tmp_path, small):
    file = next((data / "predictions" / "left").glob("*.nii.gz"))
    file.write_bytes(file.read_bytes()[:-30])
    workspace = small.opened(data, tmp_path / "workspace")
    events = []
    jobs.run(jobs.create(workspace, "score"), on_event=events.append)
    told = [event["message"] for event in events if event["event"] == "problem"]
    assert any(f"predictions/left/{file.name}: truncated" in message for message in told)
    tables = [workspace.scores_csv, workspace.findings_csv, workspace.cohort_csv]
    texts = [path.read_text(encoding="utf-8") for path in tables]
    assert f"predictions/left/{file.name}: truncated" in texts[0]
    assert [text for text in (*texts, *told) if str(tmp_path) in text] == []
    assert not read_scores(workspace)["status"].str.contains(str(tmp_path), regex=False).any()


def test_calibration_without_probabilities_says_what_it_needs(data, tmp_path, small):
    for path in data.rglob("*.npz"):
        path.unlink()
    workspace, events = small.opened(data, tmp_path / "without"), []
    jobs.run(jobs.create(workspace, "score", {"measures": ["calibration"]}), on_event=events.append)
    said = [event["message"] for event in events if event["event"] == "problem"]
    assert said == ["no probability map in this cohort: calibration needs them, as nnU-Net saves them on request"]


def test_scoring_one_model_again_keeps_the_others(scored):
    workspace, _, _ = scored
    before = read_scores(workspace)
    jobs.run(jobs.create(workspace, "score", {"models": ["left"], "cases": ["A"]}))
    after = read_scores(workspace)
    keys = ["case", "model", "region", "metric"]
    pd.testing.assert_frame_equal(
        after.sort_values(keys, ignore_index=True), before.sort_values(keys, ignore_index=True)
    )


def test_a_table_never_mixes_conventions(scored):
    with pytest.raises(JobError, match="follow another convention; score all models and cases"):
        jobs.run(jobs.create(scored[0], "score", {"models": ["left"], "convention": "nan"}))


def test_an_unknown_convention_is_named(workspace):
    with pytest.raises(JobError, match="unknown scoring convention 'brats1999'"):
        jobs.run(jobs.create(workspace, "score", {"convention": "brats1999"}))


def test_the_report_is_one_html_file_in_the_workspace(scored):
    workspace, _, _ = scored
    summary = jobs.run(jobs.create(workspace, "report"))
    assert summary["report"] == str(workspace.report_html)
    assert "<html" in workspace.report_html.read_text(encoding="utf-8")


def test_a_report_without_scores_says_what_to_run_first(workspace):
    with pytest.raises(JobError, match="run the score job first"):
        jobs.run(jobs.create(workspace, "report"))
