"""The Dice that the members' agreement promises, judged where there is a reference and told where there is none."""

from __future__ import annotations

import pandas as pd

from ...scoring import ScoringError
from ...scoring.quality import (
    FEATURES,
    QUALITY_COLUMNS,
    fit_quality,
    left_out_quality,
    quality_summary,
    status_of,
)
from ..context import Context

NO_REFERENCE = "no reference; predicted by the regression of all cases that have one"


def quality_tables(context: Context, table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """``quality`` (a row a case and region) and ``quality-summary``; for few cases nothing, and a problem.

    Cases with a reference are predicted by a regression of the others, cases without one by that of all.
    """
    if table.empty:
        context.problem("", "no quality is predicted: it takes label maps of at least two models")
        return {}
    known = table[table["dice"].notna()].reset_index(drop=True)
    try:
        judged = left_out_quality(known)
    except ScoringError as error:
        context.problem("", str(error))
        return {}
    unknown = table[table["dice"].isna()].reset_index(drop=True)
    told = judged if unknown.empty else pd.concat([judged, _without_reference(known, unknown)], ignore_index=True)
    return {"quality": told, "quality-summary": quality_summary(judged)}


def _without_reference(known: pd.DataFrame, unknown: pd.DataFrame) -> pd.DataFrame:
    usable = known[~known["empty_consensus"]]
    model = fit_quality(usable[list(FEATURES)].to_numpy(float), usable["dice"].to_numpy(float), usable["group"])
    predicted = model.predict(unknown[list(FEATURES)].to_numpy(float))
    low, high = model.interval(predicted)
    told = unknown.assign(predicted=predicted, low=low, high=high, status=status_of(unknown, NO_REFERENCE))
    told.loc[told["empty_consensus"], ["predicted", "low", "high"]] = float("nan")
    return told[QUALITY_COLUMNS]
