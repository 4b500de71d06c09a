"""Is the uncertainty worth anything: maps, flags and the predicted quality of a cohort against its references."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ...analysis.uncertainty_page import write_uncertainty_page
from ...cohort import Case, Cohort, case_geometry
from ...cohort.volumes import Geometry, read_label_map
from ...regions import REGIONS
from ...review import ReviewError, risks_file, write_risks
from ...scoring.agreement import agreement
from ...scoring.map_worth import map_worth
from ...scoring.quality import FEATURES, features_of
from ..context import Context
from ..description import JobError
from .evaluation_compared import compared
from .evaluation_flags import FlagStudy, kept_tables, worth_summary
from .evaluation_maps import IN_BAND, IN_BRAIN, MapStudy
from .evaluation_quality import quality_tables
from .flagging import Seen
from .members import CASE_ERRORS, CaseError, known_regions, region_stack, usable_members
from .uncertainty import brain_of
from .uncertainty_sources import PROBABILITIES, VOTES, case_sources, mapped_models, relative_uncertainty

COMPARED = ("cases", "dice", "qu_brats", "aurc", "ece", "coverage", "precision", "rank_correlation")
FLAG_FIGURES = ("coverage", "precision", "flagged_ml", "flags", "rank_correlation")
QUALITY_FIGURES = ("n", "pairwise_dice_rank", "regression_rank", "mean_absolute_error", "within_interval")


@dataclass
class Study:
    """What is known of the cases done so far."""

    flags: FlagStudy
    maps: MapStudy = field(default_factory=MapStudy)
    agreements: list[dict[str, object]] = field(default_factory=list)
    sources: dict[str, None] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Examination:
    """One case as it is evaluated: its usable members and the regions that all of them know."""

    case: Case
    geometry: Geometry
    members: list[str]
    regions: list[str]

    @property
    def name(self) -> str:
        return self.case.case

    @property
    def group(self) -> str:
        """What is left out together."""
        return self.case.person or self.case.case

    def truth(self) -> np.ndarray | None:
        """The reference's region stack; None where there is none."""
        if self.case.reference is None:
            return None
        return region_stack(read_label_map(self.case.reference), self.case.labels)


def run(context: Context) -> dict[str, object]:
    """``evaluation/`` of the workspace: tables, ``report.html`` and the flags' calibration; both tables in the summary.

    Raises JobError where nothing can be evaluated.
    """
    cohort, models = _cohort(context)
    mapped = _mapped(context, cohort)
    if len(models) < 2 and not mapped:
        raise JobError("evaluate: no uncertainty; it takes two models, or one that was predicted here with its maps")
    study = Study(FlagStudy(context.job.parameters["precision"]))
    found = list(_examinations(context, cohort, models))
    steps = len(found) + sum(one.case.reference is not None for one in found)
    _each(context, found, lambda one: _learn(context, one, mapped, study), 0, steps)
    known = [one for one in found if one.name in study.done]
    _each(context, known, lambda one: _judge(context, one, mapped, study), len(found), steps)
    return _write(context, cohort, study)


def _cohort(context: Context) -> tuple[Cohort, list[str]]:
    cohort, named = context.cohort(), context.job.parameters["cases"]
    if named is not None:
        cohort = replace(cohort, cases=tuple(case for case in cohort.cases if case.case in named))
    return cohort, list(dict.fromkeys(context.job.parameters["models"] or cohort.models))


def _mapped(context: Context, cohort: Cohort) -> list[str]:
    """The models with maps of their own, in the order in which the job names them; all where it names none."""
    there = mapped_models(context.workspace, [case.case for case in cohort.cases])
    named = context.job.parameters["models"]
    return there if named is None else [name for name in dict.fromkeys(named) if name in there]


def _examinations(context: Context, cohort: Cohort, models: list[str]) -> Iterator[Examination]:
    """The cases that can be read; of the others the problem is told."""
    for case in cohort.cases:
        try:
            members = usable_members(context, case, models)
            if case.labels is None:
                raise CaseError("its label convention is not known; state it with --labels")
            regions = [region for region in known_regions(case, members) if region in case.labels.regions]
            yield Examination(case, case_geometry(case), members, regions)
        except CASE_ERRORS as error:
            context.problem(case.case, str(error))


def _each(context: Context, found: list[Examination], act: Callable[[Examination], None], before: int, of: int) -> None:
    """One case after the other; one that cannot be done is a problem, and the others go on."""
    for step, one in enumerate(found, start=before + 1):
        try:
            act(one)
        except CASE_ERRORS as error:
            context.problem(one.name, str(error))
        context.progress(step, of, one.name)


