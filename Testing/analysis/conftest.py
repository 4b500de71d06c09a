"""Score tables made by hand, of exactly the columns that scoring writes."""

from __future__ import annotations

from math import isnan, nan
from pathlib import Path

import pandas as pd
import pytest

from BraTSRefineLib.cohort import Case, Cohort
from BraTSRefineLib.scoring import SCORE_COLUMNS


def rows(case: str, model: str, region: str, convention: str = "brats2023", **values: float) -> list[tuple]:
    """A row a metric; a value that is NaN is of two empty masks."""
    return [
        (case, model, region, metric, value, "both empty" if isnan(value) else "ok", convention)
        for metric, value in values.items()
    ]


def table(*groups: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame([row for group in groups for row in group], columns=list(SCORE_COLUMNS))


def failure(case: str, model: str, status: str) -> list[tuple]:
    return [(case, model, "", "", nan, status, "brats2023")]


@pytest.fixture(scope="session")
def make():
    """The makers of score rows, as one object: ``make.rows``, ``make.table``, ``make.failure``."""

    class Make:
        pass

    made = Make()
    made.rows, made.table, made.failure = rows, table, failure
    return made


@pytest.fixture
def twelve_cases() -> pd.DataFrame:
    """Cases of 1 to 12 ml ET, the smaller the worse; model ``b`` is a little better than ``a``; case 12 has no ET."""
    groups = []
    for index in range(12):
        size = 0.0 if index == 11 else index + 1.0
        for model, gain in (("a", 0.0), ("b", 0.05)):
            values = {"dice": nan if index == 11 else 0.3 + index * 0.05 + gain, "volume_reference_ml": size}
            groups.append(rows(f"case_{index:02}", model, "ET", hd95_mm=20.0 - index - gain, **values))
    return table(*groups)


@pytest.fixture
def three_centers() -> Cohort:
    """Twelve cases, one centre for each six, two without one."""
    centers = ["north"] * 5 + ["south"] * 5 + [""] * 2
    cases = tuple(Case(f"case_{index:02}", center=center) for index, center in enumerate(centers))
    return Cohort(Path("somewhere"), "BraTS folders", cases)
