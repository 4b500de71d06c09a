"""Reading what the models said about a case, one model at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from ...cohort import Case, Cohort, CohortError
from ...cohort.volumes import VolumeError, read_label_map
from ...fusion import FusionError
from ...postprocessing import PostprocessingError
from ...regions import REGIONS, LabelConvention, LabelError
from ...review import ReviewError
from ...scoring import ScoringError
from ..context import Context
from ..description import JobError


class CaseError(ValueError):
    """A case that cannot be done; the message says why. The others go on."""


CASE_ERRORS = (
    CaseError,
    CohortError,
    FusionError,
    LabelError,
    PostprocessingError,
    ReviewError,
    ScoringError,
    VolumeError,
)


def chosen_models(context: Context, cohort: Cohort) -> list[str]:
    """The models that the job names, else all of the cohort. Raises JobError for fewer than two."""
    models = list(dict.fromkeys(context.job.parameters["models"] or cohort.models))
    if len(models) < 2:
        raise JobError(f"{context.job.kind}: needs at least two models; there is {', '.join(models) or 'none'}")
    return models


def usable_members(context: Context, case: Case, models: Iterable[str]) -> list[str]:
    """Those of ``models`` that can be read for the case; one that is left out is told as a problem.

    A prediction that is missing is one only where the job names the model; the cohort has said so otherwise.
    Raises CaseError where the case itself is broken.
    """
    if case.error_of():
        raise CaseError(case.error_of())
    missing = "no prediction" if context.job.parameters["models"] else ""
    usable = []
    for model in models:
        why = case.error_of(model) or ("" if model in case.predictions else missing)
        if why:
            context.problem(case.case, f"{model} is left out: {why}")
        elif model in case.predictions:
            usable.append(model)
    return usable


def painting_convention(case: Case) -> LabelConvention:
    """The convention in which a new label map of the case is written. Raises CaseError where it is not certain."""
    if case.labels is None or not {"WT", "TC"} <= set(case.labels.regions):
        name = f" ({case.labels.name})" if case.labels else ""
        raise CaseError(f"its label convention is not certain{name}; state it with --labels")
    return case.labels


def region_stack(label_map: np.ndarray, convention: LabelConvention) -> np.ndarray:
    """WT, TC, ET stack ``(3, z, y, x)``, boolean; a region that the convention does not know is empty."""
    stack = np.zeros((len(REGIONS), *label_map.shape), dtype=bool)
    for region, mask in zip(REGIONS, stack, strict=True):
        if region in convention.regions:
            mask[...] = convention.mask(label_map, region)
    return stack


def convention_of(case: Case, model: str) -> LabelConvention:
    """How that model's labels are read. Raises CaseError where nobody knows."""
    convention = case.convention_of(model)
    if convention is None:
        raise CaseError(f"the label convention of {model} is not known; state it with --labels")
    return convention


def label_stacks(case: Case, models: Iterable[str]) -> Iterator[np.ndarray]:
    """Each model's region stack of the case, read one at a time."""
    for model in models:
        yield region_stack(read_label_map(case.predictions[model]), convention_of(case, model))


def known_regions(case: Case, models: Iterable[str]) -> list[str]:
    """The regions that every one of the models' conventions has, from the outermost."""
    conventions = [convention_of(case, model) for model in models]
    return [region for region in REGIONS if all(region in convention.regions for convention in conventions)]
