"""The models of one group at work on a case: its tiles on the device, and their mean logit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from .augmentation import Augmentation
from .engine import TiledCase, tiled
from .groups import Group
from .model import Prepared, Window
from .tiles import Box, padded

COVERED = 0.99
"""A voxel counts as seen where the seen part, interpolated to another grid, is above this."""


@dataclass
class GroupWork:
    """``crop``: the part of the prepared data that members look at; None: all of it."""

    group: Group
    prepared: Prepared
    tiles: TiledCase
    crop: Box | None = None
    _logits: torch.Tensor | None = None
    _members: int = 0
    _members_of_crop: int = 0
    _seen: torch.Tensor | None = None

    @classmethod
    def of(cls, group: Group, prepared: Prepared, window: Window, device: torch.device) -> GroupWork:
        prepared = replace(prepared, data=prepared.data.to(device))
        return cls(group, prepared, tiled(prepared.data, window))

    def narrow(self, crop: Box) -> None:
        """From here on members look at ``crop`` alone."""
        self.crop = crop
        self.tiles = tiled(self.prepared.data[self._part], self.tiles.window)
        ones = torch.ones((1, *self.prepared.data[0][crop].shape), device=self.prepared.data.device)
        self._seen = self.on_whole(ones)

    def tiles_for(self, augmentation: Augmentation) -> TiledCase:
        """The tiles, over the changed data where the augmentation acts on the whole."""
        if augmentation.per_tile:
            return self.tiles
        changed = augmentation.apply(self.prepared.data, self.prepared)[self._part]
        return replace(self.tiles, data=padded(changed, self.tiles.window.patch)[0])

    def add(self, logits: torch.Tensor) -> None:
        """A member's logits ``(channel, a, b, c)`` of the crop towards the mean logit."""
        if self._logits is None:
            self._logits = torch.zeros((len(logits), *self.prepared.data.shape[1:]), device=logits.device)
        self._logits[self._part] += logits
        if self.crop is None:
            self._members += 1
        else:
            self._members_of_crop += 1

    def mean_logits(self) -> torch.Tensor:
        """``(channel, a, b, c)`` of the whole prepared grid: over the members that looked, zero where none did."""
        everywhere = max(self._members, 1)
        mean = self._logits / everywhere
        if self._members_of_crop:
            mean[self._part] *= everywhere / (self._members + self._members_of_crop)
        return mean

    def on_whole(self, values: torch.Tensor) -> torch.Tensor:
        """``(n, a, b, c)`` of the crop in the whole prepared grid, zero around it."""
        if self.crop is None:
            return values
        whole = torch.zeros((len(values), *self.prepared.data.shape[1:]), dtype=values.dtype, device=values.device)
        whole[self._part] = values
        return whole

    def on_box(self, values: torch.Tensor) -> torch.Tensor:
        """``(n, a, b, c)`` of the whole prepared grid as ``(n, z, y, x)`` on the group's box, on the same device."""
        return self.prepared.to_box(values).to(values.device)

    def seen_by(self, augmentation: Augmentation) -> torch.Tensor | None:
        """Boolean ``(z, y, x)`` on the group's box: where a member's values can be trusted. None: everywhere."""
        covered = augmentation.coverage(self.prepared)
        if self._seen is not None:
            seen = self._seen if augmentation.per_tile else augmentation.invert(self._seen.clone(), self.prepared)
            inside = seen[0] > COVERED
            covered = inside if covered is None else covered & inside
        return None if covered is None else self._mask_on_box(covered)

    def seen_by_any(self) -> torch.Tensor | None:
        """Boolean ``(z, y, x)`` on the group's box: where any member looked. None: everywhere."""
        return None if self._seen is None or self._members else self._mask_on_box(self._seen[0] > COVERED)

    def _mask_on_box(self, mask: torch.Tensor) -> torch.Tensor:
        return self.on_box(mask.float()[None])[0] > COVERED

    @property
    def _part(self) -> tuple[slice, ...]:
        return (slice(None), *(self.crop or (slice(None),) * 3))
