"""Combining what several members say: label maps by vote, probability maps by mean, and how far they disagree.

Pure arrays: a member is a region stack ``(region, z, y, x)`` in WT, TC, ET order, all members on one grid.
"""

from .members import FusionError
from .moments import Moments, mean_probability
from .quantities import QUANTITIES, Quantity
from .votes import majority, vote_fraction, vote_variance

__all__ = [
    "QUANTITIES",
    "FusionError",
    "Moments",
    "Quantity",
    "majority",
    "mean_probability",
    "vote_fraction",
    "vote_variance",
]
