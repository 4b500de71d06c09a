"""Where a case's uncertainty comes from: votes of label maps, saved probabilities, or maps that were made here."""

from __future__ import annotations

from collections.abc import Iterator
from math import log

import numpy as np

from ...cohort import Case, read_probabilities
from ...cohort.volumes import Geometry, read_image
from ...cohort.workspace import Workspace
from ...fusion import Moments, vote_fraction
from ...fusion.moments import bernoulli_entropy
from ...regions import REGIONS
from .flagging import Seen
from .members import CaseError, label_stacks

VOTES, PROBABILITIES = "votes of the models", "probabilities of the models"
FROM_PROBABILITIES = ("mean", "variance", "entropy", "mutual_information")
OPTIONAL = ("mutual_information", "expected_entropy", "variance")
NATS = log(2)


def mapped_models(workspace: Workspace, cases: list[str]) -> list[str]:
    """Names of what was predicted here with maps of at least one of the cases, sorted."""
    folders = sorted(path.name for path in workspace.maps.glob("*") if path.is_dir())
    return [name for name in folders if any(is_mapped(workspace, name, case) for case in cases)]


def case_sources(
    case: Case, members: list[str], mapped: list[str], workspace: Workspace, geometry: Geometry
) -> Iterator[tuple[str, Seen]]:
    """Each source's name and what it says, one in memory at a time. Raises CaseError for maps of another grid."""
    if len(members) >= 2:
        yield VOTES, on_grid(from_votes(case, members), geometry, VOTES)
    probable = [model for model in members if model in case.probabilities]
    if len(probable) >= 2:
        yield PROBABILITIES, on_grid(from_probabilities(case, probable), geometry, PROBABILITIES)
    for name in mapped:
        if is_mapped(workspace, name, case.case):
            yield name, on_grid(from_maps(workspace, name, case.case), geometry, name)


def from_votes(case: Case, members: list[str]) -> Seen:
    """What label maps say; the fused label is that of the majority, a tie is background."""
    stacks = list(label_stacks(case, members))
    fraction = vote_fraction(stacks)
    maps = {"disagreement": fraction * (1 - fraction), "mean": fraction}
    masks = dict(zip(members, stacks, strict=True))
    return Seen("disagreement", maps, fraction > 0.5, masks, anywhere=fraction > 0)


def from_probabilities(case: Case, members: list[str]) -> Seen:
    """What saved probabilities say together."""
    moments, anywhere = Moments(), np.False_
    for model in members:
        probability = read_probabilities(case.probabilities[model], case)
        moments.add(probability)
        anywhere = anywhere | (probability > 0.5)
    maps = {name: getattr(moments, name) for name in FROM_PROBABILITIES}
    return Seen("entropy", maps, moments.mean > 0.5, source=", ".join(members), anywhere=anywhere)


def relative_uncertainty(seen: Seen, level: int) -> np.ndarray:
    """One region's uncertainty from 0 to 1: the entropy of the mean in bits."""
    return np.clip(bernoulli_entropy(seen.quantities["mean"][level]) / NATS, 0, 1)


def from_maps(workspace: Workspace, name: str, case: str) -> Seen:
    """What ``predict`` wrote beside its label maps."""
    maps = {quantity: _stack(workspace, name, case, quantity) for quantity in ("mean", "entropy")}
    for quantity in OPTIONAL:
        if all(workspace.model_map_path(name, case, region, quantity).is_file() for region in REGIONS):
            maps[quantity] = _stack(workspace, name, case, quantity)
    return Seen("entropy", maps, maps["mean"] > 0.5, source=name)


def _stack(workspace: Workspace, name: str, case: str, quantity: str) -> np.ndarray:
    paths = [workspace.model_map_path(name, case, region, quantity) for region in REGIONS]
    return np.stack([read_image(path).astype(np.float32, copy=False) for path in paths])


def is_mapped(workspace: Workspace, name: str, case: str) -> bool:
    names = [(region, quantity) for region in REGIONS for quantity in ("mean", "entropy")]
    return all(workspace.model_map_path(name, case, *each).is_file() for each in names)


def on_grid(seen: Seen, geometry: Geometry, source: str) -> Seen:
    if seen.consensus.shape[1:] != geometry.array_shape:
        raise CaseError(f"{source}: another number of voxels than the case; make it again")
    return seen
