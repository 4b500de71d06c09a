"""What the tests of the room share: a store (SQLite, and PostgreSQL on a server of their own), a workspace, a case."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from BraTSRefineLib.cohort import Case
from BraTSRefineLib.regions import CONVENTIONS

sys.path.append(str(Path(__file__).resolve().parent))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path) -> str:
    """Where a store can be opened: once a file, once a server."""
    return str(tmp_path) if request.param == "sqlite" else request.getfixturevalue("new_database")


@pytest.fixture
def workspace(tmp_path) -> Path:
    """A folder in which nothing is kept yet."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def case(tmp_path) -> Case:
    """A case with an image and a prediction, which lie on other grids."""
    from correction_samples import OBLIQUE, SHAPE, some_labels, write

    path = write(tmp_path / "data" / "case-1_unet.nii.gz", some_labels())
    image = write(tmp_path / "data" / "case-1_t1c.nii.gz", np.full(SHAPE, 500), "int16", (1.0, 1.0, 2.5), OBLIQUE)
    return Case("case-1", images={"t1c": image}, predictions={"unet": path}, labels=CONVENTIONS["brats2021"])
