"""The predict job on real nnU-Net results folders with small random networks."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from described_networks import entries, written
from nnunet_results import simulated_case, write_results
from predictable_cases import write_images

from BraTSRefineLib import jobs
from BraTSRefineLib.cohort import (
    Workspace,
    discover,
    load_cohort,
    read_geometry,
    read_image,
    read_probabilities,
    save_cohort,
)
from BraTSRefineLib.cohort.volumes import write_volume
from BraTSRefineLib.inference import InferenceError
from BraTSRefineLib.inference.models import open_models
from BraTSRefineLib.inference.predict import predict_case
from BraTSRefineLib.jobs import JobError
from BraTSRefineLib.jobs.actions import disk, predict
from BraTSRefineLib.jobs.actions.disk import disk_of
from BraTSRefineLib.jobs.actions.fast_check import known_loss
from BraTSRefineLib.jobs.context import Context
from BraTSRefineLib.jobs.description import Job, checked
from BraTSRefineLib.jobs.predicted import Predicted
from BraTSRefineLib.jobs.prediction_work import PredictSettings

QUANTITIES = ("mean", "variance", "entropy", "expected_entropy", "mutual_information")
CASES = {"A": 1, "B": 2, "C": 3}


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return write_results(tmp_path_factory.mktemp("results"), folds=(0, 1))


@pytest.fixture
def workspace(tmp_path, small) -> Workspace:
    for name, seed in CASES.items():
        write_images(tmp_path / "data", name, seed)
    return small.opened(tmp_path / "data", tmp_path / "workspace")


def run(workspace: Workspace, run_name: str = "run", /, **parameters) -> tuple[dict, list[dict]]:
    """The job's action in this process: its summary and the events that it told."""
    job = checked(Job("predict", run_name, workspace.root, {"device": "cpu", **parameters}))
    events, outputs = io.StringIO(), job.folder / "outputs"
    outputs.mkdir(parents=True)
    summary = predict.run(Context(job, outputs, events))
    return summary, [json.loads(line) for line in events.getvalue().splitlines()]


def test_label_maps_and_maps_are_those_of_predict_case_on_the_grid_of_the_case(workspace, model):
    summary, _ = run(workspace, paths=[str(model)], tta="flips:x", cases=["A"])
    expected = predict_case(simulated_case(seed=1, name="A"), open_models(model), tta="flips:x", device="cpu")
    name = summary["model"]
    label_map = workspace.prediction_path(name, "A")
    assert np.array_equal(read_image(label_map), expected.label_map)
    assert read_geometry(label_map).difference(simulated_case().geometry) == ""
    for quantity in QUANTITIES:
        attribute = "probability" if quantity == "mean" else quantity
        for level, region in enumerate(expected.regions):
            written = read_image(workspace.model_map_path(name, "A", region, quantity))
            assert np.abs(written - getattr(expected, attribute)[level]).max() < 1e-6


def test_what_each_model_says_alone_is_kept_and_named_in_the_record(workspace, model):
    summary, _ = run(workspace, paths=[str(model)], cases=["A"])
    expected = predict_case(simulated_case(seed=1, name="A"), open_models(model), device="cpu").own_labels
    files = Predicted(workspace, summary["model"]).members("A")
    assert list(files) == list(expected) and len(files) == 2
    for name, path in files.items():
        assert path.is_relative_to(workspace.root / "members" / summary["model"] / "A")
        assert np.array_equal(read_image(path), expected[name])
        assert read_geometry(path).difference(simulated_case().geometry) == ""
    alone, _ = run(workspace, "alone", paths=[str(model)], folds=[1], cases=["A"])
    assert Predicted(workspace, alone["model"]).members("A") == {}
    assert Predicted(workspace, "never predicted").members("A") == {}


def test_the_name_is_made_of_configuration_and_augmentation_and_the_model_is_one_of_the_cohort(workspace, model):
    summary, _ = run(workspace, paths=[str(model)], folds=[1])
    assert summary["model"] == "3d_fullres-fold1"
    cohort = jobs.with_runs(jobs.context.load_cohort(workspace), workspace)
    assert cohort.models == ["3d_fullres-fold1"]
    probabilities = read_probabilities(cohort["B"].probabilities["3d_fullres-fold1"], cohort["B"])
    assert np.array_equal(probabilities[1], read_image(workspace.model_map_path(summary["model"], "B", "TC", "mean")))


def test_the_name_of_a_description_with_spaces_is_one_that_a_folder_can_have(tmp_path):
    described = written(tmp_path, entries(), "my net.yaml")
    assert predict.default_name(PredictSettings((str(described),), tta="flips:x")) == "my_net-flipsx"


