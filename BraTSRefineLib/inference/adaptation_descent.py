"""Steps downhill: the loss over the tiles, Adam or the natural gradient, and a line search inside a trust region."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import nn

from .adaptation_layers import copies, put
from .adaptation_losses import DIVERGENCES, entropy, labelled_loss, log_probabilities
from .adaptation_settings import AdaptationSettings
from .adaptation_tiles import Tile
from .model import Head, InferenceError

HALVINGS = 10
DAMPING = 1e-3
"""Added to the Fisher matrix's diagonal, so that a parameter nothing depends on is not thrown far."""


@dataclass
class Descent:
    """Adapts ``parameters`` of the network to the tiles, in place, one accepted step after the other."""

    network: nn.Module
    head: Head
    parameters: Sequence[nn.Parameter]
    tiles: Sequence[Tile]
    settings: AdaptationSettings
    fisher: list[torch.Tensor] = field(init=False)
    voxels: int = field(init=False)

    def __post_init__(self) -> None:
        self.voxels = sum(int(tile.near.sum()) for tile in self.tiles)

    def steps(self) -> Iterator[int]:
        """The number of each step once it is taken, from 1; ends early where no step is acceptable.

        Raises InferenceError where the unadapted loss is not finite.
        """
        adam = torch.optim.Adam(self.parameters, lr=self.settings.rate)
        if self.settings.descent == "natural" and self.settings.steps:
            self.fisher = diagonal_fisher(self.network, self.head, self.parameters, self.tiles, self.settings)
        for step in range(1, self.settings.steps + 1):
            loss = self._gradients()
            start = copies(self.parameters)
            direction = self._natural() if self.settings.descent == "natural" else self._by(adam, start)
            if not self._search(start, direction, loss):
                return
            yield step

    def loss(self) -> tuple[float, float]:
        """Loss and mean divergence as the network is, without gradients."""
        with torch.no_grad():
            parts = [self._tile_loss(tile) for tile in self.tiles]
        return sum(float(loss) for loss, _ in parts), sum(float(divergence) for _, divergence in parts)

    def _gradients(self) -> float:
        """Fill the parameters' gradients; returns the loss."""
        for parameter in self.parameters:
            parameter.grad = torch.zeros_like(parameter)
        total = 0.0
        for tile in self.tiles:
            loss, _ = self._tile_loss(tile)
            loss.backward()
            total += float(loss.detach())
        if not math.isfinite(total):
            raise InferenceError(f"adaptation: the loss is {total}; the network's output is not finite")
        return total

    def _tile_loss(self, tile: Tile) -> tuple[torch.Tensor, torch.Tensor]:
        """This tile's share of the loss and of the mean divergence."""
        log_p = log_probabilities(self.network(tile.image), self.head)
        divergence = self._share(DIVERGENCES[self.settings.divergence](tile.source, log_p), tile)
        if tile.truth:
            data = labelled_loss(log_p, self.head, tile.truth) / len(self.tiles)
        else:
            data = self._share(entropy(log_p), tile)
        return data + self.settings.weight * divergence, divergence

    def _share(self, values: torch.Tensor, tile: Tile) -> torch.Tensor:
        return values[0][tile.near].sum() / self.voxels

    def _by(self, adam: torch.optim.Adam, start: list[torch.Tensor]) -> list[torch.Tensor]:
        adam.step()
        return [parameter.detach() - before for parameter, before in zip(self.parameters, start, strict=True)]

    def _natural(self) -> list[torch.Tensor]:
        pairs = zip(self.parameters, self.fisher, strict=True)
        return [-self.settings.rate * parameter.grad / (fisher + DAMPING) for parameter, fisher in pairs]

    def _search(self, start: list[torch.Tensor], direction: list[torch.Tensor], loss: float) -> bool:
        """Halve the step until the loss is lower and the divergence small enough; back to ``start`` if it never is."""
        for halving in range(HALVINGS + 1):
            put(self.parameters, [a + d / 2**halving for a, d in zip(start, direction, strict=True)])
            tried, divergence = self.loss()
            if tried < loss and divergence <= self.settings.trust:
                return True
        put(self.parameters, start)
        return False


def diagonal_fisher(
    network: nn.Module,
    head: Head,
    parameters: Sequence[nn.Parameter],
    tiles: Sequence[Tile],
    settings: AdaptationSettings,
) -> list[torch.Tensor]:
    """E[(d log p(y) / d parameter)^2] a voxel, y drawn from the prediction; a tensor for each parameter.

    Outcomes are drawn in every voxel at once and their scores added up before squaring: they have mean zero and are
    independent, so the products of different voxels vanish on average (Hutchinson's argument).
    """
    totals = [torch.zeros_like(parameter) for parameter in parameters]
    for number, tile in enumerate(tiles):
        generator = torch.Generator(device=tile.image.device).manual_seed(settings.seed + number)
        log_p = log_probabilities(network(tile.image), head)
        for _ in range(settings.fisher_draws):
            score = _score(log_p, generator)[0][tile.near].sum()
            slopes = torch.autograd.grad(score, parameters, retain_graph=True, materialize_grads=True)
            for total, slope in zip(totals, slopes, strict=True):
                total += slope.square()
    drawn = settings.fisher_draws * sum(int(tile.near.sum()) for tile in tiles)
    return [total / drawn for total in totals]


def _score(log_p: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Log probability ``(batch, *space)`` of an outcome drawn in each voxel, root mean square over variables."""
    noise = torch.rand(log_p.shape, generator=generator, device=log_p.device, dtype=log_p.dtype)
    gumbel = -torch.log(-torch.log(noise.clamp(1e-12, 1 - 1e-7)))
    drawn = (log_p.detach() + gumbel).argmax(dim=2, keepdim=True)
    return log_p.gather(2, drawn).squeeze(2).sum(dim=1) / log_p.shape[1] ** 0.5