def _learn(context: Context, one: Examination, mapped: list[str], study: Study) -> None:
    """Everything that a case tells by itself; without a reference only how far its members agree."""
    truth = one.truth()
    brain = None if truth is None else brain_of(one.case, one.geometry.array_shape)
    chosen = [] if truth is None else mapped
    for source, seen in case_sources(one.case, one.members, chosen, context.workspace, one.geometry):
        study.sources[source] = None
        for region in one.regions:
            level = REGIONS.index(region)
            if source == VOTES:
                study.agreements.append(_agreement(one, region, seen, truth))
            if truth is not None:
                _learn_region(one, source, seen, region, truth[level], brain, study)
        if truth is None:
            break  # the votes come first, and the other sources say nothing without a reference
    if truth is not None:
        study.done.append(one.name)


def _learn_region(
    one: Examination, source: str, seen: Seen, region: str, truth: np.ndarray, brain: np.ndarray | None, study: Study
) -> None:
    level = REGIONS.index(region)
    fused = seen.consensus[level]
    study.flags.learn(one.name, one.group, source, region, seen, fused != truth, one.geometry)
    probability, uncertainty = seen.quantities["mean"][level], relative_uncertainty(seen, level)
    found = map_worth(truth, fused, probability, uncertainty, one.geometry.array_spacing, brain)
    if found is not None:
        study.maps.add(one.name, one.group, source, region, found, IN_BAND if brain is None else IN_BRAIN)


def _judge(context: Context, one: Examination, mapped: list[str], study: Study) -> None:
    """The flags of a case by what was learnt from the others."""
    truth, budget = one.truth(), context.job.parameters["budget_ml"]
    for source, seen in case_sources(one.case, one.members, mapped, context.workspace, one.geometry):
        wrong = {region: seen.consensus[level] != truth[level] for level, region in enumerate(REGIONS)}
        cuts = []
        for region in one.regions:
            try:
                cuts.append(study.flags.judge(one.name, source, region, seen, wrong[region], one.geometry))
            except ReviewError as error:
                context.problem(one.name, str(error))
        if budget is not None and cuts:
            study.flags.judge_budget(source, cuts, wrong, budget, one.geometry)


def _agreement(one: Examination, region: str, seen: Seen, truth: np.ndarray | None) -> dict[str, object]:
    level = REGIONS.index(region)
    fused = seen.consensus[level]
    found = agreement([stack[level] for stack in seen.masks.values()], fused, one.geometry.voxel_ml)
    row = {"case": one.name, "group": one.group, "region": region, "dice": np.nan}
    if truth is not None:
        volume = int(fused.sum() + truth[level].sum())
        row["dice"] = 2 * int((fused & truth[level]).sum()) / volume if volume else 1.0
    row |= dict(zip(FEATURES, features_of(found), strict=True)) | {"pairwise_dice": found.pairwise_dice}
    return row | {"empty_consensus": found.empty_consensus, "few_voxels": found.few_voxels}


def _write(context: Context, cohort: Cohort, study: Study) -> dict[str, object]:
    if not study.done:
        raise JobError("evaluate: no case with a reference could be evaluated; the problems above say why")
    tables = {
        "compared": compared(study.maps.cases(), study.flags.worths()),
        "sources": study.maps.sources(),
        "cases": study.maps.cases(),
        "reliability": study.maps.reliability(),
        "risk-coverage": study.maps.risk_coverage(),
        "temperature": study.maps.temperatures(),
        "flags": worth_summary(study.flags.worths()),
        "flags-by-case": study.flags.worths(),
        "flag-curve": study.flags.curves(),
    }
    tables |= quality_tables(context, pd.DataFrame(study.agreements))
    title = f"BraTSRefine: {cohort.root.name}"
    page = write_uncertainty_page(title, tables, len(study.done), context.staged.evaluation)
    _write_risks(context, study)
    return _summary(tables, study, context.workspace.evaluation / page.name)


def _write_risks(context: Context, study: Study) -> None:
    """The calibration of the flags across the models, and for each predicted model that of its own."""
    across = [source for source in study.sources if source in (VOTES, PROBABILITIES)]
    for source in study.sources:
        own, model = ([source], source) if source not in across else (across, "")
        write_risks(kept_tables(study.flags, own, REGIONS), risks_file(context.staged, model))


def _summary(tables: dict[str, pd.DataFrame], study: Study, page: Path) -> dict[str, object]:
    side_by_side, flags, quality = tables["compared"], tables["flags"], tables.get("quality-summary")
    rows = {"cases": len(study.done), "report": str(page)}
    rows["sources"] = {
        f"{row['region']}, {row['source']}": _numbers(row, COMPARED) for _, row in side_by_side.iterrows()
    }
    rows["flags"] = {
        f"{row['region']}, {row['way']}, {row['source']}": _numbers(row, FLAG_FIGURES) for _, row in flags.iterrows()
    }
    if quality is not None:
        rows["quality"] = {row["region"]: _numbers(row, QUALITY_FIGURES) for _, row in quality.iterrows()}
    return rows


def _numbers(row: pd.Series, names: tuple[str, ...]) -> dict[str, float]:
    return {name: float(row[name]) for name in names}
