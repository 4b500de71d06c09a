"""What the scores say, in a few plain sentences."""

from __future__ import annotations

import pandas as pd

from ..cohort import Cohort
from ..regions import REGION_NAMES, REGIONS
from ..scoring import CONSENSUS
from .contents import Contents
from .finding import IDENTICAL, NEVER_PREDICTED, PERMUTED, SHIFTED
from .metrics import FAILED_BELOW_DICE

COVERAGE = 0.5
"""Only models that predicted at least this share of the scored cases are compared with each other."""

SERIOUS = (PERMUTED, SHIFTED, NEVER_PREDICTED, IDENTICAL)


def headline(contents: Contents) -> list[str]:
    """Sentences, the most important first: weakest region, weakest model, what failed, what is to be checked."""
    cohort, scores = contents.cohort, contents.scores
    dice = contents.scored[contents.scored["value"].notna()]
    last = [*_unscored(cohort, scores), *_to_check(contents.found)]
    if dice.empty:
        return [_nothing_scored(cohort), *last]
    return [_weakest_region(dice), *_weakest_model(dice), _failures(dice), *_without_reference(dice), *last]


def _nothing_scored(cohort: Cohort) -> str:
    if cohort.models:
        return "No prediction could be scored."
    references = sum(case.reference is not None for case in cohort.cases)
    cases = _count(len(cohort.cases), "case")
    return f"There are no predictions to score: {cases}, {references} of them with a reference."


def _weakest_region(dice: pd.DataFrame) -> str:
    medians = dice.groupby("region")["value"].median().reindex(REGIONS).dropna()
    weakest = medians.idxmin()
    others = ", ".join(f"{region} {value:.2f}" for region, value in medians.items() if region != weakest)
    compared = f" ({others})" if others else ""
    over = f"{_count(len(_pairs(dice)), 'prediction')} of {_count(dice['case'].nunique(), 'case')}"
    name = REGION_NAMES[weakest].capitalize()
    return f"{name} is the weakest region: median Dice {medians[weakest]:.2f}{compared} over {over}."


def _weakest_model(dice: pd.DataFrame) -> list[str]:
    cases = dice.groupby("model")["case"].nunique()
    compared = cases[cases >= COVERAGE * dice["case"].nunique()].index
    if len(compared) < 2:
        return []
    mean = dice[dice["model"].isin(compared)].groupby("model")["value"].mean().sort_values(kind="stable")
    sentence = (
        f"{mean.index[0]} is the weakest of {len(mean)} models (mean Dice {mean.iloc[0]:.2f} over all regions), "
        f"{mean.index[-1]} the strongest ({mean.iloc[-1]:.2f})."
    )
    left_out = len(cases) - len(compared)
    few = f" {_count(left_out, 'model')} with too few cases to compare." if left_out else ""
    return [sentence + few]


def _failures(dice: pd.DataFrame) -> str:
    worst = dice.groupby(["case", "model"])["value"].min()
    failed = int((worst < FAILED_BELOW_DICE).sum())
    if not failed:
        return "No prediction fails (Dice below 0.5 in any region)."
    cases = worst[worst < FAILED_BELOW_DICE].index.get_level_values("case").nunique()
    verb = "fails" if failed == 1 else "fail"
    return (
        f"{failed} of {_count(len(worst), 'prediction')} {verb} (Dice below 0.5 in at least one region), "
        f"in {_count(cases, 'case')}."
    )


def _without_reference(dice: pd.DataFrame) -> list[str]:
    cases = dice[dice["convention"].str.endswith(CONSENSUS)]["case"].nunique()
    if not cases:
        return []
    some = f"{_count(cases, 'case')} {'has' if cases == 1 else 'have'}"
    who = "The cases have" if cases == dice["case"].nunique() else some
    how = "there, the numbers say how far a model is from the majority of the others, not how good it is"
    return [f"{who} no reference: {how}."]


def unscored(cohort: Cohort, scores: pd.DataFrame) -> pd.DataFrame:
    """The rows that say why something could not be scored, without those of predictions that nobody made."""
    made = {(case.case, model) for case in cohort.cases for model in ["", *case.predictions]}
    failed = scores[scores["metric"] == ""]
    return failed[[key in made for key in zip(failed["case"], failed["model"], strict=True)]]


def _unscored(cohort: Cohort, scores: pd.DataFrame) -> list[str]:
    failed = unscored(cohort, scores)
    if not cohort.models or failed.empty:
        return []
    return [f"{_count(len(failed), 'prediction')} could not be scored; the reasons are below."]


def _to_check(found: pd.DataFrame) -> list[str]:
    serious = found[found["kind"].isin(SERIOUS)]
    if serious.empty:
        return []
    kinds = ", ".join(f"{kind} ({count})" for kind, count in serious["kind"].value_counts(sort=False).items())
    return [f"Check the data before the models: {kinds}."]


def _pairs(dice: pd.DataFrame) -> pd.DataFrame:
    return dice[["case", "model"]].drop_duplicates()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
