"""The outputs of a run that makes label maps: the maps, their scores, before and after, and the summary."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ...cohort.volumes import Geometry, write_volume
from ...cohort.workspace import written_whole
from ...scoring import SCORE_COLUMNS
from ..context import Context
from ..description import JobError
from ..fused import PREDICTIONS, prediction_file
from .comparing import BEFORE_AFTER_COLUMNS, NO_REFERENCE, summary_of


@dataclass(frozen=True)
class CaseResult:
    """One case's new label map (None: it is written elsewhere already) and what is known about its worth."""

    case: str
    label_map: np.ndarray | None
    geometry: Geometry
    members: list[str]
    scores: pd.DataFrame
    before_after: pd.DataFrame


@dataclass
class Results:
    """Takes in one case after the other; writes the maps at once and the tables at the end.

    ``model``: the new model's name; empty where it is that of the job.
    """

    context: Context
    model: str = ""
    scores: list[pd.DataFrame] = field(default_factory=list)
    before_after: list[pd.DataFrame] = field(default_factory=list)
    members: list[tuple[str, str]] = field(default_factory=list)

    def add(self, result: CaseResult) -> None:
        if result.label_map is not None:
            path = prediction_file(self.context.outputs / PREDICTIONS, result.case)
            write_volume(path, result.label_map, result.geometry, f"BraTSRefine {self.context.job.name}")
        self.scores.append(result.scores)
        self.before_after.append(result.before_after)
        self.members += [(result.case, member) for member in result.members]

    def write(self) -> dict[str, object]:
        """Write ``scores.csv``, ``before_after.csv`` and ``members.csv`` (what each map was made from); the summary.

        Raises JobError where no case was done.
        """
        if not self.scores:
            raise JobError(f"{self.context.job.kind}: no case could be done; its problems say why")
        scores = joined(self.scores, list(SCORE_COLUMNS))
        changes = joined(self.before_after, BEFORE_AFTER_COLUMNS)
        write_table(scores, self.context.outputs / "scores.csv")
        write_table(changes, self.context.outputs / "before_after.csv")
        write_table(pd.DataFrame(self.members, columns=["case", "model"]), self.context.outputs / "members.csv")
        return self._summary(scores, changes)

    def _summary(self, scores: pd.DataFrame, changes: pd.DataFrame) -> dict[str, object]:
        unscored = int((scores["status"] == NO_REFERENCE).sum())
        summary = {"model": self.model or self.context.job.name, "cases": len(self.scores)}
        summary["scored_with"] = ", ".join(sorted(set(scores.loc[scores["metric"] == "dice", "convention"])))
        summary["before_after"] = summary_of("dice", changes)
        if not summary["before_after"]:
            dice = scores[scores["metric"] == "dice"]
            summary["mean_dice"] = dice.groupby("region", sort=False)["value"].mean().to_dict()
        if unscored:
            summary["agreement"] = summary_of("agreement", changes)
            summary["note"] = f"{unscored} of {len(self.scores)} cases: {NO_REFERENCE}"
        return summary


def joined(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """The tables one below the other; the columns alone where there are none."""
    filled = [table for table in tables if not table.empty]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """A CSV file that appears whole or not at all."""
    with written_whole(path) as temporary:
        table.to_csv(temporary, index=False)
