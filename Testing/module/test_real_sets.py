"""``bratsrefine review`` on every real data set, as a person would call it."""

from __future__ import annotations

import pytest

DATA_SETS = [
    "brats-ped-predsonly",
    "brats2013",
    "brats2018",
    "brats2020",
    "brats2021",
    "brats2021-badgeometry",
    "brats2023-gli",
    "brats2023-gli-predsonly",
    "brats2023-regions-derived",
    "brats2023-ssa",
    "brats2024-gli-posttreatment",
    "tcga-lgg",
    "ucsf-lptdg",
    "utsw-glioma",
    "yale-brainmets",
    ".",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", DATA_SETS)
def test_review_opens_on_a_real_data_set_without_a_manifest(bratsrefine, real_data, tmp_path, name):
    pictures = tmp_path / "pictures"
    options = ["--workspace", tmp_path / "workspace", "--offscreen", "--screenshots", pictures]
    run = bratsrefine("review", real_data / name, *options, timeout_s=500)
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
    panels = [
        "review",
        "panel-cohort",
        "panel-worst-cases",
        "panel-review",
        "panel-uncertainty",
        "panel-refine",
        "panel-annotate",
    ]
    assert sorted(path.stem for path in pictures.glob("*.png")) == sorted(panels)
