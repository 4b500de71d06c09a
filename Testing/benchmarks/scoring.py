"""Scoring a pair of label maps in memory: ours against surface-distance and MONAI.

Each computes Dice, HD95, ASSD and surface Dice at 1 mm of WT, TC and ET. All run in turn in one process, so that a
busy machine slows all; the ratio is taken pair by pair. Ours is scored under the convention of the peer.
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
import pandas as pd
from run import Figure
from simulated import painted, smooth_noise

from BraTSRefineLib.cohort.volumes import read_label_map
from BraTSRefineLib.regions import REGIONS, label_convention
from BraTSRefineLib.scoring import score_pair

REPOSITORY = Path(__file__).resolve().parents[2]
REAL_DATA = Path(os.environ.get("BRATSREFINE_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
SPACING = (1.0, 1.0, 1.0)
RADII = (37, 7, 6, 5, 5)
LABELS = label_convention("brats2021")
COMPARED = ("dice", "hd95_mm", "assd_mm", "nsd_1mm")
EVERY = 3
"""Of the 40 ordered pairs of models, so many are passed over: MONAI takes seconds for each."""

Pair = tuple[np.ndarray, np.ndarray]
Values = dict[tuple[str, str], float]


def measure() -> list[Figure]:
    for convention in ("deepmind", "monai"):
        _ours(*_large_tumour(scale=0.2), "numba", convention)
    real = [_timed(pair, repeats=2) for pair in _real_pairs()[::EVERY]]
    large = [_timed(_large_tumour(), repeats=9)]
    return [
        *_figures("tcga-lgg", real, bar=10.0),
        *_figures("large tumour", large, bar=40.0),
        *_differences([*real, *large]),
    ]


def _figures(name: str, rows: list[dict[str, float]], bar: float) -> list[Figure]:
    milliseconds = {key: 1e3 * median(row[key] for row in rows) for key in rows[0]}
    compared = {
        "surface-distance": ("surface-distance", "ours", bar),
        "MONAI": ("MONAI", "ours as MONAI", 50.0),
    }
    figures = []
    for peer, (theirs, ours, least) in compared.items():
        detail = f"{len(rows)} pairs; median {milliseconds[theirs]:.1f} ms against {milliseconds[ours]:.2f} ms"
        ratio = median(row[theirs] / row[ours] for row in rows)
        figures.append(Figure(f"{name}: {peer} / ours", ratio, ">=", least, "x", detail))
    ratio = median(row["surface-distance"] / row["ours by scipy"] for row in rows)
    detail = f"{milliseconds['ours by scipy']:.1f} ms"
    return [*figures, Figure(f"{name}: surface-distance / ours without numba", ratio, unit="x", detail=detail)]


def _differences(rows: list[dict[str, float]]) -> list[Figure]:
    return [
        Figure(f"largest difference to {peer}", max(row[f"difference to {peer}"] for row in rows), "<=", 1e-6)
        for peer in ("surface-distance", "MONAI")
    ]


def _timed(pair: Pair, repeats: int) -> dict[str, float]:
    """Seconds of the peers and of ours in turn (the least of the repeats), and the largest difference of a value."""
    contenders: dict[str, Callable] = {
        "ours": lambda: _ours(*pair, "numba", "deepmind"),
        "surface-distance": lambda: _surface_distance(*pair),
        "ours as MONAI": lambda: _ours(*pair, "numba", "monai"),
        "MONAI": lambda: _monai(*pair),
        "ours by scipy": lambda: _ours(*pair, "scipy", "deepmind"),
    }
    seconds = dict.fromkeys(contenders, float("inf"))
    values = {}
    for _ in range(repeats):
        for name, work in contenders.items():
            gc.collect()
            start = time.perf_counter()
            values[name] = work()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    by_face = max(_difference(values[name], values["surface-distance"]) for name in ("ours", "ours by scipy"))
    by_edge = _difference(values["ours as MONAI"], values["MONAI"], relative=True)
    return seconds | {"difference to surface-distance": by_face, "difference to MONAI": by_edge}


def _ours(reference: np.ndarray, prediction: np.ndarray, engine: str, convention: str) -> pd.DataFrame:
    options = {"labels": LABELS, "convention": convention, "engine": engine, "metrics": COMPARED}
    return score_pair(reference, prediction, SPACING, **options)


def _surface_distance(reference: np.ndarray, prediction: np.ndarray) -> Values:
    from surface_distance import metrics as peer

    np.Inf, np.NaN = np.inf, np.nan  # names that surface-distance 0.1 takes from numpy 1
    values = {}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for region in REGIONS:
            truth, guess = LABELS.mask(reference, region), LABELS.mask(prediction, region)
            distances = peer.compute_surface_distances(truth, guess, SPACING)
            values[region, "dice"] = peer.compute_dice_coefficient(truth, guess)
            values[region, "hd95_mm"] = peer.compute_robust_hausdorff(distances, 95)
            values[region, "assd_mm"] = np.mean(peer.compute_average_surface_distance(distances))
            values[region, "nsd_1mm"] = peer.compute_surface_dice_at_tolerance(distances, 1.0)
    return values


def _monai(reference: np.ndarray, prediction: np.ndarray) -> Values:
    import torch
    from monai import metrics as peer

    truth, guess = (torch.from_numpy(LABELS.masks(one, REGIONS)[np.newaxis]) for one in (reference, prediction))
    options = {"include_background": True, "spacing": list(SPACING)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {
            "dice": peer.compute_dice(guess, truth),
            "hd95_mm": peer.compute_hausdorff_distance(guess, truth, percentile=95, **options),
            "assd_mm": peer.compute_average_surface_distance(guess, truth, symmetric=True, **options),
            "nsd_1mm": peer.compute_surface_dice(guess, truth, [1.0] * len(REGIONS), **options),
        }
    return {(region, m): float(found[m][0, place]) for m in found for place, region in enumerate(REGIONS)}


def _difference(scores: pd.DataFrame, theirs: Values, relative: bool = False) -> float:
    """Largest difference; what both call NaN or infinite does not differ."""
    ours = {(row.region, row.metric): row.value for row in scores.itertuples()}
    pairs = [(ours[key], theirs[key]) for key in theirs]
    apart = [0.0 if a == b or (np.isnan(a) and np.isnan(b)) else abs(a - b) for a, b in pairs]
    return max(d / max(1.0, abs(b)) if relative else d for d, (_, b) in zip(apart, pairs, strict=True))


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
    lumps = smooth_noise(shape, 6 * scale, rng) * 4 * scale
    spots = centre + np.array([[0, 0, 0], [40, 10, 5], [-30, 45, 0], [5, -60, 20], [10, 40, -55]]) * scale
    reference = painted(grid, spots, RADII, lumps, scale, enhancing=4)
    wobble = lumps + smooth_noise(shape, 3 * scale, rng) * 2 * scale
    return reference, painted(grid, spots[:-1] + 1.5 * scale, RADII, wobble, scale, enhancing=4)
