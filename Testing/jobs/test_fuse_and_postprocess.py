"""Jobs that make label maps: what they write and what it was worth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib import jobs
from BraTSRefineLib.cohort import (
    Workspace,
    discover,
    load_cohort,
    read_geometry,
    read_label_map,
    save_cohort,
    write_volume,
)
from BraTSRefineLib.jobs import JobError
from BraTSRefineLib.scoring import CONSENSUS, SCORE_COLUMNS, score_pair


def run(workspace, kind, parameters, name="mine"):
    """The run's outputs folder, its summary and its events."""
    events = []
    job_json = jobs.create(workspace, kind, parameters, name=name)
    summary = jobs.run(job_json, on_event=events.append)
    return job_json.parent / "outputs", summary, events


def table(outputs, name: str) -> pd.DataFrame:
    return pd.read_csv(outputs / name, keep_default_na=False, na_values=[""])


def value(rows: pd.DataFrame, case: str, region: str, metric: str, column: str) -> float:
    chosen = rows[(rows["case"] == case) & (rows["region"] == region) & (rows["metric"] == metric)]
    return chosen[column].item()


def test_the_majority_of_two_members_shifted_apart_and_a_true_one_is_the_truth(fused, small):
    label_map = read_label_map(fused.outputs / "predictions" / "A.nii.gz")
    assert np.array_equal(label_map, small.labels.paint(small.truth))
    assert fused.summary["before_after"]["WT"]["dice_after"] == 1.0
    assert fused.summary["before_after"]["WT"]["better"] == 2


def test_so_is_the_mean_of_their_probabilities(workspace, small):
    outputs, summary, _ = run(workspace, "fuse", {"method": "mean"})
    label_map = read_label_map(outputs / "predictions" / "A.nii.gz")
    assert np.array_equal(label_map, small.labels.paint(small.truth))
    assert summary["method"] == "mean"


def test_label_maps_are_uint8_in_the_case_s_geometry(fused, small):
    path = fused.outputs / "predictions" / "A.nii.gz"
    assert read_geometry(path).difference(small.grid) == ""
    assert set(np.unique(read_label_map(path))) == {0, 1, 2, 3}


def test_scores_are_those_of_the_label_map_under_the_run_s_name(fused, small):
    scores = table(fused.outputs, "scores.csv")
    assert list(scores.columns) == list(SCORE_COLUMNS)
    assert set(scores["model"]) == {"mine"}
    label_map = read_label_map(fused.outputs / "predictions" / "A.nii.gz")
    expected = score_pair(small.labels.paint(small.truth), label_map, (1, 1, 1), labels="brats2023")
    assert np.allclose(scores[scores["case"] == "A"]["value"], expected["value"])


@pytest.mark.parametrize(("kind", "parameters"), [("fuse", {"method": "majority"}), ("postprocess", {"model": "left"})])
def test_a_new_model_is_scored_by_the_convention_of_the_old_ones(workspace, kind, parameters):
    run(workspace, "score", {"convention": "monai", "measures": []}, name="scoring")
    outputs, _, _ = run(workspace, kind, parameters)
    assert set(table(outputs, "scores.csv")["convention"].str.removesuffix(CONSENSUS)) == {"monai"}
    named, _, _ = run(workspace, kind, {**parameters, "convention": "nnunet"}, name="other")
    assert set(table(named, "scores.csv")["convention"].str.removesuffix(CONSENSUS)) == {"nnunet"}


def test_before_is_the_mean_of_the_members(fused, small):
    rows = table(fused.outputs, "before_after.csv")
    assert list(rows.columns) == ["case", "region", "metric", "before", "after", "change"]
    members = [small.labels.paint(small.cubes(shift)) for shift in (-2, 2, 0)]
    dice = [
        score_pair(small.labels.paint(small.truth), member, (1, 1, 1), labels="brats2023")["value"][0]
        for member in members
    ]
    assert value(rows, "A", "WT", "dice", "before") == pytest.approx(np.mean(dice))
    assert value(rows, "A", "WT", "dice", "change") == pytest.approx(1 - np.mean(dice))


def test_the_members_failures_that_the_fusion_removed_are_counted(fused):
    scores = table(fused.outputs, "member_scores.csv")
    assert list(scores.columns) == list(SCORE_COLUMNS)
    assert set(scores["model"]) == {"left", "right", "true"}
    row = fused.summary["outliers"]["WT"]
    assert (row["at_risk"], row["rescued"], row["rate"], row["broken"]) == (2, 2, 1.0, "")
    assert fused.summary["outliers_note"].startswith("2 cases are too few")


