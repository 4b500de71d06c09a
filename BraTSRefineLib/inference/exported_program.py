"""TorchScript and torch.export programs as networks."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import nn

from .checkpoints import check_finite, first_line
from .exported_archive import WAY_OUT, check_exported, check_torchscript, input_shape, program_kind
from .model import InferenceError
from .monai_description import Description


class ExportedNetwork(nn.Module):
    """A torch.export program. One that was exported for a single tile is given one tile after the other."""

    def __init__(self, program: nn.Module, tiles_at_once: int | None) -> None:
        super().__init__()
        self.program = program
        self.tiles_at_once = tiles_at_once

    def train(self, mode: bool = True) -> ExportedNetwork:
        """The program stays as it was at export, for it raises where it is asked for another mode."""
        self.training = mode
        return self

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        if self.tiles_at_once is None or len(tiles) == 1:
            return self.program(tiles)
        return torch.cat([self.program(tile) for tile in tiles.split(1)])


def open_program(path: Path, description: Description, device: torch.device) -> nn.Module:
    """The program on the device. Raises InferenceError for a file that is none, is not safe, or takes other tiles."""
    if program_kind(path) == "torchscript":
        network = _torchscript(path, device)
        check_finite({**dict(network.named_parameters()), **dict(network.named_buffers())}, path)
        return network.eval()
    return _exported(path, description, device)


def _torchscript(path: Path, device: torch.device) -> torch.jit.ScriptModule:
    check_torchscript(path)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit.load.*deprecated")
        try:
            return torch.jit.load(str(path), map_location=device)
        except RuntimeError as error:
            raise InferenceError(f"{path}: damaged or of another torch ({first_line(error)}); {WAY_OUT}") from None


def _exported(path: Path, description: Description, device: torch.device) -> nn.Module:
    check_exported(path)
    shape = input_shape(path)
    _check_shape(shape, description, path)
    try:
        program = torch.export.load(path)
    except (RuntimeError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise InferenceError(f"{path}: damaged or of another torch ({first_line(error)}); {WAY_OUT}") from None
    check_finite(dict(program.state_dict), path)
    if device.type != "cpu":
        program = torch.export.passes.move_to_device_pass(program, device)
    return ExportedNetwork(program.module(check_guards=False), shape[0])


def _check_shape(shape: tuple[int | None, ...], description: Description, path: Path) -> None:
    """Raises InferenceError where the described tile is not of the shape that the program was exported for."""
    tile = (1, len(description.channels), *description.window.patch)
    if len(shape) != len(tile) or any(size not in (None, wanted) for size, wanted in zip(shape, tile, strict=True)):
        exported = "x".join("any" if size is None else str(size) for size in shape)
        raise InferenceError(
            f"{path}: exported for tiles of {exported} (batch, channels, voxels), but {description.source} makes "
            f"{'x'.join(map(str, tile))}; change 'patch' and 'channels', or export it for such a tile"
        )
