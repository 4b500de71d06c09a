"""The label of an ensemble: from the mean logit of a group, and the mean probability over groups.

These are nnU-Net's rules within a configuration and across configurations; the uncertainty's mean probability is
another quantity (``moments``) and never decides the label.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .heads import channel_probabilities, label_map_of, painted_regions, region_probabilities
from .model import Head
from .tiles import Box, sides_of


class LabelVote:
    """Takes each group's mean logits in turn and gives the label map of the box of all groups.

    ``box``: on the case's grid. Groups with equal heads vote by channel, others by region.
    """

    def __init__(self, heads: Sequence[Head], regions: Sequence[str], box: Box, device: torch.device) -> None:
        self._regions, self._box, self._device = regions, box, device
        self._alone = len(heads) == 1
        self._head = heads[0]
        follows_head = self._head.kind == "softmax" or bool(self._head.order)
        self._by_channel = follows_head and all(head == self._head for head in heads)
        self._total: torch.Tensor | None = None
        self._count: float | torch.Tensor = 0.0

    def add(self, logits: torch.Tensor, head: Head, box: Box, covered: torch.Tensor | None) -> None:
        """``logits`` ``(channel, z, y, x)`` on ``box``; ``covered``: boolean on the box of all groups, None: all."""
        if not (self._alone and self._by_channel and head.kind == "softmax"):
            logits = channel_probabilities(logits, head)
        if not self._by_channel:
            logits = region_probabilities(logits, head, self._regions)
        values = placed(logits, box, self._box)
        if self._by_channel and head.kind == "softmax" and values is not logits:
            _fill_background(values, box, self._box)
        if covered is not None:
            values = values * covered
        self._total = values if self._total is None else self._total + values
        self._count = self._count + (1.0 if covered is None else covered.float())

    def label_map(self) -> torch.Tensor:
        """uint8 ``(z, y, x)`` on the box of all groups."""
        if self._by_channel:
            return label_map_of(self.values, self._head)
        return painted_regions(self.values, self._regions, self._head.convention)

    @property
    def values(self) -> torch.Tensor:
        """What decides: of one group with a softmax head its mean logits, else the groups' mean probabilities.

        ``(channel, z, y, x)`` where all heads are equal, else ``(region, z, y, x)``.
        """
        return self._total if self._alone else self._total / self._count


def placed(values: torch.Tensor, box: Box, within: Box) -> torch.Tensor:
    """``(n, z, y, x)`` values of ``box`` in the larger box ``within``, zero around them."""
    if box == within:
        return values
    whole = torch.zeros((len(values), *sides_of(within)), dtype=values.dtype, device=values.device)
    whole[(slice(None), *inner(box, within))] = values
    return whole


def inner(box: Box, within: Box) -> Box:
    """``box`` in voxels of the box ``within``."""
    return tuple(
        slice(part.start - whole.start, part.stop - whole.start) for part, whole in zip(box, within, strict=True)
    )


def _fill_background(values: torch.Tensor, box: Box, within: Box) -> None:
    """Beyond its own box a group says background: channel 0 of a softmax head."""
    outside = torch.ones(values.shape[1:], dtype=torch.bool, device=values.device)
    outside[inner(box, within)] = False
    values[0][outside] = 1
