"""Flags of one model that was predicted here, from the maps that its own folds and augmentations left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...cohort import Case, Cohort, case_geometry
from ...cohort.volumes import Geometry
from ...regions import REGIONS
from ...review import Flagged, RiskTable, read_risks, risks_file
from ..context import Context
from ..description import JobError
from .flag_tables import write_flag_maps, write_flag_tables
from .flagging import Asked, case_flags
from .members import CASE_ERRORS, CaseError
from .uncertainty_sources import from_maps, is_mapped, mapped_models, on_grid


def flag_own_maps(context: Context, cohort: Cohort, models: Sequence[str], asked: Asked) -> dict[str, object]:
    """The flags of every case that has the model's maps, in ``flags.csv`` under its name.

    Raises JobError for no model, or one that has no maps of its own.
    """
    cases = [case.case for case in cohort.cases]
    model = models[0] if models else ""
    mapped = mapped_models(context.workspace, cases)
    if model not in mapped:
        there = f"of {model} there are none" if model else f"name one of them ({', '.join(mapped) or 'there is none'})"
        raise JobError(f"uncertainty: needs at least two models, or one predicted here with its maps; {there}")
    risks = read_risks(risks_file(context.workspace, model))
    flags, done = [], []
    for case in context.cases(cohort, [model]):
        try:
            geometry, found = _flags(context, case, model, asked, risks)
        except CASE_ERRORS as error:
            context.problem(case.case, str(error))
            continue
        flags += write_flag_maps(context, case.case, geometry, found, model)
        done.append(case.case)
    if not done:
        raise JobError("uncertainty: no case could be done; the problems above say why")
    write_flag_tables(context, flags, done, cases, model)
    return {"cases": len(done), "flags": len(flags), "flags_of": model}


def _flags(
    context: Context, case: Case, model: str, asked: Asked, risks: Mapping[str, RiskTable]
) -> tuple[Geometry, dict[str, Flagged]]:
    if not is_mapped(context.workspace, model, case.case):
        raise CaseError(f"{model} has no maps of it; predict it again, with uncertainty")
    geometry = case_geometry(case)
    seen = on_grid(from_maps(context.workspace, model, case.case), geometry, model)
    found = case_flags(case.case, geometry, REGIONS, [seen], asked, risks)
    return geometry, dict(zip(REGIONS, found, strict=True))
