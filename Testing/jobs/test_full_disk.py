"""A workspace on a disk that is full or read-only: a real small file system, mounted in a private namespace."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PREFIX = ["unshare", "--user", "--map-root-user", "--mount"]

SCRIPT = """
import json, shutil, subprocess, sys
from pathlib import Path
from BraTSRefineLib import jobs
from BraTSRefineLib.cohort import Workspace

source, disk, kind, then, parameters = sys.argv[1:]
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


def has_namespaces() -> bool:
    return (
        shutil.which("unshare") is not None and subprocess.run([*PREFIX, "true"], capture_output=True).returncode == 0
    )


pytestmark = pytest.mark.skipif(not has_namespaces(), reason="no private mounts on this system")


PARAMETERS = {"fuse": {"method": "majority"}, "uncertainty": {}}


def on_small_disk(
    workspace: Path, disk: Path, kind: str, size: str, then: str = "", parameters: dict | None = None
) -> dict:
    """Run a job in a copy of the workspace on a tmpfs of ``size``, after the shell commands ``then``."""
    disk.mkdir()
    mount = f'mount -t tmpfs -o size={size} tmpfs "$1" && shift && exec "$@"'
    command = ["sh", "-c", mount, "sh", str(disk), sys.executable, "-c", SCRIPT, str(workspace), str(disk), kind, then]
    command.append(json.dumps(PARAMETERS[kind] if parameters is None else parameters))
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([*PREFIX, *command], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def outputs(result: dict) -> list[str]:
    return [path for path in result["left"] if "outputs" in path or ".partial" in path or path.startswith("maps/")]


FILL = "head -c 200k /dev/zero > {disk}/fill"


@pytest.mark.parametrize("kind", ["fuse", "uncertainty"])
def test_a_disk_that_fills_up_ends_the_job_with_the_reason(workspace, tmp_path, kind):
    filled = on_small_disk(workspace.root, tmp_path / "disk", kind, "128k", f"{FILL}; truncate -s -16384 {{disk}}/fill")
    assert filled["events"][0]["event"] == "started"
    assert filled["events"][-2]["event"] == "failed"
    assert "disk" in filled["events"][-2]["message"]
    assert filled["state"] == "failed"
    assert outputs(filled) == []


def test_a_disk_without_a_single_free_block_still_tells_the_reader(workspace, tmp_path):
    filled = on_small_disk(workspace.root, tmp_path / "disk", "fuse", "128k", FILL)
    assert filled["events"][-2]["event"] == "failed"
    assert "No space left on device" in filled["events"][-2]["message"]
    assert outputs(filled) == []


def test_the_same_job_finishes_where_there_is_room(workspace, tmp_path):
    roomy = on_small_disk(workspace.root, tmp_path / "disk", "fuse", "8m")
    assert roomy["events"][-1]["event"] == "finished"
    assert roomy["state"] == "finished"


def test_a_workspace_that_became_read_only_is_named(workspace, tmp_path):
    frozen = on_small_disk(workspace.root, tmp_path / "disk", "fuse", "8m", "mount -o remount,ro {disk}")
    assert frozen["events"][-2]["event"] == "failed"
    assert "Read-only file system" in frozen["events"][-2]["message"]
    assert "not made (Read-only file system); choose another --workspace" in frozen["again"]
    assert outputs(frozen) == []


def predicted_on_small_disk(tmp_path: Path, size: str) -> dict:
    from nnunet_results import write_results
    from predictable_cases import workspace_of, write_images

    for number in range(4):
        write_images(tmp_path / "data", f"case{number}", number)
    source = workspace_of(tmp_path / "data", tmp_path / "workspace")
    parameters = {"paths": [str(write_results(tmp_path / "results"))], "device": "cpu", "tta": "flips", "name": "mine"}
    return on_small_disk(source.root, tmp_path / "disk", "predict", size, parameters=parameters)


def test_a_prediction_that_cannot_fit_is_refused_before_it_starts(tmp_path):
    refused = predicted_on_small_disk(tmp_path, "1m")
    assert refused["events"][-2]["event"] == "failed"
    assert "4 cases will take about" in refused["events"][-2]["message"]
    assert [path for path in refused["left"] if path.endswith(".nii.gz")] == []


def test_a_prediction_on_a_disk_that_fills_up_leaves_whole_cases_only(tmp_path):
    filled = predicted_on_small_disk(tmp_path, "1400k")
    assert filled["events"][-2]["event"] == "failed"
    assert "disk" in filled["events"][-2]["message"]
    assert outputs({"left": [path for path in filled["left"] if not path.startswith("maps/mine")]}) == []
    records = [path for path in filled["left"] if path.startswith("predictions/mine/") and path.endswith(".json")]
    done = {Path(path).stem for path in records}
    maps = [path for path in filled["left"] if path.startswith("maps/mine/")]
    assert 0 < len(done) < 4
    assert len([path for path in maps if Path(path).name.split("-")[0] in done]) == 15 * len(done)