def test_a_case_without_reference_says_that_there_is_nothing_to_score_and_gives_agreement(fused, small):
    scores, rows = table(fused.outputs, "scores.csv"), table(fused.outputs, "before_after.csv")
    assert scores[scores["case"] == "C"]["status"].tolist() == ["no reference: there is nothing to score it against"]
    assert set(rows[rows["case"] == "C"]["metric"]) == {"agreement", "volume_prediction_ml"}
    assert value(rows, "C", "WT", "agreement", "after") > value(rows, "C", "WT", "agreement", "before")
    assert value(rows, "C", "WT", "volume_prediction_ml", "after") == pytest.approx(small.truth[0].sum() / 1000)
    assert fused.summary["note"] == "1 of 3 cases: no reference: there is nothing to score it against"


def test_agreement_is_the_mean_dice_of_the_pairs(fused, small):
    stacks = [small.cubes(shift)[0] for shift in (-2, 2, 0)]
    pairs = [(0, 1), (0, 2), (1, 2)]
    dice = [2 * (stacks[a] & stacks[b]).sum() / (stacks[a].sum() + stacks[b].sum()) for a, b in pairs]
    assert value(table(fused.outputs, "before_after.csv"), "C", "WT", "agreement", "before") == pytest.approx(
        np.mean(dice)
    )


def test_the_mean_without_probabilities_offers_the_majority(data, tmp_path, small):
    for npz in data.rglob("*.npz"):
        npz.unlink()
    workspace = small.opened(data, tmp_path / "labels-only")
    with pytest.raises(JobError, match=r'left, right, true left no probability maps.*method "majority"'):
        run(workspace, "fuse", {"method": "mean"})


def test_a_case_that_lacks_one_probability_map_is_a_problem_of_that_case(data, tmp_path, small):
    (data / "predictions" / "left" / "B.npz").unlink()
    _, summary, events = run(small.opened(data, tmp_path / "one-less"), "fuse", {"method": "mean"})
    (problem,) = [event for event in events if event["event"] == "problem"]
    assert problem["case"] == "B"
    assert "no probability map of left" in problem["message"]
    assert summary["cases"] == 2


def test_a_member_on_another_grid_is_left_out_by_name(data, tmp_path, small):
    shifted = type(small.grid)(small.grid.size, small.grid.spacing, (0.0, 0.0, 0.0), small.grid.direction)
    small.write_label_map(data / "predictions" / "left" / "A.nii.gz", small.truth, shifted)
    outputs, _, events = run(small.opened(data, tmp_path / "grids"), "fuse", {"method": "majority"})
    (problem,) = [event for event in events if event["event"] == "problem"]
    assert problem["case"] == "A"
    assert problem["message"].startswith("left is left out: ")
    members = table(outputs, "members.csv")
    assert members[members["case"] == "A"]["model"].tolist() == ["right", "true"]


def test_a_member_with_half_of_the_cases_is_used_where_it_is(data, tmp_path, small):
    (data / "predictions" / "left" / "B.nii.gz").unlink()
    (data / "predictions" / "left" / "B.npz").unlink()
    outputs, summary, _ = run(small.opened(data, tmp_path / "half"), "fuse", {"method": "majority"})
    assert summary["cases"] == 3
    assert table(outputs, "members.csv").groupby("case").size().to_dict() == {"A": 3, "B": 2, "C": 3}


def test_one_model_is_nothing_to_fuse(workspace):
    with pytest.raises(JobError, match="at least two models; there is left"):
        run(workspace, "fuse", {"models": ["left"]})


def test_members_of_different_label_conventions_are_read_each_in_its_own(data, tmp_path, small):
    cubes = small.cubes(2)
    labels = np.where(cubes[2], 4, np.where(cubes[1], 1, np.where(cubes[0], 2, 0))).astype(np.uint8)
    for case in ("A", "B", "C"):
        write_volume(data / "predictions" / "right" / f"{case}.nii.gz", labels, small.grid)
    cohort = discover(data, labels="brats2023", model_labels={"right": "brats2021"})
    workspace = Workspace.open(tmp_path / "mixed", data)
    save_cohort(cohort, workspace)
    outputs, _, _ = run(workspace, "fuse", {"method": "majority"})
    assert np.array_equal(read_label_map(outputs / "predictions" / "A.nii.gz"), small.labels.paint(small.truth))


def test_a_finished_run_is_a_further_model_of_the_cohort(fused):
    cohort = load_cohort(fused.workspace)
    with_runs = jobs.with_runs(cohort, fused.workspace)
    assert {"left", "mine", "right", "true"} <= set(with_runs.models)
    assert cohort.models == ["left", "right", "true"]
    assert with_runs["A"].convention_of("mine") == cohort["A"].labels
    assert with_runs["A"].predictions["mine"].is_file()


