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


def scoring_conventions(scores: pd.DataFrame) -> list[str]:
    """The conventions under which the numbers were taken, whether against a reference or a consensus."""
    names = scores.loc[scores["metric"] != "", "convention"].unique()
    return sorted({name.removesuffix(CONSENSUS) for name in names})


def check_one_convention(scores: pd.DataFrame) -> None:
    """Raises AnalysisError where the numbers were taken under more than one convention of scoring."""
    names = scoring_conventions(scores)
    if len(names) > 1:
        raise AnalysisError(
            f"the scores mix the conventions {' and '.join(names)}, which count empty masks or distances differently: "
            "score the whole cohort again under one of them"
        )


def check_same_convention(first: pd.DataFrame, second: pd.DataFrame) -> None:
    """Raises AnalysisError where two tables were scored under different conventions."""
    check_one_convention(first)
    check_one_convention(second)
    one, other = scoring_conventions(first), scoring_conventions(second)
    if one and other and one != other:
        raise AnalysisError(
            f"one run was scored under {one[0]}, the other under {other[0]}: score both under the same convention"
        )
