"""Whether a fusion removes the members' failures, or only moves the mean.

After Petrov et al. 2023, "Ensembling of segmentation models ...", J Digit Imaging: an outlier is what lies in the worst
twentieth of all members' scores; a case is at risk where any member is one; suppressed where the fusion is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .members import FusionError

WORST = 0.05
FEWEST_CASES = 40
"""With fewer, the worst twentieth is a case or two."""


@dataclass(frozen=True)
class Suppression:
    """``at_risk``, ``rescued`` and ``broken`` are places among the cases.

    ``broken``: cases in which no member is an outlier but the fusion is. ``rate``: the share of the cases at risk
    that are rescued, with Wilson's 95 % interval; NaN where none is at risk. ``unscored`` cases were left out.
    """

    threshold: float
    at_risk: tuple[int, ...]
    rescued: tuple[int, ...]
    broken: tuple[int, ...]
    rate: float
    low: float
    high: float
    unscored: int


def outlier_suppression(members: np.ndarray, fused: np.ndarray, *, higher_is_better: bool = True) -> Suppression:
    """From the members' scores ``(case, member)`` and the fusion's ``(case,)`` in one metric.

    The threshold comes from the members alone. A case with a NaN is left out and counted. Raises FusionError for
    arrays that do not belong together and where no case is scored.
    """
    members, fused = np.asarray(members, dtype=float), np.asarray(fused, dtype=float)
    if members.ndim != 2 or fused.shape != members.shape[:1]:
        raise FusionError(f"scores of shape {members.shape} and {fused.shape}; expected (case, member) and (case,)")
    scored = ~(np.isnan(members).any(axis=1) | np.isnan(fused))
    if not scored.any():
        raise FusionError("no case is scored for the fusion and every member")
    sign = 1.0 if higher_is_better else -1.0
    threshold = np.quantile(sign * members[scored], WORST, method="lower")
    risky = scored & (sign * members <= threshold).any(axis=1)
    failed = scored & (sign * fused <= threshold)
    rescued = risky & ~failed
    rate, low, high = _share(int(rescued.sum()), int(risky.sum()))
    places = [tuple(np.flatnonzero(mask).tolist()) for mask in (risky, rescued, failed & ~risky)]
    return Suppression(float(sign * threshold), *places, rate, low, high, int((~scored).sum()))


def _share(count: int, of: int) -> tuple[float, float, float]:
    if not of:
        return np.nan, np.nan, np.nan
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(count, of, method="wilson")
    return count / of, float(low), float(high)
