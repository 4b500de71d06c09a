"""Which device computes, and what a person should know about it beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .model import InferenceError

if TYPE_CHECKING:
    import torch


def chosen_device(name: str = "auto") -> torch.device:
    """``auto``: the first CUDA device, else the CPU; or a device by torch's name, as ``cuda:1``.

    Raises InferenceError where there is no such device.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).cpu()  # 'meta' makes arrays as well, but has no values to give
    except (RuntimeError, AssertionError, ImportError) as error:  # unknown or absent, not in this build, not installed
        reason = str(error).splitlines()[0]
        raise InferenceError(f"device '{name}' cannot be used ({reason}); choose auto, cpu or cuda") from None
    return device


@contextmanager
def fastest_convolutions(device: torch.device) -> Iterator[None]:
    """On CUDA, cuDNN tries its algorithms once for each size of tile and keeps the fastest, as nnU-Net lets it."""
    import torch

    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = before or device.type == "cuda"
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


def slowness(device: torch.device, seconds: float | None = None) -> str:
    """A warning where the device is a CPU, with the expected time of a case; else empty."""
    if device.type != "cpu":
        return ""
    expected = f"about {in_words(seconds)} a case" if seconds is not None else "minutes to hours a case"
    return f"no GPU is used, so this takes {expected}; a CUDA device is some hundred times as fast"


def in_words(seconds: float) -> str:
    """``40 seconds``, ``12 minutes``, ``3.5 hours``"""
    if seconds < 90:
        return f"{max(round(seconds), 1)} seconds" if seconds >= 1.5 else "1 second"
    return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
