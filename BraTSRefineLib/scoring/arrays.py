"""What an array must be before it is scored: boolean, of numbers in a range, on one grid."""

from __future__ import annotations

import numpy as np

from .conventions import ScoringError


def boolean(voxels: np.ndarray, what: str) -> np.ndarray:
    """``voxels`` as they are. Raises ScoringError where they are not boolean."""
    voxels = np.asarray(voxels)
    if voxels.dtype != bool:
        raise ScoringError(f"{what}: a mask is boolean, this is {voxels.dtype}; compare it with a label or a threshold")
    return voxels


def numbers(values: np.ndarray, what: str, low: float, high: float) -> np.ndarray:
    """``values`` as they are. Raises ScoringError where they are no real numbers, NaN, or outside ``low``..``high``."""
    values = np.asarray(values)
    if values.dtype.kind not in "iuf":
        raise ScoringError(f"{what}: must be real numbers, this is {values.dtype}")
    if values.size and not (values.min() >= low and values.max() <= high):
        raise ScoringError(f"{what}: {_fault(values, low, high)}")
    return values


def zeros_and_ones(values: np.ndarray, what: str) -> np.ndarray:
    """``values`` as boolean, whether they are so or the numbers 0 and 1. Raises ScoringError for anything else."""
    values = np.asarray(values)
    if values.dtype == bool:
        return values
    if values.dtype.kind not in "iuf" or not np.isin(values, (0, 1)).all():
        raise ScoringError(f"{what}: must be boolean, or 0 and 1; compare it with a label")
    return values.astype(bool)


def same_shape(**arrays: np.ndarray) -> None:
    """Raises ScoringError that names the first two of ``arrays`` that differ in shape."""
    (first, reference), *others = arrays.items()
    for name, array in others:
        if array.shape != reference.shape:
            raise ScoringError(f"{first} has shape {reference.shape}, {name} {array.shape}: not one grid")


def _fault(values: np.ndarray, low: float, high: float) -> str:
    if np.isnan(values).any():
        return f"{np.isnan(values).sum()} of {values.size} values are NaN; mask them out or repair the map"
    return f"values lie between {values.min():g} and {values.max():g}, outside {low:g} to {high:g}"
