"""A workspace on a disk that is full or read-only: a real small file system, mounted in a private namespace."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from BraTSRefineLib.cohort import Workspace

SCRIPT = """
import json, shutil, subprocess, sys
from pathlib import Path
from BraTSRefineLib import jobs
from BraTSRefineLib.cohort import Workspace

disk, source, kind, then, parameters = sys.argv[1:]
workspace = Path(disk) / "workspace"
shutil.copytree(source, workspace)
events = []
try:
    path = jobs.create(workspace, kind, json.loads(parameters))
    for command in filter(None, then.split(";")):
        subprocess.run(["sh", "-c", command.format(disk=disk)])
    jobs.run(path, on_event=events.append)
except jobs.JobError as error:
    events.append({"error": str(error)})
try:
    again = str(jobs.create(workspace, "report"))
except jobs.JobError as error:
    again = str(error)
left = [str(p.relative_to(workspace)) for p in workspace.rglob("*")]
print(json.dumps({"events": events, "again": again, "left": left, "state": jobs.state(path.parent)}))
"""


PARAMETERS = {"fuse": {"method": "majority"}, "uncertainty": {}}


@pytest.fixture
def job_on_small_disk(on_small_disk, tmp_path) -> Callable[..., dict]:
    """Run a job in a copy of the workspace on a disk of ``size``, after the shell commands ``then``."""

    def run(workspace: Workspace, kind: str, size: str, then: str = "", parameters: dict | None = None) -> dict:
        chosen = PARAMETERS[kind] if parameters is None else parameters
        return on_small_disk(tmp_path / "disk", size, SCRIPT, str(workspace.root), kind, then, json.dumps(chosen))

    return run


def outputs(result: dict) -> list[str]:
    return [path for path in result["left"] if "outputs" in path or ".partial" in path or path.startswith("maps/")]


FILL = "head -c 200k /dev/zero > {disk}/fill"


@pytest.mark.parametrize("kind", ["fuse", "uncertainty"])
def test_a_disk_that_fills_up_ends_the_job_with_the_reason(job_on_small_disk, workspace, kind):
    filled = job_on_small_disk(workspace, kind, "128k", f"{FILL}; truncate -s -16384 {{disk}}/fill")
    assert filled["events"][0]["event"] == "started"
    assert filled["events"][-2]["event"] == "failed"
    assert "disk" in filled["events"][-2]["message"]
    assert filled["state"] == "failed"
    assert outputs(filled) == []


def test_a_disk_without_a_single_free_block_still_tells_the_reader(job_on_small_disk, workspace):
    filled = job_on_small_disk(workspace, "fuse", "128k", FILL)
    assert filled["events"][-2]["event"] == "failed"
    assert "No space left on device" in filled["events"][-2]["message"]
    assert outputs(filled) == []


def test_the_same_job_finishes_where_there_is_room(job_on_small_disk, workspace):
    roomy = job_on_small_disk(workspace, "fuse", "8m")
    assert roomy["events"][-1]["event"] == "finished"
    assert roomy["state"] == "finished"


def test_a_workspace_that_became_read_only_is_named(job_on_small_disk, workspace):
    frozen = job_on_small_disk(workspace, "fuse", "8m", "mount -o remount,ro {disk}")
    assert frozen["events"][-2]["event"] == "failed"
    assert "Read-only file system" in frozen["events"][-2]["message"]
    assert "not made (Read-only file system); choose another --workspace" in frozen["again"]
    assert outputs(frozen) == []


@pytest.fixture
def predicted_on_small_disk(job_on_small_disk, tmp_path, small) -> Callable[[str], dict]:
    """Predict four cases on a disk of a size."""
    from nnunet_results import write_results
    from predictable_cases import write_images

    for number in range(4):
        write_images(tmp_path / "data", f"case{number}", number)
    source = small.opened(tmp_path / "data", tmp_path / "workspace")
    parameters = {"paths": [str(write_results(tmp_path / "results"))], "device": "cpu", "tta": "flips", "name": "mine"}
    return lambda size: job_on_small_disk(source, "predict", size, parameters=parameters)


def test_a_prediction_that_cannot_fit_is_refused_before_it_starts(predicted_on_small_disk):
    refused = predicted_on_small_disk("1m")
    assert refused["events"][-2]["event"] == "failed"
    assert "4 cases will take about" in refused["events"][-2]["message"]
    assert [path for path in refused["left"] if path.endswith(".nii.gz")] == []


def test_a_prediction_on_a_disk_that_fills_up_leaves_whole_cases_only(predicted_on_small_disk):
    filled = predicted_on_small_disk("1400k")
    assert filled["events"][-2]["event"] == "failed"
    assert "disk" in filled["events"][-2]["message"]
    assert outputs({"left": [path for path in filled["left"] if not path.startswith("maps/mine")]}) == []
    records = [path for path in filled["left"] if path.startswith("predictions/mine/") and path.endswith(".json")]
    done = {Path(path).stem for path in records}
    maps = [path for path in filled["left"] if path.startswith("maps/mine/")]
    assert 0 < len(done) < 4
    assert len([path for path in maps if Path(path).name.split("-")[0] in done]) == 15 * len(done)
