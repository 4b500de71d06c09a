"""What the phantom cohort says of itself."""

from __future__ import annotations

import json
from typing import Any

import pytest


@pytest.fixture(scope="session")
def truth(phantom_cohort) -> dict[str, Any]:
    return json.loads((phantom_cohort / "truth.json").read_text())


@pytest.fixture(scope="session")
def cases(truth) -> list[str]:
    return [facts["case"] for facts in truth["per_case"]]
