"""What an uncertainty map of one region is worth on a case with a reference: calibration, risk-coverage, QU-BraTS.

The domain is every voxel within 10 mm of the reference or the prediction, in the brain where that is known: elsewhere
any map is right and sure. A case's curve is its own, since its voxels depend on each other; means are over cases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .arrays import boolean, numbers, same_shape
from .calibration import (
    BAND_MM,
    brier_score,
    expected_calibration_error,
    near_region,
    negative_log_likelihood,
    reliability,
)
from .conventions import ScoringError
from .selective_risk import risk_coverage
from .uncertainty import qu_brats

COVERAGES = np.linspace(0, 1, 101)
SAMPLE = 20_000
"""Voxels of a case that a temperature is fitted to."""


@dataclass(frozen=True)
class MapWorth:
    """``scores`` by name; ``risks``: the selective risk at ``COVERAGES``; ``bins``: the reliability diagram.

    ``probability`` and ``outcome`` are a sample of the domain's voxels.
    """

    scores: dict[str, float]
    risks: np.ndarray
    bins: pd.DataFrame
    probability: np.ndarray
    outcome: np.ndarray


def map_worth(
    reference: np.ndarray,
    predicted: np.ndarray,
    probability: np.ndarray,
    uncertainty: np.ndarray,
    spacing: tuple[float, ...],
    brain: np.ndarray | None = None,
) -> MapWorth | None:
    """The worth of ``uncertainty`` (0 to 1) for ``predicted``, whose mean probability is ``probability``.

    All are ``(z, y, x)``; masks boolean; ``spacing`` in mm in array order. None where neither reference nor prediction
    has the region. Without ``brain`` the QU-BraTS score filters its true negatives in the domain. Raises ScoringError
    for shapes that differ and values outside 0 to 1.
    """
    reference, predicted = boolean(reference, "reference"), boolean(predicted, "prediction")
    uncertainty = numbers(uncertainty, "uncertainty", 0, 1)
    same_shape(reference=reference, prediction=predicted, probability=probability, uncertainty=uncertainty)
    domain = _domain(reference | predicted, spacing, brain)
    if domain is None:
        return None
    wrong = (reference != predicted)[domain]
    curve = risk_coverage(-uncertainty[domain].astype(np.float64), wrong)
    worth = qu_brats(reference, predicted, 100.0 * uncertainty, domain if brain is None else brain)
    scores = {
        "dice": _dice(reference, predicted),
        "qu_brats": worth.score,
        "qu_brats_dice_auc": worth.dice_auc,
        "qu_brats_ftp_auc": worth.ftp_auc,
        "qu_brats_ftn_auc": worth.ftn_auc,
        "aurc": curve.aurc,
        "e_aurc": curve.e_aurc,
        "error_share": float(wrong.mean()),
        "ece": expected_calibration_error(probability, reference, domain=domain),
        "brier": brier_score(probability, reference, domain=domain),
        "nll": negative_log_likelihood(probability, reference, domain=domain),
    }
    risks = np.interp(COVERAGES, curve.coverages, curve.selective_risks)
    bins = reliability(probability, reference, domain=domain)
    return MapWorth(scores, risks, bins, *_sample(probability, reference, domain))


def _domain(anywhere: np.ndarray, spacing: tuple[float, ...], brain: np.ndarray | None) -> np.ndarray | None:
    if not anywhere.any():
        return None
    near = near_region(anywhere, spacing, BAND_MM)
    if brain is None:
        return near
    near &= boolean(brain, "brain")
    if not near.any():
        raise ScoringError("the region lies off the brain; the images do not fit the masks")
    return near


def _dice(reference: np.ndarray, predicted: np.ndarray) -> float:
    """At least one of the masks is not empty."""
    return 2 * int((reference & predicted).sum()) / int(reference.sum() + predicted.sum())


def _sample(probability: np.ndarray, reference: np.ndarray, domain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, outcomes = probability[domain], reference[domain]
    if len(values) <= SAMPLE:
        return values, outcomes
    chosen = np.random.default_rng(0).choice(len(values), SAMPLE, replace=False)
    return values[chosen], outcomes[chosen]
