"""nnU-Net v2 models from a results folder, for the engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from ..regions import LabelConvention
from .augmentation import Augmentation
from .augmentation_training import changes_of_trainer, stated_policy
from .checkpoints import fill, load_checkpoint, load_weights
from .model import CaseImages, Head, InferenceError, Model, Prepared, Window
from .nnunet_folder import FoundConfiguration, found_models, previous_model
from .nnunet_head import head_of, input_channels
from .nnunet_network import build_network
from .nnunet_preparation import Preparation, check_installed


@dataclass(frozen=True)
class Trained:
    """What a checkpoint says beside its weights. ``mirror_axes`` are the network's own: 0 and 1 in 2D."""

    path: Path
    trainer: str
    mirror_axes: tuple[int, ...]


class NnunetModel:
    """One fold of an nnU-Net configuration; the ``Model`` that the engine asks."""

    def __init__(
        self,
        found: FoundConfiguration,
        trained: Trained,
        preparation: Preparation,
        head: Head,
        previous: tuple[Model, ...] = (),
    ):
        self.name = f"{found.name}/{trained.path.parent.name}"
        self.group = str(found.path)
        self.window = _window(preparation)
        self.head = head
        self.mirror_axes = tuple(axis + self.window.flat for axis in trained.mirror_axes)
        self.previous = previous
        self._configuration = found.configuration
        self._trained = trained
        self._preparation = preparation
        self._network: torch.nn.Module | None = None

    def prepare(self, images: CaseImages, previous: np.ndarray | None = None) -> Prepared:
        """As ``Model.prepare``."""
        return self._preparation.prepare(images, previous)

    def network(self, device: torch.device) -> torch.nn.Module:
        """As ``Model.network``; its weights can be trained on, also where inference mode asks first."""
        with torch.inference_mode(False):
            if self._network is None:
                self._network = self._loaded()
            self._network = self._network.to(device)
        return self._network

    def release(self) -> None:
        """As ``Model.release``."""
        self._network = None

    def trained_augmentations(self, seed: int = 0) -> tuple[Augmentation, ...]:
        """The plans' own policy where they state one, else what the trainer did to images. Raises InferenceError."""
        plans, where = self._preparation.plans.plans, f"{self.group}/plans.json"
        stated = stated_policy(plans, self._configuration, where, seed)
        patch = self.window.patch[self.window.flat :]
        return stated or changes_of_trainer(self._trained.trainer, patch, self.mirror_axes).members(seed)

    def _loaded(self) -> torch.nn.Module:
        """From plans read anew, since nnU-Net's trainers write their own network into the configuration."""
        plans = PlansManager(self._preparation.plans.plans)
        configuration = plans.get_configuration(self._configuration)
        inputs = determine_num_input_channels(plans, configuration, self._preparation.stated)
        network = build_network(plans, configuration, inputs, self.head.channels, self._trained.trainer)
        fill(network, load_weights(self._trained.path), self._trained.path)
        return network.eval()


def open_nnunet(
    path: Path,
    folds: Iterable[int | str] | None = None,
    *,
    channels: Sequence[str] | None = None,
    convention: LabelConvention | None = None,
) -> list[NnunetModel]:
    """The models of one configuration, one for each fold: those named, else those of the cross-validation.

    ``channels`` names the input channels by position where dataset.json does not, ``convention`` the labels' meaning.
    A cascade brings the same folds of its first stage along. Raises InferenceError where ``path`` holds no or several
    configurations, a fold is missing, or a description or checkpoint cannot be used.
    """
    found = found_models(path)
    if len(found) > 1:
        names = ", ".join(one.path.name for one in found)
        raise InferenceError(f"{path}: holds {len(found)} configurations ({names}); name the folder of each one wanted")
    return open_configuration(found[0], folds, channels=channels, convention=convention)


def open_configuration(
    found: FoundConfiguration,
    folds: Iterable[int | str] | None = None,
    *,
    channels: Sequence[str] | None = None,
    convention: LabelConvention | None = None,
) -> list[NnunetModel]:
    """As ``open_nnunet`` for a configuration that was found before."""
    chosen = found.chosen_folds(folds)
    head = head_of(found, convention)
    plans = PlansManager(dict(found.plans))
    preparation = Preparation(
        plans, plans.get_configuration(found.configuration), found.stated, input_channels(found, channels)
    )
    check_installed(preparation, found.path / "plans.json")
    previous: tuple[Model, ...] = ()
    if found.previous:
        previous = tuple(open_configuration(previous_model(found), chosen, channels=channels, convention=convention))
    trained = [_read_trained(found, fold) for fold in chosen]
    return [NnunetModel(found, one, preparation, head, previous) for one in trained]


def _read_trained(found: FoundConfiguration, fold: str) -> Trained:
    """A checkpoint of weights alone, saved again without the rest, is taken as nnU-Net takes old ones: no mirroring."""
    path = found.checkpoint_of(fold)
    content = load_checkpoint(path)
    configuration = content.get("init_args", {}).get("configuration", found.configuration)
    if configuration != found.configuration:
        raise InferenceError(
            f"{path}: trained as {configuration}, but lies in the folder of {found.configuration}; move it"
        )
    axes = content.get("inference_allowed_mirroring_axes") or ()
    return Trained(path, str(content.get("trainer_name", "")), tuple(int(axis) for axis in axes))


def _window(preparation: Preparation) -> Window:
    patch = tuple(int(side) for side in preparation.configuration.patch_size)
    more = (1,) * (3 - len(patch))
    multiple = _multiple(preparation, patch)
    return Window(more + patch, flat=len(patch) == 2, multiple=multiple and more + multiple)


def _multiple(preparation: Preparation, patch: tuple[int, ...]) -> tuple[int, ...] | None:
    """What the strides of all stages divide each side by; None where the plans do not say, or the patch contradicts."""
    strides = preparation.configuration.network_arch_init_kwargs.get("strides")
    if not strides:
        return None
    multiple = tuple(int(factor) for factor in np.prod([np.broadcast_to(stride, len(patch)) for stride in strides], 0))
    return None if any(side % factor for side, factor in zip(patch, multiple, strict=True)) else multiple
