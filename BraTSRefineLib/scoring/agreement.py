"""How far members agree on one region of a case: what a prediction's quality can be guessed from without a reference.

Mean Dice between pairs of members (Roy et al. 2019, "Bayesian QuickNAT"), variation of their volumes (Wang et al. 2019,
"Aleatoric uncertainty estimation with test-time augmentation"), entropy and thinness of what they came to together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log1p, nan

import numpy as np

from .arrays import boolean, same_shape
from .conventions import ScoringError
from .packing import joint_box, occupied_box, widened
from .uncertainty import predictive_entropy

FEW_VOXELS = 10
"""Below this mean volume a single voxel changes the agreement."""


@dataclass(frozen=True)
class Agreement:
    """``pairwise_dice``: mean over the pairs, 1 where both are empty. ``vvc``: sd / mean of the members' volumes, NaN
    where none sees anything. ``entropy``: mean over the fused mask in bits, ``surface_share``: of its voxels those at
    the surface, both 0 where it is empty. ``log_volume``: ln(1 + ml). ``empty_consensus``: the fused mask is empty, so
    that agreement says nothing of a lesion that all missed. ``few_voxels``: the members see fewer than ten on average.
    """

    pairwise_dice: float
    vvc: float
    entropy: float
    surface_share: float
    log_volume: float
    empty_consensus: bool
    few_voxels: bool


def agreement(
    masks: Sequence[np.ndarray], fused: np.ndarray, voxel_ml: float, entropy: np.ndarray | None = None
) -> Agreement:
    """The agreement of members' masks ``(z, y, x)``, boolean, whose fused mask is ``fused``.

    ``entropy`` is that of the mean probability in bits; without it that of the share of the votes is taken.
    Raises ScoringError for fewer than two members, shapes that differ, or masks that are not boolean.
    """
    if len(masks) < 2:
        raise ScoringError(f"agreement takes at least two members; there is {len(masks)}")
    stack = [boolean(mask, f"member {number}") for number, mask in enumerate(masks, start=1)]
    same_shape(fused=boolean(fused, "fused mask"), **{f"member_{n}": mask for n, mask in enumerate(stack, start=1)})
    if entropy is not None:
        same_shape(fused=fused, entropy=entropy)
    box = _occupied([*stack, fused])
    members, fused = np.stack([mask[box] for mask in stack]), fused[box]
    volumes = members.sum(axis=(1, 2, 3))
    bits = predictive_entropy(members.mean(axis=0)) if entropy is None else entropy[box]
    return Agreement(
        _pairwise_dice(members, volumes),
        float(volumes.std() / volumes.mean()) if volumes.any() else nan,
        float(bits[fused].mean()) if fused.any() else 0.0,
        _surface_share(fused),
        log1p(float(fused.sum()) * voxel_ml),
        not fused.any(),
        bool(volumes.mean() < FEW_VOXELS),
    )


def _occupied(masks: Sequence[np.ndarray]) -> tuple[slice, ...]:
    """The box of all masks with a voxel around it, so that the surface of what it holds is inside."""
    return widened(joint_box(*(occupied_box(mask) for mask in masks)), 1, masks[0].shape)


def _pairwise_dice(members: np.ndarray, volumes: np.ndarray) -> float:
    dice = [
        2 * int((members[a] & members[b]).sum()) / int(volumes[a] + volumes[b]) if volumes[a] + volumes[b] else 1.0
        for a, b in combinations(range(len(members)), 2)
    ]
    return float(np.mean(dice))


def _surface_share(mask: np.ndarray) -> float:
    from scipy.ndimage import binary_erosion

    return 1 - float(binary_erosion(mask).sum()) / float(mask.sum()) if mask.any() else 0.0
