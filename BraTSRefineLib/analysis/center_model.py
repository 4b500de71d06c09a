"""A centre against the rest, with the size of the tumours taken into account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

FEWEST_IN_GROUP, FEWEST = 3, 12
"""Below so many cases in the centre, in the rest, or in both together, nothing is adjusted."""

SINGLE = "least squares, HC3"
MIXED = "mixed model, random intercept of the case, CR3"
LARGEST_SHARE = 0.9999
"""Of the variance that may lie between cases; models that agree to the last digit would make it 1."""


@dataclass(frozen=True)
class Adjusted:
    """How much a centre differs from the rest at equal size, on the scale of the metric; NaN where not adjusted."""

    difference: float = np.nan
    standard_error: float = np.nan
    low: float = np.nan
    high: float = np.nan
    p: float = np.nan
    method: str = ""


def adjusted_differences(rows: pd.DataFrame, centers: Sequence[str]) -> dict[str, Adjusted]:
    """Each of ``centers`` against all other rows: columns case, model, center, size (ml, positive), value (finite).

    value = constant + model + log size + (log size)^2 + this centre + case + error. The square follows the Dice's
    flattening for large regions: without it a centre of small tumours is blamed too often. The case is a random
    intercept where several models predicted it, fitted by REML as in statsmodels' MixedLM. The covariance is the
    cluster jackknife CR3 over cases (Bell and McCaffrey 2002), which is HC3 where each case has one row and holds its
    level although small regions scatter more; t on cases minus 4. A centre with fewer than 3 cases, or against fewer
    than 3, or fewer than 12 cases in all, is not adjusted; nor is one that has no model in common with the rest.
    """
    if rows.empty:
        return {center: Adjusted() for center in centers}
    rows = rows.sort_values(["case", "model"], kind="stable")
    model = _Model(rows)
    cases = rows.groupby("case")["center"].first()
    found = {}
    for center in centers:
        inside = int((cases == center).sum())
        enough = min(inside, len(cases) - inside) >= FEWEST_IN_GROUP and len(cases) >= FEWEST
        found[center] = model.contrast((rows["center"] == center).to_numpy(dtype=float)) if enough else Adjusted()
    return found


def covariates(rows: pd.DataFrame) -> np.ndarray:
    """Columns constant, log size (standardised) and its square, and one a model but the first."""
    size = np.log(rows["size"].to_numpy(dtype=float))
    spread = size.std()
    size = (size - size.mean()) / spread if spread > 0 else np.zeros_like(size)
    models = pd.get_dummies(rows["model"], drop_first=True, dtype=float).to_numpy()
    columns = np.column_stack([np.ones(len(rows)), size, size**2, models])
    kept = [0, *(column for column in range(1, columns.shape[1]) if np.ptp(columns[:, column]) > 0)]
    return columns[:, kept]


class _Model:
    """Values and covariates of rows sorted by case, and how strongly the rows of a case belong together."""

    def __init__(self, rows: pd.DataFrame) -> None:
        cases = rows["case"].factorize()[0]
        self._starts = np.flatnonzero(np.diff(cases, prepend=-1))
        self._counts = np.bincount(cases)
        self._values = rows["value"].to_numpy(dtype=float)[:, None]
        self._covariates = covariates(rows)
        several = rows["model"].nunique() > 1 and self._counts.max() > 1
        self._ratio = self._variance_ratio() if several else 0.0
        self._method = MIXED if several else SINGLE

    def contrast(self, here: np.ndarray) -> Adjusted:
        """The coefficient of a centre's indicator with its CR3 standard error; none where the models tell it."""
        from scipy.stats import t as student

        y = self._whitened(self._values, self._ratio)
        x = self._whitened(np.column_stack([here, self._covariates]), self._ratio)
        if np.linalg.matrix_rank(x) == np.linalg.matrix_rank(x[:, 1:]):
            return Adjusted()
        bread = np.linalg.pinv(x.T @ x)
        coefficients = bread @ x.T @ y
        scores = self._jackknife_scores(x, y - x @ coefficients, bread)
        error = float(np.linalg.norm(scores @ bread[0]))
        difference, freedom = float(coefficients[0, 0]), len(self._counts) - 4
        if not error > 0:
            return Adjusted(difference, method=self._method)
        reach = float(student.ppf(0.975, freedom)) * error
        p = 2 * float(student.sf(abs(difference) / error, freedom))
        return Adjusted(difference, error, difference - reach, difference + reach, p, self._method)

    def _jackknife_scores(self, x: np.ndarray, residuals: np.ndarray, bread: np.ndarray) -> np.ndarray:
        """X' (I - H)^-1 e of each case, case x column; the cases with equally many rows at once."""
        scores = np.empty((len(self._counts), x.shape[1]))
        for count in np.unique(self._counts):
            chosen = self._counts == count
            rows = self._starts[chosen][:, None] + np.arange(count)
            own = x[rows]
            free = np.eye(count) - own @ bread @ own.transpose(0, 2, 1)
            # A row that fits by itself alone (the only one of its model) has no residual: 0 / 0 counts as 0.
            loosened = np.linalg.pinv(free, rcond=1e-10, hermitian=True) @ residuals[rows]
            scores[chosen] = (own.transpose(0, 2, 1) @ loosened)[:, :, 0]
        return scores

    def _variance_ratio(self) -> float:
        """REML's variance between cases over that within (Pinheiro and Bates 2000, section 2.2)."""
        from scipy.optimize import minimize_scalar

        found = minimize_scalar(self._deviance, bounds=(0.0, LARGEST_SHARE), method="bounded")
        best = min((0.0, float(found.x)), key=self._deviance)
        return best / (1 - best)

    def _deviance(self, share: float) -> float:
        """-2 log restricted likelihood but for a constant, with ``share`` of the variance between cases."""
        ratio = share / (1 - share)
        y, x = self._whitened(self._values, ratio), self._whitened(self._covariates, ratio)
        q, r = np.linalg.qr(x)
        left = float(((y - q @ (q.T @ y)) ** 2).sum())
        if left == 0:
            return 0.0
        determinants = (
            np.log1p(self._counts * ratio).sum() + 2 * np.log(np.abs(np.diag(r)) + np.finfo(float).tiny).sum()
        )
        return (len(y) - x.shape[1]) * np.log(left) + determinants

    def _whitened(self, columns: np.ndarray, ratio: float) -> np.ndarray:
        """Less a share of the case's mean: 1 - 1 / sqrt(1 + n ratio) (Wooldridge 2010, section 10.4)."""
        if ratio == 0:
            return columns
        means = np.add.reduceat(columns, self._starts) / self._counts[:, None]
        shares = 1 - 1 / np.sqrt(1 + self._counts * ratio)
        return columns - np.repeat(shares[:, None] * means, self._counts, axis=0)
