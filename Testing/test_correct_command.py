"""``bratsrefine decisions correct`` and ``corrections`` as a script would call them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from BraTSRefineLib.cohort import Workspace, discover, read_geometry, read_label_map, save_cohort, write_volume
from BraTSRefineLib.cohort.workspace import write_json
from BraTSRefineLib.jobs.predicted import Predicted
from BraTSRefineLib.review import open_store


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


def test_an_edit_of_another_program_is_taken_in_and_listed(answer, reviewed, case, tmp_path):
    options = ("--workspace", reviewed, "--case", case.case, "--model", "fold_1")
    saved = answer("decisions", "correct", edited(case, tmp_path, 3), *options, "--who", "Ann", "--note", "rim")["file"]
    original = read_label_map(case.predictions["fold_1"])
    assert np.count_nonzero(read_label_map(Path(saved)) != original) == 4
    assert SimpleITK.ReadImage(saved).GetPixelID() == SimpleITK.ReadImage(str(case.predictions["fold_1"])).GetPixelID()
    answer("decisions", "correct", edited(case, tmp_path, 2), *options, "--who", "Ben")
    listed = answer("decisions", "corrections", "--workspace", reviewed)
    assert [(row["who"], row["status"]) for row in listed] == [("Ben", "ok"), ("Ann", "ok")]
    with open_store(reviewed) as store:
        (first, second) = store.events()
        assert first.note == "rim"
        assert second.payload["from"] == first.payload["file"]
        store.undo(second.uid, "Ben")
    listed = answer("decisions", "corrections", "--workspace", reviewed)
    assert [row["status"] for row in listed] == ["taken back", "ok"]


def painted(case, path: Path, label: int, voxels: int) -> Path:
    label_map = np.zeros_like(read_label_map(case.predictions["fold_1"]))
    label_map[0, 0, :voxels] = label
    write_volume(path, label_map, read_geometry(case.predictions["fold_1"]), "painted")
    return path


def test_corrections_of_what_was_predicted_here_are_compared_in_its_own_labels(answer, phantom_cohort, case, tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    save_cohort(discover(phantom_cohort), workspace)
    made, enhancing = Predicted(workspace, "made"), 4
    painted(case, made.label_map(case.case), enhancing, 6)
    write_json(made.record(case.case), {"labels": "brats2021", "members": ["fold"]})
    for who, voxels in (("Ann", 4), ("Ben", 2)):
        file = painted(case, tmp_path / f"{who}.nii.gz", enhancing, voxels)
        options = ("--workspace", workspace.root, "--case", case.case, "--model", "made")
        answer("decisions", "correct", file, *options, "--who", who)
    found = answer("decisions", "agreement", "--workspace", workspace.root)["corrections"]
    dice = {row["region"]: row["dice"] for row in found}
    assert dice["ET"] == pytest.approx(2 * 2 / (4 + 2))


def test_another_grid_is_refused(bratsrefine, reviewed, case, tmp_path):
    options = ("--workspace", reviewed, "--case", case.case, "--model", "fold_1", "--who", "Ann")
    run = bratsrefine("decisions", "correct", edited(case, tmp_path, 1, shift=2.0), *options)
    assert run.returncode != 0
    assert "another grid" in run.stderr
