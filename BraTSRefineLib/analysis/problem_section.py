"""The report's lists of what is wrong with the data: findings, what was not scored, and the cohort's own problems."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from .contents import Contents
from .document import Part, ReportTable, Section
from .finding import REMARKS
from .headline import unscored
from .markup import Html, breakable, element, joined, listing, table

NAMED_CASES = 12
KINDS = ("not scored", "error", "note")
HEADINGS = {"message": "What", "kind": "Finding", "cases": "Cases"}


def findings_section(contents: Contents) -> Section:
    """Suspicions first, remarks on single cases folded away."""
    found = contents.found
    remarks = found["kind"].isin(REMARKS)
    parts: list[Part] = []
    if not (~remarks).any():
        parts.append("No suspicion about the data." if len(found) else "Nothing looks wrong with the data.")
    else:
        parts.append(_findings("findings", "Suspicions", found[~remarks]))
    if remarks.any():
        title = f"{int(remarks.sum())} remarks on single cases"
        parts.append(_findings("remarks", title, found[remarks], folded=True))
    return Section("findings", "Findings", tuple(parts))


def _findings(name: str, title: str, found: pd.DataFrame, folded: bool = False) -> ReportTable:
    frame = found.loc[:, ["kind", *(column for column in found.columns if column != "kind")]]
    rows = [
        [f.kind, breakable(f.case), breakable(f.model), joined(f.message, element("small", f.evidence))]
        for f in found.itertuples(index=False)
    ]
    view = _wide(table(["Finding", "Case", "Model", "What"], rows, class_="found"))
    return ReportTable(name, title, frame, headings=HEADINGS, view=view, folded=folded)


def problems_section(contents: Contents) -> Section:
    """What was not scored and why, and the cohort's other problems; one line for what many cases share."""
    groups = _grouped(contents)
    if not groups:
        return Section("problems", "Problems", ("None.",))
    keys = sorted(groups, key=lambda key: KINDS.index(key[0]))
    rows = [[*key, _cases(list(groups[key]))] for key in keys]
    view = _wide(table(["", "Model", "What", "Cases"], rows, class_="found"))
    frame = pd.DataFrame(
        [(*key, case) for key in keys for case in groups[key]], columns=["level", "model", "message", "case"]
    )
    title = "Not scored, errors and notes"
    return Section("problems", "Problems", (ReportTable("problems", title, frame, headings=HEADINGS, view=view),))


def _grouped(contents: Contents) -> dict[tuple[str, str, str], dict[str, None]]:
    """Cases by what is wrong with them: (level, model, message); an ordered set of cases each."""
    cohort = contents.cohort
    groups: dict[tuple[str, str, str], dict[str, None]] = {}
    for row in unscored(cohort, contents.scores).itertuples(index=False):
        groups.setdefault(("not scored", row.model, row.status), {})[row.case] = None
    told = {(case, message) for (_, _, message), cases in groups.items() for case in cases}
    for problem in cohort.all_problems():
        if (problem.case, problem.message) not in told:
            kind = "error" if problem.level == "error" else "note"
            groups.setdefault((kind, problem.model, problem.message), {})[problem.case] = None
    return groups


def _wide(shown: Html) -> Html:
    return element("div", shown, class_="wide")


def _cases(names: Sequence[str]) -> Html:
    shown = [name for name in names if name]
    if len(shown) <= NAMED_CASES:
        return joined(", ".join(shown))
    return element("details", element("summary", f"{len(shown)} cases"), listing(shown))
