"""Folders by marks: what is read by people names no folder, what is read again gets its whole paths back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from BraTSRefineLib.jobs import places
from BraTSRefineLib.jobs.places import DATA, ELSEWHERE, PROGRAM, WORKSPACE, Places

HOME = Path("/mnt/Doe, Jane O'Neil")
FOLDERS = Places(((WORKSPACE, HOME / "data-refine"), (DATA, HOME / "data"), ("<model 1>", HOME / "net 1")))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{HOME}/data/A/A.nii.gz: truncated", "<data>/A/A.nii.gz: truncated"),
        (f"{HOME}/data-refine/runs/x/log.txt", "<workspace>/runs/x/log.txt"),
        (f"{HOME}/data: no folder", "<data>: no folder"),
        (f"nothing in {HOME}/data.", "nothing in <data>."),
        (f"[PosixPath('{HOME}/net 1/fold_0/a.pth')]", "[PosixPath('<model 1>/fold_0/a.pth')]"),
        (f"file://{HOME}/data/a.nii.gz", "file://<data>/a.nii.gz"),
        (f"{HOME}/other folder/b.txt: odd", "<elsewhere>/b.txt: odd"),
        (f"look into {HOME}", "look into <elsewhere>"),
        (f'  File "{HOME}/x/y.py", line 3, in z', '  File "<elsewhere>/y.py", line 3, in z'),
        ('  File "/opt/Roe, Ann/y.py", line 3, in z', '  File "<elsewhere>/y.py", line 3, in z'),
        ("open('/opt/Roe, Ann/y.nii'), '/opt/Roe/z'", "open('<elsewhere>/y.nii'), '<elsewhere>/z'"),
        ("/opt/Roe, Ann/y.nii: not found", "<elsewhere>/y.nii: not found"),
        (r"C:\Users\Roe, Ann\y.nii: not found", "<elsewhere>/y.nii: not found"),
        (r"'C:\\Users\\Roe\\y.nii'", "'<elsewhere>/y.nii'"),
    ],
)
def test_no_folder_is_left_in_what_is_told(text, told):
    assert FOLDERS.told(text) == told
    assert FOLDERS.told(told) == told


@pytest.mark.parametrize(
    "text",
    [
        "WT/TC/ET and/or 3 of 10 it/s",
        "mean = total / count // 2  # 5/6",
        "https://example.org/a/b says so",
        "runs/score/log.txt and ./a/b and ../c/d",
        "Dataset501_Small/nnUNetTrainer__nnUNetPlans__3d_fullres/fold_0, identity",
    ],
)
def test_what_is_no_whole_path_is_left_alone(text):
    assert FOLDERS.told(text) == text


def test_every_text_of_an_event_is_told_and_meant_again():
    event = {"event": "finished", "of": 3, "summary": {"files": [f"{HOME}/data/a", f"{HOME}/data-refine/b"]}}
    line = json.dumps(FOLDERS.told(event))
    assert "Doe" not in line
    assert json.loads(FOLDERS.meant(line)) == event


def test_a_file_of_the_program_or_of_its_python_keeps_its_place_in_a_trace(tmp_path):
    told = places.of_job(tmp_path, {}).told
    assert told(f'File "{PROGRAM}/BraTSRefineLib/cli.py", line 1') == 'File "<program>/BraTSRefineLib/cli.py", line 1'
    assert told(f'File "{json.__file__}", line 1').endswith('/json/__init__.py", line 1')
    assert ELSEWHERE not in told(f'File "{json.__file__}", line 1')


def test_what_lies_at_home_is_elsewhere(tmp_path):
    assert places.of_job(tmp_path, {}).told(f"{Path.home()}/Roe/a.nii: odd") == "<elsewhere>/a.nii: odd"


def test_paths_with_a_folder_in_common_are_kept_from_the_workspace_and_restored(tmp_path):
    workspace = tmp_path / "W"
    value = {"paths": [str(tmp_path / "nets" / "a"), "/far/away", "relative/b"], "weights": None, "seed": 1}
    kept = places.kept(value, workspace)
    assert kept["paths"] == [f"{WORKSPACE}/../nets/a", "/far/away", "relative/b"]
    assert places.restored(kept, workspace) == value
