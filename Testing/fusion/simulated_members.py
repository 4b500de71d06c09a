"""Members of known worth on simulated cases, small enough for hundreds of fits."""

from __future__ import annotations

import numpy as np

from BraTSRefineLib.fusion import Contested, contested

SHAPE = (8, 10, 12)


def truth(random: np.random.Generator) -> np.ndarray:
    """A box somewhere in the grid."""
    low = [int(random.integers(0, length // 2)) for length in SHAPE]
    mask = np.zeros(SHAPE, dtype=bool)
    mask[tuple(slice(start, start + length // 2) for start, length in zip(low, SHAPE, strict=True))] = True
    return mask


def noisy(mask: np.ndarray, spread: float, random: np.random.Generator) -> np.ndarray:
    """Probabilities around the mask; a larger ``spread`` errs more."""
    return np.clip(mask * 0.4 + 0.3 + spread * random.standard_normal(mask.shape), 0, 1).astype(np.float32)


def cohort(spreads: list[float], cases: int = 15, seed: int = 0) -> list[Contested]:
    """A region of ``cases`` cases; a member for each spread."""
    random = np.random.default_rng(seed)
    masks = [truth(random) for _ in range(cases)]
    return [contested([noisy(mask, spread, random) for spread in spreads], mask) for mask in masks]


def persons(cases: int = 15) -> list[str]:
    return [f"person {number}" for number in range(cases)]
