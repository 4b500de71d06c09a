"""The parameters that adaptation may change, and their way back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from .model import InferenceError

NORMALISATIONS = (nn.modules.batchnorm._BatchNorm, nn.modules.instancenorm._InstanceNorm, nn.GroupNorm, nn.LayerNorm)


def affine_parameters(network: nn.Module, name: str) -> list[nn.Parameter]:
    """Scale and shift of every normalisation layer, each once. ``name`` is the model's, for the message.

    Raises InferenceError where there is none, or where they cannot be trained as they are.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, NORMALISATIONS)]
    found = {id(parameter): parameter for layer in layers for parameter in layer.parameters(recurse=False)}
    parameters = list(found.values())
    if not parameters:
        raise InferenceError(
            f"{name}: no normalisation layer with a scale and a shift ({len(layers)} layers without); "
            "predict without adaptation"
        )
    _check_trainable(network, parameters, name)
    return parameters


def _check_trainable(network: nn.Module, parameters: Sequence[nn.Parameter], name: str) -> None:
    if any(parameter.dtype not in (torch.float32, torch.float64) for parameter in parameters):
        raise InferenceError(f"{name}: adaptation needs float32 weights; load the network without half precision")
    if any(parameter.is_inference() for parameter in network.parameters()):
        raise InferenceError(f"{name}: the network was loaded in inference mode and has no gradients; load it outside")


@contextmanager
def lent(network: nn.Module, parameters: Sequence[nn.Parameter]) -> Iterator[None]:
    """Only ``parameters`` ask for gradients inside; afterwards values, flags and gradients are as before, bit-exact."""
    values = copies(parameters)
    before = [(parameter, parameter.requires_grad, parameter.grad) for parameter in network.parameters()]
    try:
        chosen = {id(parameter) for parameter in parameters}
        for parameter, _, _ in before:
            parameter.requires_grad_(id(parameter) in chosen)
            parameter.grad = None
        yield
    finally:
        put(parameters, values)
        for parameter, asks, gradient in before:
            parameter.requires_grad_(asks)
            parameter.grad = gradient


def copies(parameters: Sequence[nn.Parameter]) -> list[torch.Tensor]:
    """The values, to put back later."""
    return [parameter.detach().clone() for parameter in parameters]


@torch.no_grad()
def put(parameters: Sequence[nn.Parameter], values: Sequence[torch.Tensor]) -> None:
    """Write values into parameters, in place."""
    for parameter, value in zip(parameters, values, strict=True):
        parameter.copy_(value)
