"""Whether flags are worth a reader's minute: the share of the errors that they hold, and of them that is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .flag_regions import CONNECTIVITY

HEAVIEST = 5


@dataclass(frozen=True)
class FlagWorth:
    """Of one case and region. ``coverage`` is NaN where the fused label has no error, ``precision`` without a flag.

    ``coverage``: flagged errors / errors; ``precision``: flagged errors / flagged volume; ``rank_correlation``:
    Spearman's, between the flags' scores and the error volume in each, NaN for fewer than three flags.
    """

    coverage: float
    precision: float
    flagged_ml: float
    error_ml: float
    flags: int
    rank_correlation: float = np.nan


def worth(labels: np.ndarray, wrong: np.ndarray, voxel_ml: float) -> FlagWorth:
    """The worth of flags: ``labels`` holds each one's rank (from 1) where it lies, ``wrong`` where the label errs."""
    flagged = np.bincount(labels.ravel())[1:]
    errors = np.bincount(labels[wrong], minlength=len(flagged) + 1)[1:]
    all_errors, held = int(wrong.sum()), int(errors.sum())
    return FlagWorth(
        held / all_errors if all_errors else np.nan,
        held / int(flagged.sum()) if flagged.sum() else np.nan,
        float(flagged.sum()) * voxel_ml,
        all_errors * voxel_ml,
        int(np.count_nonzero(flagged)),
        _rank_correlation(errors),
    )


def heaviest_disagreement(vote_fraction: np.ndarray, heaviest: int = HEAVIEST) -> np.ndarray:
    """The plain way, for comparison: ranks of the connected regions of disagreement with the largest summed f (1 - f).

    ``vote_fraction`` (z, y, x) in 0 to 1; nothing is removed, split or cut.
    """
    import cc3d

    disagreement = vote_fraction * (1 - vote_fraction)
    parts = cc3d.connected_components(disagreement > 0, connectivity=CONNECTIVITY)
    weights = np.bincount(parts.ravel(), weights=disagreement.ravel())
    weights[0] = 0
    ranks = np.zeros(len(weights), np.int32)
    order = [number for number in np.argsort(-weights, kind="stable")[:heaviest] if weights[number] > 0]
    ranks[order] = np.arange(1, len(order) + 1)
    return ranks[parts]


def _rank_correlation(errors: np.ndarray) -> float:
    """Spearman's, of the errors in the order of the ranks; positive where the first flags hold the most."""
    from scipy.stats import spearmanr

    if len(errors) < 3 or np.ptp(errors) == 0:
        return np.nan
    return float(spearmanr(-np.arange(len(errors)), errors).statistic)
