"""Several passes of one network over a tile: how far it agrees with itself, and how unsure it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from .adaptation_losses import region_probability
from .adaptation_tiles import Tile, predicted
from .dropout import DropoutPass, dropout_modules, dropout_passes
from .model import Head, Model

JUDGED = ("WT", "TC")
"""Regions whose agreement is judged; a single voxel of ET would decide alone."""


@dataclass(frozen=True)
class Passes:
    """How a network is asked more than once: with dropout where it has some, else mirrored, else not at all.

    The first pass is always the plain prediction.
    """

    model: Model
    dropout: tuple[DropoutPass, ...]
    axes: tuple[int, ...]

    @classmethod
    def of(cls, network: nn.Module, model: Model, count: int, seed: int) -> Passes:
        """``count`` passes with dropout, the plain one among them; without dropout one for each mirrored axis."""
        return cls(model, dropout_passes(count - 1, seed) if dropout_modules(network) else (), model.mirror_axes)

    @classmethod
    def plain(cls, model: Model) -> Passes:
        """The plain prediction alone."""
        return cls(model, (), ())

    def over(self, network: nn.Module, image: torch.Tensor) -> Iterator[torch.Tensor]:
        """Log probabilities ``(1, variable, outcome, *space)`` of each pass, on the image's own grid."""
        yield predicted(network, image, self.model.head)
        if self.dropout:
            yield from self._with_dropout(network, image)
        else:
            yield from self._mirrored(network, image)

    def _with_dropout(self, network: nn.Module, image: torch.Tensor) -> Iterator[torch.Tensor]:
        for one in self.dropout:
            with one.during(network):
                log_p = predicted(network, image, self.model.head)
            yield log_p

    def _mirrored(self, network: nn.Module, image: torch.Tensor) -> Iterator[torch.Tensor]:
        flat = self.model.window.flat
        for axis in self.axes:
            if not (flat and axis == 0):
                at = axis - 3  # from the end, where space lies in every tensor
                yield predicted(network, image.flip(at), self.model.head).flip(at)


def quality(network: nn.Module, passes: Passes, tiles: Sequence[Tile]) -> float | None:
    """Median pairwise Dice of the passes' WT and TC, 0-1, mean of the two (after TEGDA, Zhou 2025).

    None where there is one pass alone, or no judged region in any pass.
    """
    head = passes.model.head
    regions = [region for region in JUDGED if region in head.regions] or list(head.regions)
    shared: list = [0.0] * len(regions)
    for tile in tiles:
        masks = [_masks(log_p, head, regions) for log_p in passes.over(network, tile.image)]
        for number, of_region in enumerate(torch.stack(masks, dim=1)):
            shared[number] = shared[number] + (of_region @ of_region.T).double().cpu().numpy()
    values = [_median_dice(overlaps) for overlaps in shared]
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _masks(log_p: torch.Tensor, head: Head, regions: Sequence[str]) -> torch.Tensor:
    """``(region, voxel)``, 0 or 1."""
    return torch.stack([(region_probability(log_p, head, region) > 0.5).flatten().float() for region in regions])


def _median_dice(overlaps: np.ndarray) -> float | None:
    """From the matrix ``(pass, pass)`` of shared voxels, sizes on its diagonal."""
    first, second = np.triu_indices(len(overlaps), k=1)
    sizes = np.diag(overlaps)
    both = sizes[first] + sizes[second]
    if not both.any():
        return None
    return float(np.median(np.divide(2 * overlaps[first, second], both, out=np.ones_like(both), where=both > 0)))
