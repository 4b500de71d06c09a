"""Gathering what weights are fitted on: for each case with a reference, the voxels on which its models differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ...cohort import Case, Cohort, person_of, read_probabilities
from ...cohort.volumes import read_label_map
from ...fusion import Contested, contested
from ...fusion.weights import LABELS, PROBABILITIES
from ...regions import REGIONS
from ..context import Context
from ..description import JobError
from .members import CASE_ERRORS, CaseError, known_regions, label_stacks, region_stack


@dataclass
class Gathered:
    """Cases in order, and each region's contested voxels by case; a case whose labels lack a region is absent there.

    ``left_out`` counts cases by why they could not be used.
    """

    models: list[str]
    sources: dict[str, str]
    cases: list[Case] = field(default_factory=list)
    regions: dict[str, dict[str, Contested]] = field(default_factory=lambda: {region: {} for region in REGIONS})
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def persons(self) -> list[str]:
        return [case.person or person_of(case.case) for case in self.cases]

    def of(self, region: str) -> tuple[list[Contested], list[int]]:
        """The region's cases and their places among all of them."""
        places = [place for place, case in enumerate(self.cases) if case.case in self.regions[region]]
        return [self.regions[region][self.cases[place].case] for place in places], places


def gather(context: Context, cohort: Cohort, models: list[str]) -> Gathered:
    """Read every case that has a reference and all of the models. Raises JobError where there is none."""
    gathered = Gathered(models, _sources([case for case in cohort.cases if not _why_not(case, models)], models))
    for case in context.cases(cohort, models):
        why = _why_not(case, models) or _added(context, gathered, case)
        if why:
            gathered.left_out[why] = gathered.left_out.get(why, 0) + 1
    if not gathered.cases:
        reasons = ", ".join(f"{count} x {why}" for why, count in gathered.left_out.items())
        raise JobError(f"fit_weights: no case can be learnt from ({reasons or 'the cohort has none'})")
    return gathered


def _why_not(case: Case, models: list[str]) -> str:
    """Why a case teaches nothing; empty where it does."""
    if case.error_of():
        return "broken case"
    if case.reference is None:
        return "no reference"
    usable = case.usable_models()
    without = [model for model in models if model not in usable]
    return f"no usable prediction of {', '.join(without)}" if without else ""


def _sources(cases: list[Case], models: list[str]) -> dict[str, str]:
    """By probabilities counts a model that has them of all cases, so that it says one kind of thing everywhere."""
    return {model: PROBABILITIES if all(model in case.probabilities for case in cases) else LABELS for model in models}


def _added(context: Context, gathered: Gathered, case: Case) -> str:
    """Why a case could not be read, which is a problem of it; empty where it is added."""
    try:
        _add(gathered, case)
    except CASE_ERRORS as error:
        context.problem(case.case, str(error))
        return str(error)
    return ""


def _add(gathered: Gathered, case: Case) -> None:
    if case.labels is None:
        raise CaseError("its label convention is not known; state it with --labels")
    reference = region_stack(read_label_map(case.reference), case.labels)
    stacks = list(_stacks(gathered, case))
    regions = [region for region in known_regions(case, gathered.models) if region in case.labels.regions]
    levels = [REGIONS.index(region) for region in regions]
    found = [contested([stack[level] for stack in stacks], reference[level]) for level in levels]
    for region, voxels in zip(regions, found, strict=True):
        gathered.regions[region][case.case] = voxels
    gathered.cases.append(case)


def _stacks(gathered: Gathered, case: Case) -> Iterator[np.ndarray]:
    for model in gathered.models:
        if gathered.sources[model] == PROBABILITIES:
            yield read_probabilities(case.probabilities[model], case)
        else:
            yield from label_stacks(case, [model])
