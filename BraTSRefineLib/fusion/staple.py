"""STAPLE: the members' label maps weighed by the sensitivity and specificity that they show against each other.

Warfield, Zou and Wells 2004, "Simultaneous truth and performance level estimation (STAPLE)", IEEE TMI 23(7); the
expectation maximisation is ITK's. Members that err alike are over-trusted, since the model takes them as independent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .boxes import checked_masks, nested, union_box

MARGIN = 5
"""Voxels around the union: the amount of background decides the specificities and may not vary with the image."""


@dataclass(frozen=True)
class Staple:
    """``probability`` ``(z, y, x)`` that a voxel is in the region, and each member's sensitivity and specificity.

    The members' figures are NaN where all of them say the same: there is nothing to tell them apart by.
    """

    probability: np.ndarray
    sensitivity: np.ndarray
    specificity: np.ndarray


def staple(masks: Sequence[np.ndarray]) -> Staple:
    """STAPLE of one region's masks ``(z, y, x)``, estimated in the box around their union and 5 voxels more.

    Members of one opinion give that opinion (ITK gives NaN where all are empty). Raises FusionError for no member,
    another shape or a type that is not boolean.
    """
    masks = checked_masks(masks)
    if all(np.array_equal(mask, masks[0]) for mask in masks[1:]):
        return Staple(masks[0].astype(np.float32), *np.full((2, len(masks)), np.nan))
    box = union_box(masks, MARGIN)
    estimate, sensitivity, specificity = _estimate([mask[box] for mask in masks])
    probability = np.zeros(masks[0].shape, dtype=np.float32)
    probability[box] = estimate
    return Staple(probability, sensitivity, specificity)


def staple_regions(stacks: Iterable[np.ndarray]) -> np.ndarray:
    """Boolean stack ``(region, z, y, x)`` of the members' stacks: each region by itself, then nested.

    Raises FusionError as ``staple``.
    """
    stacks = checked_masks(list(stacks))
    return nested(np.stack([staple(masks).probability > 0.5 for masks in zip(*stacks, strict=True)]))


def _estimate(masks: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    import SimpleITK

    stapler = SimpleITK.STAPLEImageFilter()
    stapler.SetForegroundValue(1)
    stapler.SetConfidenceWeight(1.0)
    image = stapler.Execute([SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in masks])
    found = np.array(stapler.GetSensitivity()), np.array(stapler.GetSpecificity())
    return SimpleITK.GetArrayFromImage(image).astype(np.float32), *found
