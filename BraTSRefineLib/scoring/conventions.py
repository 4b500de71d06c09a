"""What a metric is worth where a mask is empty: the one place that turns a status into a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, nan
from typing import NamedTuple

OK = "ok"
BOTH_EMPTY = "both empty"
PREDICTION_EMPTY = "prediction empty"
REFERENCE_EMPTY = "reference empty"
STATUSES = (OK, BOTH_EMPTY, PREDICTION_EMPTY, REFERENCE_EMPTY)

BRATS_PENALTY_MM = 374.0
"""HD95 of a region that only one of the two masks has: the diagonal of 240x240x155 mm, as BraTS 2023 rounds it."""


class ScoringError(ValueError):
    """Input that cannot be scored; the message says what is wrong, where, and what to do."""


class Score(NamedTuple):
    """A metric's value and whether both masks had voxels. Volumes are defined for empty masks, so always ``ok``."""

    value: float
    status: str


@dataclass(frozen=True)
class EmptyMaskPolicy:
    """Values for ``both empty``, ``prediction empty`` and ``reference empty``, in this order, by kind of metric."""

    name: str
    explanation: str
    values: Mapping[str, tuple[float, float, float]]

    def value(self, metric: str, status: str) -> float:
        """What ``metric`` is worth for a ``status`` other than ``ok``."""
        kind = "nsd" if metric.startswith("nsd_") else metric
        return self.values[kind][STATUSES.index(status) - 1]


CONVENTIONS: dict[str, EmptyMaskPolicy] = {
    policy.name: policy
    for policy in (
        EmptyMaskPolicy(
            "brats2023",
            "Both masks empty is a perfect score (Dice, NSD, sensitivity, precision 1; HD95, ASSD 0 mm); a region that "
            "only one of them has is a full miss (Dice, NSD, sensitivity, precision 0; HD95, ASSD 374 mm).",
            {
                "dice": (1.0, 0.0, 0.0),
                "hd95_mm": (0.0, BRATS_PENALTY_MM, BRATS_PENALTY_MM),
                "assd_mm": (0.0, BRATS_PENALTY_MM, BRATS_PENALTY_MM),
                "nsd": (1.0, 0.0, 0.0),
                "sensitivity": (1.0, 0.0, 0.0),
                "precision": (1.0, 0.0, 0.0),
            },
        ),
        EmptyMaskPolicy(
            "deepmind",
            "What the formulas of surface-distance give: 0/0 is NaN, the distance to an empty mask is infinite "
            "(one mask empty: Dice and NSD 0, HD95 infinite; both: Dice, NSD NaN, HD95 infinite; ASSD NaN in each).",
            {
                "dice": (nan, 0.0, 0.0),
                "hd95_mm": (inf, inf, inf),
                "assd_mm": (nan, nan, nan),
                "nsd": (nan, 0.0, 0.0),
                "sensitivity": (nan, 0.0, nan),
                "precision": (nan, nan, 0.0),
            },
        ),
        EmptyMaskPolicy(
            "nan",
            "What is not defined is NaN and left out of means: every distance to an empty mask, every 0/0. "
            "A region that only one mask has still is Dice 0 and NSD 0, so that a missed tumour stays in the mean.",
            {
                "dice": (nan, 0.0, 0.0),
                "hd95_mm": (nan, nan, nan),
                "assd_mm": (nan, nan, nan),
                "nsd": (nan, 0.0, 0.0),
                "sensitivity": (nan, 0.0, nan),
                "precision": (nan, nan, 0.0),
            },
        ),
    )
}

DEFINITIONS = (
    "Dice = 2|A and B| / (|A| + |B|). Surfaces as in surface-distance and the official BraTS code: area-weighted "
    "elements between the voxels, spacing in mm honoured. HD95 = the larger of the two directed 95 % distances "
    "(the first distance at which 95 % of the area is reached, no interpolation). ASSD = mean of the two "
    "area-weighted directed mean distances. NSD = share of both surfaces within the tolerance (<=)."
)


def empty_mask_policy(name: str) -> EmptyMaskPolicy:
    """The policy of that name. Raises ScoringError with the known names."""
    if name not in CONVENTIONS:
        raise ScoringError(f"unknown scoring convention '{name}': use one of {', '.join(CONVENTIONS)}")
    return CONVENTIONS[name]


def explain_convention(name: str) -> str:
    """In plain words: how empty masks count under ``name``, and how every metric is defined."""
    return f"{name}: {empty_mask_policy(name).explanation}\n{DEFINITIONS}"
