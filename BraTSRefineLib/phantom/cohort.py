"""A phantom cohort on disk: cases, five models' predictions, centres, and the truth about all of it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from ..cohort.case import CHANNELS
from ..cohort.volumes import write_volume
from ..cohort.workspace import written_whole
from ..regions import REGIONS
from .anatomy import load_template, make_anatomy
from .contrast import acquire
from .failures import KINDS, SHIFT_MM, Planted, Scene, plant
from .grid import Grid, PhantomError
from .models import MODELS, make_target, painted, predict
from .plan import CasePlan, plan_cohort
from .tumour import LABELS, Tumour, grow

GENERATOR = "bratsrefine phantom"

SCALES = (0.2, 1.0)
TRUNCATED_SHARE = 0.6
Progress = Callable[[int, int, str], None]

DATASET = {
    "name": "BraTSRefine phantom",
    "channel_names": {str(index): channel for index, channel in enumerate(CHANNELS)},
    "labels": {
        "background": 0,
        "whole tumor": list(LABELS.regions["WT"]),
        "tumor core": list(LABELS.regions["TC"]),
        "enhancing tumor": list(LABELS.regions["ET"]),
    },
    "regions_class_order": [LABELS.tissues["ED"], LABELS.tissues["NCR"], LABELS.tissues["ET"]],
    "file_ending": ".nii.gz",
}
"""What nnU-Net writes beside its predictions; the order of the regions is the order of the channels."""


def write_cohort(
    folder: Path | str,
    *,
    cases: int = 24,
    centers: int = 3,
    seed: int = 1,
    scale: float = 1.0,
    progress: Progress | None = None,
    workers: int = 2,
) -> Path:
    """Simulate a multi-centre cohort into ``folder`` and give the folder back.

    The cohort appears whole or not at all. ``progress`` is called with (cases done, of how many, case's name).
    Raises PhantomError for impossible numbers and for a folder that holds anything but an earlier phantom.
    """
    folder = Path(folder).expanduser().absolute()
    _check(cases, centers, seed, scale)
    _check_folder(folder)
    plans = plan_cohort(cases, centers, seed)
    with _made_beside(folder) as temporary:
        done = _write_cases(plans, temporary, Grid.of_scale(scale), progress, workers)
        _write_tables(temporary, plans, done, {"cases": cases, "centers": centers, "seed": seed, "scale": scale})
    return folder


def _check(cases: int, centers: int, seed: int, scale: float) -> None:
    if cases < 1:
        raise PhantomError(f"{cases} cases: a cohort has at least one; give --cases 1 or more")
    if not 1 <= centers <= cases:
        raise PhantomError(f"{centers} centres for {cases} cases: give --centers from 1 to {cases}")
    if seed < 0:
        raise PhantomError(f"seed {seed}: give --seed 0 or more")
    if not SCALES[0] <= scale <= SCALES[1]:
        raise PhantomError(f"scale {scale:g}: give --scale from {SCALES[0]:g} to {SCALES[1]:g} (1 is 240x240x155)")


def _check_folder(folder: Path) -> None:
    """Only an absent folder, an empty one, or a phantom with nothing added to it may be written."""
    if folder.exists() and not folder.is_dir():
        raise PhantomError(f"{folder}: is a file; name a folder for the cohort")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    known = _files_of_phantom(folder)
    foreign = sorted(p for p in folder.rglob("*") if p.is_file() and p.relative_to(folder).as_posix() not in known)
    if foreign:
        raise PhantomError(
            f"{folder}: holds files that are not a phantom's (such as {foreign[0].name}); name a new folder"
        )


def _files_of_phantom(folder: Path) -> frozenset[str]:
    """The files that an earlier phantom wrote into this folder; none where it holds no phantom."""
    try:
        truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return frozenset()
    if not isinstance(truth, dict) or truth.get("generator") != GENERATOR:
        return frozenset()
    return frozenset(truth.get("files", ()))


@contextmanager
def _made_beside(folder: Path) -> Iterator[Path]:
    """A temporary folder that takes the place of ``folder`` when the block ends well, and vanishes otherwise."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.partial-", dir=folder.parent))
    except OSError as error:
        raise PhantomError(f"{folder}: not writable ({error.strerror or error}); name another folder") from error
    try:
        yield temporary
        temporary.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.replace(folder)
    except OSError as error:
        raise PhantomError(f"{folder}: not written ({error.strerror or error}); is the disk full?") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_cases(plans: list[CasePlan], root: Path, grid: Grid, progress: Progress | None, workers: int) -> list[tuple]:
    """Facts and planted failures of every case, in the order of the plans."""
    from threadpoolctl import threadpool_limits

    load_template()
    # one thread of linear algebra a worker: the workers would wait for each other's threads
    with threadpool_limits(1), ThreadPoolExecutor(max(1, min(workers, len(plans)))) as pool:
        futures = {pool.submit(write_case, plan, root, grid): plan for plan in plans}
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                future.result()
                if progress is not None:
                    progress(done, len(plans), futures[future].case)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return [future.result() for future in futures]


