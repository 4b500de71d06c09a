"""What the scores say, in a few plain sentences that claim no more than the numbers do."""

from __future__ import annotations

import pandas as pd

from ..cohort import Cohort
from ..regions import SCORED_REGIONS
from ..scoring import CONSENSUS
from .cells import count, p_value, region_title
from .claims import center_claims, model_claims
from .contents import Contents
from .factors import SIZE_CUTS_ML, TISSUE_CUTS_ML, region_sizes
from .finding import KINDS, NOT_CHECKED, REMARKS, SAME_PERSON
from .lesions import MISSED, REFERENCE_SIDE
from .metrics import FAILED_BELOW_DICE
from .multiple import SIGNIFICANT
from .paired import signed_rank_p
from .strata import FEW

SERIOUS = tuple(kind for kind in KINDS if kind not in (*REMARKS, SAME_PERSON, NOT_CHECKED))
"""Findings that may spoil numbers: they are said before anything about the models."""

WEAK = "sure=weak"
"""Evidence that a finding calls weak itself."""

MOST_NAMED = 2
"""Up to so many findings are named with their model and case."""

LEAST_FAILURES = 3
"""Fewer failures than this have no pattern that is worth a sentence."""


def headline(contents: Contents) -> list[str]:
    """Sentences, the most important first: data to check, weakest region, why it fails, models, what failed."""
    cohort, scores = contents.cohort, contents.scores
    every = contents.scored[contents.scored["value"].notna()]
    first, last = _to_check(contents), _unscored(cohort, scores)
    if every.empty:
        return [_nothing_scored(cohort), *first, *last]
    dice = _judged(every)
    region = _weakest(dice)
    return [
        *first,
        _weakest_region(dice, region),
        *_small_failures(contents, dice, region),
        *_small_lesions(contents, region),
        *center_claims(contents),
        *model_claims(contents),
        _failures(dice),
        *_without_reference(every),
        *last,
    ]


def serious(contents: Contents) -> pd.DataFrame:
    """The findings that may spoil numbers: they come before everything that is said about the models."""
    found = contents.found
    weak = found["evidence"].str.contains(WEAK, regex=False) if "evidence" in found else False
    return found[found["kind"].isin(SERIOUS) & ~weak]


def _nothing_scored(cohort: Cohort) -> str:
    if cohort.models:
        return "No prediction could be scored."
    references = sum(case.reference is not None for case in cohort.cases)
    cases = count(len(cohort.cases), "case")
    return f"There are no predictions to score: {cases}, {references} of them with a reference."


def _medians(dice: pd.DataFrame) -> pd.Series:
    return dice.groupby("region")["value"].median().reindex(SCORED_REGIONS).dropna()


def _weakest(dice: pd.DataFrame) -> str:
    return str(_medians(dice).idxmin())


def _weakest_region(dice: pd.DataFrame, weakest: str) -> str:
    """``is the weakest region`` only where it is below the next one in a paired test over the cases."""
    medians = _medians(dice)
    cases = dice["case"].nunique()
    over = f"over {count(len(_pairs(dice)), 'prediction')} of {count(cases, 'case')}"
    name = region_title(weakest)
    few = f"; {count(cases, 'case')} {'says' if cases == 1 else 'say'} little about others" if cases < FEW else ""
    if len(medians) == 1:
        return f"{name}: median Dice {medians[weakest]:.2f} {over}{few}."
    others = ", ".join(f"{region} {value:.2f}" for region, value in medians.items() if region != weakest)
    figures = f"median Dice {medians[weakest]:.2f} ({others}) {over}"
    following = str(medians.drop(weakest).idxmin())
    p = _paired_p(dice, weakest, following)
    if p < SIGNIFICANT:
        return f"{name} is the weakest region: {figures}{few}."
    unsure = f"not clearly below {following} (paired over the cases, p = {p_value(p)})" if p == p else ""
    return f"{name} has the lowest figures: {figures}{f'; {unsure}' if unsure else ''}{few}."


def _paired_p(dice: pd.DataFrame, one: str, other: str) -> float:
    """Wilcoxon's signed-rank p of two regions of the same cases, each the mean over its predictions."""
    means = dice.pivot_table(index="case", columns="region", values="value", aggfunc="mean")
    return signed_rank_p((means[one] - means[other]).dropna().to_numpy())


