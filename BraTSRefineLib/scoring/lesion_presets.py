"""Which lesion-wise rules a cohort is scored under, and its label maps in the labels of those rules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..regions import LabelConvention, label_convention
from .case_maps import LabelMap, LabelPair
from .conventions import ScoringError
from .lesion_rules import KEPT, REGION_PRESETS, TISSUE_PRESETS, VOLUME, VOXELS, LesionRules, tissue_rules
from .lesions import LesionScores, lesionwise, lesionwise_tissues

PRESETS = (*REGION_PRESETS, *TISSUE_PRESETS)
DEFAULT_PRESET = "brats2023-gli"
SAME_TISSUE = {"NCR": "NETC", "ED": "SNFH"}
"""Names of BraTS 2017 to 2023 and what the same tissue is called since 2024."""


def chosen_preset(preset: str, convention: str) -> str:
    """``preset``, or the scoring convention's own rules where it is empty: those of its challenge, else BraTS 2023's.

    Raises ScoringError for an unknown preset with the known names.
    """
    if preset and preset not in PRESETS:
        raise ScoringError(f"unknown rules for lesions '{preset}': use one of {', '.join(PRESETS)}")
    return preset or (convention if convention in TISSUE_PRESETS else DEFAULT_PRESET)


def lesions_by_region(
    whole: LabelPair, cut: LabelPair, regions: Sequence[str], preset: str, engine: str
) -> dict[str, LesionScores]:
    """Lesion-wise scores of each region of two label maps on one grid, ``whole`` and cut with ``LARGEST_DILATION``.

    Lesions lie in ``whole`` under rules by tissue, whose penalty may be the image's diagonal, else in ``cut``.

    Raises ScoringError where rules that go by tissues do not fit the labels.
    """
    spacing = whole.truth.spacing
    if preset in TISSUE_PRESETS:
        rules = label_convention(tissue_rules(preset).labels)
        maps = (_recoded(one, rules, preset) for one in (whole.truth, whole.prediction))
        return lesionwise_tissues(*maps, spacing, preset=preset, engine=engine)
    return {region: lesionwise(*cut.masks(region), spacing, preset=preset, engine=engine) for region in regions}


def _recoded(label_map: LabelMap, rules: LabelConvention, preset: str) -> np.ndarray:
    """The label map with each tissue under the label that it has in the rules."""
    table = np.zeros(256, dtype=np.uint8)
    for tissue, label in label_map.labels.tissues.items():
        target = rules.tissues.get(tissue, rules.tissues.get(SAME_TISSUE.get(tissue, "")))
        if target is None:
            raise ScoringError(
                f"{preset} knows no {tissue} (labels {label_map.labels.name}): choose other rules for lesions"
            )
        table[label] = target
    if not label_map.labels.tissues:
        raise ScoringError(f"{preset} goes by tissues, and a consensus of models has none: choose other rules")
    return table[label_map.voxels]


def explain_lesion_rules() -> str:
    """Every set of rules for lesions in a line, in words."""
    return "\n".join([RULES_WORDS, *(line for name in PRESETS for line in _lines(name))])


def explain_lesion_preset(preset: str) -> str:
    """One set of rules for lesions in words."""
    return "\n".join([RULES_WORDS, *_lines(preset)])


def _lines(preset: str) -> list[str]:
    """A line for the regions that are scored alike."""
    if preset in REGION_PRESETS:
        return [_line(preset, "WT, TC, ET", REGION_PRESETS[preset])]
    tissues = TISSUE_PRESETS[preset]
    alike: dict[LesionRules, list[str]] = {}
    for region in tissues.scored:
        alike.setdefault(tissues.rules[region], []).append(region)
    return [_line(preset, ", ".join(regions), rules) for rules, regions in alike.items()]


RULES_WORDS = (
    "Rules for lesions: reference components are one lesion where they touch after some dilation steps; predicted "
    "components that touch the dilated lesion are matched to it. Lesion-wise Dice and HD95 are the means over the "
    "counted lesions and the false positives, which have Dice 0 and the penalty."
)


def _line(name: str, regions: str, rules: LesionRules) -> str:
    penalty = f"{rules.penalty_mm:g} mm" if isinstance(rules.penalty_mm, float) else "the image's diagonal"
    dropped = f", predicted lesions of up to {rules.smallest:g} {SPECK_UNITS.get(rules.specks)} dropped"
    specks = "" if rules.specks == KEPT else dropped
    strays = "" if rules.false_positives_count else ", false positives not counted"
    return (
        f"{name}: {regions}: {rules.dilation} steps, lesions over {rules.smallest:g} mm³ counted{specks}, "
        f"penalty {penalty}{strays}"
    )


SPECK_UNITS = {VOXELS: "voxels", VOLUME: "mm³"}
