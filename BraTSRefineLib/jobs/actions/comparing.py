"""What a new label map is worth: its scores, and the scores before and after."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ...cohort import Case
from ...cohort.volumes import Geometry, read_label_map
from ...regions import REGIONS, LabelConvention
from ...scoring import CONSENSUS, SCORE_COLUMNS, score_pair
from ...scoring.case_maps import LabelMap, consensus
from .members import CaseError, convention_of

KEYS = ["region", "metric"]
BEFORE_AFTER_COLUMNS = ["case", *KEYS, "before", "after", "change"]
NO_REFERENCE = "no reference: there is nothing to score it against"
SAME = 1e-6
CODES = range(1, 1 << len(REGIONS))
"""The labels that a consensus of all regions may have."""


@dataclass(frozen=True)
class Standard:
    """What a case is scored against: a reference, or the consensus of models that had no part in the result."""

    truth: LabelMap
    policy: str
    remark: str = ""

    def scores(self, label_map: np.ndarray, labels: LabelConvention) -> pd.DataFrame:
        """Rows region, metric, value, status, convention of one label map."""
        rows = score_pair(
            self.truth.voxels,
            label_map,
            self.truth.spacing,
            labels=self.truth.labels,
            prediction_labels=labels,
            convention=self.policy,
        )
        return rows.assign(convention=self.policy + self.remark)


def standard_for(case: Case, others: list[str], geometry: Geometry, policy: str) -> Standard | None:
    """The reference of the case; without one the majority of ``others``, as in scoring; None where there is none."""
    if case.reference is not None:
        return Standard(LabelMap(read_label_map(case.reference), geometry, case.labels), policy)
    if not others:
        return None
    return Standard(_consensus(case, others, geometry), policy, CONSENSUS)


def _consensus(case: Case, models: list[str], geometry: Geometry) -> LabelMap:
    maps = [LabelMap(read_label_map(case.predictions[m]), geometry, convention_of(case, m)) for m in models]
    found = consensus(maps, REGIONS)
    if not found.labels.regions:
        raise CaseError(f"the labels of {', '.join(models)} have no tumour region in common")
    return replace(found, labels=replace(found.labels, tissues={str(code): code for code in CODES}))


def member_scores(case: Case, models: Iterable[str], standard: Standard) -> pd.DataFrame:
    """The mean over the models of each value by region and metric; what is not defined is left out of the mean."""
    return mean_of_members(each_member_s_scores(case, models, standard))


def each_member_s_scores(case: Case, models: Iterable[str], standard: Standard) -> pd.DataFrame:
    """A row each of case, model, region, metric, value, status, convention."""
    tables = [
        standard.scores(read_label_map(case.predictions[m]), convention_of(case, m)).assign(model=m) for m in models
    ]
    return pd.concat(tables, ignore_index=True).assign(case=case.case)[list(SCORE_COLUMNS)]


def mean_of_members(scores: pd.DataFrame) -> pd.DataFrame:
    """The mean of each value by region and metric, of ``each_member_s_scores``."""
    return scores.groupby(KEYS, sort=False)["value"].mean().reset_index()


def score_rows(case: str, model: str, scores: pd.DataFrame) -> pd.DataFrame:
    return scores.assign(case=case, model=model)[list(SCORE_COLUMNS)]


def unscored_row(case: str, model: str, policy: str) -> pd.DataFrame:
    """The one row that says why a result has no scores."""
    return pd.DataFrame([[case, model, "", "", np.nan, NO_REFERENCE, policy]], columns=list(SCORE_COLUMNS))


def before_after(case: str, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Rows case, region, metric, before, after, change from two tables of region, metric, value."""
    both = before[[*KEYS, "value"]].merge(after[[*KEYS, "value"]], on=KEYS, suffixes=("_before", "_after"))
    both = both.rename(columns={"value_before": "before", "value_after": "after"})
    return both.assign(case=case, change=both["after"] - both["before"])[BEFORE_AFTER_COLUMNS]


def summary_of(metric: str, table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """For each region: mean of the metric before and after, and in how many cases it got better or worse."""
    rows = table[table["metric"] == metric]
    return {region: _summary_of_region(metric, of_region) for region, of_region in rows.groupby("region", sort=False)}


def _summary_of_region(metric: str, rows: pd.DataFrame) -> dict[str, float]:
    return {
        f"{metric}_before": rows["before"].mean(),
        f"{metric}_after": rows["after"].mean(),
        "better": int((rows["change"] > SAME).sum()),
        "worse": int((rows["change"] < -SAME).sum()),
    }
