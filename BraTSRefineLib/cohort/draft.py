"""What discovery fills in while it reads a folder, before geometry and labels are checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..regions import LabelConvention
from .case import Problem
from .naming import is_volume


@dataclass
class Draft:
    """A case in the making. ``labels`` and ``model_labels`` hold what a manifest states for it."""

    case: str
    center: str = ""
    split: str = ""
    person: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    images: dict[str, Path] = field(default_factory=dict)
    reference: Path | None = None
    predictions: dict[str, Path] = field(default_factory=dict)
    probabilities: dict[str, Path] = field(default_factory=dict)
    labels: LabelConvention | None = None
    model_labels: dict[str, LabelConvention] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unreadable: set[Path] = field(default_factory=set)

    def note(self, message: str, file: Path | None = None, model: str = "") -> None:
        self.problems.append(Problem(message, self.case, model, file, level="note"))

    def error(self, message: str, file: Path | None = None, model: str = "") -> None:
        self.problems.append(Problem(message, self.case, model, file))

    def add_file(self, role: str, path: Path) -> None:
        """Take ``path`` as an image channel or the reference; a second file for the same role is an error."""
        taken = self.reference if role == "reference" else self.images.get(role)
        if taken is not None:
            what = "the reference" if role == "reference" else f"channel {role}"
            self.error(f"two files for {what}: {taken.name} and {path.name}; remove or rename one", path)
        elif role == "reference":
            self.reference = path
        else:
            self.images[role] = path

    def add_prediction(self, model: str, path: Path, *, probability: bool = False) -> None:
        """Take ``path`` as a model's label map or probability map; a second one is an error for that model."""
        files = self.probabilities if probability else self.predictions
        if model in files:
            message = f"two files of one model: {files[model].name} and {path.name}; remove or rename one"
            self.error(message, path, model)
        else:
            files[model] = path


@dataclass
class DataSet:
    """Cases that were found in one folder, by name.

    ``dataset_json`` states the labels of the references, ``model_json`` those of a model's predictions.
    """

    root: Path
    layout: str
    drafts: dict[str, Draft] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    dataset_json: Path | None = None
    model_json: dict[str, Path] = field(default_factory=dict)

    def draft(self, case: str) -> Draft:
        """The case of that name, made where there is none yet."""
        return self.drafts.setdefault(case, Draft(case))

    def note(self, message: str, file: Path | None = None, model: str = "") -> None:
        self.problems.append(Problem(message, model=model, file=file, level="note"))

    @property
    def models(self) -> list[str]:
        """Every model with a label map or a probability map, sorted."""
        return sorted({model for d in self.drafts.values() for model in (*d.predictions, *d.probabilities)})


def subfolders(folder: Path) -> list[Path]:
    """Visible subfolders, sorted by name; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__")))


def volumes(folder: Path) -> list[Path]:
    """Image files that lie directly in the folder, sorted by name; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if is_volume(path) and path.is_file())
