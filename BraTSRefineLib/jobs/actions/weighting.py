"""The weights that a fusion was given, and what a case's members say, each weighed as probabilities or as labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...cohort import Case, Cohort, read_probabilities
from ...fusion import FusionError, Weights, read_weights, weighted_regions
from ...fusion.weights import LABELS
from ..context import Context
from ..description import JobError
from .members import label_stacks

FOLDER = "weights"
FIT = "fit them first with fit-weights, or name a file or state them"


@dataclass(frozen=True)
class GivenWeights:
    """Weights and where they come from."""

    weights: Weights
    source: str

    def remark(self, cases: list[str]) -> str:
        """What a reader of the scores must know; nothing where the weights have not seen the cases."""
        seen = sorted(set(cases) & set(self.weights.cases))
        if not seen:
            return ""
        return (
            f"{len(seen)} of {len(cases)} cases were among those that the weights were fitted on: their scores are "
            "optimistic; the gains on held-out cases are in the file of weights"
        )


def given_weights(context: Context, cohort: Cohort) -> GivenWeights:
    """The weights that the job names or states, else the newest that were fitted in the workspace.

    Raises JobError for none, a file of another version or method, and models that are not the cohort's.
    """
    given, method = context.job.parameters["weights"], context.job.parameters["method"]
    try:
        if isinstance(given, dict):
            models = dict.fromkeys(model for of_region in given.values() for model in of_region)
            found = GivenWeights(Weights(tuple(models), given), "stated")
        else:
            found = _read(_named(context, given)) if given else _newest(context, method)
    except FusionError as error:
        raise JobError(f"fuse: {error}") from None
    if method == "select" and found.weights.method != "select":
        raise JobError(f"fuse: the weights are {found.weights.method}, not select: use --method weighted, or {FIT}")
    _check_models(context, cohort, found)
    return found


def _read(path: Path) -> GivenWeights:
    try:
        return GivenWeights(read_weights(path.read_text(encoding="utf-8"), path), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise FusionError(f"{path}: the weights cannot be read ({getattr(error, 'strerror', '') or error})") from None


def _named(context: Context, given: str) -> Path:
    """A path, or the name of a file in the workspace's folder of weights."""
    inside = context.workspace.root / FOLDER / f"{given.removesuffix('.json')}.json"
    return inside if inside.is_file() and not Path(given).is_file() else Path(given)


def _newest(context: Context, method: str) -> GivenWeights:
    """The newest of the workspace that serve the method; older ones are not looked at."""
    folder = context.workspace.root / FOLDER
    files = sorted(folder.glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
    for path in files:
        found = _read(path)
        if method in ("weighted", found.weights.method):
            return found
    raise JobError(f"fuse: there are no weights for the method {method} in {folder}; {FIT}")


def _check_models(context: Context, cohort: Cohort, found: GivenWeights) -> None:
    models, asked = found.weights.models, context.job.parameters["models"]
    unknown = [model for model in models if model not in cohort.models]
    if unknown:
        raise JobError(
            f"fuse: weights of {', '.join(unknown)}, which this cohort does not have ({found.source}); {FIT}"
        )
    if asked and set(asked) != set(models):
        raise JobError(f"fuse: the weights are of {', '.join(models)}, the job names {', '.join(asked)}; {FIT}")


def weighted_members(context: Context, case: Case, weights: Weights, members: list[str]) -> list[str]:
    """Those of the members that have weight; one that has weight and is missing is told, since the others take it."""
    missing = [model for model in weights.used if model not in members]
    if missing:
        context.problem(case.case, f"fused without {', '.join(missing)}: the other models take over the weight")
    return [model for model in members if model in weights.used]


def weighted_fusion(context: Context, case: Case, weights: Weights, members: list[str]) -> np.ndarray:
    """Boolean WT, TC, ET stack. A model without probabilities votes with its label map, which is told."""
    used = weighted_members(context, case, weights, members)
    voters = [model for model in used if _votes(case, weights, model)]
    unforeseen = [model for model in voters if weights.sources.get(model) != LABELS]
    if unforeseen:
        context.problem(case.case, f"no probability map of {', '.join(unforeseen)}: the label map votes instead")
    return weighted_regions(_stacks(case, used, voters), weights.of(used))


def _votes(case: Case, weights: Weights, model: str) -> bool:
    return weights.sources.get(model) == LABELS or model not in case.probabilities


def _stacks(case: Case, models: list[str], voters: list[str]) -> Iterator[np.ndarray]:
    for model in models:
        if model in voters:
            yield from label_stacks(case, [model])
        else:
            yield read_probabilities(case.probabilities[model], case)
