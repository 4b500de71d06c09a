"""A folder above data, workspace and trained models may bear a patient's name: nothing that jobs leave tells it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from nnunet_results import write_results
from predictable_cases import write_images

from BraTSRefineLib import jobs
from BraTSRefineLib.cohort import Workspace, discover, load_cohort, read_geometry, read_image, save_cohort, write_volume
from BraTSRefineLib.cohort.workspace import write_json
from BraTSRefineLib.jobs import JobError
from BraTSRefineLib.jobs.predicted import Predicted, signatures

NAME = "Doe_Jane"
HELD_ONCE = {"cohort.json"}
"""Where the data lie is kept here and nowhere else."""


def ran(workspace: Workspace, kind: str, **parameters: object) -> list[dict]:
    """The events of a finished job, as it told them."""
    told: list[dict] = []
    jobs.run(jobs.create(workspace, kind, parameters, name=f"{kind}-run"), on_event=told.append)
    return told


def failed(workspace: Workspace, kind: str, **parameters: object) -> str:
    """Why the job failed, as it told it."""
    with pytest.raises(JobError) as error:
        jobs.run(jobs.create(workspace, kind, parameters, name=f"{kind}-failed"))
    return str(error.value)


def write_data(home: Path) -> None:
    """Three cases; predictions of two models elsewhere, one of no case; an image and a prediction of C are damaged."""
    for name, seed in {"A": 1, "B": 2, "C": 3}.items():
        write_images(home / "data" / "cases", name, seed)
        reference = home / "data" / "cases" / name / f"{name}-seg.nii.gz"
        for shift, model in enumerate(("one", "two")):
            voxels = np.roll(read_image(reference), shift, axis=2).astype(np.uint8)
            write_volume(home / "far" / model / f"{name}.nii.gz", voxels, read_geometry(reference))
    (home / "far" / "one" / "nobody.nii.gz").write_bytes((home / "far" / "one" / "A.nii.gz").read_bytes())
    for file in (home / "far" / "two" / "C.nii.gz", home / "data" / "cases" / "C" / "C-t1c.nii.gz"):
        file.write_bytes(file.read_bytes()[:-200])


@pytest.fixture(scope="module")
def worked(tmp_path_factory) -> SimpleNamespace:
    home = tmp_path_factory.mktemp("home") / NAME
    write_data(home)
    far = {model: home / "far" / model for model in ("one", "two")}
    workspace = Workspace.open(home / "workspace", home / "data")
    cohort = discover(home / "data" / "cases", predictions=far, labels="brats2023")
    save_cohort(cohort, workspace)
    model = write_results(home / "models")
    events = {kind: ran(workspace, kind) for kind in ("score", "uncertainty", "report")}
    events["select"] = ran(workspace, "select", region="WT")
    events["fuse"] = ran(workspace, "fuse", method="majority")
    events["fit_weights"] = ran(workspace, "fit_weights", method="soft-dice", folds=2, save_as="weights")
    events["predict"] = ran(workspace, "predict", paths=[str(model)], device="cpu")
    broken = write_results(home / "broken models")
    (broken / "fold_0" / "checkpoint_final.pth").write_bytes(b"no weights")
    message = failed(workspace, "predict", paths=[str(broken)], device="cpu", name="broken")
    return SimpleNamespace(home=home, cohort=cohort, workspace=workspace, model=model, events=events, message=message)


def content(path: Path) -> bytes:
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    return pd.read_parquet(path).to_csv().encode() if path.suffix == ".parquet" else path.read_bytes()


def test_no_file_tells_the_name_but_the_one_that_says_where_the_data_lie(worked):
    files = [path for path in worked.workspace.root.rglob("*") if path.is_file()]
    named = {path.relative_to(worked.workspace.root).as_posix() for path in files if NAME.encode() in content(path)}
    assert len(files) > 30
    assert named == HELD_ONCE


def test_a_trace_in_the_log_names_files_from_the_program_the_data_and_the_models(worked):
    log = (worked.workspace.run("predict-failed") / "log.txt").read_text(encoding="utf-8")
    assert "Traceback" in log
    assert 'File "<program>/BraTSRefineLib/jobs/worker.py", line ' in log
    assert "<model 1>/fold_0/checkpoint_final.pth" in log
    assert str(worked.home) in worked.message


def test_the_record_has_no_whole_path_and_who_reads_it_gets_them(worked):
    for kind, told in worked.events.items():
        folder = worked.workspace.run(f"{kind}-run")
        read = jobs.events(folder)
        assert read[0] == told[0]
        assert read[-1] == told[-1]
        assert read[-1]["outputs"] == str(folder / "outputs")
    assert read[-1]["summary"]["predictions"] == str(Predicted(worked.workspace, read[-1]["summary"]["model"]).folder)


def test_files_outside_of_the_root_are_found_again(worked):
    assert load_cohort(worked.workspace) == worked.cohort
    assert "<elsewhere-1>/A.nii.gz" in worked.workspace.cohort_csv.read_text(encoding="utf-8")


def test_a_job_s_description_names_models_from_the_workspace_and_reads_back_whole(worked):
    job_json = worked.workspace.run("predict-run") / "job.json"
    kept = json.loads(job_json.read_text(encoding="utf-8"))
    assert (kept["workspace"], kept["parameters"]["paths"][0][:23]) == ("../..", "<workspace>/../models/D")
    assert jobs.read(job_json).parameters["paths"] == [str(worked.model)]
    assert jobs.read(job_json).workspace == worked.workspace.root


def test_how_a_model_was_predicted_reads_back_whole(worked):
    name = worked.events["predict"][-1]["summary"]["model"]
    assert Predicted(worked.workspace, name).about()["paths"] == [str(worked.model)]


def test_what_an_older_version_predicted_and_kept_with_whole_paths_is_known(worked, tmp_path):
    name, images = worked.events["predict"][-1]["summary"]["model"], worked.cohort["A"].images
    now, older = Predicted(worked.workspace, name), Predicted(Workspace(tmp_path), name)
    about, record = now.about(), now.record_of("A")
    about["files"] = [[str(worked.model / file), *state] for file, *state in about["files"]]
    record["images"] = {channel: [str(images[channel]), *state] for channel, (_, *state) in record["images"].items()}
    write_json(older.about_json, about)
    write_json(older.record("A"), record)
    older.label_map("A").write_bytes(now.label_map("A").read_bytes())
    assert older.about() == now.about()
    assert older.done("A", signatures(images)) == record
