"""Weights fitted in a job, kept in the workspace, and fused with."""

from __future__ import annotations

import importlib
import io
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib import jobs
from BraTSRefineLib.cohort import Workspace, load_cohort, read_label_map
from BraTSRefineLib.commands import fusing
from BraTSRefineLib.commands.options import UsageError
from BraTSRefineLib.jobs import JobError
from BraTSRefineLib.jobs.context import Context
from BraTSRefineLib.regions import REGIONS

SHIFTS = {"good": 0, "poor": 4, "poorer": 4}


def write_cases(folder: Path, small: SimpleNamespace, count: int, probabilities: bool = True) -> Path:
    """Cases of one sound model and two that err alike, so that the plain mean errs with them."""
    for number in range(count):
        case = f"case {number:02}"
        small.write_label_map(folder / "cases" / case / f"{case}-seg.nii.gz", small.truth)
        for model, shift in SHIFTS.items():
            regions = small.cubes(shift)
            small.write_label_map(folder / "predictions" / model / f"{case}.nii.gz", regions)
            if probabilities:
                values = np.where(regions, 0.9, 0.1).astype(np.float16)
                np.savez_compressed(folder / "predictions" / model / f"{case}.npz", probabilities=values)
    return folder


DAMAGES = {
    "weights of version 0, this is 1: fit them again": {"version": 0},
    "weights of other, which this cohort does not have": {
        "models": ["other", "good"],
        "regions": {region: {"other": 1.0} for region in REGIONS},
    },
    "weights of TC, ET are missing": {"regions": {"WT": {"good": 1.0}}},
    "weights are numbers from 0 on": {"regions": {region: {"good": -1.0} for region in REGIONS}},
    "weights that are damaged": {"surplus": 1},
}


def run(workspace, kind, parameters=None, name="mine"):
    """The run's outputs folder, its summary and the messages of its problems; without a process of its own."""
    job = jobs.read(jobs.create(workspace, kind, parameters or {}, name=name))
    context = Context(job, job.folder / "outputs", io.StringIO())
    summary = importlib.import_module(f"BraTSRefineLib.jobs.actions.{kind}").run(context)
    events = [json.loads(line) for line in context.events.getvalue().splitlines()]
    if (context.staged.root / "weights").is_dir():
        shutil.copytree(context.staged.root / "weights", workspace.root / "weights", dirs_exist_ok=True)
    return context.outputs, summary, [event["message"] for event in events if event["event"] == "problem"]


@pytest.fixture
def twelve(tmp_path, small) -> Path:
    return write_cases(tmp_path / "zwölf", small, 12)


@pytest.fixture
def workspace(twelve, tmp_path, small) -> Workspace:
    return small.opened(twelve, tmp_path / "workspace")


@pytest.fixture
def two(tmp_path, small) -> Path:
    return write_cases(tmp_path / "zwei", small, 2)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory, small) -> SimpleNamespace:
    """Twelve cases and their workspace after a finished job "fit": for tests that only look or fuse."""
    folder = tmp_path_factory.mktemp("fitted")
    data = write_cases(folder / "data", small, 12)
    workspace = small.opened(data, folder / "workspace")
    summary = jobs.run(jobs.create(workspace, "fit_weights", name="fit"))
    return SimpleNamespace(data=data, workspace=workspace, summary=summary)


def weights_file(workspace, name="select") -> dict:
    return json.loads((workspace.root / "weights" / f"{name}.json").read_text(encoding="utf-8"))


def test_the_sound_model_gets_the_weight_and_the_gain_is_told(fitted):
    summary = fitted.summary
    assert summary["weights"]["WT"] == {"good": 1.0, "poor": 0.0, "poorer": 0.0}
    told = summary["dice_on_held_out_cases"]
    assert told["WT"]["held_out"] == 1.0
    assert told["WT"]["gain"] == pytest.approx(1.0 - told["WT"]["plain_mean"])
    assert told["overall"]["low"] <= told["overall"]["gain"] <= told["overall"]["high"]
    assert {row["used"] for region, row in told.items() if region != "overall"} == {"fitted"}
    assert summary["best_single_or_pair"] == {"models": "good", "dice": 1.0}
    assert (summary["cases"], summary["patients"]) == (12, 12)


def test_the_file_says_what_it_was_fitted_on(fitted):
    content = weights_file(fitted.workspace)
    assert content["models"] == ["good", "poor", "poorer"]
    assert content["sources"] == dict.fromkeys(SHIFTS, "probabilities")
    assert content["cases"] == [f"case {number:02}" for number in range(12)]
    assert len(content["split"]) == 64
    assert content["judged"]["ET"]["used"] == "fitted"
    assert not list(fitted.workspace.root.rglob(".partial-*"))


