"""Small rotations and scalings about the brain's centre, undone by interpolation on probabilities (Wang et al. 2019).

The warp is made in millimetres, so that it is rigid whatever the spacing. Voxels that the way there and back brings in
from beyond the border do not count for such a member.

Both interpolations together blur. A certain lesion of one voxel comes back with a probability of about 0.5 after 5
degrees and 0.25 after a scaling, one of 2x2x2 voxels with 0.75 and 0.55, one of 3x3x3 unchanged. So the label does
not ask these members, and in the mean small lesions stand a little lower than through flips.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .model import InferenceError

if TYPE_CHECKING:
    import torch

    from .augmentation_warp import Warp
    from .model import Prepared

AXIS_LETTERS = "zyx"
NETWORK_LETTERS = "abc"
LARGEST_ANGLE = 45.0
SCALES = (0.5, 2.0)


class _Warped(ABC):
    """What every augmentation that resamples shares; the augmentation says its ``matrix``."""

    per_tile = False

    @abstractmethod
    def matrix(self, axes: tuple[int, int, int]) -> np.ndarray:
        """3x3 on millimetres along the prepared axes: from an offset in the changed image to one in the image."""

    def apply(self, data: torch.Tensor, prepared: Prepared) -> torch.Tensor:
        """``(channel, a, b, c)`` resampled, its channels' background beyond the border."""
        from .augmentation_brain import background_of
        from .augmentation_warp import resampled_on_background

        return resampled_on_background(data, self._warp(prepared), background_of(data))

    def invert(self, values: torch.Tensor, prepared: Prepared) -> torch.Tensor:
        """``(..., a, b, c)`` probabilities back in place; too low where ``coverage`` is False."""
        from .augmentation_warp import resampled

        stack = values.reshape(-1, *values.shape[-3:])
        return resampled(stack, self._warp(prepared).inverse()).reshape(values.shape)

    def coverage(self, prepared: Prepared) -> torch.Tensor:
        """Boolean ``(a, b, c)`` on the device of the prepared data."""
        from .augmentation_warp import covered

        data = prepared.data
        return covered(tuple(data.shape[1:]), self._warp(prepared), data.device)

    def _warp(self, prepared: Prepared) -> Warp:
        from .augmentation_brain import brain_centre
        from .augmentation_warp import Warp

        return Warp(self.matrix(prepared.axes), brain_centre(prepared.data), prepared.spacing)


@dataclass(frozen=True)
class Rotation(_Warped):
    """A turn by ``degrees`` about one axis of the case's ``(z, y, x)``, or ``of_network``: of the network's data.

    Raises InferenceError beyond 45 degrees.
    """

    axis: int
    degrees: float
    of_network: bool = False
    weight: float = field(default=1.0, compare=False)

    def __post_init__(self) -> None:
        if self.axis not in (0, 1, 2):
            raise InferenceError(f"rotation about axis {self.axis}: use 0 (z), 1 (y) or 2 (x)")
        if not 0 < abs(self.degrees) <= LARGEST_ANGLE:
            raise InferenceError(
                f"rotation by {self.degrees:g} degrees: use an angle of at most {LARGEST_ANGLE:g} that is not 0"
            )

    @property
    def name(self) -> str:
        letters = NETWORK_LETTERS if self.of_network else AXIS_LETTERS
        return f"rotate {letters[self.axis]} {self.degrees:+g}"

    def matrix(self, axes: tuple[int, int, int]) -> np.ndarray:
        """See ``_Warped.matrix``."""
        first, second = (other for other in range(3) if other != self.axis)
        angle = np.deg2rad(self.degrees)
        turn = np.eye(3)
        turn[first, first] = turn[second, second] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        return turn if self.of_network else turn[np.ix_(axes, axes)]


@dataclass(frozen=True)
class Scaling(_Warped):
    """The brain enlarged by ``factor`` (below 1: made smaller). Raises InferenceError outside 0.5-2."""

    factor: float
    weight: float = field(default=1.0, compare=False)

    def __post_init__(self) -> None:
        if not SCALES[0] <= self.factor <= SCALES[1] or self.factor == 1:
            raise InferenceError(
                f"scaling by {self.factor:g}: use a factor of {SCALES[0]:g} to {SCALES[1]:g} that is not 1"
            )

    @property
    def name(self) -> str:
        return f"scale {self.factor:g}"

    def matrix(self, axes: tuple[int, int, int]) -> np.ndarray:
        """See ``_Warped.matrix``."""
        return np.eye(3) / self.factor
