"""What test-time adaptation may do, and what it says that it did."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ..regions import LabelConvention
from .model import InferenceError, Prepared

Divergence = Literal["kl", "jensen-shannon", "fisher-rao"]
Downhill = Literal["adam", "natural"]
Kept = Literal["last", "surest"]
End = Literal["steps", "converged", "patience", "volume", "agreement", "collapse", "empty", "quality", "confident"]

ENDS: Mapping[End, str] = {
    "steps": "all steps were done",
    "converged": "no further step lowers the loss inside the trust region",
    "patience": "the uncertainty fell no further",
    "volume": "reverted: the foreground's volume left its limits",
    "agreement": "reverted: too little overlap with the unadapted prediction",
    "collapse": "reverted: the entropy collapsed",
    "empty": "not adapted: the unadapted prediction has no foreground",
    "quality": "not adapted: the predictions' own agreement is outside the range where adapting helps, or unknown",
    "confident": "not adapted: the entropy is already low",
}
REVERTED: tuple[End, ...] = ("volume", "agreement", "collapse")
NOT_ADAPTED: tuple[End, ...] = ("empty", "quality", "confident")


@dataclass(frozen=True)
class AdaptationSettings:
    """How a network is adapted to one case; see ``METHODS`` for the three methods by name.

    The loss is the mean normalised entropy of the prediction plus ``weight`` times its mean ``divergence`` from the
    unadapted one, over voxels within 10 mm of a foreground probability above 0.01. Only scale and shift of the
    normalisation layers change. At most ``steps`` steps of size ``rate``, by Adam or by the natural gradient with a
    diagonal Fisher matrix from ``fisher_draws`` draws a tile; a step that raises the loss or leaves the trust region
    (mean divergence above ``trust``) is halved. The steps see at most ``voxels`` voxels, the tiles with the most
    foreground first.

    Every ``every`` steps the network is a candidate. ``keep``: the last one, or the ``surest``, that is the one of
    lowest mean entropy over mirrored (or ``passes`` dropout) passes in all candidates' foregrounds together and 5 mm
    around them; the search ends after ``patience`` candidates without a new lowest.

    Guards. ``quality``: adapt only if the passes' pairwise Dice lies strictly between the two; None switches that
    off. ``least_entropy``: adapt only above it (0-1). Back to the unadapted weights where the foreground's volume
    leaves ``volume`` times the unadapted one, the Dice of a region with its unadapted self falls under ``agreement``,
    or the entropy falls under ``collapse`` times its start.
    """

    steps: int = 10
    rate: float = 3e-4
    descent: Downhill = "adam"
    divergence: Divergence = "kl"
    weight: float = 1.0
    trust: float = 0.05
    fisher_draws: int = 8
    voxels: int = 4 * 128**3
    keep: Kept = "surest"
    every: int = 1
    patience: int = 5
    passes: int = 4
    quality: tuple[float, float] | None = (0.5, 0.9)
    least_entropy: float = 0.0
    volume: tuple[float, float] = (0.67, 1.5)
    agreement: float = 0.8
    collapse: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        self._check_choices()
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InferenceError(f"adaptation: {name} is {value}; it lies between {low} and {high}")
        for name in ("volume", "quality"):
            limits = getattr(self, name)
            if limits is not None and not 0 <= limits[0] < limits[1]:
                raise InferenceError(f"adaptation: {name} is {limits}; give a lower and a higher limit, from 0 up")

    def _check_choices(self) -> None:
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise InferenceError(f"adaptation: {name} is '{value}'; choose one of {', '.join(choices)}")


CHOICES: Mapping[str, tuple[str, ...]] = {
    "descent": get_args(Downhill),
    "divergence": get_args(Divergence),
    "keep": get_args(Kept),
}
BOUNDS: Mapping[str, tuple[float, float]] = {
    "steps": (0, 100),
    "rate": (1e-8, 0.1),
    "weight": (0, 1e9),
    "trust": (1e-9, 10),
    "fisher_draws": (1, 10_000),
    "voxels": (1, math.inf),
    "every": (1, 100),
    "patience": (1, 100),
    "passes": (2, 100),
    "least_entropy": (0, 1),
    "agreement": (0, 1),
    "collapse": (0, 1),
}

METHODS: Mapping[str, AdaptationSettings] = {
    "tent": AdaptationSettings(weight=0.0, keep="last"),
    "information-geometric": AdaptationSettings(
        descent="natural", divergence="fisher-rao", weight=1.0, steps=20, rate=1e-3, keep="last"
    ),
    "uncertainty-guided": AdaptationSettings(steps=20, every=2),
}
"""Entropy minimisation (Wang 2021), with a distance on the statistical manifold (after Ravishankar 2025, our
specification), and with the step chosen by uncertainty (after Chun 2026)."""


@dataclass(frozen=True)
class EarlierScan:
    """An earlier scan of the same person with its labels ``(z, y, x)`` on that scan's grid."""

    prepared: Prepared
    labels: np.ndarray
    convention: LabelConvention


@dataclass(frozen=True)
class AdaptationReport:
    """What happened to a case's network; goes to the case's record.

    ``entropy_before`` and ``entropy_after``: mean normalised entropy (0-1) where the loss was taken, of the unadapted
    and of the chosen network. ``volume_ratio`` of the foreground and ``agreement`` (lowest Dice of a region) compare
    the chosen or, where a guard tripped, the refused network with the unadapted one. ``uncertainties`` are the
    candidates' ``(step, mean entropy)``, step 0 first; of the plain prediction where the last is kept. None: not
    measured.
    """

    ended: End
    steps: int = 0
    chosen_step: int = 0
    quality: float | None = None
    entropy_before: float | None = None
    entropy_after: float | None = None
    volume_ratio: float | None = None
    agreement: float | None = None
    uncertainties: tuple[tuple[int, float], ...] = ()

    @property
    def guard(self) -> End | None:
        """The guard that tripped, if one did."""
        return self.ended if self.ended in (*REVERTED, *NOT_ADAPTED) else None

    @property
    def what(self) -> str:
        """One sentence for the record and the page."""
        return f"step {self.chosen_step} of {self.steps} is used; {ENDS[self.ended]}"