def test_scores_and_before_and_after_lie_in_the_run(tmp_path, model, small):
    for name, seed in CASES.items():
        write_images(tmp_path / "data" / "cases", name, seed)
        reference = tmp_path / "data" / "cases" / name / f"{name}-seg.nii.gz"
        write_volume(
            tmp_path / "data" / "predictions" / "old" / f"{name}.nii.gz",
            read_image(reference),
            read_geometry(reference),
        )
    workspace = small.opened(tmp_path / "data", tmp_path / "workspace")
    summary, _ = run(workspace, paths=[str(model)])
    assert summary["before_after"]["WT"]["dice_before"] == 1.0
    outputs = workspace.run("run") / "outputs"
    scores = pd.read_csv(outputs / "scores.csv")
    assert set(scores["model"]) == {"3d_fullres"}
    assert set(pd.read_csv(outputs / "before_after.csv")["case"]) == set(CASES)
    with pytest.raises(JobError, match="'old' is the name of a model of the cohort"):
        run(workspace, "again", paths=[str(model)], name="old")


def test_what_is_done_is_not_done_again_unless_its_images_changed(workspace, model):
    run(workspace, "first", paths=[str(model)], cases=["A", "B"])
    before = {case: workspace.prediction_path("3d_fullres", case).stat().st_mtime_ns for case in "AB"}
    image = next(path for path in (workspace.root.parent / "data" / "B").glob("*t1n*"))
    os.utime(image)
    summary, _ = run(workspace, "second", paths=[str(model)])
    assert summary["unchanged"] == 1
    after = {case: workspace.prediction_path("3d_fullres", case).stat().st_mtime_ns for case in "ABC"}
    assert after["A"] == before["A"]
    assert after["B"] > before["B"]


def test_other_settings_or_weights_under_the_same_name_are_refused(workspace, model, tmp_path):
    run(workspace, "first", paths=[str(model)], cases=["A"], name="mine")
    with pytest.raises(JobError, match=r"tta none, not flips:z; give this prediction another --name"):
        run(workspace, "second", paths=[str(model)], tta="flips:z", name="mine")
    with pytest.raises(JobError, match="predicted with paths"):
        run(workspace, "third", paths=[str(write_results(tmp_path / "other", folds=(0,)))], name="mine")


def test_a_case_that_cannot_be_done_stops_no_other(workspace, model):
    data = workspace.root.parent / "data"
    (data / "A" / "A-t2f.nii.gz").unlink()
    voxels = np.full((26, 30, 28), np.nan, np.float32)
    write_volume(data / "B" / "B-t1c.nii.gz", voxels, simulated_case().geometry)
    save_cohort(discover(data, labels="brats2023"), workspace)
    summary, events = run(workspace, paths=[str(model)])
    problems = {event["case"]: event["message"] for event in events if event["event"] == "problem"}
    assert "t2f" in problems["A"]
    assert "t1c" in problems["B"]
    assert summary["cases"] == 1
    assert [event["step"] for event in events if event["event"] == "progress"] == [1, 2, 3]
    assert list(workspace.predictions.glob("*/A*")) == list(workspace.maps.glob("*/B*")) == []


def test_an_image_that_went_away_since_the_cohort_was_opened_stops_no_other_case(workspace, model):
    (workspace.root.parent / "data" / "A" / "A-t1c.nii.gz").unlink()
    summary, events = run(workspace, paths=[str(model)], folds=[0], cases=["A", "B"])
    problems = {event["case"]: event["message"] for event in events if event["event"] == "problem"}
    assert list(problems) == ["A"]
    assert "A-t1c.nii.gz" in problems["A"]
    assert summary["cases"] == 1


def test_where_no_case_can_be_done_the_job_fails(workspace, model):
    for path in (workspace.root.parent / "data").glob("*/*t2w*"):
        path.unlink()
    save_cohort(discover(workspace.root.parent / "data", labels="brats2023"), workspace)
    with pytest.raises(JobError, match="no case could be done"):
        run(workspace, paths=[str(model)])
    with pytest.raises(JobError, match=r"no case can be predicted: .*t2w"):
        run(workspace, "dry", paths=[str(model)], dry_run=True)


