"""How a number was made: scoring convention, labels, version of the metrics, what an empty mask is worth. No Qt."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field

WIDTH = 90
"""Characters a line of a tool tip, which does not wrap plain text itself."""


@dataclass(frozen=True)
class ScoredHow:
    """Of one model's scores. ``version``: of the metrics, 0 where nothing was scored; ``labels``: by case."""

    version: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)

    def words(self, convention: str, case: str = "") -> str:
        """``by brats2023, labels brats2024-gli, metrics v2``; empty where nothing was scored.

        Without a case the labels are named where all cases have the same.
        """
        if not convention or not self.version:
            return ""
        everywhere = set(self.labels.values())
        labels = self.labels.get(case, "") if case else everywhere.pop() if len(everywhere) == 1 else ""
        return ", ".join(part for part in (f"by {convention}", labels and f"labels {labels}", self._metrics) if part)

    def explained(self, convention: str, case: str = "") -> str:
        """The same, and below it what the convention says of empty masks."""
        words = self.words(convention, case)
        return f"{words[:1].upper()}{words[1:]}\n{ofEmptyMasks(convention)}".strip() if words else ""

    @property
    def _metrics(self) -> str:
        return f"metrics v{self.version}"


def ofEmptyMasks(convention: str) -> str:
    """What a convention says of empty masks; empty for one of lesions, whose rules the report has."""
    from BraTSRefineLib.scoring import CONVENTIONS, explain_convention

    if convention not in CONVENTIONS:
        return ""
    return textwrap.fill(explain_convention(convention).splitlines()[0].partition(": ")[2], WIDTH)
