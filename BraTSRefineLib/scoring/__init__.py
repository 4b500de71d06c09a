"""How good each prediction is: overlap, surface distances and volumes, for a pair of arrays or a whole cohort."""

from .betti import Topology, topology, topology_errors
from .calibration import (
    brier_score,
    calibration_scores,
    expected_calibration_error,
    negative_log_likelihood,
    reliability,
)
from .cohort_scores import score_cohort
from .conventions import CONVENTIONS, Score, ScoringError, explain_convention
from .instances import InstanceScores, instance_scores
from .lesion_presets import explain_lesion_rules
from .lesion_table import LESION_COLUMNS, write_lesions
from .lesions import LesionScores, lesionwise, lesionwise_tissues
from .pair import METRICS, compare_masks, metric_names, score_pair
from .selective_risk import RiskCoverage, risk_coverage
from .table import CONSENSUS, SCORE_COLUMNS, read_scores, wide, write_scores
from .torch_scores import compare_batch
from .uncertainty import QuBrats, qu_brats

__all__ = [
    "CONSENSUS",
    "CONVENTIONS",
    "LESION_COLUMNS",
    "METRICS",
    "SCORE_COLUMNS",
    "InstanceScores",
    "LesionScores",
    "QuBrats",
    "RiskCoverage",
    "Score",
    "ScoringError",
    "Topology",
    "brier_score",
    "calibration_scores",
    "compare_batch",
    "compare_masks",
    "expected_calibration_error",
    "explain_convention",
    "explain_lesion_rules",
    "instance_scores",
    "lesionwise",
    "lesionwise_tissues",
    "metric_names",
    "negative_log_likelihood",
    "qu_brats",
    "read_scores",
    "reliability",
    "risk_coverage",
    "score_cohort",
    "score_pair",
    "topology",
    "topology_errors",
    "wide",
    "write_lesions",
    "write_scores",
]
