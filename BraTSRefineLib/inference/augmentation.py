"""Test-time augmentations: what the engine asks of one, and the flips.

A member of an ensemble is (model, augmentation). Flips are undone exactly and on the tile, as nnU-Net does; whatever
interpolates acts on the whole prepared volume and is undone on region probabilities.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Protocol

from .model import InferenceError, Model

if TYPE_CHECKING:
    import torch

    from .model import Prepared


class Augmentation(Protocol):
    """A change of the input and the way back. The three spatial axes are always the last three of a tensor.

    One that changes the network too has a method ``during(network)``: the context in which its passes run.
    """

    name: str
    weight: float
    """How much the member counts among those of its model in the moments; 1 for most. The label does not ask."""

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
    weight: float = field(default=1.0, compare=False)
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


def augmentations(tta: str | Sequence[Augmentation], seed: int = 0) -> tuple[Augmentation, ...]:
    """The augmentations of a named set or a list (``augmentation_sets``), or those given.

    Raises InferenceError for an unknown name or for none.
    """
    if isinstance(tta, str):
        from .augmentation_sets import augmentations_of

        return augmentations_of(tta, seed)
    if not tta:
        raise InferenceError("no augmentation was given; the least is the identity")
    return tuple(tta)


def suitable(chosen: Iterable[Augmentation], model: Model) -> tuple[Augmentation, ...]:
    """Those that make sense for a model: flips along axes that its training mirrored, and every other kind.

    What stands for the model's own policy (``augmentation_training.AsTrained``) gives way to that. Flipping an axis
    along which tiles have one voxel changes nothing, so such a flip counts as the one without it. Exact ones come
    first: they cover every voxel. Raises InferenceError where none is left.
    """
    longer = {axis for axis in range(3) if model.window.patch[axis] > 1}
    kept: list[Augmentation] = []
    for augmentation in _known(chosen, model):
        if isinstance(augmentation, Flip):
            augmentation = replace(augmentation, axes=tuple(axis for axis in augmentation.axes if axis in longer))
            if augmentation in kept or not set(augmentation.axes) <= set(model.mirror_axes):
                continue
        kept.append(augmentation)
    if not kept:
        raise InferenceError(f"{model.name}: none of the flips was part of its training; add the identity")
    return tuple(sorted(kept, key=lambda augmentation: not augmentation.per_tile))


def _known(chosen: Iterable[Augmentation], model: Model) -> Iterator[Augmentation]:
    for augmentation in chosen:
        members_for = getattr(augmentation, "members_for", None)
        yield from members_for(model) if members_for else (augmentation,)
