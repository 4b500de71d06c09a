"""What is read of a case before it is shown."""

from __future__ import annotations

import numpy as np
from BraTSRefineUI.casedata import readImages
from BraTSRefineUI.reading import Reading, readCase

from BraTSRefineLib.cohort import Case, Geometry, write_volume

GRID = Geometry((8, 7, 6), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))


def test_nan_in_an_image_is_shown_as_zero_and_said(tmp_path):
    voxels = np.ones((6, 7, 8), np.float32)
    voxels[0, 0, :3] = np.nan
    voxels[1, 0, 0] = np.inf
    write_volume(tmp_path / "case-t1c.nii.gz", voxels, GRID)
    images, problems = readImages(Case("case", images={"t1c": tmp_path / "case-t1c.nii.gz"}))
    assert images["t1c"].voxels.sum() == voxels.size - 4
    assert problems == ["case-t1c.nii.gz: 4 voxels are NaN or infinite and shown as 0; export it again"]


def test_an_image_that_cannot_be_read_is_said_and_the_others_are_shown(tmp_path):
    write_volume(tmp_path / "case-t1c.nii.gz", np.ones((6, 7, 8), np.int16), GRID)
    (tmp_path / "case-t2f.nii.gz").write_bytes(b"nothing")
    paths = {"t1c": tmp_path / "case-t1c.nii.gz", "t2f": tmp_path / "case-t2f.nii.gz"}
    images, problems = readImages(Case("case", images=paths))
    assert list(images) == ["t1c"]
    assert "case-t2f.nii.gz" in problems[0]


def test_a_head_that_was_not_stripped_is_said_once_for_all_its_images(tmp_path):
    grid = Geometry((50, 50, 50), (4.0, 4.0, 4.0), (0.0, 0.0, 0.0), GRID.direction)
    brain = np.zeros((50, 50, 50), np.float32)
    brain[12:38, 12:38, 12:38] = 600
    noise = np.random.default_rng(3).uniform(20, 60, brain.shape).astype(np.float32)
    paths = {name: tmp_path / f"case-{name}.nii.gz" for name in ("t1n", "t1c", "t2f")}
    for name, path in paths.items():
        write_volume(path, brain if name == "t1c" else brain + noise, grid)
    case = Case("case", images=paths)
    said = "T1, FLAIR: image looks unstripped: faces may be recognised; do not pass pictures on"
    assert readImages(case)[1] == [said]
    assert readCase(Reading(case)).data.problems == (said,), "which the card shows"
    assert readImages(Case("case", images={"t1c": paths["t1c"]}))[1] == []
