"""Where and why predictions fail: ranking, strata, errors in words, suspicions about the data, and the report."""

from .metrics import AnalysisError
from .ranking import mean_ranks, unranked, worst_cases
from .strata import SIZE_CUTS_ML, strata

__all__ = [
    "SIZE_CUTS_ML",
    "AnalysisError",
    "mean_ranks",
    "strata",
    "unranked",
    "worst_cases",
]
