"""A job's description: what can be asked for, and what is refused before anything starts."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from BraTSRefineLib import jobs
from BraTSRefineLib.jobs import JobError

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def workspace(tmp_path) -> Path:
    """A workspace whose cohort has two cases and two models."""
    folder = tmp_path / "Arbeitsplatz für alle"
    folder.mkdir()
    (folder / "cohort.csv").write_text(
        "case,center,person,reference,predictions/unet,predictions/swin\nA 1,X,p,,a,b\nB,Y,q,,c,d\n", encoding="utf-8"
    )
    return folder


def tampered(job_json: Path, **changes: object) -> Path:
    content = json.loads(job_json.read_text(encoding="utf-8")) | changes
    job_json.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
    return job_json


def test_a_created_job_reads_back_with_its_defaults(workspace):
    path = jobs.create(workspace, "fuse", {"method": "majority"})
    job = jobs.read(path)
    assert (job.kind, job.workspace, job.folder) == ("fuse", workspace, path.parent)
    assert job.parameters == {
        "models": None,
        "method": "majority",
        "weights": None,
        "cases": None,
        "convention": None,
    }


def test_the_description_is_plain_json(workspace):
    content = json.loads(jobs.create(workspace, "select", {"k": 3}).read_text(encoding="utf-8"))
    assert content["kind"] == "select"
    assert content["parameters"] == {"k": 3, "region": "ET"}


def test_a_name_is_the_kind_and_the_time_and_never_taken_twice(workspace):
    names = [jobs.create(workspace, "report").parent.name for _ in range(3)]
    assert len(set(names)) == 3
    assert all(name.startswith("report-20") for name in names)


def test_a_chosen_name_that_is_taken_is_refused(workspace):
    jobs.create(workspace, "report", name="mine")
    with pytest.raises(JobError, match="a run 'mine' is already"):
        jobs.create(workspace, "report", name="mine")


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("dream", {}, "unknown kind of job 'dream': use one of score, uncertainty"),
        ("fuse", {"modles": []}, "unknown parameter 'modles'; it knows models, method"),
        ("fuse", {"method": "median"}, 'method is "median", expected "mean" or "majority" or "weighted" or'),
        ("fuse", {"weights": {"WT": {"unet": 1}}}, "weights is .*expected null, a file of weights, or"),
        ("fuse", {"weights": {"WT": {"unet": "1"}, "TC": {}, "ET": {}}}, "weights is "),
        ("fit_weights", {"method": "magic"}, 'method is "magic", expected "select" or "dirichlet"'),
        ("fit_weights", {"folds": 1}, "folds is 1, expected a whole number from 2"),
        ("fit_weights", {"max_models": 0}, "max_models is 0, expected null or a whole number from 1"),
        ("fuse", {"models": ["unet", "nnU"]}, "no model 'nnU' in the cohort; it has unet, swin"),
        ("fuse", {"models": []}, "models is \\[\\], expected null or a list"),
        ("fuse", {"cases": ["C"]}, "no case 'C' in the cohort; it has A 1, B"),
        ("postprocess", {}, 'model is "", expected the name of a model'),
        ("postprocess", {"model": "nnU"}, "no model 'nnU'"),
        ("postprocess", {"model": "unet", "minimum_voxels": {"ET": -1}}, "minimum_voxels is"),
        ("postprocess", {"model": "unet", "minimum_voxels": {"NCR": 1}}, "minimum_voxels is"),
        ("postprocess", {"model": "unet", "hierarchy": "no"}, "hierarchy is"),
        ("predict", {"paths": ["model"], "before": "nnU"}, "no model 'nnU' in the cohort; it has unet, swin"),
        ("select", {"k": 0}, "k is 0, expected a whole number from 1"),
        ("select", {"region": "NCR"}, "region is"),
        ("uncertainty", {"threshold": -0.1}, "threshold is -0.1"),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_no_run(workspace, kind, parameters, message):
    with pytest.raises(JobError, match=message):
        jobs.create(workspace, kind, parameters)
    assert not (workspace / "runs").exists()


def test_models_and_cases_of_the_cohort_are_accepted(workspace):
    assert jobs.create(workspace, "fuse", {"models": ["unet", "swin"], "cases": ["A 1"]}).is_file()


@pytest.mark.parametrize("name", ["../out", ".hidden", "a/b", "", "x" * 200])
def test_a_name_that_leaves_the_folder_is_refused(workspace, name):
    with pytest.raises(JobError):
        jobs.create(workspace, "report", name=name or " ")


def test_a_run_cannot_take_a_model_s_name(workspace):
    with pytest.raises(JobError, match="is the name of a model"):
        jobs.create(workspace, "fuse", name="unet")


def test_a_workspace_without_a_cohort_says_so(tmp_path):
    with pytest.raises(JobError, match="no cohort in this workspace"):
        jobs.create(tmp_path, "score")


def test_a_finished_run_with_predictions_is_a_model_that_can_be_named(workspace):
    (workspace / "runs" / "mine" / "outputs" / "predictions").mkdir(parents=True)
    assert jobs.create(workspace, "postprocess", {"model": "mine"}).is_file()


@pytest.mark.parametrize("key", ["kind", "name", "workspace", "parameters"])
def test_a_missing_key_is_named(workspace, key):
    with pytest.raises(JobError, match=f"has no '{key}'"):
        jobs.read(tampered(jobs.create(workspace, "report"), **{key: None}))


def test_a_hand_written_job_is_checked_like_a_created_one(workspace):
    with pytest.raises(JobError, match="no model 'nnU'"):
        jobs.read(tampered(jobs.create(workspace, "fuse"), parameters={"models": ["nnU", "unet"]}))


def test_a_job_in_a_workspace_that_was_moved_with_its_models_is_read(workspace, tmp_path):
    near, far = str(tmp_path / "nets" / "a"), "/elsewhere/nets/b"
    path = jobs.create(workspace, "predict", {"paths": [near, far, "nets/c"]})
    assert jobs.read(path).parameters["paths"] == [near, far, "nets/c"]
    assert str(tmp_path) not in path.read_text(encoding="utf-8")
    moved = tmp_path / "new" / "W"
    moved.parent.mkdir()
    workspace.rename(moved)
    job = jobs.read(moved / path.relative_to(workspace))
    assert job.workspace == moved
    assert job.parameters["paths"][0] == str(tmp_path / "new" / "nets" / "a")


def test_a_job_that_an_older_version_wrote_with_whole_paths_is_read(workspace):
    path = tampered(jobs.create(workspace, "report"), workspace=str(workspace))
    assert jobs.read(path).workspace == workspace


def test_a_moved_workspace_is_noticed(workspace, tmp_path):
    path = jobs.create(workspace, "report")
    with pytest.raises(JobError, match="the workspace was moved"):
        jobs.read(tampered(path, name="another"))


def test_only_json_is_read(workspace):
    path = jobs.create(workspace, "report")
    path.write_bytes(pickle.dumps({"kind": "report"}))
    with pytest.raises(JobError, match="not JSON"):
        jobs.read(path)
    path.write_text("[1, 2]")
    with pytest.raises(JobError, match="not a job"):
        jobs.read(path)


def test_a_missing_description_is_named(workspace):
    with pytest.raises(JobError, match=r"job\.json: not readable \(No such file"):
        jobs.read(workspace / "runs" / "none" / "job.json")


def test_a_new_job_is_in_the_list_as_created(workspace):
    path = jobs.create(workspace, "report", name="mine")
    assert jobs.state(path.parent) == "created"
    assert [(run.name, run.kind, run.state) for run in jobs.runs(workspace)] == [("mine", "report", "created")]


def test_creating_and_listing_jobs_imports_nothing_heavy(workspace):
    script = (
        "import sys; from BraTSRefineLib import jobs;"
        "jobs.state(jobs.create(sys.argv[1], 'report').parent);"
        "jobs.runs(sys.argv[1]); print(sorted({'numpy', 'pandas', 'SimpleITK', 'torch', 'scipy'} & set(sys.modules)))"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", script, str(workspace)], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.strip() == "[]"
