"""Which of MONAI's networks are known, and which sizes each of them takes; read from their arguments without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

from .model import InferenceError

NETWORKS = (
    *("SwinUNETR", "SegResNet", "SegResNetDS", "DynUNet", "UNet", "BasicUNet", "AttentionUnet"),
    *("UNETR", "VNet"),
)
"""Networks of ``monai.networks.nets`` that give one tensor of logits in the size of their input."""

NORMALISING_INSTANCES = ("SwinUNETR", "DynUNet", "UNet", "BasicUNet")


def check_network(name: str, source: Path) -> None:
    """Raises InferenceError for a network that is not in the list."""
    if name not in NETWORKS:
        raise InferenceError(
            f"{source}: unknown network '{name}'; use one of {', '.join(NETWORKS)}, or export yours with torch.export "
            "and give it as 'program'"
        )


def size_divisors(name: str, arguments: Mapping[str, Any], source: Path) -> tuple[int, int, int] | None:
    """What each side of an input is divided by on the way down; None where that is unknown.

    Raises InferenceError for arguments that the network cannot have.
    """
    try:
        return _divisors(name, arguments)
    except (TypeError, ValueError, IndexError) as error:
        raise InferenceError(f"{source}: {name} cannot be built ({error}); correct its 'arguments'") from None


def _divisors(name: str, arguments: Mapping[str, Any]) -> tuple[int, int, int] | None:
    if name == "SwinUNETR":
        return tuple(size**5 for size in _three(arguments.get("patch_size", 2)))
    if name in ("SegResNet", "SegResNetDS") and not arguments.get("resolution"):
        return (2 ** (len(arguments.get("blocks_down", (1, 2, 2, 4))) - 1),) * 3
    if name in ("DynUNet", "UNet", "AttentionUnet"):
        strides = [_three(stride) for stride in arguments.get("strides", ())]
        return tuple(prod(stride[axis] for stride in strides) for axis in range(3))
    return (16,) * 3 if name in ("BasicUNet", "VNet") else None


def check_patch(name: str, divisors: Sequence[int] | None, patch: Sequence[int], source: Path) -> None:
    """Raises InferenceError where a side of the patch is no multiple of what the network divides it by.

    A patch that shrinks to a single voxel is refused too, where there is instance normalisation.
    """
    sides = "x".join(str(side) for side in patch)
    if divisors and any(side % divisor for side, divisor in zip(patch, divisors, strict=True)):
        needed = "x".join(str(divisor) for divisor in divisors)
        raise InferenceError(f"{source}: {name} cannot take a patch of {sides}; make its sides multiples of {needed}")
    if name in NORMALISING_INSTANCES and tuple(patch) == divisors:
        raise InferenceError(
            f"{source}: {name} shrinks a patch of {sides} to one voxel, which it cannot normalise; make it larger"
        )


def _three(value: Any) -> tuple[int, int, int]:
    first, second, third = value if isinstance(value, Sequence) else (value,) * 3
    return int(first), int(second), int(third)
