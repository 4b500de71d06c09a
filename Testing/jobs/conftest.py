"""Small cohorts on disk, opened into a workspace, for jobs to work on."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from BraTSRefineLib import jobs
from BraTSRefineLib.cohort import Workspace, discover, save_cohort, write_volume
from BraTSRefineLib.cohort.volumes import Geometry
from BraTSRefineLib.regions import label_convention

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[1] / "inference")]

LABELS = label_convention("brats2023")
GRID = Geometry((28, 26, 24), (1.0, 1.0, 1.0), (-10.0, 20.0, 5.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
MODELS = ("left", "right", "true")
SHIFTS = {"left": -2, "right": 2, "true": 0}


def nested_cubes(shape: tuple[int, ...], shift: int = 0) -> np.ndarray:
    """WT, TC, ET stack of cubes around the middle, ``shift`` voxels along x.

    The majority of two that are shifted apart and one that is not is the one that is not.
    """
    middle = [length // 2 for length in shape]
    middle[2] += shift
    distance = np.max([abs(axis - center) for axis, center in zip(np.indices(shape), middle, strict=True)], axis=0)
    return np.stack([distance <= reach for reach in (9, 6, 3)])


def write_label_map(path: Path, regions: np.ndarray, geometry: Geometry = GRID) -> None:
    write_volume(path, LABELS.paint(regions), geometry)


def write_probabilities(path: Path, regions: np.ndarray) -> None:
    np.savez_compressed(path, probabilities=np.where(regions, 0.9, 0.1).astype(np.float16))


def opened(folder: Path, workspace: Path) -> Workspace:
    """The cohort of ``folder`` saved into a workspace."""
    cohort = discover(folder, labels="brats2023")
    result = Workspace.open(workspace, folder)
    save_cohort(cohort, result)
    return result


def write_case(folder: Path, case: str, *, reference: bool = True, probabilities: bool = True) -> None:
    """A case with an image, three models (two of them shifted) and, if wanted, reference and probability maps."""
    cubes = nested_cubes(GRID.size[::-1])
    image = np.where(nested_cubes(GRID.size[::-1])[0], 200, 50).astype(np.int16)
    write_volume(folder / "cases" / case / f"{case}-t1n.nii.gz", image, GRID)
    if reference:
        write_label_map(folder / "cases" / case / f"{case}-seg.nii.gz", cubes)
    for model, shift in SHIFTS.items():
        regions = nested_cubes(GRID.size[::-1], shift)
        write_label_map(folder / "predictions" / model / f"{case}.nii.gz", regions)
        if probabilities:
            write_probabilities(folder / "predictions" / model / f"{case}.npz", regions)


@pytest.fixture(scope="session")
def small() -> SimpleNamespace:
    """What the small cases are made of, for a test that adds to them or knows what must come out."""
    return SimpleNamespace(
        grid=GRID,
        labels=LABELS,
        truth=nested_cubes(GRID.size[::-1]),
        cubes=lambda shift: nested_cubes(GRID.size[::-1], shift),
        opened=opened,
        write_case=write_case,
        write_label_map=write_label_map,
    )


def write_three_cases(folder: Path) -> Path:
    """Three cases of three models: A and B with a reference, C without."""
    for case in ("A", "B"):
        write_case(folder, case)
    write_case(folder, "C", reference=False)
    return folder


@pytest.fixture
def data(tmp_path) -> Path:
    return write_three_cases(tmp_path / "Daten mit Lücke")


@pytest.fixture
def workspace(data, tmp_path) -> Workspace:
    return opened(data, tmp_path / "work space")


@pytest.fixture(scope="session")
def fused(tmp_path_factory) -> SimpleNamespace:
    """The three cases after a finished job "mine" that took the majority: for tests that only look."""
    folder = tmp_path_factory.mktemp("fused")
    data = write_three_cases(folder / "data")
    workspace, events = opened(data, folder / "workspace"), []
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    job_json = jobs.create(workspace, "fuse", {"method": "majority"}, name="mine")
    summary = jobs.run(job_json, on_event=events.append)
    return SimpleNamespace(
        data=data,
        files_before=before,
        workspace=workspace,
        folder=job_json.parent,
        outputs=job_json.parent / "outputs",
        summary=summary,
        events=events,
    )


@pytest.fixture(scope="session")
def long_cohort(tmp_path_factory) -> Path:
    """Enough cases of 96^3 voxels to keep a job busy for many seconds; the noise makes writing a map slow."""
    folder = tmp_path_factory.mktemp("long") / "data"
    grid = Geometry((96, 96, 96), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    generator = np.random.default_rng(0)
    names = [f"case-{number:03}" for number in range(60)]
    for model in MODELS:
        first = folder / "predictions" / model / f"{names[0]}.nii.gz"
        write_label_map(first, generator.random((3, 96, 96, 96)) > 0.7, grid)
        for name in names[1:]:
            shutil.copy(first, first.with_name(f"{name}.nii.gz"))
    return folder


@pytest.fixture
def long_workspace(long_cohort, tmp_path) -> Workspace:
    return opened(long_cohort, tmp_path / "long-workspace")


@pytest.fixture
def leftovers() -> Callable[[Workspace], list[str]]:
    """What a job that did not finish must not leave: anything but the cohort, the run's own record and the cache."""
    kept = {"job.json", "events.jsonl", "log.txt", "running.lock", "cohort.csv", "cohort.json"}
    kept |= {"scoring-cache.sqlite", "scoring-cache.sqlite-journal"}

    def found(workspace: Workspace) -> list[str]:
        return sorted(
            str(path.relative_to(workspace.root))
            for path in workspace.root.rglob("*")
            if path.name not in kept and not (path.is_dir() and path.parent in (workspace.root, workspace.runs))
        )

    return found
