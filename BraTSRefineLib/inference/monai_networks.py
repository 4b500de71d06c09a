"""MONAI networks by name, from an allow list, and what turns any network's output into the logits of its head."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .checkpoints import fill, load_weights
from .model import InferenceError
from .monai_description import Description
from .monai_sizes import check_network

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
        """``(batch, channel, a, b, c)`` to logits of the head's channels.

        Raises InferenceError where the network fails or gives another output.
        """
        values = self._output(tiles)
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

    def _output(self, tiles: torch.Tensor) -> Any:
        try:
            return self.network(tiles)
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, ValueError) as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            if "out of memory" in str(error):  # TorchScript hides the type
                raise torch.OutOfMemoryError(lines[-1]) from None
            sides = "x".join(map(str, tiles.shape))
            raise InferenceError(
                f"{self.source}: the network fails on a tile of {sides} on {tiles.device} "
                f"({lines[-1] if lines else type(error).__name__}); correct its 'patch', or export it for this device"
            ) from error


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
    """A network of the allow list with fresh weights. Raises InferenceError for arguments that it does not take."""
    import monai.networks.nets as nets

    source, name = description.source, description.network
    check_network(name, source)
    arguments = {key: _frozen(value) for key, value in description.arguments.items()}
    try:
        return getattr(nets, name)(**arguments)
    except (TypeError, ValueError, AssertionError, KeyError, AttributeError, IndexError, RuntimeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InferenceError(f"{source}: {name} cannot be built ({reason}); correct its 'arguments'") from None


def _frozen(value: Any) -> Any:
    """Lists as tuples, all the way down: some of MONAI's networks compare with or hash them."""
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    return {key: _frozen(item) for key, item in value.items()} if isinstance(value, dict) else value
