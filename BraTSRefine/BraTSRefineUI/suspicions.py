"""What looks wrong with the data rather than with a model: the findings that scoring left in the workspace."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .overview import ProblemRow

if TYPE_CHECKING:
    from BraTSRefineLib.cohort.workspace import Workspace


@dataclass(frozen=True)
class Suspicion:
    """One finding; ``case`` is empty for what concerns a model as a whole, ``model`` for what concerns a case."""

    case: str
    model: str
    kind: str
    message: str


def readSuspicions(workspace: Workspace) -> list[Suspicion]:
    """What spoils numbers, in the order of the file; remarks about a reference are left to the report."""
    from BraTSRefineLib.analysis import REMARKS

    if not workspace.findings_csv.is_file():
        return []
    with workspace.findings_csv.open(encoding="utf-8", newline="") as file:
        found = [Suspicion(row["case"], row["model"], row["kind"], row["message"]) for row in csv.DictReader(file)]
    return [one for one in found if one.kind not in REMARKS]


def ofCase(suspicions: Sequence[Suspicion], case: str, model: str) -> list[Suspicion]:
    """Those that explain the numbers of this case of this model."""
    return [one for one in suspicions if one.case == case and one.model in ("", model)]


def suspicionRows(suspicions: Sequence[Suspicion], short: Mapping[str, str]) -> list[ProblemRow]:
    """One row a kind and model, however many cases show it; the first of them is told."""
    alike: dict[tuple[str, str], list[Suspicion]] = {}
    for one in suspicions:
        alike.setdefault((one.kind, one.model), []).append(one)
    return [_row(kind, model, group, short) for (kind, model), group in alike.items()]


def _row(kind: str, model: str, group: Sequence[Suspicion], short: Mapping[str, str]) -> ProblemRow:
    cases = [short.get(one.case, one.case) for one in group if one.case]
    where = f"{len(cases)} cases" if len(cases) > 1 else "".join(cases)
    told = f"{kind}, as in {cases[0]}: " if len(cases) > 1 else f"{kind}: "
    everywhere = "\n".join(": ".join(part for part in (one.case, one.message) if part) for one in group[:10])
    where = " / ".join(part for part in (where, model) if part) or "cohort"
    return ProblemRow(False, where, told + group[0].message, everywhere, isSuspicion=True)
