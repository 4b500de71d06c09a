"""Tiny volumes from which every layout is built."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from BraTSRefineLib.cohort.volumes import Geometry, write_volume

SIZE = (6, 5, 4)
LPS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@pytest.fixture
def grid():
    """A function that gives a grid of 6 x 5 x 4 voxels; each part can be another."""

    def make(size=SIZE, spacing=(1.0, 1.0, 2.0), origin=(0.0, -239.0, 0.0), direction=LPS) -> Geometry:
        return Geometry(size, spacing, origin, direction)

    return make


@pytest.fixture
def write(grid):
    """A function that writes a label map with the given labels, or an image where there are none."""

    def make(path: Path, labels: tuple[float, ...] | None = (1, 2, 4), geometry: Geometry | None = None, dtype="uint8"):
        geometry = geometry or grid()
        voxels = np.zeros(geometry.size[::-1], dtype if labels is not None else "float32")
        if labels is None:
            voxels += np.arange(voxels.size, dtype="float32").reshape(voxels.shape)
        else:
            voxels.flat[: len(labels)] = labels
        write_volume(path, voxels, geometry)
        return path

    return make


@pytest.fixture
def a_brats_folder(tmp_path, write):
    """A function that writes case folders of BraTS 2021 naming and returns the root."""

    def make(cases=("BraTS2021_00001", "BraTS2021_00002"), labels=(1, 2, 4), models=None) -> Path:
        for case in cases:
            for suffix in ("t1", "t1ce", "t2", "flair"):
                write(tmp_path / "data" / "cases" / case / f"{case}_{suffix}.nii.gz", None)
            write(tmp_path / "data" / "cases" / case / f"{case}_seg.nii.gz", labels)
            for model, own in (models or {}).items():
                write(tmp_path / "data" / "predictions" / model / f"{case}.nii.gz", own)
        return tmp_path / "data"

    return make


@pytest.fixture
def errors_of():
    """A function that gives the error messages of a cohort, cases' included."""
    return lambda cohort: [str(problem) for problem in cohort.all_problems() if problem.level == "error"]


@pytest.fixture
def notes_of():
    return lambda cohort: [str(problem) for problem in cohort.all_problems() if problem.level == "note"]
