"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from BraTSRefine.Standalone.names import selectPropertyAttributes

# PySide6 looks through every loaded module when this is first asked for; some of torch's cannot be looked at.
selectPropertyAttributes("BraTSRefineUI")

REPOSITORY = Path(__file__).resolve().parents[1]
WITH_A_SCREEN = {REPOSITORY / "Testing" / "module", REPOSITORY / "Testing" / "standalone"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with a screen come last: torch and the renderer each bring an LLVM, and only this order works."""
    items.sort(key=lambda item: not WITH_A_SCREEN.isdisjoint(item.path.parents))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real cases; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("BRATSREFINE_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real cases at {folder}; set BRATSREFINE_REAL_DATA to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def phantom_cohort(tmp_path_factory) -> Path:
    """A small simulated cohort on disk: 6 cases, 3 centres, 5 models, with planted failures and bad files."""
    from BraTSRefineLib.phantom import write_cohort

    folder = tmp_path_factory.mktemp("phantom") / "cohort"
    write_cohort(folder, cases=6, centers=3, seed=1, scale=0.4)
    return folder
