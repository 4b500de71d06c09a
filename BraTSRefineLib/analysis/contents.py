"""What a report is made of, with its texts free of this machine's folders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from ..cohort import Case, Cohort
from ..regions import SCORED_REGIONS
from .centers import CenterTests, center_tests
from .comparison import compare_models
from .factors import UNKNOWN_CENTER
from .metrics import AnalysisError
from .multiple import benjamini_hochberg
from .stability import MEAN, RankingStability, ranking_stability

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Contents:
    """Cohort, scores and findings, and what was asked for: which ``metric`` ranks, and how many pictures.

    ``lesions`` is the table of single lesions, None where the cohort was scored without it.
    """

    cohort: Cohort
    scores: pd.DataFrame
    found: pd.DataFrame
    metric: str = "dice"
    worst: int = 20
    progress: Progress | None = None
    lesions: pd.DataFrame | None = None

    @cached_property
    def scored(self) -> pd.DataFrame:
        """The Dice rows of predictions: one a case, model and region that has a number or a reason for none."""
        return self.values("dice")

    def values(self, metric: str) -> pd.DataFrame:
        """The rows of one metric that belong to a prediction."""
        return self.scores[(self.scores["metric"] == metric) & (self.scores["model"] != "")]

    @cached_property
    def figures(self) -> pd.DataFrame:
        """The scores without the metrics that no statistic of the report asks for, which makes each of them quick."""
        wanted = {self.metric, "dice", "hd95_mm", "volume_reference_ml"}
        return self.scores[self.scores["metric"].isin(wanted)]

    @cached_property
    def regions(self) -> list[str]:
        """The regions that have a row, from the outermost, then single tissues."""
        known = set(self.scores["region"])
        return [region for region in SCORED_REGIONS if region in known]

    @cached_property
    def cases(self) -> dict[str, Case]:
        return {case.case: case for case in self.cohort.cases}

    @cached_property
    def center_of(self) -> dict[str, str]:
        """Centre by case, with a name also where it is not known."""
        return {case.case: case.center or UNKNOWN_CENTER for case in self.cohort.cases}

    @cached_property
    def conventions(self) -> list[str]:
        """Every convention that a number of a prediction was computed under."""
        return list(dict.fromkeys(self.scored["convention"]))

    @property
    def convention_note(self) -> str:
        """The sentence that ends a caption: under which convention its numbers are."""
        return f"Convention: {', '.join(self.conventions)}." if self.conventions else ""

    @cached_property
    def centers_tested(self) -> CenterTests:
        """The centres compared by Dice."""
        return center_tests(self.figures, self.cohort)

    @property
    def ranking(self) -> RankingStability | None:
        """How sure the models' order by Dice is; None where there is none, for the reason of ``not_ranked``."""
        return self._ranking[0]

    @property
    def not_ranked(self) -> str:
        """Why the models cannot be ranked; empty where they can."""
        return self._ranking[1]

    @cached_property
    def _ranking(self) -> tuple[RankingStability | None, str]:
        try:
            return ranking_stability(self.figures), ""
        except AnalysisError as error:
            return None, str(error)

    @property
    def models_by_mean(self) -> pd.DataFrame:
        """The compared models, the best mean Dice first: model, value, n ...; empty without a ranking."""
        if self.ranking is None:
            return pd.DataFrame(columns=["model", "value", "n"])
        models = self.ranking.models
        return models[models["aggregation"] == MEAN].reset_index(drop=True)

    @cached_property
    def against_best(self) -> pd.DataFrame:
        """Every other model against the one of the best mean, with q over all of these tests; empty without."""
        models = list(self.models_by_mean["model"])
        if len(models) < 2:
            return pd.DataFrame()
        table = pd.concat([compare_models(self.figures, models[0], other) for other in models[1:]], ignore_index=True)
        return table.assign(q=benjamini_hochberg(table["p"]))

    def with_local_paths(self) -> Contents:
        """The same with every message naming files from the cohort's root."""
        problems = tuple(replace(p, message=self.local(p.message)) for p in self.cohort.problems)
        cases = tuple(
            replace(case, problems=tuple(replace(p, message=self.local(p.message)) for p in case.problems))
            for case in self.cohort.cases
        )
        told = {status: self.local(status) for status in self.scores["status"].unique()}
        return replace(
            self,
            cohort=replace(self.cohort, cases=cases, problems=problems),
            scores=self.scores.assign(status=self.scores["status"].map(told)),
            found=self.found.assign(message=self.found["message"].map(self.local)),
        )

    def local(self, text: str) -> str:
        """``text`` with files named from the cohort's root, and files elsewhere by their folder and name."""
        return self.cohort.local(text)
