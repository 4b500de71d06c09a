"""Score every model on every case and say what looks wrong."""

from __future__ import annotations

from functools import partial

import pandas as pd

from ...analysis import findings, read_lesions
from ...analysis.consistency import scoring_conventions
from ...analysis.findings import findings_of_cohort
from ...cohort import Case, Cohort
from ...scoring import read_scores, write_lesions, write_scores
from ...scoring.case_cache import case_cache, case_signature
from ...scoring.case_scores import CaseScores, Settings
from ...scoring.cohort_pass import Kept, results_of_cases
from ...scoring.cohort_scores import check_workers, checked_settings, chosen_cases, compile_once, scores_or_reasons
from ...scoring.conventions import STATUSES, nsd_name
from ...scoring.extra_measures import FIRST_METRIC
from ...scoring.lesion_table import lesion_table
from ...scoring.table import score_table
from ..case_work import ScoredCase, from_json, scored_case, to_json
from ..context import Context
from ..description import JobError
from .results import joined, write_table


def run(context: Context) -> dict[str, object]:
    """``scores``, ``lesions`` (parquet and csv), ``scores.json`` and ``findings.csv`` of the workspace.

    Scores of models and cases that the job does not name are kept. Cases that have not changed since they were scored
    with the same settings are taken from the workspace's cache, also after a run that was stopped.
    """
    cohort, parameters = context.cohort(), context.job.parameters
    settings = checked_settings(
        cohort,
        parameters["convention"],
        parameters["tolerances"],
        models=parameters["models"],
        measures=parameters["measures"],
        lesion_preset=parameters["lesions"],
    )
    results, unchanged = _results(context, cohort, settings)
    scored = scores_or_reasons([_scores(result) for result in results], _cases(context, cohort), settings)
    scores = _named_from(cohort, score_table([row for of_case in scored for row in of_case.rows]), "status")
    lesions = lesion_table([row for of_case in scored for row in of_case.lesions])
    _tell_problems(context, cohort, scores)
    everything, all_lesions = _with_previous(context, scores, lesions, settings)
    found = _named_from(cohort, _findings(context, cohort, everything, results), "message")
    write_scores(everything, context.staged)
    write_lesions(all_lesions, context.staged)
    write_table(found, context.staged.findings_csv)
    return _summary(scores, settings) | {"unchanged": unchanged, "findings": len(found)}


def _named_from(cohort: Cohort, table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The table with every message naming files from the cohort's root: tables are passed on."""
    told = {text: cohort.local(text) for text in table[column].unique()}
    return table.assign(**{column: table[column].map(told).astype(table[column].dtype)})


def _cases(context: Context, cohort: Cohort) -> list[Case]:
    return chosen_cases(cohort, context.job.parameters["cases"])


def _results(context: Context, cohort: Cohort, settings: Settings) -> tuple[list[ScoredCase | Exception], int]:
    """The result of every case, and how many of them were known before."""
    parameters, cases = context.job.parameters, _cases(context, cohort)
    check_workers(parameters["workers"])
    with case_cache(context.workspace.scoring_cache) as cache:
        if parameters["fresh"]:
            cache.clear()
        kept = Kept(cache, partial(case_signature, settings=settings), partial(to_json, named=cohort.local), from_json)
        results = results_of_cases(
            partial(scored_case, settings=settings),
            cases,
            workers=parameters["workers"],
            scheduler=parameters["scheduler"],
            kept=kept,
            progress=context.progress,
            prepare=partial(compile_once, settings.engine),
        )
        return results, kept.found


def _scores(result: ScoredCase | Exception) -> CaseScores | Exception:
    return result if isinstance(result, Exception) else result.scores


def _findings(
    context: Context, cohort: Cohort, scores: pd.DataFrame, results: list[ScoredCase | Exception]
) -> pd.DataFrame:
    """From what the scoring of all cases saw; where only a part was scored, the whole cohort is looked at again."""
    if _partly(context) or any(isinstance(result, Exception) for result in results):
        return findings(cohort, scores)
    return findings_of_cohort(cohort, scores, [result.findings for result in results])


def _tell_problems(context: Context, cohort: Cohort, scores: pd.DataFrame) -> None:
    """What could not be scored or measured, except for predictions that nobody made: these the cohort has named."""
    if "calibration" in context.job.parameters["measures"] and not any(case.probabilities for case in cohort.cases):
        context.problem(
            "", "no probability map in this cohort: calibration needs them, as nnU-Net saves them on request"
        )
    for row in scores[~scores["status"].isin(STATUSES)].itertuples():
        case = cohort[row.case]
        if not row.model:
            context.problem(row.case, row.status)
        elif row.model in case.predictions or case.error_of(row.model):
            context.problem(row.case, f"{row.model}: {row.status}")


def _partly(context: Context) -> bool:
    return context.job.parameters["models"] is not None or context.job.parameters["cases"] is not None


def _with_previous(
    context: Context, scores: pd.DataFrame, lesions: pd.DataFrame, settings: Settings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The new rows and, where only a part was scored, the workspace's other rows. Raises JobError for a mixture."""
    if not _partly(context) or not context.workspace.scores_parquet.is_file():
        return scores, lesions
    kept = _others(read_scores(context.workspace), scores)
    _check_alike(kept, settings)
    others = [_others(read_lesions(context.workspace), scores)] if context.workspace.lesions_parquet.is_file() else []
    return joined([kept, scores], list(scores.columns)), joined([*others, lesions], list(lesions.columns))


def _check_alike(kept: pd.DataFrame, settings: Settings) -> None:
    """Raises JobError where the kept scores follow other rules, or have other metrics, than these settings give."""
    named = scoring_conventions(kept)
    rules = {"dice": settings.convention, "volume_reference_ml": settings.convention}
    rules |= {"lesionwise_dice": settings.lesion_preset} if "lesions" in settings.measures else {}
    if any(named.get(metric, [rule]) != [rule] for metric, rule in rules.items()):
        raise JobError("score: the workspace's other scores follow another convention; score all models and cases")
    had = {measure for measure, first in FIRST_METRIC.items() if first in named}
    wanted = {measure for measure in settings.measures if measure in had or measure != "calibration"}
    tolerances = {metric for metric in named if metric.startswith("nsd_")}
    if "dice" in named and (had != wanted or tolerances != set(map(nsd_name, settings.tolerance_mm))):
        raise JobError("score: the workspace's other scores have other measures; score all models and cases")


def _others(table: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of cases and models that ``scores`` says nothing of."""
    keys = pd.MultiIndex.from_frame(scores[["case", "model"]])
    return table[~pd.MultiIndex.from_frame(table[["case", "model"]]).isin(keys)]


def _summary(scores: pd.DataFrame, settings: Settings) -> dict[str, object]:
    dice = scores[scores["metric"] == "dice"]
    means = dice.pivot_table(index="model", columns="region", values="value", aggfunc="mean", sort=False)
    return {
        "cases": int(scores["case"].nunique()),
        "models": sorted(set(dice["model"])),
        "convention": settings.convention,
        "lesions": settings.lesion_preset if "lesions" in settings.measures else None,
        "not_scored": int((scores["metric"] == "").sum()),
        "mean_dice": means.to_dict("index"),
    }
