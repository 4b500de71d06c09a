"""Scoring a pair of label maps in memory: ours (every metric, three regions) against surface-distance (three metrics).

Both run in turn in one process, so that a busy machine slows both; the ratio is taken pair by pair.
"""

from __future__ import annotations

import gc
import os
import time
import warnings
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from statistics import median

import numpy as np
from run import Figure
from scipy import ndimage

from BraTSRefineLib.cohort.volumes import read_label_map
from BraTSRefineLib.regions import REGIONS, label_convention
from BraTSRefineLib.scoring import score_pair

REPOSITORY = Path(__file__).resolve().parents[2]
REAL_DATA = Path(os.environ.get("BRATSREFINE_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
SPACING = (1.0, 1.0, 1.0)
LABELS = label_convention("brats2021")
COMPARED = ("dice", "hd95_mm", "nsd_1mm")
Pair = tuple[np.ndarray, np.ndarray]


def measure() -> list[Figure]:
    _ours(*_large_tumour(scale=0.2), "numba")
    real = [_timed(pair, repeats=3) for pair in _real_pairs()]
    large = _timed(_large_tumour(), repeats=3)
    worst = max(row["difference"] for row in [*real, large])
    return [
        *_figures("tcga-lgg", real, bar=10.0),
        *_figures("large tumour", [large], bar=None),
        Figure("largest difference to surface-distance", worst, "<=", 1e-6),
    ]


def _figures(name: str, rows: list[dict[str, float]], bar: float | None) -> list[Figure]:
    held_to = () if bar is None else (">=", bar)
    ratio, numba, scipy, peer = (median(row[key] for row in rows) for key in ("ratio", "numba", "scipy", "peer"))
    detail = f"{len(rows)} pairs; median {peer * 1e3:.1f} ms against {numba * 1e3:.2f} ms"
    scipy_ratio = median(row["peer"] / row["scipy"] for row in rows)
    return [
        Figure(f"{name}: surface-distance / ours", ratio, *(held_to or ("", float("nan"))), unit="x", detail=detail),
        Figure(f"{name}: surface-distance / ours without numba", scipy_ratio, unit="x", detail=f"{scipy * 1e3:.1f} ms"),
    ]


def _timed(pair: Pair, repeats: int) -> dict[str, float]:
    """Median seconds of the peer and of both engines in turn, their ratio, and the largest difference of a value."""
    contenders: dict[str, Callable] = {
        "numba": lambda: _ours(*pair, "numba"),
        "peer": lambda: _peer(*pair),
        "scipy": lambda: _ours(*pair, "scipy"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    values = {}
    for _ in range(repeats):
        for name, work in contenders.items():
            gc.collect()
            start = time.perf_counter()
            values[name] = work()
            seconds[name].append(time.perf_counter() - start)
    row = {name: median(times) for name, times in seconds.items()}
    row["ratio"] = median(peer / ours for peer, ours in zip(seconds["peer"], seconds["numba"], strict=True))
    row["difference"] = max(_difference(values[engine], values["peer"]) for engine in ("numba", "scipy"))
    return row


def _ours(reference: np.ndarray, prediction: np.ndarray, engine: str) -> dict[tuple[str, str], float]:
    scores = score_pair(reference, prediction, SPACING, labels=LABELS, convention="deepmind", engine=engine)
    return {(r, m): v for r, m, v in zip(scores["region"], scores["metric"], scores["value"], strict=True)}


def _peer(reference: np.ndarray, prediction: np.ndarray) -> dict[tuple[str, str], float]:
    from surface_distance import metrics as peer

    np.Inf, np.NaN = np.inf, np.nan  # names that surface-distance 0.1 takes from numpy 1
    values = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for region in REGIONS:
            truth, guess = LABELS.mask(reference, region), LABELS.mask(prediction, region)
            distances = peer.compute_surface_distances(truth, guess, SPACING)
            values[region, "dice"] = peer.compute_dice_coefficient(truth, guess)
            values[region, "hd95_mm"] = peer.compute_robust_hausdorff(distances, 95)
            values[region, "nsd_1mm"] = peer.compute_surface_dice_at_tolerance(distances, 1.0)
    return values


def _difference(ours: dict, theirs: dict) -> float:
    """Largest absolute difference; what both call NaN or infinite does not differ."""
    pairs = [(ours[key], theirs[key]) for key in theirs]
    return max(0.0 if a == b or (np.isnan(a) and np.isnan(b)) else abs(a - b) for a, b in pairs)


def _real_pairs() -> list[Pair]:
    """Every ordered pair of models of each case of tcga-lgg, the first standing for the reference."""
    folder = REAL_DATA / "tcga-lgg" / "predictions"
    if not folder.is_dir():
        raise SystemExit(f"no real cases at {REAL_DATA}; set BRATSREFINE_REAL_DATA to the folder that holds them")
    cases = sorted({path.name for path in folder.glob("*/*.nii.gz")})
    maps = {case: [read_label_map(path) for path in sorted(folder.glob(f"*/{case}"))] for case in cases}
    return [pair for case in cases for pair in permutations(maps[case], 2)]


def _large_tumour(scale: float = 1.0) -> Pair:
    """A tumour of about 230,000 voxels with satellites, and a prediction that errs along its whole border."""
    rng = np.random.default_rng(1)
    shape = tuple(round(size * scale) for size in (155, 240, 240))
    centre = np.multiply(shape, (0.5, 0.45, 0.55))
    grid = np.indices(shape, dtype=np.float32)
    lumps = _smooth_noise(shape, 6 * scale, rng) * 4 * scale
    spots = centre + np.array([[0, 0, 0], [40, 10, 5], [-30, 45, 0], [5, -60, 20], [10, 40, -55]]) * scale
    reference = _painted(grid, spots, lumps, scale)
    wobble = lumps + _smooth_noise(shape, 3 * scale, rng) * 2 * scale
    return reference, _painted(grid, spots[:-1] + 1.5 * scale, wobble, scale)


def _painted(grid: np.ndarray, spots: np.ndarray, lumps: np.ndarray, scale: float) -> np.ndarray:
    """Oedema round an enhancing rim round necrosis; the first spot is the main mass, the others satellites."""
    label_map = np.zeros(grid.shape[1:], dtype=np.uint8)
    depth = np.full(grid.shape[1:], -np.inf, dtype=np.float32)
    for spot, radius in zip(spots, (37, 7, 6, 5, 5), strict=False):
        away = np.sqrt(((grid - spot[:, None, None, None]) ** 2).sum(axis=0))
        depth = np.maximum(depth, radius * scale - away)
    depth += lumps
    label_map[depth > 0] = 2
    label_map[depth > 12 * scale] = 4
    label_map[depth > 17 * scale] = 1
    return label_map


def _smooth_noise(shape: tuple[int, ...], sigma: float, rng: np.random.Generator) -> np.ndarray:
    noise = ndimage.gaussian_filter(rng.standard_normal(shape, dtype=np.float32), sigma)
    return noise / noise.std()
