"""A flag's name in the records: it stays the same while the flag stays where it is, whatever its rank becomes."""

from __future__ import annotations

from collections.abc import Sequence


def flag_id(region: str, center_lps: Sequence[float]) -> str:
    """The region and its place in mm (LPS) to a tenth, as ``ET -12.5 34.0 56.1``."""
    return " ".join([region, *(f"{round(float(mm), 1) + 0.0:.1f}" for mm in center_lps)])
