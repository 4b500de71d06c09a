"""How good each prediction is: overlap, surface distances and volumes, for a pair of arrays or a whole cohort."""

from .conventions import CONVENTIONS, Score, ScoringError, explain_convention
from .pair import METRICS, compare_masks, metric_names, score_pair

__all__ = [
    "CONVENTIONS",
    "METRICS",
    "Score",
    "ScoringError",
    "compare_masks",
    "explain_convention",
    "metric_names",
    "score_pair",
]
