"""How far the saved probabilities of a model can be trusted: calibration and the worth of its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..cohort.case import Case
from ..cohort.probabilities import read_probabilities
from ..cohort.volumes import VolumeError, read_image
from ..regions import REGIONS
from .calibration import calibration_scores
from .case_maps import LabelMap
from .conventions import ScoringError
from .uncertainty import predictive_entropy, qu_brats


def probability_measures(
    case: Case, model: str, truth: LabelMap, regions: Sequence[str]
) -> dict[str, dict[str, float]]:
    """ECE, Brier and NLL over the brain and the tumour band, QU-BraTS score and confidence, by region.

    The uncertainty is the predictive entropy, 100 at a probability of one half. ``confidence`` is the mean certainty
    (1 - entropy) where the region is predicted. A model without probabilities has no rows. Raises ScoringError where
    a map or the images, which show the brain, cannot be used.
    """
    if model not in case.probabilities:
        return {}
    try:
        stack = read_probabilities(case.probabilities[model], case)
        brain = _brain(case)
    except VolumeError as error:
        raise ScoringError(str(error)) from None
    known = [region for region in regions if region in REGIONS]
    return {region: _of_region(stack[REGIONS.index(region)], truth, region, brain) for region in known}


def _of_region(probability: np.ndarray, truth: LabelMap, region: str, brain: np.ndarray) -> dict[str, float]:
    reference, predicted = truth.labels.mask(truth.voxels, region), probability > 0.5
    entropy = predictive_entropy(probability.astype(np.float32))
    worth = qu_brats(reference, predicted, 100 * entropy, brain)
    values = calibration_scores(probability, reference, truth.spacing, brain=brain)
    values |= {"qu_brats": worth.score, "qu_brats_dice_auc": worth.dice_auc}
    values |= {"qu_brats_ftp_auc": worth.ftp_auc, "qu_brats_ftn_auc": worth.ftn_auc}
    return values | {"confidence": 1 - float(entropy[predicted].mean()) if predicted.any() else np.nan}


def _brain(case: Case) -> np.ndarray:
    """Where any image is not zero, as the challenges' skull-stripped images show the brain."""
    if not case.images:
        raise ScoringError("no image shows where the brain is; add the images to the cohort")
    path = next(case.images[channel] for channel in ("t1n", *case.images) if channel in case.images)
    return read_image(path) != 0
