"""How well an uncertainty map tells right voxels from wrong ones: the QU-BraTS score.

Mehta et al. 2022, "QU-BraTS: MICCAI BraTS 2020 Challenge on Quantifying Uncertainty in Brain Tumor Segmentation".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import boolean, numbers, same_shape
from .conventions import ScoringError
from .curves import area_under

HIGHEST = 100
"""The uncertainty of a voxel about which nothing is known."""

EPSILON = float(np.finfo(np.float32).eps)

IN_REFERENCE, IN_PREDICTION, IN_BRAIN = 1, 2, 4
"""The bits that say which of the three masks hold a voxel."""


@dataclass(frozen=True)
class QuBrats:
    """Dice, filtered true positives and filtered true negatives of the voxels no more uncertain than a threshold.

    Four arrays of one length, ``thresholds`` ascending from 0 to 100.
    """

    thresholds: np.ndarray
    dice: np.ndarray
    ftp: np.ndarray
    ftn: np.ndarray

    @property
    def dice_auc(self) -> float:
        """Area under the Dice curve, from 0 to 1."""
        return area_under(self.thresholds, self.dice) / HIGHEST

    @property
    def ftp_auc(self) -> float:
        """Area under the ratio of true positives that are filtered out, from 0 to 1; low is good."""
        return area_under(self.thresholds, self.ftp) / HIGHEST

    @property
    def ftn_auc(self) -> float:
        """Area under the ratio of true negatives that are filtered out, from 0 to 1; low is good."""
        return area_under(self.thresholds, self.ftn) / HIGHEST

    @property
    def score(self) -> float:
        """Mean of the Dice area and of what the other two areas leave of 1, as in the paper."""
        return (self.dice_auc + (1 - self.ftp_auc) + (1 - self.ftn_auc)) / 3


def predictive_entropy(probability: np.ndarray) -> np.ndarray:
    """That of a region's probability, of the same shape and type, in bits from 0 to 1."""
    p = np.clip(probability, 1e-7, 1 - 1e-7)
    return np.clip(-(p * np.log2(p) + (1 - p) * np.log2(1 - p)), 0.0, 1.0)


def qu_brats(
    reference: np.ndarray,
    prediction: np.ndarray,
    uncertainty: np.ndarray,
    brain_mask: np.ndarray,
    *,
    steps: int = 40,
) -> QuBrats:
    """The QU-BraTS curves of one region: boolean masks and an uncertainty map from 0 (certain) to 100, one shape.

    At each of the thresholds 0, 100/steps, ..., 100 the voxels that are more uncertain are filtered out. Dice is
    taken of what remains in the whole image, 1 where nothing remains; FTP and FTN are the shares of the true positives
    and true negatives inside the brain that were lost. The challenge's own script computes in float32; ours is
    float64, so that the areas agree to 2e-7.

    Raises ScoringError for masks that are not boolean, shapes that differ, an empty brain, an uncertainty that is NaN
    or outside 0 to 100, or ``steps`` below 1.
    """
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
        raise ScoringError(f"steps {steps}: the thresholds are a whole number of steps, at least 1")
    reference, prediction = boolean(reference, "reference"), boolean(prediction, "prediction")
    brain_mask = boolean(brain_mask, "brain mask")
    uncertainty = numbers(uncertainty, "uncertainty", 0, HIGHEST)
    same_shape(reference=reference, prediction=prediction, uncertainty=uncertainty, brain_mask=brain_mask)
    if not brain_mask.any():
        raise ScoringError("brain mask: no voxel is in the brain; it is where T1 is above 0")
    thresholds = np.arange(0.0, HIGHEST + EPSILON, HIGHEST / steps)
    return _curves(thresholds, _joint_histogram(reference, prediction, uncertainty, brain_mask, thresholds))


def _joint_histogram(reference, prediction, uncertainty, brain_mask, thresholds) -> np.ndarray:
    """Voxels by the first threshold that keeps them (the last row: none) and by the masks that hold them, (n + 1, 8).

    Voxels outside all three masks are not counted, since no curve needs them.
    """
    rows = len(thresholds) + 1
    in_tumour = np.flatnonzero(reference | prediction)
    masks = sum(
        bit * mask.reshape(-1)[in_tumour].astype(np.intp)
        for bit, mask in ((IN_REFERENCE, reference), (IN_PREDICTION, prediction), (IN_BRAIN, brain_mask))
    )
    kept_from = _first_kept(uncertainty.reshape(-1)[in_tumour], thresholds)
    histogram = np.bincount(kept_from * 8 + masks, minlength=rows * 8).reshape(rows, 8)
    brain = np.bincount(_first_kept(uncertainty[brain_mask], thresholds), minlength=rows)
    histogram[:, IN_BRAIN] = brain - histogram[:, IN_BRAIN:].sum(axis=1)
    return histogram


def _first_kept(uncertainty: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Index of the first threshold that is no less than each uncertainty."""
    if uncertainty.dtype.kind == "f":
        return np.searchsorted(thresholds, uncertainty.astype(np.float64, copy=False))
    return np.searchsorted(thresholds, np.arange(HIGHEST + 1))[uncertainty]


def _curves(thresholds: np.ndarray, histogram: np.ndarray) -> QuBrats:
    kept, total = histogram.cumsum(axis=0)[:-1], histogram.sum(axis=0)
    both = IN_REFERENCE | IN_PREDICTION
    overlap = kept[:, both] + kept[:, both | IN_BRAIN]
    volumes = sum(kept[:, code] * _masks_that_hold(code) for code in range(8))
    dice = np.divide(2 * overlap, volumes, out=np.ones(len(thresholds)), where=volumes > 0)
    ftp, ftn = (_lost(kept[:, code], total[code]) for code in (both | IN_BRAIN, IN_BRAIN))
    return QuBrats(thresholds, dice, ftp, ftn)


def _masks_that_hold(code: int) -> int:
    """How many of reference and prediction hold a voxel of that code."""
    return bool(code & IN_REFERENCE) + bool(code & IN_PREDICTION)


def _lost(kept: np.ndarray, total: int) -> np.ndarray:
    return (total - kept) / (total + EPSILON)
