"""What a report is made of, with its texts free of this machine's folders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from ..cohort import Cohort

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Contents:
    """Cohort, scores and findings, and what was asked for: which ``metric`` ranks, and how many pictures."""

    cohort: Cohort
    scores: pd.DataFrame
    found: pd.DataFrame
    metric: str = "dice"
    worst: int = 20
    progress: Progress | None = None

    @property
    def scored(self) -> pd.DataFrame:
        """The Dice rows of predictions: one a case, model and region that has a number or a reason for none."""
        return self.scores[(self.scores["metric"] == "dice") & (self.scores["model"] != "")]

    def with_local_paths(self) -> Contents:
        """The same with every message naming files from the cohort's root."""
        problems = tuple(replace(p, message=self.local(p.message)) for p in self.cohort.problems)
        cases = tuple(
            replace(case, problems=tuple(replace(p, message=self.local(p.message)) for p in case.problems))
            for case in self.cohort.cases
        )
        return replace(
            self,
            cohort=replace(self.cohort, cases=cases, problems=problems),
            scores=self.scores.assign(status=self.scores["status"].map(self.local)),
            found=self.found.assign(message=self.found["message"].map(self.local)),
        )

    def local(self, text: str) -> str:
        """``text`` with files named from the cohort's root, and files elsewhere by their folder and name."""
        root = self.cohort.root
        if str(root.parent) == str(root) or "/" not in text.replace("\\", "/"):
            return text
        for path in self._elsewhere:
            text = text.replace(str(path), f"{path.parent.name}/{path.name}")
        return text.replace(f"{root}/", "").replace(f"{root}\\", "").replace(str(root), root.name)

    @cached_property
    def _elsewhere(self) -> list[Path]:
        files = [path for case in self.cohort.cases for path in [case.reference, *case.predictions.values()] if path]
        return [path for path in files if self.cohort.root not in path.parents]
