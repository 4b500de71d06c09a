"""Instance metrics of one region, as panoptica and the literature on panoptic segmentation define them.

Instances are the 26-connected components of each mask. Pairs that overlap enough are matched one to one, the best
first. RQ = TP / (TP + FP / 2 + FN / 2), the F1 score per lesion; SQ = mean IoU of the matched pairs; PQ = RQ x SQ
(Kirillov et al. 2019, "Panoptic Segmentation"; Kofler et al. 2023, "Panoptica").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import NamedTuple

import numpy as np
import pandas as pd

from .conventions import ScoringError
from .lesion_labels import Lesions, label_runs, lesions_of
from .lesion_matching import FALSE_POSITIVE, MATCHED, MISSED, PREDICTION, REFERENCE, matched
from .mask_pair import box_around, mask_pair
from .pair import checked_spacing

KINDS = {"instance": int, "side": str, "status": str, "match": int}
"""Of the table's columns that are no real numbers; stated so that a table without rows has them too."""

INSTANCE_WORDS = (
    "Instances are the components of each mask (voxels that share a corner are one), matched one to one from an IoU of "
    "0.5, the best pairs first. RQ = TP / (TP + FP / 2 + FN / 2), SQ = mean IoU of the matched pairs, PQ = RQ x SQ. "
    "All are NaN where neither mask has an instance and 0 where no pair is matched."
)


class Instance(NamedTuple):
    """A component of the reference, or one of the prediction that is matched to none; ``z, y, x`` is its mean index.

    ``match`` is the component of the prediction that it is matched to, 0 where there is none.
    """

    instance: int
    side: str
    status: str
    volume_ml: float
    z: float
    y: float
    x: float
    match: int
    iou: float
    dice: float


@dataclass(frozen=True)
class InstanceScores:
    """``sq`` and ``dsc`` are the mean IoU and Dice of the matched pairs, ``pq`` is ``rq`` times ``sq``.

    Where no pair is matched all four are 0; where neither mask has an instance they are NaN, as in panoptica.
    """

    rq: float
    sq: float
    pq: float
    dsc: float
    true_positives: int
    false_positives: int
    false_negatives: int
    rows: tuple[Instance, ...]

    @property
    def f1(self) -> float:
        """The F1 score per lesion, another name of RQ."""
        return self.rq

    @property
    def instances(self) -> pd.DataFrame:
        """A row a component of the reference and a row an unmatched one of the prediction; IoU and Dice 0 if so."""
        table = pd.DataFrame(self.rows, columns=Instance._fields)
        return table.astype({name: KINDS.get(name, float) for name in Instance._fields})


class Match(NamedTuple):
    prediction: int
    iou: float
    dice: float


UNMATCHED = Match(0, 0.0, 0.0)


def instance_scores(
    reference: np.ndarray, prediction: np.ndarray, spacing: Sequence[float], *, threshold: float = 0.5
) -> InstanceScores:
    """Instance metrics of one region's boolean masks (z, y, x); pairs of at least ``threshold`` IoU can be matched.

    ``spacing`` in mm in array order, for the volumes. Raises ScoringError for other than two boolean 3D masks of one
    shape, a spacing that is not three positive numbers, or a threshold outside 0 to 1.
    """
    reference, prediction = mask_pair(reference, prediction)
    if not 0 <= threshold <= 1:
        raise ScoringError(f"threshold {threshold} must be an IoU between 0 and 1")
    voxel_ml = float(np.prod(checked_spacing(spacing))) / 1000
    box = box_around(reference, prediction, margin=1)
    ours, theirs = (_components(mask[box]) for mask in (reference, prediction))
    matches = _matches(ours, theirs, threshold)
    taken = {match.prediction for match in matches.values()}
    start = [side.start for side in box]
    found = [
        _row(number, REFERENCE, ours, start, voxel_ml, matches.get(number, UNMATCHED))
        for number in range(1, ours.count + 1)
    ]
    strays = [number for number in range(1, theirs.count + 1) if number not in taken]
    return _scores([*found, *(_row(number, PREDICTION, theirs, start, voxel_ml, UNMATCHED) for number in strays)])


def _components(mask: np.ndarray) -> Lesions:
    voxels = np.ascontiguousarray(mask).view(np.uint8)
    return lesions_of(voxels, label_runs(voxels), (1,), dilation=0)


def _matches(reference: Lesions, prediction: Lesions, threshold: float) -> dict[int, Match]:
    """By component of the reference. Of pairs that overlap alike, the first of the prediction goes first."""
    candidates = []
    for number, partners in matched(reference, prediction).shared.items():
        for partner, shared in partners.items():
            sizes = int(reference.shapes.voxels[number] + prediction.shapes.voxels[partner])
            candidates.append((-shared / (sizes - shared), partner, number, 2 * shared / sizes))
    matches: dict[int, Match] = {}
    taken: set[int] = set()
    for negative_iou, partner, number, dice in sorted(candidates):
        if -negative_iou >= threshold and number not in matches and partner not in taken:
            matches[number] = Match(partner, -negative_iou, dice)
            taken.add(partner)
    return matches


def _row(number: int, side: str, lesions: Lesions, start: list[int], voxel_ml: float, match: Match) -> Instance:
    unmatched = MISSED if side == REFERENCE else FALSE_POSITIVE
    volume = int(lesions.shapes.voxels[number]) * voxel_ml
    place = (lesions.shapes.centroids[number] + start).tolist()
    return Instance(number, side, MATCHED if match.prediction else unmatched, volume, *place, *match)


def _scores(rows: list[Instance]) -> InstanceScores:
    pairs = [row for row in rows if row.status == MATCHED]
    missed, invented = (sum(row.status == status for row in rows) for status in (MISSED, FALSE_POSITIVE))
    counts = len(pairs), invented, missed
    if not pairs:
        worth = 0.0 if rows else nan
        return InstanceScores(worth, worth, worth, worth, *counts, tuple(rows))
    rq = len(pairs) / (len(pairs) + invented / 2 + missed / 2)
    sq, dsc = (float(np.mean([getattr(row, name) for row in pairs])) for name in ("iou", "dice"))
    return InstanceScores(rq, sq, rq * sq, dsc, *counts, tuple(rows))