def test_a_run_can_be_post_processed_in_turn(workspace):
    run(workspace, "fuse", {"method": "majority"}, name="mine")
    _, summary, _ = run(workspace, "postprocess", {"model": "mine"}, name="polished")
    assert summary["source"] == "mine"
    assert summary["note"].startswith("1 of 3 cases: no reference")


def with_islands(small) -> np.ndarray:
    """The true tumour with an ET island of 4 voxels in the core and a spot of 5 voxels far from it."""
    regions = small.truth.copy()
    z, y, x = (length // 2 for length in small.grid.size[::-1])
    regions[2, z, y + 5, x : x + 2] = True
    regions[:, 1, 1, 1:6] = True
    return regions


def test_post_processing_removes_the_islands_and_says_what_it_was_worth(data, tmp_path, small):
    for case in ("A", "B", "C"):
        small.write_label_map(data / "predictions" / "true" / f"{case}.nii.gz", with_islands(small))
    parameters = {"model": "true", "minimum_voxels": {"WT": 10, "ET": 10}}
    outputs, summary, _ = run(small.opened(data, tmp_path / "islands"), "postprocess", parameters)
    assert np.array_equal(read_label_map(outputs / "predictions" / "A.nii.gz"), small.labels.paint(small.truth))
    rows = table(outputs, "before_after.csv")
    assert value(rows, "A", "ET", "dice", "after") == 1.0
    assert value(rows, "A", "ET", "dice", "change") > 0
    changes = table(outputs, "changes.csv")
    assert changes[changes["case"] == "A"].set_index("region")["removed_voxels"].to_dict() == {
        "WT": 5,
        "TC": 5,
        "ET": 7,
    }
    assert summary["changes"]["WT"]["removed_components"] == 3


def test_without_reference_post_processing_is_scored_against_the_other_models(data, tmp_path, small):
    for case in ("A", "B", "C"):
        small.write_label_map(data / "predictions" / "true" / f"{case}.nii.gz", with_islands(small))
    parameters = {"model": "true", "minimum_voxels": {"WT": 10}}
    outputs, _, _ = run(small.opened(data, tmp_path / "others"), "postprocess", parameters)
    scores, rows = table(outputs, "scores.csv"), table(outputs, "before_after.csv")
    assert set(scores[scores["case"] == "C"]["convention"]) == {"brats2023" + CONSENSUS}
    assert set(scores[scores["case"] == "A"]["convention"]) == {"brats2023"}
    overlap = small.cubes(-2) & small.cubes(2)
    expected = 2 * (overlap & small.truth)[0].sum() / (overlap[0].sum() + small.truth[0].sum())
    assert value(rows, "C", "WT", "dice", "after") == pytest.approx(expected)


def test_a_model_without_a_case_is_a_problem_where_that_case_is_asked_for(data, tmp_path, small):
    (data / "predictions" / "left" / "B.nii.gz").unlink()
    (data / "predictions" / "left" / "B.npz").unlink()
    workspace = small.opened(data, tmp_path / "gap")
    _, summary, events = run(workspace, "postprocess", {"model": "left"})
    assert summary["cases"] == 2
    assert not [event for event in events if event["event"] == "problem"]
    _, summary, events = run(workspace, "postprocess", {"model": "left", "cases": ["A", "B"]}, name="named")
    assert [e["message"] for e in events if e["event"] == "problem"] == ["left cannot be used: no prediction"]
    assert summary["cases"] == 1


def test_only_the_named_cases_are_done(workspace):
    outputs, summary, _ = run(workspace, "fuse", {"method": "majority", "cases": ["B"]})
    assert summary["cases"] == 1
    assert [path.name for path in (outputs / "predictions").iterdir()] == ["B.nii.gz"]


def test_case_names_with_spaces_and_umlauts_work(tmp_path, small):
    folder = tmp_path / "über alles"
    small.write_case(folder, "Fall_ä")
    _, summary, _ = run(small.opened(folder, tmp_path / "Ausgabe hier"), "fuse", {"method": "majority"})
    assert summary["cases"] == 1


@pytest.mark.slow
def test_real_cases_without_reference(real_data, tmp_path):
    outputs, summary, _ = run(opened_real(real_data, tmp_path), "fuse", {"method": "majority"})
    assert summary["note"].startswith("2 of 2 cases: no reference")
    rows = table(outputs, "before_after.csv")
    assert (rows[rows["metric"] == "agreement"]["change"] > 0).all()


def opened_real(real_data, tmp_path):
    workspace = Workspace.open(tmp_path / "lgg", real_data / "tcga-lgg")
    save_cohort(discover(real_data / "tcga-lgg"), workspace)
    return workspace
