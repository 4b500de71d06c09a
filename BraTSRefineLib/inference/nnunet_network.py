"""The network of an nnU-Net configuration, as its plans (or its trainer) build it."""

from __future__ import annotations

import inspect
import pydoc
from typing import TYPE_CHECKING

from .model import InferenceError

if TYPE_CHECKING:
    import torch
    from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager, PlansManager

PLAIN_TRAINER = "nnUNetTrainer"


def build_network(
    plans: PlansManager, configuration: ConfigurationManager, inputs: int, outputs: int, trainer: str
) -> torch.nn.Module:
    """The untrained network without deep supervision.

    A trainer may build another network than its plans say, so that one which nnU-Net finds is asked; one that it does
    not find (trained elsewhere) is taken to follow the plans. Raises InferenceError where the architecture is unknown.
    """
    own = _trainer_class(trainer)
    if own is not None:
        return _built_by(own, plans, configuration, inputs, outputs)
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

    _check_class(configuration.network_arch_class_name)
    return get_network_from_plans(*_architecture(configuration), inputs, outputs, deep_supervision=False)


def _trainer_class(trainer: str) -> type | None:
    """The trainer's class where it is not the plain one and is installed."""
    if trainer in ("", PLAIN_TRAINER):
        return None
    from nnunetv2.utilities.find_objects import recursive_find_trainer_class_by_name

    try:
        return recursive_find_trainer_class_by_name(trainer)
    except RuntimeError:
        return None


def _built_by(
    own: type, plans: PlansManager, configuration: ConfigurationManager, inputs: int, outputs: int
) -> torch.nn.Module:
    """Trainers of nnU-Net before 2.8 take the architecture instead of the plans."""
    takes_plans = "plans_manager" in inspect.signature(own.build_network_architecture).parameters
    described = (plans, configuration) if takes_plans else _architecture(configuration)
    return own.build_network_architecture(*described, inputs, outputs, enable_deep_supervision=False)


def _architecture(configuration: ConfigurationManager) -> tuple:
    return (
        configuration.network_arch_class_name,
        configuration.network_arch_init_kwargs,
        configuration.network_arch_init_kwargs_req_import,
    )


def _check_class(name: str) -> None:
    """nnU-Net calls whatever the plans name; only a network may be called."""
    import torch

    found = pydoc.locate(name)
    if found is not None and not (isinstance(found, type) and issubclass(found, torch.nn.Module)):
        raise InferenceError(f"plans.json: {name} is no network; use the plans.json that the model was trained with")
    if found is None and not name.startswith("dynamic_network_architectures."):
        raise InferenceError(
            f"plans.json: network {name} is not installed; install the package that it was trained with"
        )