def write_case(plan: CasePlan, root: Path, grid: Grid) -> tuple[dict, list[Planted]]:
    """Simulate one case and write its images, reference and predictions under ``root``."""
    anatomy = make_anatomy(grid, plan.pose, plan.atrophy, plan.stream("anatomy"))
    tumour = grow(plan.tumour, grid, anatomy, plan.stream("tumour"))
    for channel, voxels in acquire(grid, anatomy, tumour, plan.center.scanner, plan.stream("scanner")):
        write_volume(_case_file(root, plan.case, channel), voxels, grid.geometry)
    write_volume(_case_file(root, plan.case, "seg"), grid.whole(tumour.labels), grid.geometry)
    target = make_target(grid, tumour, plan.stream("difficulty"))
    planted: list[Planted] = []
    for model, habit in MODELS.items():
        probabilities = predict(habit, target, grid, anatomy, plan.stream(model))
        kinds = [kind for kind, where in plan.planted.items() if where == model]
        for kind in kinds:
            scene = Scene(grid, anatomy, tumour, plan.stream(kind))
            probabilities, record = plant(kind, plan.case, model, probabilities, scene)
            planted.append(record)
        _write_prediction(root / "predictions" / model, plan.case, probabilities, grid, kinds)
    return _facts(plan, tumour, grid), planted


def _case_file(root: Path, case: str, suffix: str) -> Path:
    return root / "cases" / case / f"{case}-{suffix}.nii.gz"


def _write_prediction(folder: Path, case: str, probabilities: np.ndarray, grid: Grid, kinds: list[str]) -> None:
    """Label map and probabilities, with the failures that are a matter of the file itself."""
    geometry, path = grid.geometry, folder / f"{case}.nii.gz"
    if "geometry mismatch" in kinds:
        origin = tuple(position + shift for position, shift in zip(geometry.origin, SHIFT_MM, strict=True))
        geometry = replace(geometry, origin=origin)
    write_volume(path, grid.whole(painted(probabilities)), geometry)
    if "unreadable file" in kinds:
        whole = path.read_bytes()
        with written_whole(path) as temporary:
            temporary.write_bytes(whole[: int(len(whole) * TRUNCATED_SHARE)])
    with written_whole(folder / f"{case}.npz") as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, probabilities=grid.whole(probabilities))


def _facts(plan: CasePlan, tumour: Tumour, grid: Grid) -> dict:
    masks = dict(zip(REGIONS, LABELS.masks(tumour.labels), strict=True))
    return {
        "case": plan.case,
        "center": plan.center.name,
        "split": plan.split,
        "seed": [plan.seed, plan.number],
        "volume_ml": {region: round(float(mask.sum()) * grid.voxel_ml, 3) for region, mask in masks.items()},
        "cavity_ml": round(float(tumour.cavity.sum()) * grid.voxel_ml, 3),
        "satellites": len(tumour.satellites),
        "centre_mm": [round(position, 1) for position in grid.to_lps(plan.tumour.centre_mm)],
    }


def _write_tables(root: Path, plans: list[CasePlan], done: list[tuple], numbers: dict) -> None:
    """centers.csv, each model's dataset.json, and truth.json last."""
    rows = ["case,center,split", *(f"{plan.case},{plan.center.name},{plan.split}" for plan in plans)]
    _write_text(root / "centers.csv", "\n".join(rows) + "\n")
    for model in MODELS:
        _write_text(root / "predictions" / model / "dataset.json", _json(DATASET | {"numTraining": len(plans)}))
    planted = [asdict(record) for _, records in done for record in records]
    planted.sort(key=lambda record: list(KINDS).index(record["kind"]))
    files = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
    truth = {"generator": GENERATOR, **numbers, "labels": LABELS.name, "planted": planted}
    truth |= {"per_case": [facts for facts, _ in done], "files": [*files, "truth.json"]}
    _write_text(root / "truth.json", _json(truth))


def _json(content: dict) -> str:
    return json.dumps(content, indent=1) + "\n"


def _write_text(path: Path, text: str) -> None:
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
