"""What is predicted of a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..regions import LabelConvention

if TYPE_CHECKING:
    from .adaptation_settings import AdaptationReport
    from .structure import StructureAgreement


@dataclass(frozen=True)
class CasePrediction:
    """Everything on the case's whole grid; stacks are ``(region, z, y, x)`` in the order of ``regions``.

    ``labels`` (boolean) and ``label_map`` (uint8 ``(z, y, x)``, in ``convention``) come from the mean logit, as
    nnU-Net's; all else, float32, from the moments of the members' probabilities, and may differ on contested voxels.
    ``variance`` (0-0.25) is ``within_model`` (over augmentations) + ``between_model``; ``entropy`` (0-ln 2 nats) is
    ``expected_entropy`` + ``mutual_information``. All but ``probability`` are None where only the mean was asked for.
    ``members``: model and augmentation of each. ``structure``: by region, how far the members agree on the whole of it.
    ``adaptations``: by model, a cascade's first stage among them, what its adaptation to the case did.
    ``own_labels``: by model, where there are several, the label map (as ``label_map``) of its mean probability alone.
    """

    case: str
    regions: tuple[str, ...]
    convention: LabelConvention
    labels: np.ndarray
    label_map: np.ndarray
    members: tuple[str, ...]
    probability: np.ndarray
    variance: np.ndarray | None = None
    entropy: np.ndarray | None = None
    expected_entropy: np.ndarray | None = None
    mutual_information: np.ndarray | None = None
    within_model: np.ndarray | None = None
    between_model: np.ndarray | None = None
    structure: Mapping[str, StructureAgreement] | None = None
    adaptations: Mapping[str, AdaptationReport] | None = None
    own_labels: Mapping[str, np.ndarray] | None = None