def _small_failures(contents: Contents, dice: pd.DataFrame, region: str) -> list[str]:
    """Whether the weakest region's failures are small ones, beside how many predictions are of small ones at all."""
    rows = dice[dice["region"] == region]
    sizes = rows["case"].map(region_sizes(contents.figures, region))
    failed = rows["value"] < FAILED_BELOW_DICE
    if failed.sum() < LEAST_FAILURES or sizes.isna().all():
        return []
    cut = SIZE_CUTS_ML.get(region, TISSUE_CUTS_ML)[0]
    small, absent = (sizes > 0) & (sizes < cut), sizes == 0
    parts = []
    if (failed & small).any():
        parts.append(
            f"{_of(failed & small, failed)} have under {cut:g} ml of it in the reference "
            f"({_percent(small.mean())} of all predictions do)"
        )
    if (failed & absent).any():
        parts.append(f"{_of(failed & absent, failed)} are false alarms where the reference has none")
    said = "; ".join(parts) or f"none has under {cut:g} ml of it in the reference"
    return [f"{int(failed.sum())} of {len(rows)} predictions fail in {region} (Dice below 0.5): {said}."]


def _small_lesions(contents: Contents, region: str) -> list[str]:
    """The share of small ones among the weakest region's missed lesions, beside that among all its lesions."""
    if contents.lesions is None:
        return []
    lesions = _judged(contents.lesions)
    truth = lesions[
        (lesions["region"] == region) & (lesions["side"] == REFERENCE_SIDE) & lesions["counted"].astype(bool)
    ]
    missed, cut = truth["status"] == MISSED, SIZE_CUTS_ML.get(region, TISSUE_CUTS_ML)[0]
    if missed.sum() < LEAST_FAILURES:
        return []
    small = truth["volume_ml"] < cut
    which = f"{_of(missed & small, missed)} of the missed are" if (missed & small).any() else "none of the missed is"
    return [
        f"{int(missed.sum())} of {len(truth)} {region} lesions are missed; {which} under {cut:g} ml "
        f"({_percent(small.mean())} of all are)."
    ]


def _of(part: pd.Series, whole: pd.Series) -> str:
    return f"{int(part.sum())} ({_percent(part.sum() / whole.sum())})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _failures(dice: pd.DataFrame) -> str:
    worst = dice.groupby(["case", "model"])["value"].min()
    failed = int((worst < FAILED_BELOW_DICE).sum())
    if not failed:
        return "No prediction fails (Dice below 0.5 in any region)."
    cases = worst[worst < FAILED_BELOW_DICE].index.get_level_values("case").nunique()
    verb = "fails" if failed == 1 else "fail"
    return (
        f"{failed} of {count(len(worst), 'prediction')} {verb} (Dice below 0.5 in at least one region), "
        f"in {count(cases, 'case')}."
    )


def _judged(rows: pd.DataFrame) -> pd.DataFrame:
    """The numbers against references; those against a consensus only where there are no others."""
    consensus = rows["convention"].str.endswith(CONSENSUS)
    return rows if consensus.all() else rows[~consensus]


def _without_reference(dice: pd.DataFrame) -> list[str]:
    consensus = dice[dice["convention"].str.endswith(CONSENSUS)]["case"].nunique()
    how = "the numbers say how far a model is from the majority of the others, not how good it is"
    if not consensus:
        return []
    if consensus == dice["case"].nunique():
        return [f"The cases have no reference: there, {how}."]
    some = f"{count(consensus, 'case')} {'has' if consensus == 1 else 'have'}"
    return [f"{some} no reference: there, {how}; what is said above of regions and failures is without them."]


def unscored(cohort: Cohort, scores: pd.DataFrame) -> pd.DataFrame:
    """The rows that say why something could not be scored, without those of predictions that nobody made."""
    made = {(case.case, model) for case in cohort.cases for model in ["", *case.predictions]}
    failed = scores[scores["metric"] == ""]
    return failed[[key in made for key in zip(failed["case"], failed["model"], strict=True)]]


def _unscored(cohort: Cohort, scores: pd.DataFrame) -> list[str]:
    failed = unscored(cohort, scores)
    if not cohort.models or failed.empty:
        return []
    return [f"{count(len(failed), 'prediction')} could not be scored; the reasons are below."]


def _to_check(contents: Contents) -> list[str]:
    found = serious(contents)
    if found.empty:
        return []
    named = len(found) <= MOST_NAMED
    kinds = ", ".join(_named(kind, mine, named) for kind, mine in found.groupby("kind", sort=False))
    return [f"Check the data before the models: {kinds}."]


def _named(kind: str, found: pd.DataFrame, named: bool) -> str:
    """``lost header (fold_0, case_07)``; of many findings their number."""
    if len(found) > 1 or not named:
        return f"{kind} ({len(found)})"
    where = [name for name in (found["model"].iloc[0], found["case"].iloc[0]) if name]
    return f"{kind} ({', '.join(where)})" if where else kind


def _pairs(dice: pd.DataFrame) -> pd.DataFrame:
    return dice[["case", "model"]].drop_duplicates()