def test_what_adaptation_did_is_in_the_record_of_the_case(workspace, model):
    summary, _ = run(workspace, paths=[str(model)], cases=["A"], adapt="tent")
    assert summary["model"] == "3d_fullres-tent"
    record = json.loads((workspace.predictions / "3d_fullres-tent" / "A.json").read_text())
    assert {"ended", "steps", "entropy_before"} <= set(next(iter(record["adapted"].values())))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"adapt": "chameleon"}, 'adapt is "chameleon"'),
        ({"folds": [7]}, "fold 7 has no checkpoint_final.pth"),
        ({"tta": "somersault"}, "unknown test-time augmentation 'somersault'"),
        ({"device": "abacus"}, "device 'abacus' cannot be used"),
        ({"name": "A"}, "'A' is the name of a case"),
        ({"paths": ["nowhere"]}, "no such file or folder"),
    ],
)
def test_settings_that_cannot_be_used_are_named(workspace, model, parameters, message):
    with pytest.raises((JobError, InferenceError), match=message):
        run(workspace, **{"paths": [str(model)], **parameters})


def test_a_model_may_not_share_the_folder_of_a_case_whose_name_is_no_file_s(model, tmp_path, small):
    write_images(tmp_path / "data", "case 1", 1)
    workspace = small.opened(tmp_path / "data", tmp_path / "workspace")
    with pytest.raises(JobError, match=r"'case_1' is the name of a case \(case 1\)"):
        run(workspace, paths=[str(model)], name="case_1")


def test_a_dry_run_says_what_it_costs_and_writes_nothing(workspace, model):
    summary, _ = run(workspace, paths=[str(model)], tta="flips", dry_run=True)
    assert summary["members"] == 16
    assert summary["passes"] % 16 == 0
    assert "forward passes of 16 members, about" in summary["cost"]
    assert "of disk for 3 cases (" in summary["cost"]
    assert summary["free_gb"] > summary["disk_gb"] > 0
    assert summary["warning"] is None
    assert not workspace.predictions.exists()


def free_disk(monkeypatch, free: float) -> None:
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: SimpleNamespace(free=round(free)))


def test_the_disk_is_judged_by_shape_regions_and_quantities(workspace, model, monkeypatch):
    free_disk(monkeypatch, 0)
    cases, settings = load_cohort(workspace).cases, PredictSettings((str(model),))
    found = disk_of(cases, settings, workspace.root)
    voxels = 3 * 26 * 30 * 28
    labels = 3 * disk.LABEL_SHARE  # of the ensemble and of two folds
    assert found.most == pytest.approx(voxels * (3 * 5 * 4 * disk.MOST_SHARE + labels))
    means = disk_of(cases[:1], replace(settings, uncertainty=False), workspace.root)
    assert means.most == pytest.approx(voxels / 3 * (3 * 4 * disk.MOST_SHARE + labels))
    alone = disk_of(cases[:1], replace(settings, folds=("1",)), workspace.root)
    assert alone.most == pytest.approx(voxels / 3 * (3 * 5 * 4 * disk.MOST_SHARE + disk.LABEL_SHARE))
    assert (found.cases, means.cases) == (3, 1)


def test_what_is_written_is_of_the_size_that_was_told(workspace, model):
    told = disk_of(load_cohort(workspace).cases, PredictSettings((str(model),)), workspace.root)
    run(workspace, paths=[str(model)])
    files = [path for name in ("maps", "predictions", "members") for path in (workspace.root / name).rglob("*.nii.gz")]
    taken = sum(path.stat().st_size for path in files)
    assert told.least / 2 < taken < told.most * 2
    done, _ = run(workspace, "again", paths=[str(model)], dry_run=True)
    assert done["disk_gb"] == 0, "what is there already takes nothing more"
    assert (done["cases"], done["unchanged"]) == (3, 3), "nor any time"
    assert "cases: about" not in done["cost"]


def test_a_disk_that_may_not_do_is_told_and_one_that_cannot_is_refused(workspace, model, monkeypatch):
    told = disk_of(load_cohort(workspace).cases, PredictSettings((str(model),)), workspace.root)
    free_disk(monkeypatch, (told.least + told.most) / 2)
    summary, _ = run(workspace, "dry", paths=[str(model)], dry_run=True)
    assert "3 cases will take about" in summary["warning"]
    _, events = run(workspace, "tight", paths=[str(model)], cases=["A", "B", "C"])
    assert any("free some, choose fewer cases" in event.get("message", "") for event in events)
    free_disk(monkeypatch, told.least - 1)
    with pytest.raises(JobError, match=r"3 cases will take about.*whose disk has"):
        run(workspace, "full", paths=[str(model)], name="other")
    assert list((workspace.predictions / "other").glob("*.nii.gz")) == []
    assert run(workspace, "more", paths=[str(model)])[0]["unchanged"] == 3, "nothing is left to be written"


