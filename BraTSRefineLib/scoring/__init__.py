"""How good each prediction is: overlap, surface distances and volumes, for a pair of arrays or a whole cohort."""

from .cohort_scores import score_cohort
from .conventions import CONVENTIONS, Score, ScoringError, explain_convention
from .pair import METRICS, compare_masks, metric_names, score_pair
from .table import CONSENSUS, SCORE_COLUMNS, read_scores, wide, write_scores
from .uncertainty import QuBrats, qu_brats

__all__ = [
    "CONSENSUS",
    "CONVENTIONS",
    "METRICS",
    "SCORE_COLUMNS",
    "QuBrats",
    "Score",
    "ScoringError",
    "compare_masks",
    "explain_convention",
    "metric_names",
    "qu_brats",
    "read_scores",
    "score_cohort",
    "score_pair",
    "wide",
    "write_scores",
]
