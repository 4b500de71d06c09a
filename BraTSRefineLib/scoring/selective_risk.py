"""How well a confidence ranks predictions by their risk: the risk-coverage curve and the areas under it.

Geifman and El-Yaniv 2017, "Selective classification for deep neural networks" (AURC); Geifman et al. 2019,
"Bias-reduced uncertainty estimation for deep neural classifiers" (E-AURC); Traub et al. 2024, "Overcoming common flaws
in the evaluation of selective classification systems" (AUGRC). Ties, end points and interpolation as in fd-shifts.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log

import numpy as np
from numpy.typing import ArrayLike

from .arrays import same_shape
from .conventions import ScoringError
from .curves import area_under


@dataclass(frozen=True)
class RiskCoverage:
    """The risk of the most confident share of the predictions, for every share that a threshold can single out.

    Arrays of one length, ``coverages`` ascending from 0 to 1: the predictions whose confidence is at least
    ``thresholds`` have the mean risk ``selective_risks`` and, divided by all predictions, the summed risk
    ``generalized_risks``. Predictions of one confidence come and go together. ``least_area`` is the AURC of the best
    possible ranking of the same risks. No area is multiplied by 1000, as some tables show them.
    """

    coverages: np.ndarray
    thresholds: np.ndarray
    selective_risks: np.ndarray
    generalized_risks: np.ndarray
    least_area: float

    @property
    def aurc(self) -> float:
        """Area under the selective risk; the mean risk where the confidence is constant."""
        return area_under(self.coverages, self.selective_risks)

    @property
    def e_aurc(self) -> float:
        """What of the AURC a better ranking could take away."""
        return self.aurc - self.least_area

    @property
    def augrc(self) -> float:
        """Area under the generalized risk; half the mean risk where the confidence is constant."""
        return area_under(self.coverages, self.generalized_risks)


def risk_coverage(confidence: ArrayLike, risk: ArrayLike) -> RiskCoverage:
    """The risk-coverage curve of predictions (cases, lesions or voxels), a confidence and a risk each.

    ``risk`` is what a wrong prediction costs: 1 - Dice, or whether it is wrong (boolean or 0 and 1). The selective
    risk at coverage 0 is that of the most confident predictions, the generalized risk there is 0. For binary risks
    the best ranking's AURC is the limit of many predictions, err + (1 - err) ln(1 - err); for others it is that of
    the risks in ascending order.

    Raises ScoringError for shapes that differ, no predictions, NaN, or a risk that is infinite.
    """
    confidence, risk = _flat(confidence, "confidence"), _flat(risk, "risk")
    same_shape(confidence=confidence, risk=risk)
    if not confidence.size:
        raise ScoringError("confidence and risk are empty: there are no predictions to rank")
    if np.isnan(confidence).any():
        raise ScoringError(
            f"confidence: {np.isnan(confidence).sum()} of {confidence.size} values are NaN; leave them out"
        )
    if not np.isfinite(risk).all():
        raise ScoringError("risk: values are NaN or infinite; leave these predictions out or set what a miss costs")
    return RiskCoverage(*_curve(confidence, risk), _least_area(risk))


def _flat(values: ArrayLike, what: str) -> np.ndarray:
    values = np.asarray(values)
    if values.dtype.kind not in "biuf":
        raise ScoringError(f"{what}: must be real numbers, this is {values.dtype}")
    return values.astype(np.float64)


def _curve(confidence: np.ndarray, risk: np.ndarray) -> tuple[np.ndarray, ...]:
    """Coverages, thresholds, selective and generalized risks."""
    confidence, risk = confidence.ravel(), risk.ravel()
    order = np.argsort(confidence, kind="stable")[::-1]
    confidence = confidence[order]
    kept = np.append(np.flatnonzero(np.diff(confidence)) + 1, confidence.size)
    summed = np.cumsum(risk[order])[kept - 1]
    selective = summed / kept
    return (
        np.append(0, kept / confidence.size),
        np.append(inf, confidence[kept - 1]),
        np.append(selective[0], selective),
        np.append(0, summed / confidence.size),
    )


def _least_area(risk: np.ndarray) -> float:
    if np.isin(risk, (0, 1)).all():
        error = float(risk.mean())
        return 1.0 if error == 1 else error + (1 - error) * log(1 - error)
    ascending = np.sort(risk, axis=None)
    coverages, _, selective, _ = _curve(-np.arange(ascending.size), ascending)
    return area_under(coverages, selective)
