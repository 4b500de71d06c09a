"""What annotating a case will take: the volume that was flagged in it and the slices that the flags reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from ..cohort import Case, Geometry, VolumeError, case_geometry
from .flag_types import BOX_COLUMNS


@dataclass(frozen=True)
class Effort:
    """An estimate. ``flagged_ml`` is summed over the flags of all regions: a place that is flagged in two of them
    counts twice. ``slices`` are those of the third axis that a flag reaches, each once; None where that is not known.
    """

    flags: int | None
    flagged_ml: float
    slices: int | None


UNKNOWN = Effort(None, np.nan, None)
"""Nothing was looked for."""


def effort(case: Case, flags: pd.DataFrame) -> Effort:
    """The effort of a case from the rows of ``flags.csv``.

    Where several models' own maps were flagged, only those flags count that compare the cohort's models; without any
    such, those of the first model.
    """
    own = flags[flags["case"] == case.case]
    own = own[own["model"] == own["model"].min()] if len(own) else own
    return Effort(len(own), float(own["volume_ml"].sum()), _slices(case, own))


def _slices(case: Case, flags: pd.DataFrame) -> int | None:
    """Connected flags reach every slice of their box, so the boxes tell; older tables have none."""
    boxes = flags[BOX_COLUMNS].to_numpy(float)
    if np.isnan(boxes).any():
        return None
    try:
        geometry = case_geometry(case)
    except VolumeError:
        return None  # the cohort's list of problems names the file
    return len({number for box in boxes for number in _reached(box, geometry)})


def _reached(box: np.ndarray, geometry: Geometry) -> Iterable[int]:
    """The slices of a box that is given by its lowest and highest x, y, z in mm."""
    numbers = geometry.to_index([*product(*zip(box[:3], box[3:], strict=True))])[:, 0]
    first, last = np.rint([numbers.min(), numbers.max()]).astype(int)
    return range(max(first, 0), min(last, geometry.size[2] - 1) + 1)
