"""Whether a model knows which of its cases are bad: risk against coverage over a cohort."""

from __future__ import annotations

import pandas as pd

from ..scoring import risk_coverage

SELECTIVE_COLUMNS = ("model", "region", "n", "mean_risk", "aurc", "e_aurc", "augrc")
KEYS = ["case", "model", "region"]


def selective_risk(scores: pd.DataFrame) -> pd.DataFrame:
    """By model and region, where the cases' ``confidence`` was scored: columns of ``SELECTIVE_COLUMNS``.

    The risk of a case is 1 - Dice. ``aurc`` is the mean risk of what is kept when the least confident cases are left
    out one after the other, ``e_aurc`` what it lies above a perfect order, ``augrc`` the same with the risk counted
    over all cases (``scoring.risk_coverage``). Lower is better; a confidence that says nothing gives ``mean_risk``.
    Cases in which the model predicted no such region have no confidence and are left out.
    """
    values = {
        metric: scores[(scores["metric"] == metric) & (scores["model"] != "")].set_index(KEYS)["value"]
        for metric in ("confidence", "dice")
    }
    both = pd.DataFrame({name: column[~column.index.duplicated()] for name, column in values.items()}).dropna()
    rows = [(model, region, len(group), *_areas(group)) for (model, region), group in both.groupby(["model", "region"])]
    return pd.DataFrame(rows, columns=list(SELECTIVE_COLUMNS))


def _areas(group: pd.DataFrame) -> tuple[float, float, float, float]:
    risk = 1 - group["dice"].to_numpy()
    found = risk_coverage(group["confidence"].to_numpy(), risk)
    return float(risk.mean()), found.aurc, found.e_aurc, found.augrc
