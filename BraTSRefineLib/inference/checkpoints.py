"""Files of trained weights, read without unpickling code, and the network that they are put into."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from .model import InferenceError

if TYPE_CHECKING:
    import torch

WEIGHT_KEYS = ("network_weights", "state_dict", "model_state_dict", "model")
"""Under which name nnU-Net, MONAI and Lightning keep the weights in a checkpoint."""

WRAPPERS = ("module.", "_orig_mod.")
"""What ``DataParallel`` and ``torch.compile`` put before every name."""

NAMED_AT_MOST = 3
ONE_AT_A_TIME = Lock()
"""torch keeps what is allowed for all threads: the first to finish would forbid it to the others."""


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a ``.pth`` or ``.pt`` file, its tensors on the CPU and read from disk only when used.

    Loaded with ``weights_only=True``; beyond tensors and plain containers only numpy scalars and arrays of numbers are
    rebuilt (nnU-Net logs its losses as such). Raises InferenceError where the file is missing, damaged, no dictionary,
    or would need pickle.
    """
    import torch

    if not path.is_file():
        raise InferenceError(f"{path}: no such file; give the checkpoint's path")
    try:
        with ONE_AT_A_TIME, torch.serialization.safe_globals(_numpy_globals()):
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        raise InferenceError(_refusal(path, error)) from None
    except (OSError, EOFError, RuntimeError, ValueError, KeyError) as error:
        raise InferenceError(f"{path}: damaged or no checkpoint ({first_line(error)}); copy it again") from None
    if not isinstance(content, Mapping):
        raise InferenceError(
            f"{path}: holds a {type(content).__name__}, no dictionary of weights; save network.state_dict()"
        )
    return dict(content)


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """The weights in a checkpoint by parameter name: bare, or under one of ``WEIGHT_KEYS``; wrappers' prefixes removed.

    Raises InferenceError as ``load_checkpoint`` does, and where there are no weights or one is NaN or infinite.
    """
    import torch

    checkpoint = load_checkpoint(path)
    found = next((checkpoint[key] for key in WEIGHT_KEYS if isinstance(checkpoint.get(key), Mapping)), checkpoint)
    weights = _unwrapped({name: value for name, value in found.items() if isinstance(value, torch.Tensor)})
    if not weights:
        raise InferenceError(
            f"{path}: holds no weights (it has {_some(map(str, found)) or 'nothing'}); save network.state_dict()"
        )
    check_finite(weights, path)
    return weights


def check_finite(weights: Mapping[str, torch.Tensor], path: Path) -> None:
    """Raises InferenceError where a weight in the file ``path`` is NaN or infinite."""
    broken = [name for name, value in weights.items() if value.is_floating_point() and not value.isfinite().all()]
    if broken:
        raise InferenceError(
            f"{path}: {len(broken)} of {len(weights)} weights are NaN or infinite, first {broken[0]}; "
            "training has diverged, use another checkpoint"
        )


def fill(network: torch.nn.Module, weights: Mapping[str, torch.Tensor], path: Path) -> None:
    """Copy the weights into the network.

    Raises InferenceError naming the first parameters that are missing, unknown or of another shape.
    """
    wanted = network.state_dict()
    shapes = [
        f"{name} is {tuple(weights[name].shape)}, not {tuple(tensor.shape)}"
        for name, tensor in wanted.items()
        if name in weights and weights[name].shape != tensor.shape
    ]
    found = (
        ("missing", [name for name in wanted if name not in weights]),
        ("unknown", [name for name in weights if name not in wanted]),
        ("of another shape", shapes),
    )
    problems = [f"{len(names)} {what}: {_some(names)}" for what, names in found if names]
    if problems:
        raise InferenceError(
            f"{path}: weights of another architecture ({'; '.join(problems)}); "
            "use the checkpoint that belongs to this network's description"
        )
    network.load_state_dict(weights)


def _numpy_globals() -> list:
    """What a numpy scalar or array of numbers is pickled as, by numpy 2 and, under its old name, by numpy 1."""
    multiarray = np._core.multiarray
    kinds = ("Bool", "UInt8", "Int8", "Int16", "Int32", "Int64", "Float16", "Float32", "Float64")
    functions = [
        (getattr(multiarray, function), f"numpy.{core}.multiarray.{function}")
        for function in ("scalar", "_reconstruct")
        for core in ("_core", "core")
    ]
    return [*functions, np.ndarray, np.dtype, *(getattr(np.dtypes, f"{kind}DType") for kind in kinds)]


def _refusal(path: Path, error: Exception) -> str:
    asked_for = re.search(r"GLOBAL (\S+)", str(error))
    if not asked_for:
        return f"{path}: damaged or no checkpoint; copy it again"
    return (
        f"{path}: not loaded, for it needs pickle ({asked_for[1]}), which can run code; where you trust its source, "
        "load it there and save the weights alone: torch.save({'network_weights': network.state_dict()}, path)"
    )


def _unwrapped(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights without the prefixes that stand before every one of them."""
    for wrapper in WRAPPERS * 2:
        if weights and all(name.startswith(wrapper) for name in weights):
            weights = {name.removeprefix(wrapper): value for name, value in weights.items()}
    return weights


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:NAMED_AT_MOST]) + (" ..." if len(names) > NAMED_AT_MOST else "")


def first_line(error: Exception) -> str:
    """What a library's error says at first, else its kind."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
