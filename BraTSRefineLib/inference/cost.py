"""What predicting a case will cost, known before it starts: forward passes, time and memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from statistics import median_low
from time import perf_counter

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from .adaptation_cost import adaptation_passes
from .adaptation_settings import AdaptationSettings
from .adaptation_tiles import images
from .augmentation import IDENTITY
from .case_pass import Mode, window_for
from .device import fastest_convolutions, in_words
from .dropout import dropout_modules
from .engine import Engine, TiledCase, tiled
from .groups import Group
from .model import Prepared
from .tiles import Sides, sides_of, tile_count

FLOAT_BYTES = 4
MAPS_HELD = 10
"""Arrays of ``(region, z, y, x)`` alive at once: seven of the moments, a member's probability, an entropy, one more."""

MAPS_RETURNED = 7
"""Arrays of the prediction itself, which lie beside the others where the device is a CPU."""

LOGITS_HELD = 3
"""Arrays of ``(channel, z, y, x)`` alive at once: the sum over tiles, the mean logit, the softmax."""

LAYERS_HELD = 2
"""On a CPU the memory of a forward pass is taken to be so many times the largest operation's input and output."""

TIMED_PASSES = 3
TIMED_SECONDS = 6.0
"""How often a forward pass is timed, and after how long it is enough."""


@dataclass(frozen=True)
class Cost:
    """Of one case. ``passes``: forward passes of one tile. ``seconds``: None where nothing was timed.

    ``memory``: bytes on the device, at the most. In mode fast-roi every member but the first is taken to look at one
    tile; a large or scattered tumour needs more. ``adapting``: what adapting the models comes to in such passes, the
    most there may be; a guard that ends it spares most of them.
    """

    members: int
    passes: int
    seconds: float | None
    memory: int
    adapting: int = 0

    def __str__(self) -> str:
        expected = f", about {in_words(self.seconds)}" if self.seconds is not None else ""
        members = "1 member" if self.members == 1 else f"{self.members} members"
        members += f" and at most {self.adapting} to adapt the models" if self.adapting else ""
        return f"{self.passes} forward passes of {members}{expected}, {self.memory / 1e9:.1f} GB a case"


def forward_passes(groups: Sequence[Group], sizes: Mapping[str, Sides], mode: Mode = "exact") -> dict[str, int]:
    """Tiles times members by group. ``sizes``: of the prepared data by group; the case's own shape is the most."""
    passes = {}
    for number, group in enumerate(groups):
        tiles, members = tile_count(sizes[group.name], window_for(group, sizes[group.name], mode)), len(group.members())
        if mode == "fast-roi":
            passes[group.name] = tiles + members - 1 if number == 0 else members
        else:
            passes[group.name] = tiles * members
    return passes


def cost_of(
    groups: Sequence[Group],
    prepared: Mapping[str, Prepared],
    engine: Engine,
    mode: Mode,
    timed: bool = True,
    adapt: AdaptationSettings | None = None,
) -> Cost:
    """The cost of groups (a cascade's first stage among them) for a prepared case.

    ``timed``: a forward pass of each group's first model is run to warm up and then timed (``usual_time``); the
    networks are loaded for it. Without it the memory of the network itself is left out.
    """
    sizes = {name: tuple(one.data.shape[1:]) for name, one in prepared.items()}
    passes = forward_passes(groups, sizes, mode)
    seconds, memory, adapting = 0.0, 0, 0
    for group in groups:
        one = prepared[group.name]
        held, further = _held(group, one, engine.device), 0
        if adapt is not None:
            further = adaptation_passes(adapt, group.models, one, timed and _drops_out(group, engine.device))
        if timed:
            took, needed = _one_pass(group, one, engine, mode)
            tile = took * prod(group.window.patch) / prod(window_for(group, one.data.shape[1:], mode).patch)
            seconds += took * passes[group.name] + tile * further
            held += max(needed, _kept_for_gradients(group, one, engine.device) if further else 0)
        memory, adapting = max(memory, held), adapting + further
    members = sum(len(group.members()) for group in groups)
    return Cost(members, sum(passes.values()), seconds if timed else None, memory, adapting)