def test_another_split_has_another_hash_and_the_same_seed_the_same_file(workspace):
    run(workspace, "fit_weights", {"save_as": "a"}, name="a")
    run(workspace, "fit_weights", {"save_as": "b"}, name="b")
    run(workspace, "fit_weights", {"save_as": "c", "seed": 1}, name="c")
    first, same, other = (weights_file(workspace, name) for name in "abc")
    assert first == same
    assert first["split"] != other["split"]


@pytest.mark.parametrize("method", ["weighted", "select"])
def test_the_newest_weights_are_fused_with_and_their_own_cases_are_called_optimistic(fitted, small, method):
    parameters = {"method": method, "cases": ["case 00", "case 01"]}
    outputs, summary, _ = run(fitted.workspace, "fuse", parameters, name=method)
    label_map = read_label_map(outputs / "predictions" / "case_00.nii.gz")
    assert np.array_equal(label_map, small.labels.paint(small.truth))
    assert summary["weights"] == fitted.summary["weights_file"]
    assert summary["optimistic"].startswith("2 of 2 cases were among those that the weights were fitted on")
    assert set(pd.read_csv(outputs / "members.csv")["model"]) == {"good"}


def test_label_maps_count_as_zero_and_one_where_a_model_lacks_probabilities(twelve, tmp_path, small):
    (twelve / "predictions" / "poor" / "case 03.npz").unlink()
    workspace = small.opened(twelve, tmp_path / "one-less")
    _, summary, _ = run(workspace, "fit_weights", name="fit")
    assert summary["by_label_maps"] == ["poor"]
    assert weights_file(workspace)["sources"]["poor"] == "labels"


def test_a_label_map_votes_where_fusing_finds_no_probabilities(two, tmp_path, small):
    (two / "predictions" / "good" / "case 01.npz").unlink()
    stated = {region: {"good": 3, "poor": 1} for region in REGIONS}
    parameters = {"method": "weighted", "weights": stated}
    outputs, summary, problems = run(small.opened(two, tmp_path / "votes"), "fuse", parameters)
    assert problems == ["no probability map of good: the label map votes instead"]
    assert np.array_equal(read_label_map(outputs / "predictions" / "case_01.nii.gz"), small.labels.paint(small.truth))
    assert summary["weights"] == "stated"
    assert summary["members"] == ["good", "poor"]


def test_a_model_that_is_missing_leaves_its_weight_to_the_others_and_that_is_told(two, tmp_path, small):
    for path in (two / "predictions" / "good").glob("case 01.*"):
        path.unlink()
    stated = {region: {"good": 3, "poor": 1, "poorer": 1} for region in REGIONS}
    parameters = {"method": "weighted", "weights": stated}
    outputs, _, problems = run(small.opened(two, tmp_path / "gap"), "fuse", parameters)
    assert problems == ["fused without good: the other models take over the weight"]
    assert np.array_equal(
        read_label_map(outputs / "predictions" / "case_01.nii.gz"), small.labels.paint(small.cubes(4))
    )


def test_a_case_in_which_no_model_with_weight_can_be_used_is_a_problem_of_that_case(two, tmp_path, small):
    for path in (two / "predictions" / "good").glob("case 01.*"):
        path.unlink()
    stated = {region: {"good": 1, "poor": 0, "poorer": 0} for region in REGIONS}
    workspace = small.opened(two, tmp_path / "nobody")
    _, summary, problems = run(workspace, "fuse", {"method": "weighted", "weights": stated})
    assert summary["cases"] == 1
    assert "no model that has weight in WT can be used; it takes one of good" in problems[-1]


def test_cases_that_lack_a_model_or_a_reference_are_left_out_and_counted(tmp_path, small):
    folder = write_cases(tmp_path / "data", small, 13)
    (folder / "cases" / "case 00" / "case 00-seg.nii.gz").unlink()
    for path in (folder / "predictions" / "poor").glob("case 01.*"):
        path.unlink()
    _, summary, _ = run(small.opened(folder, tmp_path / "w"), "fit_weights")
    assert summary["cases"] == 11
    assert summary["left_out"] == {"no reference": 1, "no usable prediction of poor": 1}


def test_few_patients_teach_nothing_and_the_plain_mean_is_kept(tmp_path, small):
    workspace = small.opened(write_cases(tmp_path / "four", small, 4, probabilities=False), tmp_path / "w")
    _, summary, _ = run(workspace, "fit_weights")
    assert summary["weights"]["ET"] == {"good": pytest.approx(1 / 3)} | dict.fromkeys(["poor", "poorer"], 1 / 3)
    assert summary["decision"]["WT"]["because"].startswith("4 patients are too few to learn from (at least 10)")
    assert "overall" not in summary["dice_on_held_out_cases"]
    assert weights_file(workspace)["judged"]["WT"]["gain"] is None


