"""Candidates along the steps: what each predicts, whether it may be trusted, and which one is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from .adaptation_layers import copies
from .adaptation_losses import entropy
from .adaptation_passes import Passes
from .adaptation_settings import AdaptationSettings, End
from .adaptation_tiles import Tile, region_masks, within

UNCERTAINTY_MARGIN = 5.0
SMALLEST_JUDGED = 50.0
"""Cubic millimetres; the challenges count no lesion below."""

LEAST_IMPROVEMENT = 0.02
"""A candidate must be this much surer than the unadapted network, as a part of its uncertainty."""


@dataclass(frozen=True)
class Candidate:
    """The network after a step; the entries of ``regions`` and ``entropies`` belong to the tiles, on the CPU.

    ``regions``: boolean ``(region, *space)``. ``entropies``: float16 ``(*space)``, of the mean over the passes.
    ``entropy``: of the plain prediction, mean where the loss is taken.
    """

    step: int
    values: list[torch.Tensor]
    regions: list[torch.Tensor]
    entropies: list[torch.Tensor]
    entropy: float


def candidate(
    step: int, network: nn.Module, parameters: Sequence[nn.Parameter], tiles: Sequence[Tile], passes: Passes
) -> Candidate:
    """The network as it is now."""
    masks, entropies, total = [], [], 0.0
    for tile in tiles:
        plain, mean = _plain_and_mean(network, tile, passes)
        masks.append(region_masks(plain, passes.model.head))
        entropies.append(entropy(mean)[0].half().cpu())
        total += float(entropy(plain)[0][tile.near].sum())
    voxels = sum(int(tile.near.sum()) for tile in tiles)
    return Candidate(step, copies(parameters), masks, entropies, total / voxels)


def _plain_and_mean(network: nn.Module, tile: Tile, passes: Passes) -> tuple[torch.Tensor, torch.Tensor]:
    """Log probabilities of the plain pass and of the passes' mean."""
    plain, *others = passes.over(network, tile.image)
    mean = torch.stack([log_p.exp() for log_p in (plain, *others)]).mean(dim=0)
    return plain, mean.clamp(min=torch.finfo(mean.dtype).tiny).log()


@dataclass(frozen=True)
class Change:
    """Adapted against unadapted. ``volume_ratio``: of the foregrounds. ``agreement``: lowest Dice of a region, 0-1."""

    volume_ratio: float
    agreement: float
    entropy_ratio: float


def change(
    source: Sequence[torch.Tensor],
    adapted: Sequence[torch.Tensor],
    entropies: tuple[float, float],
    spacing: tuple[float, float, float],
) -> Change:
    """From masks ``(region, *space)``, one a tile, and the mean ``entropies`` before and after.

    All tiles together; a voxel in two tiles counts twice everywhere. Regions of less than 50 mm^3 before and after
    are not judged: a few voxels of ET would decide alone.
    """
    foregrounds = [sum(int(mask.any(dim=0).sum()) for mask in masks) for masks in (source, adapted)]
    shared = sum(_sizes(a & b) for a, b in zip(source, adapted, strict=True))
    before, after = sum(map(_sizes, source)), sum(map(_sizes, adapted))
    judged = np.maximum(before, after) * np.prod(spacing) >= SMALLEST_JUDGED
    dice = 2 * shared[judged] / (before + after)[judged]
    entropy_ratio = entropies[1] / entropies[0] if entropies[0] else 1.0
    return Change(foregrounds[1] / foregrounds[0], float(dice.min(initial=1)), entropy_ratio)


def _sizes(masks: torch.Tensor) -> np.ndarray:
    """Voxels of each region."""
    return masks.flatten(start_dim=1).sum(dim=1).numpy()


def tripped(settings: AdaptationSettings, found: Change) -> End | None:
    """The first guard that refuses the change, or None."""
    low, high = settings.volume
    if not low <= found.volume_ratio <= high:
        return "volume"
    if found.agreement < settings.agreement:
        return "agreement"
    return "collapse" if found.entropy_ratio < settings.collapse else None


def uncertainties(candidates: Sequence[Candidate], spacing: tuple[float, float, float]) -> list[float]:
    """Mean entropy (0-1) of each candidate in the union of all their foregrounds, dilated by 5 mm."""
    totals, voxels = np.zeros(len(candidates)), 0
    for index in range(len(candidates[0].regions)):
        union = torch.cat([one.regions[index] for one in candidates]).any(dim=0)
        where = within(union, UNCERTAINTY_MARGIN, spacing)
        totals += [float(one.entropies[index][where].float().sum()) for one in candidates]
        voxels += int(where.sum())
    return [float(total / voxels) for total in totals]


def surest(values: Sequence[float]) -> int:
    """Index of the lowest uncertainty; 0, the unadapted network, where the gain is 2 % or less."""
    best = int(np.argmin(values))
    return best if values[best] < (1 - LEAST_IMPROVEMENT) * values[0] else 0
