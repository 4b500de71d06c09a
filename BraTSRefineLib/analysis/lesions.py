"""Lesion by lesion: which are missed, by size, and the worst of them. Works on the table of lesions of the scoring."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .bootstrap import quartiles
from .factors import size_ranges
from .metrics import AnalysisError
from .strata import FEW

REFERENCE_SIDE, PREDICTION_SIDE = "reference", "prediction"
MATCHED, MISSED, FALSE_POSITIVE = "matched", "missed", "false positive"

LESION_CUTS_ML = (0.1, 1.0, 10.0)
LESION_STRATA_COLUMNS = (
    "region",
    "model",
    "stratum",
    "n",
    "detected",
    "missed",
    "detection_rate",
    "low",
    "high",
    "median_dice",
    "median_hd95_mm",
    "false_positives",
    "warning",
)
WORST_LESION_COLUMNS = (
    "rank",
    "case",
    "model",
    "region",
    "lesion",
    "side",
    "status",
    "volume_ml",
    "dice",
    "hd95_mm",
    "l_mm",
    "p_mm",
    "s_mm",
    "convention",
)
PLACE = ["case", "model", "region", "side", "lesion"]


def lesion_strata(
    lesions: pd.DataFrame, *, region: str = "ET", cuts: Sequence[float] = LESION_CUTS_ML, uncounted: bool = False
) -> pd.DataFrame:
    """How many lesions of each size are found: columns of ``LESION_STRATA_COLUMNS``, from small to large.

    ``n`` counts the reference lesions whose volume lies between two ``cuts`` in ml, ``detection_rate`` is the share of
    them that a prediction hits, with Wilson's 95 % interval (``low`` to ``high``). ``median_dice`` and
    ``median_hd95_mm`` are over the lesions that were hit. ``false_positives`` counts predicted lesions of that size
    that hit none. Lesions that the convention leaves out of its score are taken with ``uncounted`` only.
    Raises AnalysisError for a region without a lesion and for cuts that do not ascend.
    """
    chosen = _chosen(lesions, region, None, uncounted)
    names, index = size_ranges(chosen["volume_ml"], cuts)
    chosen = chosen.assign(stratum=index)
    rows = [
        (region, model, names[stratum], *_figures(group))
        for (model, stratum), group in chosen.groupby(["model", "stratum"])
    ]
    table = pd.DataFrame(rows, columns=list(LESION_STRATA_COLUMNS))
    return table.sort_values(
        ["stratum", "model"], key=lambda c: c.map(names.index) if c.name == "stratum" else c, kind="stable"
    ).reset_index(drop=True)


def _figures(group: pd.DataFrame) -> tuple:
    from scipy.stats import binomtest

    truth = group[group["side"] == REFERENCE_SIDE]
    hit = truth[truth["status"] == MATCHED]
    false = int((group["status"] == FALSE_POSITIVE).sum())
    rate, low, high = np.nan, np.nan, np.nan
    if len(truth):
        interval = binomtest(len(hit), len(truth)).proportion_ci(method="wilson")
        rate, low, high = len(hit) / len(truth), float(interval.low), float(interval.high)
    dice, hd95 = (quartiles(hit[name].dropna().to_numpy(dtype=float))[1] for name in ("dice", "hd95_mm"))
    few = f"fewer than {FEW} lesions: read with care" if len(truth) < FEW else ""
    return len(truth), len(hit), len(truth) - len(hit), rate, low, high, dice, hd95, false, few


def worst_lesions(
    lesions: pd.DataFrame,
    *,
    worst: int = 20,
    region: str | None = None,
    model: str | None = None,
    by: str = "dice",
    minimum_ml: float = 0.0,
    uncounted: bool = False,
) -> pd.DataFrame:
    """The ``worst`` lesions, the worst first: columns of ``WORST_LESION_COLUMNS``.

    A missed lesion and a false one are as bad as can be (``by="dice"``: 0, ``by="hd95_mm"``: infinite), then come the
    matched ones by their number; of equals the larger comes first, then case, model, region, side and lesion, so that
    a shorter list is the beginning of a longer one. ``minimum_ml`` leaves smaller lesions out. Matched lesions without
    a number are in ``unranked_lesions``. Raises AnalysisError for an unknown region, model or ``by``.
    """
    if worst < 1:
        raise AnalysisError(f"the number of worst lesions must be at least 1, not {worst}")
    chosen = _judged(lesions, by, region, model, uncounted)
    chosen = chosen[chosen["badness"].notna() & (chosen["volume_ml"] >= minimum_ml)]
    ascending = [False, False, *(True for _ in PLACE)]
    table = chosen.sort_values(["badness", "volume_ml", *PLACE], ascending=ascending, kind="stable").head(worst)
    table.insert(0, "rank", range(1, len(table) + 1))
    return table[list(WORST_LESION_COLUMNS)].reset_index(drop=True)


def unranked_lesions(
    lesions: pd.DataFrame, *, region: str | None = None, model: str | None = None, by: str = "dice"
) -> pd.DataFrame:
    """The matched lesions that have no number to rank them by, as rows of the table of lesions."""
    chosen = _judged(lesions, by, region, model, uncounted=False)
    return chosen[chosen["badness"].isna()].drop(columns="badness").sort_values(PLACE).reset_index(drop=True)


def _judged(lesions: pd.DataFrame, by: str, region: str | None, model: str | None, uncounted: bool) -> pd.DataFrame:
    """Missed, false and matched lesions, each once: a matched one by its reference."""
    if by not in ("dice", "hd95_mm"):
        raise AnalysisError(f"lesions are ranked by 'dice' or by 'hd95_mm', not by '{by}'")
    chosen = _chosen(lesions, region, model, uncounted)
    chosen = chosen[(chosen["side"] == REFERENCE_SIDE) | (chosen["status"] == FALSE_POSITIVE)]
    matched = -chosen["dice"] if by == "dice" else chosen["hd95_mm"]
    worst_of_all = 0.0 if by == "dice" else np.inf
    return chosen.assign(badness=matched.where(chosen["status"] == MATCHED, worst_of_all))


def _chosen(lesions: pd.DataFrame, region: str | None, model: str | None, uncounted: bool) -> pd.DataFrame:
    for column, name in (("region", region), ("model", model)):
        known = sorted(lesions[column].unique())
        if name is not None and name not in known:
            raise AnalysisError(f"no lesion of {column} '{name}'; known: {', '.join(known) or 'none'}")
    rows = pd.Series(True, index=lesions.index) if uncounted else lesions["counted"].astype(bool)
    rows &= (lesions["region"] == region) if region else True
    rows &= (lesions["model"] == model) if model else True
    return lesions[rows]
