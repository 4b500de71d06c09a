"""Score every model on every case and say what looks wrong."""

from __future__ import annotations

import pandas as pd

from ...analysis import findings
from ...cohort import Cohort
from ...scoring import read_scores, score_cohort, write_scores
from ..context import Context
from ..description import JobError
from .results import joined, write_table


def run(context: Context) -> dict[str, object]:
    """``scores.parquet``, ``scores.csv`` and ``findings.csv`` of the workspace.

    Scores of models and cases that the job does not name are kept.
    """
    cohort, parameters = context.cohort(), context.job.parameters
    to_score, to_check = len(parameters["cases"] or cohort.cases), len(cohort.cases)
    scores = score_cohort(
        cohort,
        convention=parameters["convention"],
        models=parameters["models"],
        cases=parameters["cases"],
        progress=lambda done, _, case: context.progress(done, to_score + to_check, case),
    )
    _tell_problems(context, cohort, scores)
    everything = _with_previous(context, scores)
    found = findings(
        cohort,
        everything,
        progress=lambda done, _, case: context.progress(to_score + done, to_score + to_check, case),
    )
    write_scores(everything, context.staged)
    write_table(found, context.staged.findings_csv)
    return _summary(scores) | {"findings": len(found)}


def _tell_problems(context: Context, cohort: Cohort, scores: pd.DataFrame) -> None:
    """What could not be scored, except for predictions that nobody made: these the cohort has named."""
    for row in scores[scores["metric"] == ""].itertuples():
        case = cohort[row.case]
        if not row.model:
            context.problem(row.case, row.status)
        elif row.model in case.predictions or case.error_of(row.model):
            context.problem(row.case, f"{row.model}: {row.status}")


def _with_previous(context: Context, scores: pd.DataFrame) -> pd.DataFrame:
    """The new rows and, where only a part was scored, the workspace's other rows. Raises JobError for a mixture."""
    parameters = context.job.parameters
    partly = parameters["models"] is not None or parameters["cases"] is not None
    if not partly or not context.workspace.scores_parquet.is_file():
        return scores
    previous = read_scores(context.workspace)
    keys = pd.MultiIndex.from_frame(scores[["case", "model"]])
    previous = previous[~pd.MultiIndex.from_frame(previous[["case", "model"]]).isin(keys)]
    if not previous["convention"].str.startswith(parameters["convention"]).all():
        raise JobError("score: the workspace's other scores follow another convention; score all models and cases")
    return joined([previous, scores], list(scores.columns))


def _summary(scores: pd.DataFrame) -> dict[str, object]:
    dice = scores[scores["metric"] == "dice"]
    means = dice.pivot_table(index="model", columns="region", values="value", aggfunc="mean", sort=False)
    return {
        "cases": int(scores["case"].nunique()),
        "models": sorted(set(dice["model"])),
        "not_scored": int((scores["metric"] == "").sum()),
        "mean_dice": means.to_dict("index"),
    }
