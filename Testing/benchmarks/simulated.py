"""Full-size label maps of simulated tumours, quickly: what scoring reads, without the images that it does not."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from scipy import ndimage

from BraTSRefineLib.cohort.volumes import Geometry, write_volume

SHAPE = (155, 240, 240)
BOX, RADII = 112, (34, 6, 5, 4)
GRID = Geometry(SHAPE[::-1], (1.0, 1.0, 1.0), (0.0, 239.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))


def write_label_maps(folder: Path, cases: int, models: tuple[str, ...], dtype: str = "uint8", workers: int = 2) -> Path:
    """``folder/cases/<case>/<case>-seg.nii.gz`` and ``folder/predictions/<model>/<case>.nii.gz``, labels 1, 2, 3."""
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        list(pool.map(partial(_write_case, folder, models, dtype), range(cases)))
    return folder


def _write_case(folder: Path, models: tuple[str, ...], dtype: str, number: int) -> None:
    rng, name = np.random.default_rng(number), f"BraTS-GLI-{number:05d}-000"
    size = rng.uniform(0.35, 1.0)
    lumps = smooth_noise((BOX,) * 3, 6 * size, rng) * 3 * size
    corner = [int(rng.integers(0, side - BOX)) for side in SHAPE]
    spots = BOX / 2 + np.vstack([np.zeros(3), rng.uniform(-40, 40, (3, 3))]) * size
    reference = _placed(_in_the_box(spots, lumps, size), corner).astype(dtype)
    write_volume(folder / "cases" / name / f"{name}-seg.nii.gz", reference, GRID)
    for model in models:
        wobble = lumps + smooth_noise((BOX,) * 3, 3 * size, rng) * rng.uniform(0.5, 2.5) * size
        predicted = _in_the_box(spots[: rng.integers(2, 5)] + rng.normal(0, 0.7, 3), wobble, size)
        write_volume(folder / "predictions" / model / f"{name}.nii.gz", _placed(predicted, corner).astype(dtype), GRID)


def _in_the_box(spots: np.ndarray, lumps: np.ndarray, size: float) -> np.ndarray:
    return painted(np.indices((BOX,) * 3, dtype=np.float32), spots.astype(np.float32), RADII, lumps, size)


def painted(
    grid: np.ndarray, spots: np.ndarray, radii: tuple[int, ...], lumps: np.ndarray, scale: float, enhancing: int = 3
) -> np.ndarray:
    """Oedema round an enhancing rim round necrosis; the first spot is the main mass, the others satellites."""
    depth = np.full(grid.shape[1:], -np.inf, dtype=np.float32)
    for spot, radius in zip(spots, radii, strict=False):
        away = np.sqrt(((grid - spot[:, None, None, None]) ** 2).sum(axis=0))
        depth = np.maximum(depth, radius * scale - away)
    depth += lumps
    labels = np.zeros(depth.shape, dtype=np.uint8)
    for level, label in ((0, 2), (12, enhancing), (17, 1)):
        labels[depth > level * scale] = label
    return labels


def _placed(box: np.ndarray, corner: list[int]) -> np.ndarray:
    whole = np.zeros(SHAPE, dtype=np.uint8)
    whole[tuple(slice(start, start + BOX) for start in corner)] = box
    return whole


def smooth_noise(shape: tuple[int, ...], sigma: float, rng: np.random.Generator) -> np.ndarray:
    noise = ndimage.gaussian_filter(rng.standard_normal(shape, dtype=np.float32), sigma)
    return noise / noise.std()
