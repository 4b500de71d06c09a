"""``bratsrefine decisions correct`` and ``corrections`` as a script would call them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from BraTSRefineLib.cohort import Workspace, discover, read_label_map, save_cohort
from BraTSRefineLib.review import open_store


def bratsrefine(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "BraTSRefineLib.cli", "decisions", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def reviewed(phantom_cohort, tmp_path_factory) -> Path:
    workspace = Workspace.open(tmp_path_factory.mktemp("corrected"))
    save_cohort(discover(phantom_cohort), workspace)
    return workspace.root


@pytest.fixture(scope="module")
def case(phantom_cohort):
    return next(case for case in discover(phantom_cohort).cases if "fold_1" in case.usable_models())


def edited(case, folder: Path, label: int, shift: float = 0.0) -> Path:
    """The prediction with four voxels painted, as another program saves it: with another type and header."""
    image = SimpleITK.ReadImage(str(case.predictions["fold_1"]))
    voxels = SimpleITK.GetArrayFromImage(image).astype("float32")
    voxels[0, 0, :4] = label
    changed = SimpleITK.GetImageFromArray(voxels)
    changed.CopyInformation(image)
    changed.SetOrigin([value + shift for value in image.GetOrigin()])
    SimpleITK.WriteImage(changed, str(folder / "edited.nrrd"))
    return folder / "edited.nrrd"


def test_an_edit_of_another_program_is_taken_in_and_listed(reviewed, case, tmp_path):
    options = ("--workspace", reviewed, "--case", case.case, "--model", "fold_1", "--who", "Ann", "--json")
    run = bratsrefine("correct", edited(case, tmp_path, 3), *options, "--note", "rim")
    assert run.returncode == 0, run.stderr
    saved = Path(json.loads(run.stdout)["file"])
    original = read_label_map(case.predictions["fold_1"])
    assert np.count_nonzero(read_label_map(saved) != original) == 4
    assert (
        SimpleITK.ReadImage(str(saved)).GetPixelID()
        == SimpleITK.ReadImage(str(case.predictions["fold_1"])).GetPixelID()
    )
    again = bratsrefine("correct", edited(case, tmp_path, 2), *options[:-3], "--who", "Ben", "--json")
    assert again.returncode == 0, again.stderr
    listed = json.loads(bratsrefine("corrections", "--workspace", reviewed, "--json").stdout)
    assert [(row["who"], row["status"]) for row in listed] == [("Ben", "ok"), ("Ann", "ok")]
    with open_store(reviewed) as store:
        (first, second) = store.events()
        assert first.note == "rim"
        assert second.payload["from"] == first.payload["file"]
        store.undo(second.uid, "Ben")
    listed = json.loads(bratsrefine("corrections", "--workspace", reviewed, "--json").stdout)
    assert [row["status"] for row in listed] == ["taken back", "ok"]


def test_another_grid_is_refused(reviewed, case, tmp_path):
    options = ("--workspace", reviewed, "--case", case.case, "--model", "fold_1", "--who", "Ann")
    run = bratsrefine("correct", edited(case, tmp_path, 1, shift=2.0), *options)
    assert run.returncode != 0
    assert "another grid" in run.stderr
