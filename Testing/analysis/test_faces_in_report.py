"""A report whose pictures may show a face says so; one of cut-out brains does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib.analysis import write_report
from BraTSRefineLib.cohort import Workspace, read_geometry, read_image, write_volume
from BraTSRefineLib.cohort.faces import UNSTRIPPED
from BraTSRefineLib.scoring import score_cohort

SHAPE = (40, 48, 56)


def in_noise(voxels: np.ndarray) -> np.ndarray:
    return (voxels + np.random.default_rng(2).uniform(20, 60, SHAPE)).astype(np.float32)


@pytest.fixture
def cohort(make, on_disk, tmp_path):
    """Two cases of 4 mm voxels: the brain of "cut" was cut out, around that of "head" the air's noise is left."""
    brain = np.where(make.ball((20, 24, 28), 16), 700.0, 0.0).astype(np.float32)
    tumours = {name: (make.tumour(), {"mine": make.tumour(radius=10)}) for name in ("cut", "head")}
    found = on_disk(tumours, {"cut": {"t2f": brain, "t1c": brain}, "head": {"t2f": in_noise(brain)}})
    for path in tmp_path.rglob("*.nii.gz"):
        write_volume(path, read_image(path), replace(read_geometry(path), spacing=(4.0, 4.0, 4.0)))
    return found


def only(cohort, *names: str):
    return replace(cohort, cases=tuple(case for case in cohort.cases if case.case in names))


def report_of(cohort, scores: pd.DataFrame, folder) -> tuple[str, str]:
    workspace = Workspace(folder)
    page = write_report(cohort, scores, workspace).read_text(encoding="utf-8")
    return page, workspace.report_md.read_text(encoding="utf-8")


def test_a_report_says_whose_pictures_may_show_a_face(cohort, tmp_path):
    page, markdown = report_of(cohort, score_cohort(cohort, workers=1), tmp_path / "w")
    warning = f"Before this report is passed on: the image of head {UNSTRIPPED}."
    assert page.count(warning) == 1
    assert page.count(f"The image {UNSTRIPPED}.") == 1, "beside the very picture"
    assert warning in markdown


def test_a_report_of_cut_out_brains_says_nothing(cohort, tmp_path):
    cut = only(cohort, "cut")
    page, markdown = report_of(cut, score_cohort(cut, workers=1), tmp_path / "w")
    assert "<img" in page
    assert "unstripped" not in page + markdown


def test_cases_without_predictions_are_looked_at_too(cohort, tmp_path):
    bare = replace(cohort, cases=tuple(replace(case, predictions={}) for case in cohort.cases))
    page, markdown = report_of(bare, score_cohort(bare, workers=1), tmp_path / "w")
    assert page.count(UNSTRIPPED) == 2
    assert "the image of head looks unstripped" in markdown
