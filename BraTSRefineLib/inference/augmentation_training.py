"""Test-time augmentation that follows the training: only changes that the network was trained with, or a stated policy.

nnU-Net's trainers are asked themselves for the transforms that they train with, so that variants without mirroring or
without augmentation, and one's own trainers where they are installed, are read as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from .augmentation import Augmentation, Flip, flips
from .augmentation_geometry import Rotation, Scaling
from .augmentation_intensity import Gamma, Noise
from .augmentation_policy import policy_members
from .augmentation_sets import DEGREES, SCALES, intensities
from .model import InferenceError, Model

POLICY_KEY = "test_time_augmentation"
"""Under which name plans or a configuration may hold a policy that was learnt with the training."""

PLAIN = (1.0, 1.0)


@dataclass(frozen=True)
class TrainedChanges:
    """How far training changed the images.

    ``mirror_axes``: of the network's data. ``degrees``: the largest rotation; ``flat``: about the network's first axis
    alone. ``scales`` and ``gammas``: least and largest factor. ``noise``: the largest standard deviation.
    """

    mirror_axes: tuple[int, ...] = ()
    degrees: float = 0.0
    flat: bool = False
    scales: tuple[float, float] = PLAIN
    gammas: tuple[float, float] = PLAIN
    noise: float = 0.0

    def members(self, seed: int = 0) -> tuple[Augmentation, ...]:
        """Those of the set ``full`` that lie within; the identity first."""
        warps = (*self._turns(), *(Scaling(factor) for factor in SCALES))
        candidates = (*flips(self.mirror_axes), *warps, *intensities(seed))
        return tuple(candidate for candidate in candidates if self.include(candidate))

    def include(self, augmentation: Augmentation) -> bool:
        """Whether training saw such a change; False for kinds other than flip, rotation, scaling, gamma and noise."""
        match augmentation:
            case Flip(axes=axes):
                return set(axes) <= set(self.mirror_axes)
            case Rotation(axis=axis, degrees=degrees, of_network=of_network):
                return abs(degrees) <= self.degrees and (not self.flat or (of_network and axis == 0))
            case Scaling(factor=factor):
                return self.scales[0] <= factor <= self.scales[1]
            case Gamma(gamma=gamma):
                return self.gammas[0] <= gamma <= self.gammas[1]
            case Noise(sigma=sigma):
                return sigma <= self.noise
        return False

    def _turns(self) -> Iterator[Rotation]:
        for axis in (0,) if self.flat else (0, 1, 2):
            yield from (Rotation(axis, sign * DEGREES, of_network=True) for sign in (1, -1))


@dataclass(frozen=True)
class AsTrained:
    """Stands for a model's own policy until the model is known; see ``augmentation.suitable``."""

    seed: int = 0

    def members_for(self, model: Model) -> tuple[Augmentation, ...]:
        """Raises InferenceError as ``policy_of``."""
        return policy_of(model, self.seed)


def policy_of(model: Model, seed: int = 0) -> tuple[Augmentation, ...]:
    """The augmentations that a model's training configuration states or implies.

    Raises InferenceError where the model knows nothing of its training's augmentation.
    """
    asked = getattr(model, "trained_augmentations", None)
    if asked is None:
        raise InferenceError(
            f"{model.name}: nothing is known of the augmentation that it was trained with; name a set (flips, "
            "rotations, full), a list, or a policy file"
        )
    return asked(seed)


def stated_policy(plans: Mapping[str, Any], configuration: str, where: str, seed: int = 0) -> tuple[Augmentation, ...]:
    """The policy in nnU-Net plans, the configuration's before that of all; empty where there is none.

    Raises InferenceError as ``policy_members``.
    """
    for content in (plans.get("configurations", {}).get(configuration, {}), plans):
        if POLICY_KEY in content:
            return policy_members(content[POLICY_KEY], f"{where}, {POLICY_KEY}", seed)
    return ()


def changes_of_trainer(trainer: str, patch: Sequence[int], mirror_axes: Sequence[int]) -> TrainedChanges:
    """What nnU-Net's ``trainer`` does to the images of a configuration with this patch (two sides in 2D).

    ``mirror_axes``: of the network's data ``(a, b, c)``, as the checkpoint has them, which decides over the trainer.
    Raises InferenceError for a trainer that is not installed, or does not answer before it is set up.
    """
    transforms = list(_parts(_training_transforms(_trainer_class(trainer), patch)))
    flat = len(patch) == 2 or any(_kind(transform) == "Convert3DTo2DTransform" for transform in transforms)
    turned = [transform for transform in transforms if _kind(transform) == "SpatialTransform" and transform.p_rotation]
    scaled = [transform for transform in transforms if _kind(transform) == "SpatialTransform" and transform.p_scaling]
    gammas = [_range(one.gamma, 1.0) for one in transforms if _kind(one) == "GammaTransform" and not one.p_invert_image]
    noises = [_range(one.noise_variance, 0.0) for one in transforms if _kind(one) == "GaussianNoiseTransform"]
    return TrainedChanges(
        tuple(sorted(int(axis) for axis in mirror_axes)),
        max((float(np.rad2deg(min(map(abs, _range(one.rotation, 0.0))))) for one in turned), default=0.0),
        flat,
        _widest([tuple(sorted(1 / factor for factor in _range(one.scaling, 1.0))) for one in scaled]),
        _widest(gammas),
        max((float(np.sqrt(high)) for _, high in noises), default=0.0),
    )


def _trainer_class(trainer: str) -> type:
    from nnunetv2.utilities.find_objects import recursive_find_trainer_class_by_name

    try:
        return recursive_find_trainer_class_by_name(trainer or "nnUNetTrainer")
    except RuntimeError:
        raise InferenceError(
            f"{trainer}: this trainer is not installed, so what it does to images is not known; install it, or name a "
            "set, a list or a policy file"
        ) from None


def _training_transforms(trainer: type, patch: Sequence[int]) -> Any:
    """What the trainer would train with. It is asked without being set up, which would want a data set and a GPU."""
    asked = trainer.__new__(trainer)
    asked.configuration_manager = SimpleNamespace(patch_size=[int(side) for side in patch])
    asked.print_to_log_file = lambda *_, **__: None
    try:
        rotation, flat, _, mirror_axes = asked.configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        return asked.get_training_transforms(tuple(patch), rotation, None, mirror_axes, flat)
    except (AttributeError, TypeError, ValueError) as error:
        raise InferenceError(
            f"{trainer.__name__}: this trainer does not say what it does to images without a data set ({error}); name "
            "a set, a list or a policy file"
        ) from error


def _parts(transform: Any) -> Iterator[Any]:
    """Each single transform within compositions, random choices and random applications."""
    inner = [getattr(transform, "transform", None)]
    for name in ("transforms", "list_of_transforms"):
        inner += getattr(transform, name, None) or []
    inner = [part for part in inner if part is not None]
    if not inner:
        yield transform
    for part in inner:
        yield from _parts(part)


def _kind(transform: Any) -> str:
    return type(transform).__name__


def _range(scalar: Any, unknown: float) -> tuple[float, float]:
    """Least and largest value of a parameter of batchgeneratorsv2: a number, a pair, or an object with a range.

    ``unknown`` twice where it is a function, of which nothing can be read.
    """
    scalar = getattr(scalar, "contrast_range", scalar)
    if np.isscalar(scalar):
        return float(scalar), float(scalar)
    if callable(scalar):
        return unknown, unknown
    return float(min(scalar)), float(max(scalar))


def _widest(ranges: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else PLAIN
