"""ET lies in TC lies in WT, by definition of the regions (BraTS data description)."""

from __future__ import annotations

from typing import Literal

import numpy as np


def enforce_hierarchy(regions: np.ndarray, *, policy: Literal["outward", "inward"] = "outward") -> np.ndarray:
    """Nested copy of a WT, TC, ET stack ``(3, z, y, x)``, boolean.

    "outward" grows the outer region over the inner one, as painting a label map does: it never deletes tumour, so
    that an enhancing satellite outside of WT survives; whether it is too small to believe is for the removal of
    components to decide, which states its threshold and counts what it takes. "inward" cuts the inner region to the
    outer one. Both leave a nested stack as it is.
    """
    whole, core, enhancing = np.asarray(regions, dtype=bool)
    if policy == "inward":
        core = core & whole
        return np.stack([whole, core, enhancing & core])
    core = core | enhancing
    return np.stack([whole | core, core, enhancing])
