"""Entropy, divergences between predictions, and the loss on a labelled scan; all differentiable.

A prediction is held as log probabilities ``(batch, variable, outcome, *space)``: a softmax head is one variable with
an outcome a channel, a sigmoid head one variable of two outcomes a channel. So each formula is written once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch.nn.functional import log_softmax, logsigmoid

from .adaptation_settings import Divergence
from .model import Head

SMALL = 1e-4
"""Below this the arc sine's square is its series: its derivative by the square root is 0 / 0 at zero."""


def log_probabilities(logits: torch.Tensor, head: Head) -> torch.Tensor:
    """Logits ``(batch, channel, *space)`` as log probabilities ``(batch, variable, outcome, *space)``."""
    if head.kind == "softmax":
        return log_softmax(logits, dim=1).unsqueeze(1)
    return torch.stack([logsigmoid(logits), logsigmoid(-logits)], dim=2)


def entropy(log_p: torch.Tensor) -> torch.Tensor:
    """Entropy a voxel ``(batch, *space)`` by its maximum, mean over variables: 0 sure, 1 undecided."""
    return -(log_p.exp() * log_p).sum(dim=2).mean(dim=1) / math.log(log_p.shape[2])


def kullback_leibler(source: torch.Tensor, adapted: torch.Tensor) -> torch.Tensor:
    """KL(source || adapted) in nats a voxel ``(batch, *space)``, mean over variables."""
    return (source.exp() * (source - adapted)).sum(dim=2).mean(dim=1)


def jensen_shannon(source: torch.Tensor, adapted: torch.Tensor) -> torch.Tensor:
    """Mean KL of both to their mixture, 0-ln 2 nats a voxel ``(batch, *space)``, mean over variables."""
    mixture = torch.logaddexp(source, adapted) - math.log(2)
    return (kullback_leibler(source, mixture) + kullback_leibler(adapted, mixture)) / 2


def squared_fisher_rao(source: torch.Tensor, adapted: torch.Tensor) -> torch.Tensor:
    """Squared geodesic distance, 0-pi^2 a voxel ``(batch, *space)``, mean over variables.

    d = 2 arccos(sum sqrt(p q)) (Rao 1945), written by the chord, 4 arcsin(|sqrt p - sqrt q| / 2), so that it and its
    gradient are exact where both are the same.
    """
    quarter = ((source / 2).exp() - (adapted / 2).exp()).square().sum(dim=2) / 4
    series = quarter + quarter.square() / 3 + 8 * quarter**3 / 45
    apart = torch.arcsin(quarter.clamp(min=SMALL).sqrt()).square()
    return 16 * torch.where(quarter < SMALL, series, apart).mean(dim=1)


DIVERGENCES: Mapping[Divergence, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "kl": kullback_leibler,
    "jensen-shannon": jensen_shannon,
    "fisher-rao": squared_fisher_rao,
}


def region_probability(log_p: torch.Tensor, head: Head, region: str) -> torch.Tensor:
    """Probability of a region ``(batch, *space)``."""
    return _of_channels(log_p, head)[:, list(head.regions[region])].sum(dim=1)


def foreground_probability(log_p: torch.Tensor, head: Head) -> torch.Tensor:
    """Probability ``(batch, *space)`` of any region; the whole tumour's where the head knows the nested three."""
    every = sorted({channel for channels in head.regions.values() for channel in channels})
    channels = _of_channels(log_p, head)[:, every]
    return channels.sum(dim=1) if head.kind == "softmax" else channels.amax(dim=1)


def _of_channels(log_p: torch.Tensor, head: Head) -> torch.Tensor:
    """``(batch, channel, *space)``"""
    return (log_p[:, 0] if head.kind == "softmax" else log_p[:, :, 0]).exp()


def labelled_loss(log_p: torch.Tensor, head: Head, masks: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Cross entropy plus soft Dice loss, mean over regions. ``masks``: region to ``(batch, *space)``, 0 or 1."""
    losses = []
    for region, mask in masks.items():
        probability = region_probability(log_p, head, region).clamp(1e-6, 1 - 1e-6)
        overlap = (2 * (probability * mask).sum() + 1) / (probability.sum() + mask.sum() + 1)
        losses.append(torch.nn.functional.binary_cross_entropy(probability, mask) + 1 - overlap)
    return torch.stack(losses).mean()
