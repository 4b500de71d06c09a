"""The area under a curve that is given by points."""

from __future__ import annotations

import numpy as np


def area_under(x: np.ndarray, y: np.ndarray) -> float:
    """Trapezoidal area under the points (x, y), ``x`` in ascending order."""
    return float(np.diff(x) @ (y[1:] + y[:-1]) / 2)
