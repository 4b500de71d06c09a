"""Repairing a predicted segmentation: nesting of the regions, removal of small components."""

from .components import remove_small_components
from .hierarchy import enforce_hierarchy
from .pipeline import Change, Postprocessed, PostprocessingError, postprocess

__all__ = [
    "Change",
    "Postprocessed",
    "PostprocessingError",
    "enforce_hierarchy",
    "postprocess",
    "remove_small_components",
]
