"""Models that were predicted into the workspace: which there are, with which settings, and which cases are done.

``predictions/<model>/`` holds a label map and a record a case, ``predictions/<model>.json`` says how all of them were
made, ``maps/<model>/`` holds the maps and ``members/<model>/<case>/`` what each of several trained models says alone,
in the order in which the record names them. The record comes last: a case without one is predicted again. Standard
library only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import places
from .description import JobError

if TYPE_CHECKING:
    from ..cohort.workspace import Workspace


@dataclass(frozen=True)
class Predicted:
    """One model of a workspace that was, or is being, predicted here."""

    workspace: Workspace
    name: str

    @property
    def folder(self) -> Path:
        return self.workspace.prediction_path(self.name, "case").parent

    @property
    def lock(self) -> Path:
        return self.folder.with_name(f".{self.folder.name}.lock")

    @property
    def about_json(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.json")

    @property
    def loss_json(self) -> Path:
        """What its fast mode was found to lose; none for the exact mode, or before it was measured."""
        return self.folder.with_name(f".{self.folder.name}.loss.json")

    def label_map(self, case: str) -> Path:
        return self.workspace.prediction_path(self.name, case)

    def members(self, case: str) -> dict[str, Path]:
        """By name, the label maps of the trained models of which this one is made in a case; none where it is one.

        Raises JobError for a damaged record.
        """
        names = (self.record_of(case) or {}).get("models", [])
        return {str(name): self.workspace.member_path(self.name, case, str(name)) for name in names}

    def record(self, case: str) -> Path:
        return self.label_map(case).with_name(self.label_map(case).name.replace(".nii.gz", ".json"))

    def about(self) -> dict[str, object] | None:
        """How the model's cases are made; None where there is none yet. Raises JobError for a damaged file."""
        content = _read(self.about_json)
        if content is None:
            return None
        files = [[Path(name).name, *state] for name, *state in content.get("files", [])]
        return places.restored(content, self.workspace.root) | {"files": files}

    def write_about(self, about: Mapping[str, object]) -> None:
        """Keep how the cases are made, paths named from the workspace on. Raises WorkspaceError."""
        from ..cohort.workspace import write_json

        write_json(self.about_json, places.kept(about, self.workspace.root))

    def loss(self) -> dict[str, object] | None:
        """What its fast mode was found to lose, None where that is not known. Raises JobError for a damaged file."""
        return _read(self.loss_json)

    def record_of(self, case: str) -> dict[str, object] | None:
        """The record of a case; None where it is not predicted yet. Raises JobError for a damaged file."""
        return _read(self.record(case)) if self.label_map(case).is_file() else None

    def done(self, case: str, images: Mapping[str, object]) -> dict[str, object] | None:
        """The record of a case that was predicted from these very images; else None."""
        record = self.record_of(case)
        if record is None:
            return None
        known = {name: [Path(file).name, *state] for name, (file, *state) in record.get("images", {}).items()}
        return record if known == images else None


def signatures(files: Mapping[str, Path]) -> dict[str, list[object]]:
    """Name, size and time of change of each file: by these an unchanged file is known again, wherever it was moved."""
    stats = {name: (path, path.stat()) for name, path in files.items()}
    return {name: [path.name, stat.st_size, stat.st_mtime_ns] for name, (path, stat) in stats.items()}


def _read(path: Path) -> dict[str, object] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise JobError(f"{path}: not readable ({error}); remove the file, its cases are then predicted again") from None
    if not isinstance(content, dict):
        raise JobError(f"{path}: not a record; remove the file, its cases are then predicted again")
    return content
