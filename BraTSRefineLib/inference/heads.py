"""From a network's logits to region probabilities and to labels, by the rule of its head."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch

from ..regions import REGIONS, LabelConvention
from .model import Head


def channel_probabilities(logits: torch.Tensor, head: Head) -> torch.Tensor:
    """Softmax or sigmoid over the first axis of ``(channel, ...)``."""
    return logits.softmax(0) if head.kind == "softmax" else logits.sigmoid()


def region_probabilities(channels: torch.Tensor, head: Head, regions: Sequence[str]) -> torch.Tensor:
    """Channel probabilities ``(channel, ...)`` to ``(region, ...)`` in 0-1; the labels of a region add up."""
    stack = torch.empty((len(regions), *channels.shape[1:]), dtype=channels.dtype, device=channels.device)
    for values, region in zip(stack, regions, strict=True):
        first, *others = head.regions[region]
        values.copy_(channels[first])
        for channel in others:
            values += channels[channel]
    return stack.clamp_(0, 1)


def label_map_of(values: torch.Tensor, head: Head) -> torch.Tensor:
    """uint8 ``(z, y, x)`` by nnU-Net's rule from channel probabilities ``(channel, z, y, x)``.

    Softmax: the channel with the largest value, whose number is the label; logits give the same. Sigmoid: each channel
    above 0.5 paints its label of ``head.order``, later channels over earlier ones.
    """
    if head.kind == "softmax":
        return _largest(values)
    label_map = torch.zeros(values.shape[1:], dtype=torch.uint8, device=values.device)
    for channel, label in zip(values, head.order, strict=True):
        label_map[channel > 0.5] = label
    return label_map


def _largest(values: torch.Tensor) -> torch.Tensor:
    """The first channel with the largest value; torch's argmax over the slowest axis takes several times as long."""
    best, label_map = values[0].clone(), torch.zeros(values.shape[1:], dtype=torch.uint8, device=values.device)
    for channel, candidate in enumerate(values[1:], start=1):
        label_map.masked_fill_(candidate > best, channel)
        torch.maximum(best, candidate, out=best)
    return label_map


def painted_regions(probability: torch.Tensor, regions: Sequence[str], convention: LabelConvention) -> torch.Tensor:
    """uint8 ``(z, y, x)`` from region probabilities ``(region, z, y, x)``: where above 0.5, the innermost wins."""
    label_map = torch.zeros(probability.shape[1:], dtype=torch.uint8, device=probability.device)
    by_region = dict(zip(regions, probability, strict=True))
    for region, label in painting_labels(regions, convention).items():
        label_map[by_region[region] > 0.5] = label
    return label_map


def painting_labels(regions: Sequence[str], convention: LabelConvention) -> dict[str, int]:
    """The label that each region paints, in the order of painting.

    A tumour region paints what it has beyond the next one inside it, as ``LabelConvention.paint``; then tissues that
    no tumour region paints, as the resection cavity.
    """
    labels = convention.scored_regions
    nested = [region for region in REGIONS if region in regions]
    painting = {}
    for region, inner in pairwise([*nested, None]):
        painting[region] = [label for label in labels[region] if inner is None or label not in labels[inner]][-1]
    for region in regions:
        if region not in painting and labels[region][0] not in painting.values():
            painting[region] = labels[region][0]
    return painting
