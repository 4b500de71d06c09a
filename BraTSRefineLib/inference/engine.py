"""The sliding window: one member's logits of a whole prepared case.

For every tile: augment, forward, augment back, blend into a float32 sum on the device; divided by the sum of weights
once at the end. The sums stay 32 bits wide whatever the network computes in: nnU-Net's 16-bit sums flip signs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import torch

from .blending import blending_weights
from .model import InferenceError, Window
from .tiles import Box, Sides, by, padded, tile_at, tile_positions

if TYPE_CHECKING:
    from .augmentation import Augmentation
    from .model import Prepared

Precision = Literal["fp32", "fp16"]
TILES_AT_ONCE = 1
"""More tiles at once gain 5-8 % on a GPU (nnU-Net, pull request 2153) for as many times the memory."""

SLICES_AT_ONCE = 16


@dataclass
class Pace:
    """What is done between forward passes: ``check`` may raise to stop, ``passed`` is told the tiles just done."""

    check: Callable[[], None] = lambda: None
    passed: Callable[[int], None] = lambda tiles: None


@dataclass(frozen=True)
class TiledCase:
    """A prepared case on the device, padded to at least one patch, and its tiles.

    ``place``: where the case lies in the padded ``data`` ``(channel, a, b, c)``. ``total``: sum of the tiles' weights.
    """

    data: torch.Tensor
    place: Box
    window: Window
    starts: list[Sides]
    weights: torch.Tensor
    total: torch.Tensor

    def tile(self, start: Sides) -> Box:
        return tile_at(start, self.window.patch)


def tiled(data: torch.Tensor, window: Window) -> TiledCase:
    """``data`` ``(channel, a, b, c)`` with the window's tiles laid over it."""
    data, place = padded(data, window.patch)
    starts = tile_positions(data.shape[1:], window)
    weights = torch.tensor(blending_weights(window), device=data.device)
    total = torch.zeros(data.shape[1:], dtype=torch.float32, device=data.device)
    case = TiledCase(data, place, window, starts, weights, total)
    for start in starts:
        total[case.tile(start)] += weights
    return case


@dataclass
class Engine:
    """Makes logits on one device. ``tiles_at_once``: None: 1 in a volume, 16 slices; halved when memory runs out.

    What it was halved to is kept for the cases that follow.
    """

    device: torch.device
    precision: Precision = "fp32"
    tiles_at_once: int | None = None
    pace: Pace = field(default_factory=Pace)

    def logits(
        self, network: torch.nn.Module, channels: int, case: TiledCase, augmentation: Augmentation, prepared: Prepared
    ) -> torch.Tensor:
        """Blended logits, float32 ``(channels, a, b, c)`` of the case without its padding.

        The augmentation is applied where it is ``per_tile``; else the caller has applied it to the whole case.
        Raises InferenceError where memory does not suffice for one tile, or the network gives another shape.
        """
        total = torch.zeros((channels, *case.data.shape[1:]), dtype=torch.float32, device=self.device)
        with getattr(augmentation, "during", nullcontext)(network):
            for starts, logits in self._passes(network, case, augmentation, prepared):
                _check_shape(logits, channels, case.window)
                for start, values in zip(starts, logits, strict=True):
                    total[(slice(None), *case.tile(start))].addcmul_(values, case.weights)
        total /= case.total
        return total[(slice(None), *case.place)]

    def _passes(
        self, network: torch.nn.Module, case: TiledCase, augmentation: Augmentation, prepared: Prepared
    ) -> Iterator[tuple[Sequence[Sides], torch.Tensor]]:
        """Tiles and their logits, as many at once as memory allows."""
        done = 0
        while done < len(case.starts):
            self.pace.check()
            starts = case.starts[done : done + self._at_once(case.window)]
            try:
                logits = self._forward(network, case, starts, augmentation, prepared)
            except torch.OutOfMemoryError:
                logits = None
            if logits is None:  # only here has the error let go of the tensors that it was raised over
                self._halve(len(starts), case.window)
                continue
            yield starts, logits
            done += len(starts)
            self.pace.passed(len(starts))

    def _at_once(self, window: Window) -> int:
        return self.tiles_at_once or (SLICES_AT_ONCE if window.flat else TILES_AT_ONCE)

    def _halve(self, tiles: int, window: Window) -> None:
        if tiles == 1:
            raise InferenceError(
                f"the memory of {self.device} does not suffice for one tile of {by(window.patch)} voxels; "
                "close other programs that use it, or choose another device"
            )
        self.tiles_at_once = tiles // 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _forward(
        self,
        network: torch.nn.Module,
        case: TiledCase,
        starts: Sequence[Sides],
        augmentation: Augmentation,
        prepared: Prepared,
    ) -> torch.Tensor:
        """Logits of some tiles, float32 ``(tile, channel, a, b, c)``."""
        tiles = torch.stack([case.data[(slice(None), *case.tile(start))] for start in starts])
        if augmentation.per_tile:
            tiles = augmentation.apply(tiles, prepared)
        with self._autocast():
            logits = _output(network, tiles.squeeze(2)).unsqueeze(2) if case.window.flat else _output(network, tiles)
        logits = logits.float()
        return augmentation.invert(logits, prepared) if augmentation.per_tile else logits

    def _autocast(self) -> AbstractContextManager:
        half = self.precision == "fp16" and self.device.type == "cuda"
        return torch.autocast("cuda", torch.float16) if half else nullcontext()


def _output(network: torch.nn.Module, tiles: torch.Tensor) -> torch.Tensor:
    try:
        return network(tiles)
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, ValueError) as error:
        raise InferenceError(f"the network fails on tiles of {by(tiles.shape[1:])}: {error}") from error


def _check_shape(logits: torch.Tensor, channels: int, window: Window) -> None:
    if logits.shape[1:] != (channels, *window.patch):
        raise InferenceError(
            f"the network turns tiles of {by(window.patch)} voxels into {by(logits.shape[1:])}, expected {channels} "
            "channels of the same size; the description of its head or patch is wrong"
        )
