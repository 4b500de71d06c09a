"""Predictions back on the grid that they were resampled from, as the plans say, on whatever device they are.

nnU-Net resamples on the CPU, in double precision and one channel after the other; every member of an ensemble would
wait for that. Its default (linear, between the centres of voxels, borders repeated) is done here where the values are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from nnunetv2.configuration import ANISO_THRESHOLD
from nnunetv2.preprocessing.resampling.default_resampling import determine_do_sep_z_and_axis
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager

DEFAULT = "resample_data_or_seg_to_shape"
LINEAR = {"is_seg": False, "order": 1, "order_z": 0}


def resampled_probabilities(
    values: torch.Tensor,
    shape: Sequence[int],
    spacing: Sequence[float],
    wanted: Sequence[float],
    configuration: ConfigurationManager,
) -> torch.Tensor:
    """``(n, a, b, c)`` on a grid of that shape, float32; a view where it has that shape. Spacings are in mm.

    As the plans' ``resampling_fn_probabilities``; its default is exact to float32, any other is called on the CPU.
    """
    if tuple(values.shape[1:]) == tuple(shape):
        return values
    settings = configuration.configuration["resampling_fn_probabilities_kwargs"]
    name = configuration.configuration["resampling_fn_probabilities"]
    if name == DEFAULT and all(settings.get(key) == value for key, value in LINEAR.items()):
        return _linear(values, shape, _separate_axis(settings, spacing, wanted))
    resampled = configuration.resampling_fn_probabilities(values.cpu(), shape, spacing, wanted)
    return torch.as_tensor(resampled, device=values.device)


def _separate_axis(settings: dict, spacing: Sequence[float], wanted: Sequence[float]) -> int | None:
    """The axis of thick slices, along which nnU-Net takes the nearest slice; None where all is interpolated."""
    threshold = settings.get("separate_z_anisotropy_threshold", ANISO_THRESHOLD)
    separate, axis = determine_do_sep_z_and_axis(settings.get("force_separate_z", False), spacing, wanted, threshold)
    return int(axis) if separate else None


def _linear(values: torch.Tensor, shape: Sequence[int], separate: int | None) -> torch.Tensor:
    values = values.float()
    for axis, side in enumerate(shape):
        if values.shape[axis + 1] != side:
            values = (_nearest if axis == separate else _interpolated)(values, axis + 1, side)
    return values


def _interpolated(values: torch.Tensor, axis: int, side: int) -> torch.Tensor:
    """Linear along one axis."""
    at = _positions(values.shape[axis], side)
    below = np.floor(at).astype(np.int64)
    above = np.minimum(below + 1, values.shape[axis] - 1)
    part = torch.tensor(at - below, dtype=values.dtype, device=values.device)
    low, high = (values.index_select(axis, torch.tensor(index, device=values.device)) for index in (below, above))
    return low.lerp_(high, part.reshape([side if a == axis else 1 for a in range(values.ndim)]))


def _nearest(values: torch.Tensor, axis: int, side: int) -> torch.Tensor:
    nearest = np.floor(_positions(values.shape[axis], side) + 0.5).astype(np.int64)
    return values.index_select(axis, torch.tensor(nearest, device=values.device))


def _positions(old: int, new: int) -> np.ndarray:
    """Where the centres of ``new`` voxels lie among ``old`` ones, not beyond the outermost centres."""
    return np.clip(old / new * (np.arange(new) + 0.5) - 0.5, 0, old - 1)
