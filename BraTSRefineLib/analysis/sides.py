"""A model's label map beside the truth, and the one table of counts from which every reading of labels is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..cohort import Geometry
from ..fusion import majority
from ..regions import REGIONS, LabelConvention
from .boxes import joint_box
from .pairs import REFERENCE, Labelled

CONSENSUS_LABELS = LabelConvention(
    "the consensus of the others",
    {},
    {region: tuple(code for code in range(256) if code >> bit & 1) for bit, region in enumerate(REGIONS)},
)
"""How the label map of a consensus is read: bit ``i`` is region ``i``, so that regions need not be nested."""


@dataclass(frozen=True)
class Sides:
    """``truth`` (the reference, or the consensus of the other models) and ``prediction`` on one grid."""

    case: str
    model: str
    geometry: Geometry
    truth: Labelled
    prediction: Labelled
    versus: str = REFERENCE

    @property
    def same_size(self) -> bool:
        return self.truth.voxels.shape == self.prediction.voxels.shape

    @cached_property
    def joint(self) -> np.ndarray:
        """Voxels by label of the truth (row) and of the prediction (column), (256, 256); common background is 0.

        Arrays of different sizes meet nowhere.
        """
        if not self.same_size:
            return _apart(self.truth.counts, self.prediction.counts)
        box = joint_box(self.truth.box, self.prediction.box)
        if box is None:
            return np.zeros((256, 256), dtype=np.int64)
        truth, prediction = self.truth.voxels[box].ravel(), self.prediction.voxels[box].ravel()
        labelled = np.flatnonzero(truth | prediction)
        pairs = truth[labelled].astype(np.uint16) << np.uint16(8) | prediction[labelled]
        return np.bincount(pairs, minlength=65536).reshape(256, 256)

    @cached_property
    def dice(self) -> dict[str, float]:
        """Dice as the labels are stated, of the regions that both know and at least one has."""
        found = {r: self.dice_of(r, self.prediction.labels) for r in self.truth.regions if r in self.prediction.regions}
        return {region: dice for region, dice in found.items() if not np.isnan(dice)}

    def dice_of(self, region: str, labels: LabelConvention) -> float:
        """Dice of one region with the prediction read as ``labels``; 0 where they have no such region."""
        return joint_dice(self.joint, self.truth.labels.regions[region], labels.regions.get(region, ()))

    def have_both(self, region: str) -> bool:
        """Whether truth and prediction have voxels of the region."""
        return bool(self.truth.size(region) and self.prediction.size(region))

    @property
    def present(self) -> frozenset[int]:
        """The labels of the prediction, background left out."""
        return frozenset(np.flatnonzero(self.joint.sum(axis=0)).tolist()) - {0}

    @property
    def turned_round(self) -> Sides:
        """The prediction as truth and the truth as prediction."""
        return Sides(self.case, self.model, self.geometry, self.prediction, self.truth, self.versus)


def joint_dice(joint: np.ndarray, truth: Sequence[int], prediction: Sequence[int]) -> float:
    """Dice of the labels ``truth`` (rows) against ``prediction`` (columns); NaN where neither has a voxel."""
    rows, columns = joint[list(truth)], joint[:, list(prediction)]
    total = rows.sum() + columns.sum()
    return float(2 * rows[:, list(prediction)].sum() / total) if total else float("nan")


def _apart(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    joint = np.zeros((256, 256), dtype=np.int64)
    joint[:, 0], joint[0] = truth, prediction
    return joint


def mean(dice: Mapping[str, float]) -> float:
    """Mean over the regions; 1 where there is none, as nothing can be wrong then."""
    return float(np.mean(list(dice.values()))) if dice else 1.0


def consensus(predictions: Sequence[Labelled]) -> Labelled:
    """The label maps' majority, region by region among those that know the region, as one map of region bits."""
    box = joint_box(*[prediction.box for prediction in predictions])
    voxels = np.zeros_like(predictions[0].voxels)
    regions = {}
    for bit, region in enumerate(REGIONS):
        voters = [prediction for prediction in predictions if region in prediction.labels.regions]
        if voters and box is not None:
            votes = majority(voter.labels.mask(voter.voxels[box], region)[np.newaxis] for voter in voters)
            voxels[box] |= votes[0].view(np.uint8) << np.uint8(bit)
        if voters:
            regions[region] = CONSENSUS_LABELS.regions[region]
    return Labelled(voxels, LabelConvention(CONSENSUS_LABELS.name, {}, regions))
