"""Predicting a case's Dice without a reference: a regression of 1 - Dice on what the members' agreement lacks.

Every feature is a lack that is 0 where the members agree fully on a compact region, no coefficient is negative, and
there is no intercept: so a case that is worse in every respect is never thought better, and leaving a case out does not
shift the others' mean. One regression serves all regions. Ridge: the coefficients are drawn to equal shares.
Intervals are split-conformal (Lei et al. 2018): the residuals of cases that the regression did not see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
import pandas as pd

from .agreement import Agreement
from .conventions import ScoringError

FEATURES = ("pairwise_lack", "vvc", "entropy", "surface_share")
LEVEL = 0.9
"""The share of new cases whose Dice lies within the interval."""

RIDGE = 1.0
EXPECTED_LACK = 0.25
"""What the coefficients are drawn to explain of a mean case, all together."""

QUALITY_COLUMNS = ["case", "region", "dice", "pairwise_dice", "predicted", "low", "high", "status"]
FEW_VOXELS = "the members see fewer than ten voxels; a single one changes how far they agree"
EMPTY_CONSENSUS = "no member's majority finds this region; agreement says nothing of what all missed"


@dataclass(frozen=True)
class QualityModel:
    """``coefficients`` of ``FEATURES``; ``margin``: half of the interval's width, infinite for too few cases."""

    coefficients: tuple[float, ...]
    margin: float
    cases: int

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Dice in 0 to 1 of rows of features."""
        return np.clip(1 - np.atleast_2d(features) @ np.asarray(self.coefficients), 0, 1)

    def interval(self, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and highest Dice of the conformal interval."""
        return np.clip(predicted - self.margin, 0, 1), np.clip(predicted + self.margin, 0, 1)


def features_of(found: Agreement) -> tuple[float, ...]:
    """What ``FEATURES`` are of one case and region; a volume that never varies because it is nothing counts as 0."""
    return 1 - found.pairwise_dice, 0.0 if np.isnan(found.vvc) else found.vvc, found.entropy, found.surface_share


def fit_quality(features: np.ndarray, dice: np.ndarray, cases: Sequence[str], *, level: float = LEVEL) -> QualityModel:
    """The regression of rows of ``FEATURES``, their Dice, and the case (or person) that each is of.

    Raises ScoringError for shapes that do not fit, values that are not finite, or fewer than three cases.
    """
    features, dice, cases = np.asarray(features, float), np.asarray(dice, float), np.asarray(cases, str)
    if features.shape != (len(dice), len(FEATURES)) or len(cases) != len(dice):
        raise ScoringError(f"quality: {features.shape} features, {len(dice)} Dice, {len(cases)} cases do not fit")
    if not (np.isfinite(features).all() and np.isfinite(dice).all()):
        raise ScoringError("quality: features or Dice are NaN or infinite; leave these cases out")
    if len(set(cases)) < 3:
        raise ScoringError(f"quality: {len(set(cases))} cases with a reference; it takes at least three")
    residuals = np.abs(dice - _left_out(features, dice, cases))
    return QualityModel(tuple(_coefficients(features, dice)), _margin(residuals, level), len(set(cases)))


def left_out_quality(table: pd.DataFrame, *, level: float = LEVEL) -> pd.DataFrame:
    """Each case judged by a regression, and an interval, of the others: columns of ``QUALITY_COLUMNS``.

    ``table`` has case, group (what is left out together, as a person), region, dice, pairwise_dice, the ``FEATURES``
    empty_consensus and few_voxels. Rows without a consensus or a Dice are not predicted; what is predicted of few
    voxels says so. Raises ScoringError for fewer than four groups.
    """
    known = table[~table["empty_consensus"] & table["dice"].notna()]
    groups = sorted(set(known["group"]))
    if len(groups) < 4:
        raise ScoringError(f"quality: {len(groups)} cases with a reference and a consensus; it takes at least four")
    result = table.assign(predicted=np.nan, low=np.nan, high=np.nan, status=status_of(table, "ok"))
    for group in groups:
        others, mine = known[known["group"] != group], known.index[known["group"] == group]
        model = fit_quality(others[list(FEATURES)].to_numpy(), others["dice"].to_numpy(), others["group"], level=level)
        predicted = model.predict(known.loc[mine, list(FEATURES)].to_numpy(float))
        low, high = model.interval(predicted)
        result.loc[mine, ["predicted", "low", "high"]] = np.column_stack([predicted, low, high])
    return result[QUALITY_COLUMNS]


def status_of(table: pd.DataFrame, otherwise: str) -> np.ndarray:
    """What is to be known of each row's prediction; ``otherwise`` where nothing speaks against it."""
    few = np.where(table["few_voxels"], FEW_VOXELS, otherwise)
    return np.where(table["empty_consensus"], EMPTY_CONSENSUS, few)


def quality_summary(judged: pd.DataFrame) -> pd.DataFrame:
    """By region: n, rank correlation (Spearman) with the true Dice of pairwise Dice and of the regression, MAE,
    and the share of cases within their interval. The last row, ``mean``, is the mean over the regions."""
    from scipy.stats import spearmanr

    known, rows = judged.dropna(subset=["predicted", "dice"]), []
    for region, group in known.groupby("region", sort=False):
        ranks = [
            float(spearmanr(group[name], group["dice"]).statistic) if _varies(group, name) else np.nan
            for name in ("pairwise_dice", "predicted")
        ]
        within = group["dice"].between(group["low"] - 1e-9, group["high"] + 1e-9).mean()
        rows.append((region, len(group), *ranks, (group["predicted"] - group["dice"]).abs().mean(), within))
    columns = ["region", "n", "pairwise_dice_rank", "regression_rank", "mean_absolute_error", "within_interval"]
    table = pd.DataFrame(rows, columns=columns)
    return pd.concat(
        [table, pd.DataFrame([{"region": "mean", **table.drop(columns="region").mean()}])], ignore_index=True
    )


def _varies(group: pd.DataFrame, name: str) -> bool:
    return len(group) > 2 and group[name].nunique() > 1 and group["dice"].nunique() > 1


def _left_out(features: np.ndarray, dice: np.ndarray, cases: np.ndarray) -> np.ndarray:
    predicted = np.empty(len(dice))
    for case in set(cases):
        mine = cases == case
        predicted[mine] = 1 - features[mine] @ _coefficients(features[~mine], dice[~mine])
    return np.clip(predicted, 0, 1)


def _coefficients(features: np.ndarray, dice: np.ndarray) -> np.ndarray:
    """Non-negative least squares of 1 - Dice with a ridge, the features in units of their means."""
    from scipy.optimize import nnls

    scale = features.mean(axis=0)
    scale[scale == 0] = 1
    count = features.shape[1]
    drawn_to = np.full(count, EXPECTED_LACK / count)
    rows = np.vstack([features / scale, sqrt(RIDGE) * np.eye(count)])
    return nnls(rows, np.concatenate([1 - dice, sqrt(RIDGE) * drawn_to]))[0] / scale


def _margin(residuals: np.ndarray, level: float) -> float:
    """The residual that a new one does not exceed with probability ``level``."""
    place = ceil((len(residuals) + 1) * level)
    return float(np.sort(residuals)[place - 1]) if place <= len(residuals) else float("inf")
