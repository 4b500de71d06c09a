"""What a table of cases can show: every metric of every region, ranks, size, centre, decision. No Qt, no MRML.

``CaseColumns(rows, scores, model, region)`` answers in arrays that are aligned with the rows; NaN and "" are unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import measures
from .scoredhow import ScoredHow
from .tables import CaseRow

if TYPE_CHECKING:
    import pandas as pd

CASE, CENTER, PATTERN, DECISION = "case", "centre", "what is wrong", "decision"
TEXTS = (CASE, CENTER, PATTERN, DECISION)
MEAN_RANK, RANK_SUM = "mean rank", "rank sum"
RANKS = (MEAN_RANK, RANK_SUM)
SIZE = "volume_reference_ml"


@dataclass(frozen=True)
class Key:
    """Which column: one of ``TEXTS`` or ``RANKS``, or a metric of a region."""

    name: str
    region: str = ""

    @property
    def isText(self) -> bool:
        return self.name in TEXTS

    def __str__(self) -> str:
        """As it is kept in the settings and heads a column of an exported file."""
        return f"{self.name} {self.region}".strip()

    @classmethod
    def read(cls, text: str) -> Key:
        if text in (*TEXTS, *RANKS):
            return cls(text)
        name, _space, region = text.rpartition(" ")
        return cls(name, region)


class CaseColumns:
    """The columns of the rows of one model; what is asked for is computed once."""

    def __init__(
        self,
        rows: Sequence[CaseRow],
        scores: pd.DataFrame | None = None,
        model: str = "",
        region: str = "ET",
        decisions: Mapping[str, str] | None = None,
        how: ScoredHow | None = None,
    ) -> None:
        self.rows, self.model, self.region = list(rows), model, region
        self.cases = [row.case for row in rows]
        self.isUnpredicted = np.array([row.isUnpredicted for row in rows], dtype=bool)
        self.rankProblem = ""
        self.how = how or ScoredHow()
        self._scores, self._decisions = scores, decisions or {}
        self._numbers: dict[Key, np.ndarray] = {}
        self._texts: dict[Key, list[str]] = {}
        self._places: dict[tuple[str, str], np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def withDecisions(self, decisions: Mapping[str, str]) -> CaseColumns:
        """The same with other decisions; what was computed is kept."""
        other = copy(self)
        other._decisions = decisions
        other._texts = {key: texts for key, texts in self._texts.items() if key.name != DECISION}
        return other

    def metrics(self) -> list[str]:
        """Every metric of the model that was scored: first those that rank, then the others."""
        known = {metric for metric, _region in self._index()}
        first = [metric for metric in measures.orderOf(known) if metric in known]
        return first + sorted(known - set(first))

    def regions(self) -> list[str]:
        """The regions that were scored, the outer one first."""
        known = {region for _metric, region in self._index()}
        if not known:
            return []
        from BraTSRefineLib.regions import SCORED_REGIONS

        return [region for region in SCORED_REGIONS if region in known]

    def numbers(self, key: Key) -> np.ndarray:
        """The column's numbers (float, a row a case); NaN where there is none."""
        if key not in self._numbers:
            self._numbers[key] = self._ranks(key) if key.name in RANKS else self._metric(key)
        return self._numbers[key]

    def convention(self, key: Key) -> str:
        """By which convention the column's numbers were taken; empty where there is none."""
        places = self._index().get((key.name, key.region), ())
        return str(self._chosen["convention"].iloc[places[0]]).partition(" vs ")[0] if len(places) else ""

    def texts(self, key: Key) -> list[str]:
        """The column's words, a row a case; empty where there is none."""
        if key not in self._texts:
            self._texts[key] = {
                CASE: lambda: self.cases,
                CENTER: lambda: [row.center for row in self.rows],
                PATTERN: lambda: [row.words for row in self.rows],
                DECISION: lambda: [self._decisions.get(case, "") for case in self.cases],
            }[key.name]()
        return self._texts[key]

    def has(self, key: Key) -> bool:
        """Whether the column holds anything at all."""
        return any(self.texts(key)) if key.isText else bool(np.isfinite(self.numbers(key)).any())

    def order(self, key: Key, descending: bool = False) -> np.ndarray:
        """The rows sorted by the column: stable, what is unknown last whichever way."""
        if key.isText:
            words = np.array([text.casefold() for text in self.texts(key)], dtype=object)
            unknown = words == ""
            values = np.unique(words.astype(str), return_inverse=True)[1].astype(float)
        else:
            values = self.numbers(key)
            unknown = ~np.isfinite(values)
        values = np.where(unknown, np.inf, -values if descending else values)
        return np.argsort(values, kind="stable")

    def _metric(self, key: Key) -> np.ndarray:
        values = np.full(len(self), np.nan)
        places = self._index().get((key.name, key.region))
        if places is not None:
            found = self._chosen.iloc[places]
            rows = self._rowsOf(found["case"])
            values[rows[rows >= 0]] = found["value"].to_numpy()[rows >= 0]
        return values

    def _rowsOf(self, cases: pd.Series) -> np.ndarray:
        """The row of each case; -1 where it is not in the table."""
        import pandas as pd

        return pd.Index(self.cases).get_indexer(cases)

    def _index(self) -> dict[tuple[str, str], np.ndarray]:
        """Where the scores of each metric and region of the model lie."""
        if self._places is None:
            self._places = {}
            if self._scores is not None and len(self._scores):
                scores = self._scores
                self._chosen = scores[(scores["model"] == self.model) & (scores["metric"] != "")]
                self._places = self._chosen.groupby(["metric", "region"], sort=False).indices
        return self._places

    def _ranks(self, key: Key) -> np.ndarray:
        """The challenge's ranks; ``rankProblem`` says why there are none."""
        from BraTSRefineLib.analysis import AnalysisError, case_rank_sums, mean_ranks

        values = np.full(len(self), np.nan)
        if self._scores is None or not len(self._scores):
            return values
        try:
            if key.name == MEAN_RANK:
                table = mean_ranks(self._scores[self._scores["model"] == self.model])
                table = table.rename(columns={"mean_rank": "rank"})
            else:
                table = case_rank_sums(self._scores).rename(columns={"rank_sum": "rank"})
        except AnalysisError as error:
            self.rankProblem = str(error)
            return values
        table = table[table["model"] == self.model]
        rows = self._rowsOf(table["case"])
        values[rows[rows >= 0]] = table["rank"].to_numpy()[rows >= 0]
        return values
