"""Changes of intensity within the brain: another contrast (gamma), more noise. They leave every voxel in its place.

The spread of the predictions under the noise that images have anyway is an estimate of aleatoric uncertainty (Wang et
al. 2019). Label channels of a cascade keep their values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .model import InferenceError

if TYPE_CHECKING:
    import torch

    from .model import Prepared

GAMMAS = (0.1, 10.0)


class _InPlace:
    """What the changes share that move no voxel."""

    per_tile = False

    def invert(self, values: torch.Tensor, prepared: Prepared) -> torch.Tensor:
        """The values themselves."""
        return values

    def coverage(self, prepared: Prepared) -> None:
        return None


@dataclass(frozen=True)
class Gamma(_InPlace):
    """``v ** gamma`` on each channel's brain scaled to 0-1; its mean and standard deviation are then restored.

    Restored as in nnU-Net's training, because normalisation would have undone the change of both. Raises
    InferenceError outside 0.1-10 and for 1, which changes nothing.
    """

    gamma: float
    weight: float = field(default=1.0, compare=False)

    def __post_init__(self) -> None:
        if not GAMMAS[0] <= self.gamma <= GAMMAS[1] or self.gamma == 1:
            raise InferenceError(f"gamma of {self.gamma:g}: use {GAMMAS[0]:g} to {GAMMAS[1]:g} and not 1")

    @property
    def name(self) -> str:
        return f"gamma {self.gamma:g}"

    def apply(self, data: torch.Tensor, prepared: Prepared) -> torch.Tensor:
        """A changed copy of ``(channel, a, b, c)``; a channel that is constant in the brain stays as it is."""
        brain, images = _brain_and_images(data)
        result = data.clone()
        for channel in images:
            result[channel][brain] = self._changed(data[channel][brain])
        return result

    def _changed(self, values: torch.Tensor) -> torch.Tensor:
        low, high = values.min(), values.max()
        if low == high:
            return values
        curved = ((values - low) / (high - low)) ** self.gamma
        standard = (curved - curved.mean()) / curved.std(correction=0)
        return standard * values.std(correction=0) + values.mean()


@dataclass(frozen=True)
class Noise(_InPlace):
    """Gaussian noise in the brain with ``sigma`` times each channel's standard deviation there.

    The same for a case, seed and ``draw`` (which sample of the seed) on every device, and for every model of a group.
    Raises InferenceError where sigma is not above 0.
    """

    sigma: float
    seed: int = 0
    draw: int = 0
    weight: float = field(default=1.0, compare=False)

    def __post_init__(self) -> None:
        if not 0 < self.sigma < np.inf:
            raise InferenceError(f"noise of {self.sigma:g}: use a number above 0, such as 0.05")

    @property
    def name(self) -> str:
        return f"noise {self.sigma:g} #{self.draw + 1}"

    def apply(self, data: torch.Tensor, prepared: Prepared) -> torch.Tensor:
        """A changed copy of ``(channel, a, b, c)``."""
        import torch

        brain, images = _brain_and_images(data)
        count = int(brain.sum())
        # made on the CPU, whose generator gives the same numbers whichever device predicts
        generator = torch.Generator().manual_seed(self._seed_of_case(count))
        result = data.clone()
        for channel in images:
            noise = torch.randn(count, generator=generator, dtype=data.dtype).to(data.device)
            result[channel][brain] += noise * (self.sigma * data[channel][brain].std(correction=0))
        return result

    def _seed_of_case(self, voxels: int) -> int:
        """The brain's number of voxels tells cases apart, so that they do not share one noise field."""
        return int(np.random.SeedSequence((self.seed, self.draw, voxels)).generate_state(1, np.uint32)[0])


def _brain_and_images(data: torch.Tensor) -> tuple[torch.Tensor, list[int]]:
    """The brain ``(a, b, c)`` and the channels that are images. Raises InferenceError for an empty brain."""
    from .augmentation_brain import background_of, brain_mask, is_label_channel

    brain = brain_mask(data, background_of(data))
    return brain, [index for index, channel in enumerate(data) if not is_label_channel(channel)]