def _drops_out(group: Group, device: torch.device) -> bool:
    return bool(dropout_modules(group.models[0].network(device)))


def _kept_for_gradients(group: Group, prepared: Prepared, device: torch.device) -> int:
    """Bytes of what a network keeps of one tile until its backward pass: each operation's output, the weights twice."""
    network = group.models[0].network(device)
    return _watched(network, next(images(prepared, group.window)).to(device)).made + 2 * _weights(network)


def _weights(network: torch.nn.Module) -> int:
    return _bytes(list(network.parameters()))


def _held(group: Group, prepared: Prepared, device: torch.device) -> int:
    """Bytes of the data, the sums and the moments."""
    voxels = prod(sides_of(prepared.box))
    maps = MAPS_HELD + (MAPS_RETURNED if device.type == "cpu" else 0)
    sums = LOGITS_HELD * group.head.channels + maps * len(group.head.regions)
    return FLOAT_BYTES * (2 * prepared.data.numel() + sums * max(voxels, prepared.data[0].numel()))


def _one_pass(group: Group, prepared: Prepared, engine: Engine, mode: Mode) -> tuple[float, int]:
    """Seconds and bytes of one tile's way through the network, weights included."""
    window = window_for(group, prepared.data.shape[1:], mode)
    part = (slice(None), *(slice(0, side) for side in window.patch))
    case = tiled(prepared.data[part].to(engine.device), window)
    network = group.models[0].network(engine.device)
    single = Engine(engine.device, engine.precision, 1)
    with torch.inference_mode(), fastest_convolutions(engine.device):
        if engine.device.type == "cuda":
            return _on_cuda(single, network, group.head.channels, case, prepared)
        return _on_cpu(single, network, group.head.channels, case, prepared)


def _on_cuda(
    engine: Engine, network: torch.nn.Module, channels: int, case: TiledCase, prepared: Prepared
) -> tuple[float, int]:
    def once() -> None:
        engine.logits(network, channels, case, IDENTITY, prepared)
        torch.cuda.synchronize(engine.device)

    once()
    torch.cuda.reset_peak_memory_stats(engine.device)
    return usual_time(once), torch.cuda.max_memory_allocated(engine.device)


def _on_cpu(
    engine: Engine, network: torch.nn.Module, channels: int, case: TiledCase, prepared: Prepared
) -> tuple[float, int]:
    largest = _watched(network, next(images(prepared, case.window))).largest
    seconds = usual_time(lambda: engine.logits(network, channels, case, IDENTITY, prepared))
    return seconds, LAYERS_HELD * largest + _weights(network)


def usual_time(work: Callable[[], None], clock: Callable[[], float] = perf_counter) -> float:
    """Seconds of a call, of which one may be disturbed: the lower median of three, or of fewer that took long."""
    took: list[float] = []
    while len(took) < TIMED_PASSES and sum(took) < TIMED_SECONDS:
        start = clock()
        work()
        took.append(clock() - start)
    return median_low(took)


class _Operations(TorchDispatchMode):
    """What operations handle, in bytes: the ``largest`` one's input and output, and all that they ``made``.

    It sees into scripts and exported programs too, which take no hooks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.largest = self.made = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        made = operation(*args, **(kwargs or {}))
        output = _bytes(made)
        self.largest = max(self.largest, output + _bytes((args, kwargs)))
        self.made += 0 if operation.is_view else output
        return made


def _bytes(found: object) -> int:
    return sum(one.numel() * one.element_size() for one in tree_leaves(found) if isinstance(one, torch.Tensor))


def _watched(network: torch.nn.Module, tile: torch.Tensor) -> _Operations:
    """What the network's operations handle of one tile."""
    with _Operations() as operations, torch.inference_mode():
        network(tile)
    return operations
