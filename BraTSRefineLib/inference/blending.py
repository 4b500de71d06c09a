"""How much each voxel of a tile counts where tiles overlap."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .model import Window

SIGMA_OF_SIDE = 1 / 8
NNUNET_PEAK = 10
"""nnU-Net's weights lie between 0 and 10, so that its 16-bit sums keep some digits; ours are its weights in 32 bits."""

MONAI_LEAST = 1e-3


def blending_weights(window: Window) -> np.ndarray:
    """Positive weights, float32, of the patch's shape; not to be written to.

    The Gaussian has a deviation of an eighth of each side. nnU-Net's is peaked at the voxel ``side // 2`` and ends
    after four deviations; MONAI's is centred between voxels where the side is even and never below 0.001.
    """
    return _weights(window.patch, window.blending, window.flat)


@lru_cache(maxsize=8)
def _weights(patch: tuple[int, int, int], blending: str, flat: bool) -> np.ndarray:
    sides = patch[1:] if flat else patch
    rule = {"nnunet": _nnunet_gaussian, "gaussian": _monai_gaussian, "constant": _constant}[blending]
    weights = rule(sides).astype(np.float32).reshape(patch)
    weights.flags.writeable = False
    return weights


def _constant(sides: tuple[int, ...]) -> np.ndarray:
    return np.ones(sides)


def _nnunet_gaussian(sides: tuple[int, ...]) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    weights = np.zeros(sides)
    weights[tuple(side // 2 for side in sides)] = 1
    weights = gaussian_filter(weights, [side * SIGMA_OF_SIDE for side in sides], mode="constant")
    weights = (weights * (NNUNET_PEAK / weights.max())).astype(np.float32)
    return np.where(weights == 0, weights[weights > 0].min(), weights)


def _monai_gaussian(sides: tuple[int, ...]) -> np.ndarray:
    weights = np.ones((), np.float32)
    for side in sides:
        distance = np.arange(side, dtype=np.float32) - np.float32((side - 1) / 2)
        weights = weights[..., None] * np.exp(distance**2 / np.float32(-2 * (side * SIGMA_OF_SIDE) ** 2))
    return np.maximum(weights, max(float(weights.min()), MONAI_LEAST))
