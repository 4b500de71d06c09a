"""Score tables that may not be compared: a number that occurs twice, numbers of different conventions."""

from __future__ import annotations

import pandas as pd

from ..scoring import CONSENSUS
from .metrics import AnalysisError

KEY = ["case", "model", "region", "metric"]


def check_unique(scores: pd.DataFrame) -> None:
    """Raises AnalysisError where a case, model, region and metric has more than one number."""
    rows = scores[scores["metric"] != ""]
    repeated = rows[rows.duplicated(KEY)]
    if len(repeated):
        first = repeated.iloc[0]
        cases = repeated["case"].nunique()
        raise AnalysisError(
            f"{first['case']} / {first['model']}: {first['metric']} of {first['region']} occurs more than once (so in "
            f"{cases} case{'s' if cases > 1 else ''}): two centres with the same case names? Name them <centre>/<case>"
        )


def scoring_conventions(scores: pd.DataFrame) -> dict[str, list[str]]:
    """By metric, the conventions under which its numbers were taken, be it against a reference or a consensus."""
    rows = scores.loc[scores["metric"] != "", ["metric", "convention"]].drop_duplicates()
    found: dict[str, set[str]] = {}
    for metric, convention in rows.itertuples(index=False):
        found.setdefault(metric, set()).add(convention.removesuffix(CONSENSUS))
    return {metric: sorted(names) for metric, names in found.items()}


def check_one_convention(scores: pd.DataFrame) -> None:
    """Raises AnalysisError where the numbers of a metric were taken under more than one convention of scoring."""
    for metric, names in scoring_conventions(scores).items():
        if len(names) > 1:
            raise AnalysisError(
                f"{metric}: the scores mix the conventions {' and '.join(names)}, which count empty masks or distances "
                "differently; score the whole cohort again under one of them"
            )


def check_same_convention(first: pd.DataFrame, second: pd.DataFrame) -> None:
    """Raises AnalysisError where a metric of two tables was scored under different conventions."""
    check_one_convention(first)
    check_one_convention(second)
    one, other = scoring_conventions(first), scoring_conventions(second)
    for metric in [metric for metric in one if metric in other and one[metric] != other[metric]]:
        raise AnalysisError(
            f"{metric}: one run was scored under {one[metric][0]}, the other under {other[metric][0]}; score both "
            "under the same convention"
        )
