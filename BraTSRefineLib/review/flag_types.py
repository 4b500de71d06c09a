"""What a flag is: its columns, what it may be about, and how much it weighs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..fusion import QUANTITIES
from ..regions import REGION_NAMES

OLDEST_COLUMNS = ["case", "region", "rank", "why", "quantity", "volume_ml", "mean", "maximum", "x_mm", "y_mm", "z_mm"]
BOX_COLUMNS = ["x_low_mm", "y_low_mm", "z_low_mm", "x_high_mm", "y_high_mm", "z_high_mm"]
FLAG_COLUMNS = [*OLDEST_COLUMNS, "type", "score", "ambiguity_ml", *BOX_COLUMNS, "model"]

FALSE_POSITIVE, MISS, BOUNDARY = "possible false positive", "possible miss", "boundary"
ERROR_RISK = "error_risk"
"""The quantity of flags that were cut by a calibrated table: the probability that the fused label is wrong there."""

REGION_WEIGHTS = {"ET": 3.0, "TC": 2.0, "WT": 1.0}
MOSTLY_SET, HARDLY_SET = 0.8, 0.2


class ReviewError(ValueError):
    """A map or a table of flags that cannot be used; the message says which and why."""


@dataclass(frozen=True)
class Flag:
    """One place to look at. ``center_lps`` in mm lies inside the region; ``mean`` and ``maximum`` in the map's unit.

    ``type`` says which way the doubt goes, empty where no fused label was given. ``score`` is the weight of the region
    times the summed uncertainty (0 to 1, in mm3), more where the members contradict each other. ``ambiguity_ml`` is
    the volume that may change hands, NaN where no probability was given. ``box_lps`` are the outermost voxels' centres.
    ``model``: whose own maps it was found in; empty where it compares the cohort's models.
    """

    case: str
    region: str
    rank: int
    why: str
    quantity: str
    volume_ml: float
    mean: float
    maximum: float
    center_lps: tuple[float, float, float]
    type: str = ""
    score: float = 0.0
    ambiguity_ml: float = np.nan
    box_lps: tuple[float, ...] = (np.nan,) * 6
    model: str = ""

    @property
    def row(self) -> dict[str, object]:
        """The flag as a row of ``flags.csv``."""
        places = dict(zip(("x_mm", "y_mm", "z_mm"), self.center_lps, strict=True))
        places |= dict(zip(BOX_COLUMNS, self.box_lps, strict=True))
        return {name: places[name] if name in places else getattr(self, name) for name in FLAG_COLUMNS}


def highest(quantity: str) -> float:
    """The largest value that the quantity can take. Raises ReviewError for one that is unknown."""
    if quantity == ERROR_RISK:
        return 1.0
    if quantity not in QUANTITIES:
        raise ReviewError(f"no quantity '{quantity}': use one of {', '.join(QUANTITIES)}, {ERROR_RISK}")
    return QUANTITIES[quantity].high


def default_threshold(quantity: str) -> float:
    """Half of the quantity's theoretical maximum: one number for every case, so that flags are comparable.

    For the entropy (in units of ln 2) it is 0.5; for five label maps it takes in what a single one contradicts.
    """
    return highest(quantity) / 2


def region_weight(region: str) -> float:
    """How much a region's doubt weighs against the others': ET 3, TC 2, any other 1."""
    return REGION_WEIGHTS.get(region, 1.0)


def type_of(share_set: float | None) -> str:
    """Which way the doubt goes, from the share of the place that the fused label has set."""
    if share_set is None:
        return ""
    return FALSE_POSITIVE if share_set >= MOSTLY_SET else MISS if share_set <= HARDLY_SET else BOUNDARY


def why(region: str, quantity: str, type_: str) -> str:
    """The flag in plain words."""
    verb = "are unsure about" if quantity in ("entropy", "mean") else "disagree about"
    name = REGION_NAMES.get(region, region)
    words = f"this place is often wrong in the {name}" if quantity == ERROR_RISK else f"members {verb} the {name}"
    endings = {
        "": "",
        FALSE_POSITIVE: ": the fused label has it here, possibly too much",
        MISS: ": the fused label leaves it out here, possibly a miss",
        BOUNDARY: ": how far it reaches",
    }
    return words + endings[type_]
