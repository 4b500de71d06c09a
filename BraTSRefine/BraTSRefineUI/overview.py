"""The cohort in words: what was found, and what is wrong with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from .casedata import CHANNEL_NAMES

if TYPE_CHECKING:
    from BraTSRefineLib.cohort.case import Cohort


NAMES_SHOWN = 6
LONGEST_NAME = 20
FILE_NAME = re.compile(r"(\bthan )?[^\s:]*[/\\]\S*\.(nii|npz|mha|nrrd)[^\s:]*")


@dataclass(frozen=True)
class ProblemRow:
    """One thing that is wrong, once, however many cases it concerns; ``everywhere`` names them all.

    A suspicion is a finding about the data: nothing was skipped, but the numbers may mean something else.
    """

    isError: bool
    where: str
    message: str
    everywhere: str
    isSuspicion: bool = False


def cutInside(text: str, length: int) -> str:
    """The text in at most that many characters; its end tells names apart and stays whole."""
    if len(text) <= length:
        return text
    start = (length - 1) // 3
    return f"{text[:start]}…{text[start + 1 - length :]}"


def headline(cohort: Cohort) -> str:
    """The cohort in one line: its name, how much there is, how it is read."""
    labels = sorted({case.labels.name for case in cohort.cases if case.labels})
    parts = [
        f"{len(cohort.cases)} cases",
        f"{len(cohort.models)} models" if len(cohort.models) != 1 else "1 model",
        labels[0] if len(labels) == 1 else f"{len(labels)} label conventions" if labels else "no labels",
    ]
    return f"<b>{escape(cutInside(cohort.root.name, LONGEST_NAME))}</b> · " + " · ".join(escape(part) for part in parts)


def summary(cohort: Cohort) -> list[tuple[str, str]]:
    """What was found: layout, cases, channels, references, models, conventions."""
    cases = cohort.cases
    withReference = sum(case.reference is not None for case in cases)
    pairs = [
        ("Layout", cohort.layout),
        ("Cases", f"{len(cases)}" + (f" from {len(cohort.centers)} centres" if cohort.centers else "")),
        ("Images", _channels(cases)),
        ("References", f"{withReference} of {len(cases)}" + ("" if withReference else ": scored against a consensus")),
        ("Models", _counted([model for case in cases for model in case.predictions], len(cases)) or "none"),
        ("Probabilities", _counted([model for case in cases for model in case.probabilities], len(cases)) or "none"),
        ("Labels", _counted([c.labels.name for c in cases if c.labels], len(cases)) or "not known: state them above"),
    ]
    return pairs


def problemRows(cohort: Cohort) -> list[ProblemRow]:
    """Everything that was found wrong, equal messages together, the errors first."""
    short = shortNames([case.case for case in cohort.cases])
    alike: dict[tuple, list] = {}
    for problem in cohort.all_problems():
        key = (problem.level != "error", withoutPaths(problem.message), problem.model)
        alike.setdefault(key, []).append(problem)
    return [_problemRow(*key, problems, short) for key, problems in sorted(alike.items(), key=lambda item: item[0][0])]


def _problemRow(isNote: bool, message: str, model: str, problems: list, short: Mapping[str, str]) -> ProblemRow:
    cases = [short.get(problem.case, problem.case) for problem in problems if problem.case]
    where = f"{len(cases)} cases" if len(cases) > 2 else ", ".join(cases)
    where = " / ".join(part for part in (where, model) if part) or "cohort"
    return ProblemRow(not isNote, where, message, "\n".join(str(problem) for problem in problems[:30]))


def _channels(cases) -> str:
    counted = _counted([CHANNEL_NAMES.get(channel, channel) for case in cases for channel in case.images], len(cases))
    return counted or "none: label maps are shown on an empty ground"


def _counted(names: Sequence[str], cases: int) -> str:
    """``unet, fold_0 (3 of 8)``: each name once, with how many cases have it unless all do."""
    counts = Counter(names)
    shown = counts.most_common(NAMES_SHOWN) if len(counts) > NAMES_SHOWN else sorted(counts.items())
    more = f" and {len(counts) - len(shown)} more" if len(counts) > len(shown) else ""
    return ", ".join(name if n == cases else f"{name} ({n} of {cases})" for name, n in shown) + more


def withoutPaths(text: str) -> str:
    """A message without the files that it names, for a place where there is no room for them."""
    return " ".join(FILE_NAME.sub(" ", text).split()).replace(" :", ":").lstrip(": ")


def shortNames(names: Sequence[str]) -> dict[str, str]:
    """Each name without the beginning that all of them share, cut behind a separator; unchanged where little is won."""
    first, last = min(names, default=""), max(names, default="")
    shared = first[: next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)]
    cut = max((shared.rfind(separator) for separator in "_-/"), default=-1) + 1
    return {name: name[cut:] or name for name in names} if cut > 4 else {name: name for name in names}
