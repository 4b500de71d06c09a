"""What the engine asks of a trained network, whichever framework it came from.

A *model* is one set of weights: a fold of an nnU-Net configuration, a MONAI bundle, an exported program. A *member* of
an ensemble is (model, augmentation); the engine makes one member's probability after the other, each taken after its
tiles are blended. Models of one ``group`` share their preparation and head: the mean of their logits gives the label.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from ..cohort.volumes import Geometry
from ..regions import LabelConvention

if TYPE_CHECKING:
    import torch


class InferenceError(RuntimeError):
    """A model, a case or a setting that no prediction can be made with; says which and what to do."""


@dataclass(frozen=True)
class CaseImages:
    """The images of a case, all on one grid: channel name (``t1n``, ``t1c``, ``t2w``, ``t2f``) to ``(z, y, x)``."""

    case: str
    channels: Mapping[str, np.ndarray]
    geometry: Geometry

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.geometry.array_shape


@dataclass(frozen=True)
class Window:
    """The sliding window, in the axes of the prepared data.

    ``patch`` has three sides; a 2D network has side 1 along its first axis and takes slices ``(batch, channel, y, x)``.
    ``step`` is the distance of neighbouring tiles as a part of the patch. ``placing``: evenly spread as in nnU-Net, or
    with the last tile moved back to the border as in MONAI. ``multiple``: what the sides of any other input must be
    divisible by, as the network's strides ask for; None where that is unknown, and then no single window is offered.
    """

    patch: tuple[int, int, int]
    step: float = 0.5
    placing: Literal["nnunet", "monai"] = "nnunet"
    blending: Literal["nnunet", "gaussian", "constant"] = "nnunet"
    flat: bool = False
    multiple: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Head:
    """How a network's output channels become regions.

    ``regions`` maps a region to the channels whose probabilities add up to it (softmax over labels) or to its one
    channel (sigmoid). ``order`` (sigmoid only) is the label that each channel paints, outermost first, as nnU-Net's
    ``regions_class_order``.
    """

    kind: Literal["softmax", "sigmoid"]
    channels: int
    regions: Mapping[str, tuple[int, ...]]
    convention: LabelConvention
    order: tuple[int, ...] = ()


@dataclass(frozen=True)
class Prepared:
    """A case as one configuration wants it.

    ``data``: float32 ``(channel, a, b, c)`` on the network's grid. ``spacing``: mm along a, b, c. ``axes``: which axis
    of ``(z, y, x)`` each of a, b, c is. ``box``: the part of the case's grid that is predicted; outside of it all is
    background. ``to_box`` takes values ``(n, a, b, c)`` to ``(n, z, y, x)`` on the box: axes back, resampled as the
    framework does.
    """

    data: torch.Tensor
    spacing: tuple[float, float, float]
    axes: tuple[int, int, int]
    box: tuple[slice, slice, slice]
    to_box: Callable[[torch.Tensor], torch.Tensor]


class Model(Protocol):
    """One set of trained weights."""

    name: str
    group: str
    window: Window
    head: Head
    mirror_axes: tuple[int, ...]
    """Axes of the prepared data that training mirrored, so that mirrored members make sense."""

    previous: tuple[Model, ...]
    """The models whose label map this one takes as further channels (nnU-Net's cascade); else empty."""

    def prepare(self, images: CaseImages, previous: np.ndarray | None = None) -> Prepared:
        """The case for this model and every other of its group. ``previous``: label map of ``previous``' ensemble.

        Raises InferenceError where a channel is missing, the brain is empty, or a value is not finite.
        """
        ...

    def network(self, device: torch.device) -> torch.nn.Module:
        """The network in evaluation mode on the device, loaded once and kept; returns logits of full resolution.

        Raises InferenceError where the weights do not fit, are not finite, or would need pickle.
        """
        ...

    def release(self) -> None:
        """Give the memory of the weights back."""
        ...
