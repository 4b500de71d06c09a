"""Monte-Carlo dropout, to compare with: dropout stays active at test time (Gal & Ghahramani 2016).

Each pass is a member of its own, made like an augmentation that leaves the image alone and changes the network while it
runs. Dropout of single elements and of whole channels (``Dropout3d``) give different spreads: the latter is larger and
smoother, since all voxels of a channel go together.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .model import InferenceError

if TYPE_CHECKING:
    import torch

    from .model import Prepared

PASSES = 20


@dataclass(frozen=True)
class DropoutPass:
    """One stochastic pass; ``draw`` is its number among those of the seed.

    Not part of the label, which the plain network gives. The engine runs the network within ``during``.
    """

    seed: int = 0
    draw: int = 0
    weight: float = field(default=1.0, compare=False)
    per_tile = False

    @property
    def name(self) -> str:
        return f"dropout #{self.draw + 1}"

    def during(self, network: torch.nn.Module) -> AbstractContextManager[torch.nn.Module]:
        """Context in which the network drops out, the same way each time; raises as ``active_dropout``."""
        return active_dropout(network, int(np.random.SeedSequence((self.seed, self.draw)).generate_state(1)[0]))

    def apply(self, data: torch.Tensor, prepared: Prepared) -> torch.Tensor:
        return data

    def invert(self, values: torch.Tensor, prepared: Prepared) -> torch.Tensor:
        return values

    def coverage(self, prepared: Prepared) -> None:
        return None


def dropout_passes(passes: int = PASSES, seed: int = 0) -> tuple[DropoutPass, ...]:
    """The members of Monte-Carlo dropout. Raises InferenceError for fewer than one pass."""
    if passes < 1:
        raise InferenceError(f"{passes} dropout passes: use at least 1, and 10 or more for a variance")
    return tuple(DropoutPass(seed, draw) for draw in range(passes))


@contextmanager
def active_dropout(network: torch.nn.Module, seed: int) -> Iterator[torch.nn.Module]:
    """The network with only its dropout in training mode, seeded; afterwards it and the generators are as before.

    Norms stay in evaluation mode, so that running statistics do not change. Raises InferenceError where no dropout
    module has a probability above 0.
    """
    import torch

    modules = dropout_modules(network)
    if not modules:
        raise InferenceError(
            f"{type(network).__name__} has no active dropout (no Dropout module with p above 0), so every pass would "
            "be the same; train it with dropout (nnU-Net: dropout_op and dropout_op_kwargs in the plans' arch_kwargs; "
            "MONAI: the network's dropout argument), or compare with folds or --tta instead"
        )
    before = [module.training for module in modules]
    with torch.random.fork_rng(devices=_cuda_devices(network)):
        torch.manual_seed(seed)
        try:
            for module in modules:
                module.train()
            yield network
        finally:
            for module, mode in zip(modules, before, strict=True):
                module.train(mode)


def dropout_modules(network: torch.nn.Module) -> list[torch.nn.Module]:
    """The dropout modules of any kind that would drop something."""
    from torch.nn import AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout

    kinds = (Dropout, Dropout1d, Dropout2d, Dropout3d, AlphaDropout, FeatureAlphaDropout)
    return [module for module in network.modules() if isinstance(module, kinds) and module.p > 0]


def _cuda_devices(network: torch.nn.Module) -> list[int]:
    """The CUDA devices whose generators dropout will draw from."""
    return sorted({parameter.device.index for parameter in network.parameters() if parameter.device.type == "cuda"})