def test_a_fast_mode_says_what_it_lost_on_the_first_case(workspace, model):
    summary, _ = run(workspace, paths=[str(model)], mode="fast-window", cases=["A", "B"])
    assert summary["model"] == "3d_fullres-fast-window"
    assert summary["mode_measured"].startswith("fast-window was ")
    assert summary["mode_measured"].endswith(" times as fast on A")
    exact = predict_case(simulated_case(seed=1, name="A"), open_models(model), device="cpu")
    fast = read_image(workspace.prediction_path(summary["model"], "A")) > 0
    dice = 2 * (fast & exact.labels[0]).sum() / (fast.sum() + exact.labels[0].sum())
    assert summary["against_exact"]["WT"]["dice"] == pytest.approx(dice)
    again, _ = run(workspace, "again", paths=[str(model)], mode="fast-window", cases=["A", "C"])
    assert {key: again[key] for key in ("mode_measured", "against_exact")} == {
        key: summary[key] for key in ("mode_measured", "against_exact")
    }, "what was measured once is kept"
    settings = PredictSettings((str(model),), mode="fast-window", device="cpu")
    assert known_loss(workspace, settings) == Predicted(workspace, summary["model"]).loss()
    assert known_loss(workspace, replace(settings, tta="flips")) is None


def test_what_a_fast_mode_loses_is_not_measured_on_a_single_case(workspace, model):
    summary, _ = run(workspace, paths=[str(model)], mode="fast-window", cases=["A"])
    assert summary["mode_measured"].startswith("no: that takes 2 cases")
    assert known_loss(workspace, PredictSettings((str(model),), mode="fast-window")) is None


def test_new_predictions_under_a_name_whose_folder_was_emptied_are_measured_anew(workspace, model):
    summary, _ = run(workspace, paths=[str(model)], mode="fast-window", cases=["A", "B"])
    made = Predicted(workspace, summary["model"])
    for path in made.folder.iterdir():
        path.unlink()
    run(workspace, "again", paths=[str(model)], mode="fast-window", cases=["A"])
    assert made.loss() is None


def test_one_forward_pass_after_the_other_is_told(workspace, model):
    _, events = run(workspace, paths=[str(model)], cases=["A"])
    passes = [event for event in events if event["event"] == "pass"]
    assert passes[-1]["done"] == passes[-1]["of"]
    assert {event["case"] for event in passes} == {"A"}
    assert any("no GPU is used" in event["message"] for event in events if event["event"] == "note")


def test_a_job_that_is_killed_goes_on_where_it_stopped(tmp_path, model, small):
    for number in range(5):
        write_images(tmp_path / "data", f"case{number}", number)
    workspace = small.opened(tmp_path / "data", tmp_path / "workspace")
    job_json = jobs.create(workspace, "predict", {"paths": [str(model)], "tta": "flips", "device": "cpu"}, name="job")
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "BraTSRefineLib.jobs", str(job_json)], stdout=subprocess.PIPE, start_new_session=True
    )
    while json.loads(supervisor.stdout.readline())["event"] != "progress":
        pass
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait() == 130
    supervisor.stdout.close()
    done = {path.name for path in workspace.predictions.glob("*/*.json")}
    assert 1 <= len(done) < 5
    assert {f"{path.name.removesuffix('.nii.gz')}.json" for path in workspace.predictions.glob("*/*.nii.gz")} >= done
    assert not list(workspace.root.rglob(".partial-*"))
    summary = jobs.run(job_json)
    assert summary["unchanged"] == len(done)
    assert summary["cases"] == 5


def test_a_cluster_gives_the_same_numbers_though_a_worker_dies(workspace, model, local_cluster):
    settings = {"paths": [str(model)], "device": "cpu", "seed": 3, "tta": "noise:0.1:2"}
    run(workspace, "here", name="here", **settings)
    with local_cluster(2) as cluster:
        job = Job(
            "predict", "there", workspace.root, settings | {"name": "there", "scheduler": cluster.scheduler_address}
        )
        outputs, events = job.folder / "outputs", OneWorkerKilled(cluster)
        outputs.mkdir(parents=True)
        summary = predict.run(Context(checked(job), outputs, events))
    assert events.killed
    assert summary["cases"] == 3
    for case in CASES:
        for quantity in QUANTITIES:
            maps = [workspace.model_map_path(name, case, "WT", quantity) for name in ("here", "there")]
            assert np.array_equal(*map(read_image, maps))


class OneWorkerKilled(io.StringIO):
    """Takes a job's events; when the first case is done, kills a worker that is at work on another."""

    def __init__(self, cluster) -> None:
        super().__init__()
        self._cluster, self.killed = cluster, False

    def write(self, line: str) -> int:
        if not self.killed and '"progress"' in line:
            busy = [state.name for state in self._cluster.scheduler.workers.values() if state.processing]
            os.kill(self._cluster.workers[busy[0]].pid, signal.SIGKILL)
            self.killed = True
        return super().write(line)
