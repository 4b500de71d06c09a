"""Post-process one model's label maps: nesting of the regions, removal of small components."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd

from ...cohort import Case, case_geometry, load_cohort
from ...cohort.volumes import Geometry, read_label_map
from ...postprocessing import Change, postprocess
from ..context import Context
from .comparing import before_after, score_rows, standard_for, unscored_row
from .members import CASE_ERRORS, CaseError, convention_of, painting_convention, region_stack
from .results import CaseResult, Results, joined, write_table

CHANGE_COLUMNS = ["case", *Change.__dataclass_fields__]


def run(context: Context) -> dict[str, object]:
    """Label maps, scores, before/after and ``changes.csv`` (what was removed and added, case by case).

    A case without reference is scored, before and after, against the consensus of the cohort's other models.
    """
    model, results, changes = context.job.parameters["model"], Results(context), []
    own_models = load_cohort(context.workspace).models
    others = [other for other in own_models if other != model] if model in own_models else []
    for case in context.cases(context.cohort(), [model]):
        try:
            result, table = _postprocessed(context, case, model, others)
        except CASE_ERRORS as error:
            context.problem(case.case, str(error))
            continue
        results.add(result)
        changes.append(table)
    summary = results.write()
    return summary | {"source": model, "changes": _write_changes(context, changes)}


def _postprocessed(context: Context, case: Case, model: str, others: list[str]) -> tuple[CaseResult, pd.DataFrame]:
    if model not in case.predictions or case.error_of(model):
        raise CaseError(f"{model} cannot be used: {case.error_of(model) or 'no prediction'}")
    parameters, labels, geometry = context.job.parameters, painting_convention(case), case_geometry(case)
    before = read_label_map(case.predictions[model])
    repaired = postprocess(
        region_stack(before, convention_of(case, model)),
        hierarchy=parameters["hierarchy"],
        minimum_voxels=parameters["minimum_voxels"],
    )
    after = labels.paint(repaired.regions)
    scores, before_and_after = _worth(context, case, model, others, geometry, before, after)
    table = pd.DataFrame([asdict(change) for change in repaired.changes]).assign(case=case.case)[CHANGE_COLUMNS]
    return CaseResult(case.case, after, geometry, [model], scores, before_and_after), table


def _worth(
    context: Context,
    case: Case,
    model: str,
    others: list[str],
    geometry: Geometry,
    before: np.ndarray,
    after: np.ndarray,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows for ``scores.csv`` and for ``before_after.csv``."""
    name, policy = context.job.name, context.convention()
    usable = [other for other in case.usable_models() if other in others]
    standard = standard_for(case, usable, geometry, policy)
    if standard is None:
        return unscored_row(case.case, name, policy), pd.DataFrame()
    scores = standard.scores(after, case.labels)
    changes = before_after(case.case, standard.scores(before, convention_of(case, model)), scores)
    return score_rows(case.case, name, scores), changes


def _write_changes(context: Context, tables: list[pd.DataFrame]) -> dict[str, dict[str, int]]:
    """Write ``changes.csv``; its sums by region for the summary."""
    changes = joined(tables, CHANGE_COLUMNS)
    write_table(changes, context.outputs / "changes.csv")
    sums = changes.groupby("region", sort=False)[["removed_components", "removed_voxels", "added_voxels", "emptied"]]
    return sums.sum().astype(int).to_dict("index")
