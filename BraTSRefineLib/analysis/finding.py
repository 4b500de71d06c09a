"""One suspicion about the data, and the names of its kinds."""

from __future__ import annotations

from typing import NamedTuple

PERMUTED = "permuted labels"
OTHER_CONVENTION = "other label convention"
FLIPPED = "flipped axes"
LOST_HEADER = "lost header"
OTHER_GRID = "other grid"
SHIFTED = "shifted prediction"
NEVER_PREDICTED = "region never predicted"
IDENTICAL = "identical references"
SPLIT_PERSON = "person in several splits"
DUPLICATE_ID = "case id used twice"
SAME_PERSON = "same person"
NOT_CHECKED = "not checked"
SPECKS = "specks in the reference"
HOLES = "holes in the reference"
SINGLE_VOXEL = "single voxel"
EMPTY_REGION = "empty region"

REMARKS = (SPECKS, HOLES, SINGLE_VOXEL, EMPTY_REGION)
"""Kinds that are worth knowing when one case's numbers are read, and that spoil no comparison."""

KINDS = (
    PERMUTED,
    OTHER_CONVENTION,
    FLIPPED,
    LOST_HEADER,
    OTHER_GRID,
    SHIFTED,
    NEVER_PREDICTED,
    IDENTICAL,
    SPLIT_PERSON,
    DUPLICATE_ID,
    SAME_PERSON,
    NOT_CHECKED,
    *REMARKS,
)
"""In the order of a list of findings: what spoils numbers first, remarks last."""


OF_PREDICTIONS = (PERMUTED, OTHER_CONVENTION, FLIPPED, LOST_HEADER, OTHER_GRID, SHIFTED)
"""Kinds that explain one prediction of one case."""


class Finding(NamedTuple):
    """``case`` is empty for what concerns a model as a whole, ``model`` for what concerns the case.

    ``evidence`` holds the numbers behind the message as ``name=value`` pairs, separated by ``; ``.
    """

    case: str
    model: str
    kind: str
    message: str
    evidence: str = ""


def evidence(**numbers: object) -> str:
    """``evidence(shift=(0, 0, 1), gain=0.1)`` -> ``shift=0,0,1; gain=0.1000``."""
    return "; ".join(f"{name}={_text(value)}" for name, value in numbers.items())


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}:{_text(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ",".join(_text(each) for each in value)
    return f"{value:.4f}" if isinstance(value, float) else str(value)
