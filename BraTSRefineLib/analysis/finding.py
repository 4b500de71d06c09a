"""One suspicion about the data, and the names of its kinds."""

from __future__ import annotations

from typing import NamedTuple

PERMUTED = "permuted labels"
SHIFTED = "shifted prediction"
NEVER_PREDICTED = "region never predicted"
IDENTICAL = "identical references"
SAME_PERSON = "same person"
NOT_CHECKED = "not checked"
SINGLE_VOXEL = "single voxel"
EMPTY_REGION = "empty region"

KINDS = (PERMUTED, SHIFTED, NEVER_PREDICTED, IDENTICAL, SAME_PERSON, NOT_CHECKED, SINGLE_VOXEL, EMPTY_REGION)
"""In the order of a list of findings: what spoils numbers first, remarks last."""


class Finding(NamedTuple):
    """``case`` is empty for what concerns a model as a whole, ``model`` for what concerns the case."""

    case: str
    model: str
    kind: str
    message: str
