"""A described network, MONAI's or exported, as the engine's model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .model import CaseImages, Head, InferenceError, Model, Prepared, Window
from .monai_description import Description

if TYPE_CHECKING:
    import torch


@dataclass
class DescribedModel:
    """One fold of a described network. ``weights``: its state dictionary, or the exported program itself."""

    description: Description
    weights: Path
    name: str
    group: str
    previous: tuple[Model, ...] = ()
    _network: torch.nn.Module | None = field(default=None, repr=False)
    _device: torch.device | None = field(default=None, repr=False)

    @property
    def window(self) -> Window:
        return self.description.window

    @property
    def mirror_axes(self) -> tuple[int, ...]:
        return self.description.mirrored

    @property
    def head(self) -> Head:
        return head_of(self.description)

    def prepare(self, images: CaseImages, previous: np.ndarray | None = None) -> Prepared:
        """The case for the network; ``previous`` is not used. Raises InferenceError as the protocol says."""
        from .monai_preparation import prepared_case

        return prepared_case(images, self.description.channels, self.description.preprocessing)

    def network(self, device: torch.device) -> torch.nn.Module:
        """The network on the device; its channels come in the head's order. Raises InferenceError as the protocol."""
        if self._network is None or self._device != device:
            self.release()
            import torch

            with torch.inference_mode(False):  # adaptation asks the weights for gradients
                self._network, self._device = self._opened(device), device
        return self._network

    def release(self) -> None:
        self._network = self._device = None

    def _opened(self, device: torch.device) -> torch.nn.Module:
        from .monai_networks import LogitsOf, open_network

        description = self.description
        if description.network:
            network = open_network(description, self.weights).to(device)
        else:
            from .exported_program import open_program

            network = open_program(self.weights, description, device)
        order = channel_order(description)
        return LogitsOf(network, order, description.returns, description.output, description.source).eval()


def head_of(description: Description) -> Head:
    """How the channels, in the order of ``channel_order``, become regions."""
    labels = description.labels
    if description.output == "softmax":
        regions = {region: tuple(sorted(parts)) for region, parts in labels.scored_regions.items()}
        return Head("softmax", description.output_channels, regions, labels)
    painted = _painting(description)
    regions = {region: (channel,) for channel, region in enumerate(painted)}
    return Head("sigmoid", len(painted), regions, labels, tuple(painted.values()))


def channel_order(description: Description) -> list[int]:
    """Which of the network's channels each of the head's is: sigmoid regions go from the outermost to the innermost."""
    if description.output == "softmax":
        return list(range(description.output_channels))
    return [description.regions.index(region) for region in _painting(description)]


def _painting(description: Description) -> dict[str, int]:
    """Region to the label that it paints, in the order of painting.

    A tissue whose label a tumour region paints as well (NETC beside TC) comes first and is painted over.
    """
    from .heads import painting_labels

    painting = painting_labels(description.regions, description.labels)
    labels = description.labels.scored_regions
    beneath = {region: labels[region][0] for region in description.regions if region not in painting}
    return beneath | painting


def chosen_folds(description: Description, folds: Iterable[int | str] | None = None) -> list[int]:
    """The places in ``weights`` of the folds asked for, else all. Raises InferenceError for one not described."""
    known = [str(fold) for fold in range(len(description.weights))]
    asked = known if folds is None else list(dict.fromkeys(str(fold) for fold in folds))
    outside = [fold for fold in asked if fold not in known]
    if outside or not asked:
        raise InferenceError(
            f"{description.source}: no fold {', '.join(outside)}; it names the weights of {', '.join(known)}"
        )
    return [int(fold) for fold in asked]


def described_models(description: Description, folds: Iterable[int | str] | None = None) -> list[Model]:
    """One model a weights file. Raises InferenceError for a fold that is not described, or a file that is missing."""
    chosen = chosen_folds(description, folds)
    missing = [description.weights[fold] for fold in chosen if not description.weights[fold].is_file()]
    if missing:
        raise InferenceError(f"{missing[0]}: no such file; {description.source} names it")
    group = str(description.source.resolve())
    return [
        DescribedModel(
            description,
            description.weights[fold],
            description.name if len(description.weights) == 1 else f"{description.name}/fold_{fold}",
            group,
        )
        for fold in chosen
    ]
