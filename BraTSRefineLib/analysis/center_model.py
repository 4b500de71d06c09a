"""A centre against the rest, with the size of the tumours taken into account."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

FEWEST_IN_GROUP, FEWEST = 3, 12
"""Below so many cases in the centre, in the rest, or in both together, nothing is adjusted."""

SINGLE = "least squares, HC3"
MIXED = "mixed model, random intercept of the case"
CLUSTERED = "least squares, cluster-robust: the mixed model did not converge"


@dataclass(frozen=True)
class Adjusted:
    """How much a centre differs from the rest at equal size, on the scale of the metric; NaN where not adjusted."""

    difference: float = np.nan
    standard_error: float = np.nan
    low: float = np.nan
    high: float = np.nan
    p: float = np.nan
    method: str = ""


def adjusted_differences(rows: pd.DataFrame, centers: list[str]) -> dict[str, Adjusted]:
    """Each of ``centers`` against all other rows: columns case, model, center, size (ml, positive), value (finite).

    value = constant + model + log size + (log size)^2 + this centre, by least squares. The square follows the Dice's
    flattening for large regions: without it a centre of small tumours is blamed too often. Where several models
    predicted a case, the case has a random intercept (statsmodels' MixedLM gives its variance); where that does not
    converge it has none. The covariance is the cluster jackknife CR3 over cases (Bell and McCaffrey 2002), which is
    HC3 where each case has one row and holds its level although small regions scatter more; t on cases minus 4.
    """
    design, cases = _design(rows), rows["case"].factorize()[0]
    values = rows["value"].to_numpy(dtype=float)
    shares, method = _demeaned_shares(values, design, cases, rows)
    found = {}
    for center in centers:
        here = (rows["center"] == center).to_numpy(dtype=float)
        inside = rows.loc[here > 0, "case"].nunique()
        total = rows["case"].nunique()
        if min(inside, total - inside) < FEWEST_IN_GROUP or total < FEWEST:
            found[center] = Adjusted()
        else:
            found[center] = _contrast(values, np.column_stack([here, design]), cases, shares, method)
    return found


def _design(rows: pd.DataFrame) -> np.ndarray:
    """Columns constant, log size and its square (centred), and one a model but the first."""
    size = np.log(rows["size"].to_numpy(dtype=float))
    spread = size.std()
    size = (size - size.mean()) / spread if spread > 0 else np.zeros_like(size)
    models = pd.get_dummies(rows["model"], drop_first=True, dtype=float).to_numpy()
    columns = np.column_stack([np.ones(len(rows)), size, size**2, models])
    kept = [0, *(column for column in range(1, columns.shape[1]) if np.ptp(columns[:, column]) > 0)]
    return columns[:, kept]


def _demeaned_shares(
    values: np.ndarray, design: np.ndarray, cases: np.ndarray, rows: pd.DataFrame
) -> tuple[np.ndarray, str]:
    """By row, the share of its case's mean to take off, which makes least squares the random-intercept model's fit.

    1 - 1 / sqrt(1 + n r) with n rows of the case and r the variance between cases over that within (Wooldridge 2010,
    section 10.4).
    """
    counts = np.bincount(cases)
    if rows["model"].nunique() < 2 or counts.max() < 2:
        return np.zeros(len(values)), SINGLE
    ratio = _variance_ratio(values, design, cases)
    if ratio is None:
        return np.zeros(len(values)), CLUSTERED
    return (1 - 1 / np.sqrt(1 + counts * ratio))[cases], MIXED


def _variance_ratio(values: np.ndarray, design: np.ndarray, cases: np.ndarray) -> float | None:
    """Variance between cases over the variance within; None where the mixed model does not converge."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    with warnings.catch_warnings():
        # A variance at its boundary, zero, is a valid answer; whether the fit converged is asked below.
        warnings.simplefilter("ignore")
        try:
            fit = MixedLM(values, design, groups=cases).fit(reml=True)
        except np.linalg.LinAlgError:
            return None
    ratio = float(np.asarray(fit.cov_re).item() / fit.scale) if fit.scale > 0 else np.nan
    return ratio if fit.converged and np.isfinite(ratio) else None


def _contrast(values: np.ndarray, design: np.ndarray, cases: np.ndarray, shares: np.ndarray, method: str) -> Adjusted:
    """The first column's coefficient with its CR3 standard error."""
    from scipy.stats import t as student

    y, x = _demeaned(values[:, None], cases, shares)[:, 0], _demeaned(design, cases, shares)
    bread = np.linalg.pinv(x.T @ x)
    coefficients = bread @ x.T @ y
    meat = np.zeros_like(bread)
    residuals = y - x @ coefficients
    for rows in np.split(np.argsort(cases, kind="stable"), np.cumsum(np.bincount(cases))[:-1]):
        leverage = np.eye(len(rows)) - x[rows] @ bread @ x[rows].T
        score = x[rows].T @ np.linalg.lstsq(leverage, residuals[rows], rcond=None)[0]
        meat += np.outer(score, score)
    error = float(np.sqrt((bread @ meat @ bread)[0, 0]))
    difference, freedom = float(coefficients[0]), cases.max() + 1 - 4
    if not error > 0:
        return Adjusted(difference, method=method)
    reach = float(student.ppf(0.975, freedom)) * error
    p = 2 * float(student.sf(abs(difference) / error, freedom))
    return Adjusted(difference, error, difference - reach, difference + reach, p, method)


def _demeaned(columns: np.ndarray, cases: np.ndarray, shares: np.ndarray) -> np.ndarray:
    if not shares.any():
        return columns
    sums = np.zeros((cases.max() + 1, columns.shape[1]))
    np.add.at(sums, cases, columns)
    means = sums / np.bincount(cases)[:, None]
    return columns - shares[:, None] * means[cases]
