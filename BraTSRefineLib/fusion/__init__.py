"""Combining what several members say: by vote, by (weighted) mean, by STAPLE or SIMPLE; and how far they disagree.

Pure arrays: a member is a region stack ``(region, z, y, x)`` in WT, TC, ET order, all members on one grid. Weights are
fitted on what `contested` keeps of cases with a reference (`fit`), and judged on cases that they have not seen
(`judge`).
"""

from .audit import Suppression, outlier_suppression
from .combinations import best_combination
from .contested import Contested, contested
from .fitting import METHODS, fit, mean_dice, uniform
from .judging import Judgement, held_out_folds, judge, person_bootstrap
from .members import FusionError
from .moments import Moments, mean_probability
from .quantities import QUANTITIES, Quantity
from .simple import Simple, simple, simple_regions
from .staple import Staple, staple, staple_regions
from .votes import majority, vote_fraction, vote_variance
from .weighting import weighted_mean, weighted_regions
from .weights import Weights, read_weights, split_hash

__all__ = [
    "METHODS",
    "QUANTITIES",
    "Contested",
    "FusionError",
    "Judgement",
    "Moments",
    "Quantity",
    "Simple",
    "Staple",
    "Suppression",
    "Weights",
    "best_combination",
    "contested",
    "fit",
    "held_out_folds",
    "judge",
    "majority",
    "mean_dice",
    "mean_probability",
    "outlier_suppression",
    "person_bootstrap",
    "read_weights",
    "simple",
    "simple_regions",
    "split_hash",
    "staple",
    "staple_regions",
    "uniform",
    "vote_fraction",
    "vote_variance",
    "weighted_mean",
    "weighted_regions",
]
