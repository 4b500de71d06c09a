"""Where and why predictions fail: ranking, strata, centres, models side by side, errors in words, and the report."""

from .case_findings import CaseFindings, findings_of_case, read_case_findings
from .centers import CenterTests, center_tests
from .comparison import compare_models, compare_runs
from .errors import RegionError, Spot, describe_error, error_map, error_summary
from .factors import SIZE_CUTS_ML, known_factors
from .finding import KINDS, REMARKS, Finding
from .findings import findings, findings_of_cohort
from .held_out import held_out_drop
from .lesion_file import read_lesions
from .lesions import LESION_CUTS_ML, lesion_strata, unranked_lesions, worst_lesions
from .metrics import AnalysisError
from .pairs import Labelled
from .rank_sums import case_rank_sums, rank_sums
from .ranking import mean_ranks, unranked, worst_cases, worst_on_average
from .report import write_report
from .selective import SELECTIVE_COLUMNS, selective_risk
from .sentences import Verdict, case_sentence, verdict
from .stability import RankingStability, ranking_stability
from .strata import strata
from .trend import size_trend

__all__ = [
    "KINDS",
    "LESION_CUTS_ML",
    "REMARKS",
    "SELECTIVE_COLUMNS",
    "SIZE_CUTS_ML",
    "AnalysisError",
    "CaseFindings",
    "CenterTests",
    "Finding",
    "Labelled",
    "RankingStability",
    "RegionError",
    "Spot",
    "Verdict",
    "case_rank_sums",
    "case_sentence",
    "center_tests",
    "compare_models",
    "compare_runs",
    "describe_error",
    "error_map",
    "error_summary",
    "findings",
    "findings_of_case",
    "findings_of_cohort",
    "held_out_drop",
    "known_factors",
    "lesion_strata",
    "mean_ranks",
    "rank_sums",
    "ranking_stability",
    "read_case_findings",
    "read_lesions",
    "selective_risk",
    "size_trend",
    "strata",
    "unranked",
    "unranked_lesions",
    "verdict",
    "worst_cases",
    "worst_lesions",
    "worst_on_average",
    "write_report",
]
