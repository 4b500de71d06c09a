"""Test-time augmentations: what the engine asks of one, and the flips.

A member of an ensemble is (model, augmentation). Flips are undone exactly and on the tile, as nnU-Net does; whatever
interpolates acts on the whole prepared volume and is undone on region probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Protocol

from .model import InferenceError, Model

if TYPE_CHECKING:
    import torch

    from .model import Prepared


class Augmentation(Protocol):
    """A change of the input and the way back. The three spatial axes are always the last three of a tensor."""

    name: str
    per_tile: bool
    """True: exact, applied to each tile and undone on its logits, and so a part of the label's mean logit.

    False: applied to the whole prepared volume and undone on region probabilities; part of the moments alone.
    """

    def apply(self, data: torch.Tensor, prepared: Prepared) -> torch.Tensor:
        """The changed input, of the same shape: ``(channel, a, b, c)``, or tiles ``(batch, channel, a, b, c)``."""
        ...

    def invert(self, values: torch.Tensor, prepared: Prepared) -> torch.Tensor:
        """``(..., a, b, c)`` values in the unchanged input's place, of the same shape; the argument may be reused."""
        ...

    def coverage(self, prepared: Prepared) -> torch.Tensor | None:
        """Boolean ``(a, b, c)``: where the inverted values can be trusted. None: everywhere."""
        ...


@dataclass(frozen=True)
class Flip:
    """Mirroring along axes of the prepared data; no axis is the identity."""

    axes: tuple[int, ...] = ()
    per_tile = True

    @property
    def name(self) -> str:
        return f"flip {''.join('abc'[axis] for axis in self.axes)}" if self.axes else "identity"

    def apply(self, data: torch.Tensor, prepared: Prepared) -> torch.Tensor:
        return data.flip([axis - 3 for axis in self.axes]) if self.axes else data

    def invert(self, values: torch.Tensor, prepared: Prepared) -> torch.Tensor:
        return self.apply(values, prepared)

    def coverage(self, prepared: Prepared) -> None:
        return None


IDENTITY = Flip()


def flips(axes: Iterable[int] = (0, 1, 2)) -> tuple[Flip, ...]:
    """Every combination of mirrored axes, the identity first; in nnU-Net's order."""
    axes = sorted(set(axes))
    return tuple(Flip(chosen) for count in range(len(axes) + 1) for chosen in combinations(axes, count))


NAMED: dict[str, Callable[[int], tuple[Augmentation, ...]]] = {
    "none": lambda seed: (IDENTITY,),
    "flips": lambda seed: flips(),
}
"""The sets of augmentations by name, made from a seed; the identity comes first in each."""


def augmentations(tta: str | Sequence[Augmentation], seed: int = 0) -> tuple[Augmentation, ...]:
    """The augmentations of a named set, or those given. Raises InferenceError for an unknown name or no augmentation."""
    if isinstance(tta, str):
        if tta not in NAMED:
            raise InferenceError(f"unknown test-time augmentation '{tta}'; use one of {', '.join(NAMED)}")
        return NAMED[tta](seed)
    if not tta:
        raise InferenceError("no augmentation was given; the least is the identity")
    return tuple(tta)


def suitable(chosen: Iterable[Augmentation], model: Model) -> tuple[Augmentation, ...]:
    """Those that make sense for a model: flips along axes that its training mirrored, and every other kind.

    Flipping an axis along which tiles have one voxel changes nothing, so such a flip counts as the one without it.
    Raises InferenceError where none is left.
    """
    longer = {axis for axis in range(3) if model.window.patch[axis] > 1}
    kept: list[Augmentation] = []
    for augmentation in chosen:
        if isinstance(augmentation, Flip):
            augmentation = Flip(tuple(axis for axis in augmentation.axes if axis in longer))
            if augmentation in kept or not set(augmentation.axes) <= set(model.mirror_axes):
                continue
        kept.append(augmentation)
    if not kept:
        raise InferenceError(f"{model.name}: none of the flips was part of its training; add the identity")
    return tuple(kept)
