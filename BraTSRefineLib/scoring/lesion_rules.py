"""The lesion-wise rules of each BraTS challenge and year: what one lesion is, and which lesions count.

Sources: ``metrics.py`` of BraTS-2023-Metrics and ``metrics_*.py`` of BraTS-2024-Metrics (Saluja et al.).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..regions import label_convention
from .conventions import BRATS_PENALTY_MM, DIAGONAL, ScoringError

KEPT, VOXELS, VOLUME = "kept", "voxels", "volume"
"""Small predicted lesions: kept at any size; dropped by their number of voxels; dropped by their volume."""


@dataclass(frozen=True)
class LesionRules:
    """The rules of one region.

    Reference components whose masks touch after ``dilation`` steps of the 18-neighbourhood are one lesion. Reference
    lesions of at most ``smallest`` mm³ leave the score. ``penalty_mm`` is the HD95 of a missed lesion and of a false
    positive. Where ``specks`` is not ``kept``, the prediction is joined by dilation as the reference is, and its
    lesions of at most ``smallest`` voxels (or mm³) are dropped.
    """

    dilation: int
    smallest: float
    penalty_mm: float | str = BRATS_PENALTY_MM
    tolerances_mm: tuple[float, ...] = ()
    specks: str = KEPT
    false_positives_count: bool = True

    def largest_speck(self, spacing: Sequence[float]) -> float:
        """Predicted lesions of up to so many voxels are dropped; ``spacing`` in mm in the order of the file."""
        if self.specks == VOLUME:
            # The published script divides in single precision, the one of the file's header.
            return float(np.float32(self.smallest) / np.prod(np.float32(spacing)))
        return self.smallest if self.specks == VOXELS else 0

    def penalty(self, shape: Sequence[int]) -> float:
        """The penalty in mm; ``shape`` is the image's, in voxels."""
        return sum(size**2 for size in shape) ** 0.5 if self.penalty_mm == DIAGONAL else self.penalty_mm


@dataclass(frozen=True)
class TissueRules:
    """The rules of every region of a label map.

    ``labels`` names the label convention, ``regions`` the labels of each region, ``scored`` the regions of the
    official table in its order. Lesions of a tissue in ``joined_by`` that touch one lesion of a tissue named there
    are one lesion; the tissues are gone through in that order.
    """

    labels: str
    regions: Mapping[str, tuple[int, ...]]
    rules: Mapping[str, LesionRules]
    scored: tuple[str, ...]
    joined_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def largest_dilation(self) -> int:
        return max(rules.dilation for rules in self.rules.values())


def _rules_of_2024(dilation: int, smallest: float, penalty_mm: float | str, **more) -> LesionRules:
    return LesionRules(dilation, smallest, penalty_mm, (0.5, 1.0), **{"specks": VOXELS, **more})


REGION_PRESETS: dict[str, LesionRules] = {
    "brats2023-gli": LesionRules(dilation=3, smallest=50),
    "brats2023-ssa": LesionRules(dilation=3, smallest=50),
    "brats2023-ped": LesionRules(dilation=3, smallest=50),
    "brats2023-men": LesionRules(dilation=1, smallest=50),
    "brats2023-met": LesionRules(dilation=1, smallest=2),
}
"""Rules for one region's masks."""

_GLI, _GLI_WIDE, _GLI_ET = (_rules_of_2024(*numbers, 337.0) for numbers in ((3, 20), (5, 20), (3, 10)))
_MET = _rules_of_2024(1, 2, DIAGONAL)
_PED = _rules_of_2024(5, 10, BRATS_PENALTY_MM)
_SSA = _rules_of_2024(3, 50, BRATS_PENALTY_MM)
_MEN_RT = _rules_of_2024(1, 50, DIAGONAL, specks=VOLUME, false_positives_count=False)


def _tissue_rules(labels: str, rules: Mapping[str, LesionRules], partners: Mapping[str, str], joined_by) -> TissueRules:
    """``partners`` are tissues by another name in the convention, that join lesions but are not scored."""
    convention = label_convention(labels)
    regions = {name: convention.scored_regions.get(name) for name in rules}
    regions |= {name: (convention.tissues[theirs],) for name, theirs in partners.items()}
    scored = tuple(name for name in rules if name not in partners)
    return TissueRules(convention.name, regions, rules, scored, joined_by)


TISSUE_PRESETS: dict[str, TissueRules] = {
    "brats2024-gli": _tissue_rules(
        "brats2024-gli",
        # SNFH was meant to be dilated 5 times; a slip in the published script ("SFNH") leaves it at 3.
        {"WT": _GLI, "TC": _GLI, "NETC": _GLI_WIDE, "SNFH": _GLI, "ET": _GLI_ET, "RC": _GLI_WIDE},
        {},
        {"NETC": ("ET", "RC"), "ET": ("NETC", "RC"), "RC": ("ET", "NETC"), "SNFH": ("ET", "RC", "NETC")},
    ),
    "brats2024-met": _tissue_rules(
        "brats2024-met",
        {"WT": _MET, "TC": _MET, "ET": _MET, "RC": _MET, "NETC": _MET},
        {"NETC": "NETC"},
        {"ET": ("NETC",)},
    ),
    "brats2024-ped": _tissue_rules(
        "brats2024-ped",
        {"WT": _PED, "TC": _PED, "ET": _PED, "NETC": _PED, "CC": _PED, "ED": _PED},
        {},
        {},
    ),
    "brats2024-ssa": _tissue_rules(
        "brats2024-ssa",
        {"WT": _SSA, "TC": _SSA, "ET": _SSA, "NETC": _SSA},
        {"NETC": "NCR"},
        {"ET": ("NETC",)},
    ),
    "brats2024-men-rt": _tissue_rules("brats2024-men-rt", {"GTV": _MEN_RT}, {}, {}),
}
"""Rules for label maps."""


LARGEST_DILATION = max(rules.largest_dilation for rules in TISSUE_PRESETS.values())
"""With so many voxels around all labels, lesions are numbered and joined as in the whole image."""


def region_rules(preset: str) -> LesionRules:
    """The rules of that name for one region's masks. Raises ScoringError with the known names."""
    if preset in TISSUE_PRESETS:
        raise ScoringError(f"preset '{preset}' joins lesions across tissues: use lesionwise_tissues with label maps")
    if preset not in REGION_PRESETS:
        raise ScoringError(f"unknown lesion-wise preset '{preset}': use one of {', '.join(REGION_PRESETS)}")
    return REGION_PRESETS[preset]


def tissue_rules(preset: str) -> TissueRules:
    """The rules of that name for label maps. Raises ScoringError with the known names."""
    if preset in REGION_PRESETS:
        raise ScoringError(f"preset '{preset}' scores one region's masks: use lesionwise")
    if preset not in TISSUE_PRESETS:
        raise ScoringError(f"unknown lesion-wise preset '{preset}': use one of {', '.join(TISSUE_PRESETS)}")
    return TISSUE_PRESETS[preset]
