"""Whether a prediction's labels stand for other tissues than its convention says."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations

import numpy as np

from ..regions import REGIONS
from .boxes import occupied_box
from .finding import PERMUTED, Finding
from .pairs import Pair

TISSUES = ("NCR", "ED", "ET")
TISSUES_OF = {"WT": ("NCR", "ED", "ET"), "TC": ("NCR", "ET"), "ET": ("ET",)}
GAIN = 0.3
CREDIBLE = 0.5
"""Another order of the labels must raise the mean Dice by ``GAIN``, to at least ``CREDIBLE``."""


def permuted_labels(pair: Pair) -> Finding | None:
    """The order of the labels that fits far better than the stated one, from the table of labels against truth."""
    labels = sorted(pair.prediction.labels.labels)
    if len(labels) != 3 or not all(region in pair.prediction.labels.regions for region in REGIONS):
        return None
    counts = _contingency(pair)
    stated = _mean_dice(counts, pair, pair.prediction.labels.regions)
    orders = [dict(zip(TISSUES, order, strict=True)) for order in permutations(labels)]
    best = max(orders, key=lambda order: _mean_dice(counts, pair, _regions(order)))
    reached = _mean_dice(counts, pair, _regions(best))
    if reached - stated <= GAIN or reached < CREDIBLE:
        return None
    spelled = ",".join(f"{tissue}={label}" for tissue, label in best.items())
    message = (
        f"its labels look permuted: read as {spelled} the mean Dice is {reached:.2f} instead of {stated:.2f}; "
        f"if that is so, state --model-labels {pair.model}={spelled}"
    )
    return Finding(pair.case.case, pair.model, PERMUTED, message)


def _contingency(pair: Pair) -> np.ndarray:
    """Voxels by the regions of the truth (bit ``i`` is region ``i``) and the label of the prediction, (8, 256)."""
    box = occupied_box(np.logical_or.reduce([pair.prediction.voxels > 0, *pair.truth.values()]))
    if box is None:
        return np.zeros((8, 256), dtype=np.int64)
    code = pair.prediction.voxels[box].astype(np.uint16)
    for bit, region in enumerate(REGIONS):
        if region in pair.truth:
            code |= pair.truth[region][box].astype(np.uint16) << np.uint16(bit + 8)
    return np.bincount(code.ravel(), minlength=8 * 256).reshape(8, 256)


def _regions(order: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    return {region: tuple(order[tissue] for tissue in tissues) for region, tissues in TISSUES_OF.items()}


def _mean_dice(counts: np.ndarray, pair: Pair, regions: Mapping[str, tuple[int, ...]]) -> float:
    """Mean over the regions that the truth has."""
    values = []
    for bit, region in enumerate(REGIONS):
        inside = counts[[code for code in range(8) if code >> bit & 1]]
        if region in pair.truth and inside.sum():
            columns = list(regions[region])
            values.append(2 * inside[:, columns].sum() / (inside.sum() + counts[:, columns].sum()))
    return float(np.mean(values)) if values else 0.0
