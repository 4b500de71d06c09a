"""Score tables made by hand, of exactly the columns that scoring writes."""

from __future__ import annotations

from functools import partial
from math import isnan, nan
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib.cohort import Case, Cohort, Geometry, write_volume
from BraTSRefineLib.regions import label_convention
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


def drawn(
    gains: dict[str, float],
    region: str = "WT",
    convention: str = "brats2023",
    *,
    cases: int = 25,
    noise: float = 0.05,
    seed: int = 1,
) -> pd.DataFrame:
    """Models on the same cases, whose Dice differs by their gain on average."""
    random = np.random.default_rng(seed)
    groups = []
    for index in range(cases):
        hard = random.beta(8, 3)
        for model, gain in gains.items():
            dice = hard + gain + random.normal(0, noise)
            values = {"dice": dice, "hd95_mm": 40 * (1 - dice), "volume_reference_ml": index + 0.5}
            groups.append(rows(f"case_{index:02}", model, region, convention, **values))
    return table(*groups)


@pytest.fixture(scope="session")
def make():
    """The makers of score rows and of label maps as one object: ``make.rows``, ``make.tumour`` ..."""

    class Make:
        pass

    made = Make()
    made.rows, made.table, made.failure, made.ball, made.tumour = rows, table, failure, ball, tumour
    made.cohort_on_disk, made.drawn = cohort_on_disk, drawn
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


SHAPE = (40, 48, 56)
GEOMETRY = Geometry(SHAPE[::-1], (1.0, 1.0, 1.0), (0.0, -47.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))


def ball(center: tuple[int, int, int], radius: float) -> np.ndarray:
    away = [axis - at for axis, at in zip(np.indices(SHAPE), center, strict=True)]
    return sum(a * a for a in away) <= radius * radius


def tumour(center: tuple[int, int, int] = (20, 24, 28), radius: float = 12.0) -> np.ndarray:
    """Label map (brats2023): a necrotic core in an enhancing rim in oedema."""
    labels = np.zeros(SHAPE, dtype=np.uint8)
    for label, share in ((2, 1.0), (3, 0.6), (1, 0.4)):
        labels[ball(center, radius * share)] = label
    return labels


def cohort_on_disk(root: Path, cases: dict, images: dict | None = None) -> Cohort:
    """Writes ``{case: (reference, {model: label map})}`` and its images under ``root`` and gives the cohort."""
    brats2023 = label_convention("brats2023")
    made = []
    for index, (name, (reference, predictions)) in enumerate(cases.items()):
        folder = root / str(index)
        paths = {model: _written(folder / f"{model}.nii.gz", labels) for model, labels in predictions.items()}
        channels = (images or {}).get(name, {})
        pictures = {key: _written(folder / "images" / f"{key}.nii.gz", image) for key, image in channels.items()}
        truth = None if reference is None else _written(folder / "reference" / "seg.nii.gz", reference)
        made.append(Case(name, images=pictures, reference=truth, predictions=paths, labels=brats2023))
    return Cohort(root, "BraTS folders", tuple(made))


def _written(path: Path, voxels: np.ndarray) -> Path:
    write_volume(path, voxels, GEOMETRY)
    return path


@pytest.fixture
def on_disk(tmp_path):
    """Writes cases and gives their cohort: ``on_disk({case: (reference, {model: label map})}, images={...})``."""
    return partial(cohort_on_disk, tmp_path)
