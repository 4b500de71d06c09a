"""What a cohort is: its cases, their files, and everything that was found wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from ..regions import LabelConvention, label_convention

CHANNELS = ("t1n", "t1c", "t2w", "t2f")


class CohortError(ValueError):
    """A folder or manifest that gives no cohort; the message says which and what to do."""


@dataclass(frozen=True)
class Problem:
    """Something that was found while looking at a case's files.

    An ``error`` without a model keeps the whole case from being scored, one with a model only that model;
    a ``note`` is for the reader's eyes alone.
    """

    message: str
    case: str = ""
    model: str = ""
    file: Path | None = None
    level: str = "error"

    def __str__(self) -> str:
        where = " / ".join(part for part in (self.case, self.model) if part)
        return f"{where}: {self.message}" if where else self.message


@dataclass(frozen=True)
class Case:
    """The files of one examination. Paths are absolute; what is missing is absent or None.

    ``labels`` names the convention in which the reference is read, ``model_labels`` a model's where it is another.
    ``person`` is the same for examinations of one person, so that a split can keep them together.
    ``attributes`` holds whatever else is known of it (scanner, field strength ...), by the column's name; never empty.
    """

    case: str
    center: str = ""
    split: str = ""
    person: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, Path] = field(default_factory=dict)
    reference: Path | None = None
    predictions: Mapping[str, Path] = field(default_factory=dict)
    probabilities: Mapping[str, Path] = field(default_factory=dict)
    labels: LabelConvention | None = None
    model_labels: Mapping[str, LabelConvention] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def files(self) -> list[Path]:
        """All of its files, images first."""
        files = [*self.images.values(), self.reference, *self.predictions.values(), *self.probabilities.values()]
        return [path for path in files if path is not None]

    def convention_of(self, model: str) -> LabelConvention | None:
        """The label convention in which that model's label map is read."""
        return self.model_labels.get(model, self.labels)

    def error_of(self, model: str = "") -> str:
        """Why the case (or that model's prediction of it) cannot be scored; empty where it can."""
        messages = [p.message for p in self.problems if p.level == "error" and p.model in ("", model)]
        return "; ".join(messages)

    def usable_models(self) -> list[str]:
        """The models whose prediction of this case has no error, in the cohort's order."""
        return [model for model in self.predictions if not self.error_of(model)]


@dataclass(frozen=True)
class Cohort:
    """Cases in a fixed order, with the folder that they were found in and how it was read."""

    root: Path
    layout: str
    cases: tuple[Case, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def models(self) -> list[str]:
        """Every model that predicted at least one case, sorted."""
        return sorted({model for case in self.cases for model in case.predictions})

    @property
    def centers(self) -> list[str]:
        return sorted({case.center for case in self.cases if case.center})

    def all_problems(self) -> list[Problem]:
        """The cohort's own problems, then each case's."""
        return [*self.problems, *(problem for case in self.cases for problem in case.problems)]

    def __getitem__(self, name: str) -> Case:
        for case in self.cases:
            if case.case == name:
                return case
        raise CohortError(f"{self.root}: no case '{name}'; the cohort has {len(self.cases)} cases")

    def local(self, text: str) -> str:
        """``text`` with files named from the cohort's root, and files elsewhere by their folder and name."""
        root = self.root
        if str(root.parent) == str(root) or "/" not in text.replace("\\", "/"):
            return text
        text = text.replace(f"{root}/", "").replace(f"{root}\\", "").replace(str(root), root.name)
        for folder in sorted(self.elsewhere, key=lambda path: -len(str(path))):
            text = text.replace(str(folder), folder.name) if folder.name else text
        return text

    @cached_property
    def elsewhere(self) -> list[Path]:
        """The folders outside of the root in which files lie."""
        files = [path for case in self.cases for path in case.files()]
        files += [problem.file for problem in self.all_problems() if problem.file]
        return sorted({path.parent for path in files if not path.is_relative_to(self.root)})

    def table(self) -> pd.DataFrame:
        """A row a case: names, attributes, files by channel and by ``predictions/<model>``, labels."""
        return pd.DataFrame([_row(case) for case in self.cases]).fillna("")


def _row(case: Case) -> dict[str, str]:
    row = {"case": case.case, "center": case.center, "split": case.split, "person": case.person}
    row |= case.attributes
    row |= {channel: str(case.images.get(channel, "")) for channel in CHANNELS}
    row["reference"] = str(case.reference or "")
    row |= {f"predictions/{model}": str(path) for model, path in case.predictions.items()}
    row |= {f"probabilities/{model}": str(path) for model, path in case.probabilities.items()}
    row["labels"] = case.labels.name if case.labels else ""
    row |= {f"labels/{model}": convention.name for model, convention in case.model_labels.items()}
    return row


def stated_convention(text: str) -> LabelConvention | None:
    """The convention that a table's cell or a command's option states; None where it is empty or 'auto'."""
    return None if text in ("", "auto") else label_convention(text)