def test_centres_can_be_held_out_in_turn(twelve, tmp_path, small):
    rows = "\n".join(f"case {number:02},{'ABC'[number % 3]}" for number in range(12))
    (twelve / "centers.csv").write_text(f"case,center\n{rows}\n")
    _, summary, _ = run(small.opened(twelve, tmp_path / "centres"), "fit_weights", {"by": "center"})
    assert summary["dice_on_held_out_cases"]["WT"]["used"] == "fitted"


def test_without_centres_none_can_be_held_out(workspace):
    with pytest.raises(JobError, match="name no two centres"):
        run(workspace, "fit_weights", {"by": "center"})


def test_broken_probabilities_leave_their_case_out(twelve, tmp_path, small):
    broken = np.full((3, *small.truth.shape[1:]), np.nan, np.float32)
    np.savez_compressed(twelve / "predictions" / "good" / "case 05.npz", probabilities=broken)
    _, summary, problems = run(small.opened(twelve, tmp_path / "nan"), "fit_weights")
    assert summary["cases"] == 11
    assert "values from nan to nan are no probabilities" in problems[0]


def test_nothing_to_learn_from_is_said(data, tmp_path, small):
    for path in data.rglob("*-seg.nii.gz"):
        path.unlink()
    workspace = small.opened(data, tmp_path / "w")
    with pytest.raises(JobError, match=r"no case can be learnt from \(3 x no reference\)"):
        run(workspace, "fit_weights")
    with pytest.raises(JobError, match="at least two models; there is left"):
        run(workspace, "fit_weights", {"models": ["left"]}, name="one")


def test_weights_that_do_not_fit_are_refused(workspace, tmp_path):
    run(workspace, "fit_weights", {"models": ["good", "poor"], "method": "dirichlet"}, name="fit")
    path = workspace.root / "weights" / "dirichlet.json"
    refusals = {
        "no weights for the method select": {"method": "select"},
        "the weights are dirichlet, not select": {"method": "select", "weights": "dirichlet"},
        "the weights are of good, poor, the job names good, poorer": {"models": ["good", "poorer"]},
        "weights cannot be read": {"weights": str(tmp_path / "none.json")},
        "takes no weights": {"method": "mean", "weights": "dirichlet"},
    }
    for number, (message, parameters) in enumerate(refusals.items()):
        with pytest.raises(JobError, match=message):
            run(workspace, "fuse", {"method": "weighted", **parameters}, name=f"refused-{number}")
    for number, (message, change) in enumerate(DAMAGES.items()):
        spoilt = path.with_name("spoilt.json")
        spoilt.write_text(json.dumps(json.loads(path.read_text()) | change))
        with pytest.raises(JobError, match=message):
            run(workspace, "fuse", {"method": "weighted", "weights": "spoilt"}, name=f"spoilt-{number}")


@pytest.mark.parametrize("method", ["staple", "simple"])
def test_votes_by_performance_find_the_truth_between_two_that_are_shifted_apart(data, tmp_path, small, method):
    """Of the three cases A has a reference and C has none; each voter is a shifted truth but one."""
    outputs, summary, _ = run(small.opened(data, tmp_path / "votes"), "fuse", {"method": method})
    label_map = read_label_map(outputs / "predictions" / "A.nii.gz")
    assert np.array_equal(label_map, small.labels.paint(small.truth))
    assert summary["method"] == method
    assert summary["before_after"]["WT"]["dice_after"] == 1.0


def test_from_the_command_line_weights_are_fitted_told_and_fused_with(bratsrefine, answer, fitted, tmp_path):
    options = (fitted.data, "--workspace", tmp_path / "w", "--labels", "brats2023")
    fit = bratsrefine("fit-weights", *options, "--max-models", 2, "--name", "mine")
    assert fit.returncode == 0, fit.stderr
    assert "dice on held out cases" in fit.stdout
    assert (tmp_path / "w" / "weights" / "mine.json").is_file()
    fused = answer("fuse", *options, "--method", "select", "--weights", "mine")
    assert fused["before_after"]["ET"]["dice_after"] == 1.0


def test_arguments_that_make_no_sense_are_refused(fitted):
    with pytest.raises(UsageError, match="give one of them"):
        fusing.fuse(fitted.data, weights="a", weight=["good=1"])
    with pytest.raises(UsageError, match="no case of split 'val'; the cohort has no splits"):
        fusing.cases_of_split(load_cohort(fitted.workspace), "val")


def test_stated_weights_hold_for_all_regions_unless_one_is_named():
    weights = fusing.stated_weights(["ET:unet=0", "unet=0.7", "swin=0.3"])
    assert weights["WT"] == weights["TC"] == {"unet": 0.7, "swin": 0.3}
    assert weights["ET"] == {"unet": 0.0, "swin": 0.3}
    with pytest.raises(UsageError, match="MODEL=NUMBER, not 'unet=much'"):
        fusing.stated_weights(["unet=much"])
