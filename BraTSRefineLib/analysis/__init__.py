"""Where and why predictions fail: ranking, strata, errors in words, suspicions about the data, and the report."""

from .errors import RegionError, Spot, describe_error, error_map, error_summary
from .finding import KINDS, Finding
from .findings import findings
from .metrics import AnalysisError
from .ranking import mean_ranks, unranked, worst_cases, worst_on_average
from .report import write_report
from .sentences import Verdict, case_sentence, verdict
from .strata import SIZE_CUTS_ML, strata

__all__ = [
    "KINDS",
    "SIZE_CUTS_ML",
    "AnalysisError",
    "Finding",
    "RegionError",
    "Spot",
    "Verdict",
    "case_sentence",
    "describe_error",
    "error_map",
    "error_summary",
    "findings",
    "mean_ranks",
    "strata",
    "unranked",
    "verdict",
    "worst_cases",
    "worst_on_average",
    "write_report",
]
