"""Modules that the inference tests share lie beside them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module", autouse=True)
def _one_thread(one_thread) -> None:
    """All of the room's networks are small."""


@pytest.fixture(scope="session")
def trained_models() -> Path:
    """The folder of really trained small models; tests that need one skip where it is absent."""
    folder = os.environ.get("BRATSREFINE_MODELS", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("no trained models: run 'python Testing/models/train.py OUT' and set BRATSREFINE_MODELS=OUT")
    return Path(folder)
