"""MONAI networks by name, from an allow list, and what turns any network's output into the logits of its head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .checkpoints import fill, load_weights
from .model import InferenceError
from .monai_description import Description

NETWORKS = (
    *("SwinUNETR", "SegResNet", "SegResNetDS", "DynUNet", "UNet", "BasicUNet", "AttentionUnet"),
    *("UNETR", "VNet"),
)
"""Networks of ``monai.networks.nets`` that give one tensor of logits in the size of their input."""

NORMALISING_INSTANCES = ("SwinUNETR", "DynUNet", "UNet", "BasicUNet")
PROBABILITY_FLOOR = 1e-7


class LogitsOf(nn.Module):
    """A network whose channels come in the order of its head, as logits.

    ``order``: which of the network's channels each of the head's is. ``returns`` is ``probabilities`` where the network
    ends in a ``sigmoid`` or ``softmax`` of its own; both are undone by a logarithm, with a floor of 1e-7.
    """

    def __init__(self, network: nn.Module, order: Sequence[int], returns: str, output: str, source: Path) -> None:
        super().__init__()
        self.network = network
        self.order = list(order)
        self.probabilities = output if returns == "probabilities" else ""
        self.source = source

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        """``(batch, channel, a, b, c)`` to logits of the head's channels. Raises InferenceError for another output."""
        values = self.network(tiles)
        if not isinstance(values, torch.Tensor):
            raise InferenceError(
                f"{self.source}: the network gives a {type(values).__name__}, expected one tensor; "
                "describe or export it without deep supervision and further outputs"
            )
        if values.shape[1] != len(self.order):
            raise InferenceError(
                f"{self.source}: the network has {values.shape[1]} output channels, "
                f"the description names {len(self.order)}; correct 'regions' or 'labels'"
            )
        if self.probabilities:
            values = _logits(values, self.probabilities)
        return values if self.order == sorted(self.order) else values[:, self.order]


def _logits(values: torch.Tensor, output: str) -> torch.Tensor:
    values = values.float()
    if output == "sigmoid":
        return values.logit(eps=PROBABILITY_FLOOR)
    return values.clamp_min(PROBABILITY_FLOOR).log()


def open_network(description: Description, weights: Path) -> nn.Module:
    """The described network with its weights, in evaluation mode on the CPU. Raises InferenceError for what fails."""
    network = build_network(description)
    fill(network, load_weights(weights), weights)
    return network.eval()


def build_network(description: Description) -> nn.Module:
    """A network of ``NETWORKS`` with fresh weights.

    Raises InferenceError for a network that is not in the list, arguments that it does not take, and a patch whose
    sides it cannot halve often enough.
    """
    import monai.networks.nets as nets

    source, name = description.source, description.network
    if name not in NETWORKS:
        raise InferenceError(
            f"{source}: unknown network '{name}'; use one of {', '.join(NETWORKS)}, or export yours with torch.export "
            "and give it as 'program'"
        )
    arguments = {key: _frozen(value) for key, value in description.arguments.items()}
    check_patch(name, arguments, description.window.patch, source)
    try:
        return getattr(nets, name)(**arguments)
    except (TypeError, ValueError, AssertionError, KeyError, AttributeError, IndexError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InferenceError(f"{source}: {name} cannot be built ({reason}); correct its 'arguments'") from None


def check_patch(name: str, arguments: Mapping[str, Any], patch: Sequence[int], source: Path) -> None:
    """Raises InferenceError where a side of the patch is no multiple of what the network divides it by.

    A patch that shrinks to a single voxel is refused too, where there is instance normalisation.
    """
    divisors = patch_divisors(name, arguments)
    sides = "x".join(str(side) for side in patch)
    if any(side % divisor for side, divisor in zip(patch, divisors, strict=True)):
        needed = "x".join(str(divisor) for divisor in divisors)
        raise InferenceError(f"{source}: {name} cannot take a patch of {sides}; make its sides multiples of {needed}")
    if name in NORMALISING_INSTANCES and tuple(patch) == divisors:
        raise InferenceError(
            f"{source}: {name} shrinks a patch of {sides} to one voxel, which it cannot normalise; make it larger"
        )


def patch_divisors(name: str, arguments: Mapping[str, Any]) -> tuple[int, int, int]:
    """What each side of a patch is divided by on the way down, from the network's own arguments."""
    if name == "SwinUNETR":
        return (_whole(arguments.get("patch_size", 2)) ** 5,) * 3
    if name in ("SegResNet", "SegResNetDS"):
        return (2 ** (len(arguments.get("blocks_down", (1, 2, 2, 4))) - 1),) * 3
    if name in ("DynUNet", "UNet", "AttentionUnet"):
        strides = [stride if isinstance(stride, tuple) else (stride,) * 3 for stride in arguments.get("strides", ())]
        return tuple(prod(stride[axis] for stride in strides) for axis in range(3))
    return (16,) * 3


def _whole(size: Any) -> int:
    return max(size) if isinstance(size, tuple) else size


def _frozen(value: Any) -> Any:
    """Lists as tuples, all the way down: some of MONAI's networks compare with or hash them."""
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    return {key: _frozen(item) for key, item in value.items()} if isinstance(value, dict) else value
