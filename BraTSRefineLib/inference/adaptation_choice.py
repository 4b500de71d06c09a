"""Candidates along the steps: what each predicts, whether it may be trusted, and which one is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from .adaptation_layers import copies
from .adaptation_losses import entropy, foreground_probability
from .adaptation_passes import Passes
from .adaptation_settings import AdaptationSettings, End
from .adaptation_tiles import Tile, within

UNCERTAINTY_MARGIN = 5.0
LEAST_IMPROVEMENT = 0.02
"""A candidate must be this much surer than the unadapted network, as a part of its uncertainty."""


@dataclass(frozen=True)
class Candidate:
    """The network after a step. A list's entry belongs to a tile, on the CPU, ``(*space)``.

    ``entropies`` (float16): of the mean over the passes. ``entropy``: of the plain prediction, mean where the loss is
    taken.
    """

    step: int
    values: list[torch.Tensor]
    foregrounds: list[torch.Tensor]
    entropies: list[torch.Tensor]
    entropy: float


def candidate(
    step: int, network: nn.Module, parameters: Sequence[nn.Parameter], tiles: Sequence[Tile], passes: Passes
) -> Candidate:
    """The network as it is now."""
    masks, entropies, total = [], [], 0.0
    for tile in tiles:
        plain, mean = _plain_and_mean(network, tile, passes)
        masks.append((foreground_probability(plain, passes.model.head)[0] > 0.5).cpu())
        entropies.append(entropy(mean)[0].half().cpu())
        total += float(entropy(plain)[0][tile.near].sum())
    voxels = sum(int(tile.near.sum()) for tile in tiles)
    return Candidate(step, copies(parameters), masks, entropies, total / voxels)


def _plain_and_mean(network: nn.Module, tile: Tile, passes: Passes) -> tuple[torch.Tensor, torch.Tensor]:
    """Log probabilities of the plain pass and of the passes' mean."""
    plain, *others = passes.over(network, tile.image)
    mean = torch.stack([log_p.exp() for log_p in (plain, *others)]).mean(dim=0)
    return plain, mean.clamp(min=torch.finfo(mean.dtype).tiny).log()


def volume_ratio(source: Sequence[torch.Tensor], adapted: Sequence[torch.Tensor]) -> float:
    """Foreground of all tiles together, adapted by source; a voxel in two tiles counts twice in both."""
    return sum(int(mask.sum()) for mask in adapted) / sum(int(mask.sum()) for mask in source)


def agreement(source: Sequence[torch.Tensor], adapted: Sequence[torch.Tensor]) -> float:
    """Dice of the foregrounds of all tiles together, 0-1."""
    shared = sum(int((a & b).sum()) for a, b in zip(source, adapted, strict=True))
    return 2 * shared / (sum(int(mask.sum()) for mask in source) + sum(int(mask.sum()) for mask in adapted))


def tripped(
    settings: AdaptationSettings, source: Sequence[torch.Tensor], adapted: Sequence[torch.Tensor], entropy_ratio: float
) -> End | None:
    """The first guard that refuses the adapted foregrounds, or None. ``entropy_ratio``: adapted by source."""
    low, high = settings.volume
    if not low <= volume_ratio(source, adapted) <= high:
        return "volume"
    if agreement(source, adapted) < settings.agreement:
        return "agreement"
    return "collapse" if entropy_ratio < settings.collapse else None


def uncertainties(candidates: Sequence[Candidate], spacing: tuple[float, float, float]) -> list[float]:
    """Mean entropy (0-1) of each candidate in the union of all their foregrounds, dilated by 5 mm."""
    totals, voxels = np.zeros(len(candidates)), 0
    for index in range(len(candidates[0].foregrounds)):
        union = torch.stack([one.foregrounds[index] for one in candidates]).any(dim=0)
        where = within(union, UNCERTAINTY_MARGIN, spacing)
        totals += [float(one.entropies[index][where].float().sum()) for one in candidates]
        voxels += int(where.sum())
    return [float(total / voxels) for total in totals]


def surest(values: Sequence[float]) -> int:
    """Index of the lowest uncertainty; 0, the unadapted network, where the gain is 2 % or less."""
    best = int(np.argmin(values))
    return best if values[best] < (1 - LEAST_IMPROVEMENT) * values[0] else 0
