"""Whether a voxel of probability 0.8 is tumour in 80 of 100 cases: calibration error and proper scores of a region.

Every score needs its domain: far from the tumour a network is right and sure of it, so that background voxels make
any calibration error as small as one likes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf, nan

import numpy as np
import pandas as pd

from .arrays import boolean, numbers, same_shape, zeros_and_ones
from .conventions import ScoringError
from .packing import occupied_box
from .pair import checked_spacing

BAND_MM = 10.0
"""How far the tumour band reaches from the region."""

CLIP = 1e-7
"""The negative log-likelihood takes probabilities from here to 1 minus this, so that no voxel costs over 16.1 nats."""


def expected_calibration_error(
    probability: np.ndarray, outcome: np.ndarray, *, bins: int = 15, domain: np.ndarray | None = None
) -> float:
    """Mean distance between the probability and the share of true outcomes over equal-width bins, by their counts.

    ``probability`` in 0..1 of being in the region and ``outcome`` (boolean or 0 and 1) have one shape; ``domain`` is
    a boolean mask of the voxels that count, all of them where it is not given. Bin ``i`` of ``n`` holds
    ``i/n < p <= (i+1)/n`` and the first one also ``p = 0``, so that no voxel is dropped. Naeini et al. 2015,
    "Obtaining well calibrated probabilities using Bayesian binning", with the bins of scikit-learn.

    Raises ScoringError for shapes that differ, an empty domain, a domain that is not boolean, an outcome other than
    0 and 1, probabilities of the domain that are NaN or outside 0..1, or ``bins`` below 1.
    """
    return _calibration_error(*_voxels(probability, outcome, domain), bins)


def brier_score(probability: np.ndarray, outcome: np.ndarray, *, domain: np.ndarray | None = None) -> float:
    """Mean squared distance between probability and outcome (Brier 1950). Arguments and errors as for the ECE."""
    return _brier(*_voxels(probability, outcome, domain))


def negative_log_likelihood(probability: np.ndarray, outcome: np.ndarray, *, domain: np.ndarray | None = None) -> float:
    """Mean of -ln of the probability that was given to what came out, in nats.

    Probabilities are clipped to ``CLIP``..1 - ``CLIP``. Arguments and errors as for the ECE.
    """
    return _log_loss(*_voxels(probability, outcome, domain))


def reliability(
    probability: np.ndarray, outcome: np.ndarray, *, bins: int = 15, domain: np.ndarray | None = None
) -> pd.DataFrame:
    """The reliability diagram as a table, a row a bin: lower, upper, count, mean_probability, observed.

    ``observed`` is the share of true outcomes; it and the mean probability are NaN in a bin without voxels. Bins,
    arguments and errors as for the ECE.
    """
    return _reliability(*_voxels(probability, outcome, domain), bins)


def calibration_scores(
    probability: np.ndarray,
    reference: np.ndarray,
    spacing: Sequence[float],
    *,
    brain: np.ndarray,
    band_mm: float = BAND_MM,
    bins: int = 15,
) -> dict[str, float]:
    """ECE, Brier score and negative log-likelihood of one region's probability, by name: ``ece_brain``, ``ece_band``...

    ``probability`` (z, y, x) in 0..1, ``reference`` and ``brain`` boolean masks, ``spacing`` in mm in array order. The
    band is the reference's region and every voxel within ``band_mm`` of it (centre to centre), as far as it lies in
    the brain; its scores are NaN where the reference is empty. Raises ScoringError as the single scores do, and for
    a spacing or a band that is no length, a mask that is not boolean, or a region all of which lies off the brain.
    """
    probability, reference, brain = np.asarray(probability), boolean(reference, "reference"), boolean(brain, "brain")
    same_shape(probability=probability, reference=reference, brain=brain)
    scores = _scores("brain", probability, reference, brain, bins)
    if not reference.any():
        return {**scores, **dict.fromkeys(("ece_band", "brier_band", "nll_band"), nan)}
    return {**scores, **_scores("band", probability, reference, brain & near_region(reference, spacing, band_mm), bins)}


def _scores(name: str, probability, outcome, domain, bins: int) -> dict[str, float]:
    voxels = _voxels(probability, outcome, domain)
    return {
        f"ece_{name}": _calibration_error(*voxels, bins),
        f"brier_{name}": _brier(*voxels),
        f"nll_{name}": _log_loss(*voxels),
    }


def _voxels(probability, outcome, domain) -> tuple[np.ndarray, np.ndarray]:
    """Probability (float64) and outcome (boolean) of the voxels that count, as lines."""
    probability, outcome = np.asarray(probability), np.asarray(outcome)
    same_shape(probability=probability, outcome=outcome)
    if domain is None:
        probability, outcome = probability.ravel(), outcome.ravel()
    else:
        domain = boolean(domain, "domain")
        same_shape(probability=probability, domain=domain)
        probability, outcome = probability[domain], outcome[domain]
    if not probability.size:
        raise ScoringError("the domain holds no voxel: there is no probability to score")
    return numbers(probability, "probability", 0, 1).astype(np.float64), zeros_and_ones(outcome, "outcome")


def _calibration_error(probability: np.ndarray, outcome: np.ndarray, bins: int) -> float:
    table = _reliability(probability, outcome, bins)
    gaps = (table["observed"] - table["mean_probability"]).abs()
    return float((gaps * table["count"]).sum() / len(outcome))


def _brier(probability: np.ndarray, outcome: np.ndarray) -> float:
    return float(np.mean(np.square(probability - outcome)))


def _log_loss(probability: np.ndarray, outcome: np.ndarray) -> float:
    likelihood = np.where(outcome, probability, 1 - probability)
    return float(-np.mean(np.log(np.clip(likelihood, CLIP, 1 - CLIP))))


def _reliability(probability: np.ndarray, outcome: np.ndarray, bins: int) -> pd.DataFrame:
    if isinstance(bins, bool) or not isinstance(bins, int | np.integer) or bins < 1:
        raise ScoringError(f"bins {bins}: must be a whole number, at least 1")
    edges = np.linspace(0, 1, bins + 1)
    bin_of = np.searchsorted(edges[1:-1], probability)
    count = np.bincount(bin_of, minlength=bins)
    filled = np.where(count, count, nan)
    return pd.DataFrame(
        {
            "lower": edges[:-1],
            "upper": edges[1:],
            "count": count,
            "mean_probability": np.bincount(bin_of, weights=probability, minlength=bins) / filled,
            "observed": np.bincount(bin_of, weights=outcome, minlength=bins) / filled,
        }
    )


def near_region(region: np.ndarray, spacing: Sequence[float], reach_mm: float) -> np.ndarray:
    """The region, which is not empty, and every voxel within ``reach_mm`` of it."""
    from scipy.ndimage import distance_transform_edt

    spacing = checked_spacing(spacing)
    if not 0 <= reach_mm < inf:
        raise ScoringError(f"band {reach_mm} must be a distance in mm")
    box = tuple(
        slice(max(0, side.start - ceil(reach_mm / step)), side.stop + ceil(reach_mm / step))
        for side, step in zip(occupied_box(region.view(np.uint8)), spacing, strict=True)
    )
    near = np.zeros_like(region)
    near[box] = distance_transform_edt(~region[box], sampling=spacing) <= reach_mm
    return near
