"""What every member of a fusion must satisfy; checked where it enters, so that none is skipped silently."""

from __future__ import annotations

import numpy as np


class FusionError(ValueError):
    """Members that cannot be combined; the message names the member by its position, counted from 1."""


def checked_mask(stack: np.ndarray, shape: tuple[int, ...] | None, number: int) -> np.ndarray:
    """``stack`` if it is boolean and of ``shape`` (None: any). Raises FusionError."""
    stack = np.asarray(stack)
    if stack.dtype != np.bool_:
        raise FusionError(f"member {number} holds {stack.dtype} values, expected a boolean region stack")
    _check_shape(stack, shape, number)
    return stack


def checked_probability(stack: np.ndarray, shape: tuple[int, ...] | None, number: int) -> np.ndarray:
    """``stack`` if it lies in 0-1 without NaN and is of ``shape`` (None: any). Raises FusionError."""
    stack = np.asarray(stack)
    _check_shape(stack, shape, number)
    low, high = float(stack.min()), float(stack.max())
    if not (low >= 0.0 and high <= 1.0):
        raise FusionError(f"member {number} holds values from {low:g} to {high:g}, expected probabilities in 0 to 1")
    return stack


def _check_shape(stack: np.ndarray, shape: tuple[int, ...] | None, number: int) -> None:
    if stack.size == 0:
        raise FusionError(f"member {number} is empty")
    if shape is not None and stack.shape != shape:
        raise FusionError(f"member {number} has shape {_by(stack.shape)}, the first member has {_by(shape)}")


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(str(length) for length in shape)
