"""Edits that are not saved yet, kept in the workspace so that no crash and no closed window loses them.

A draft is a folder ``corrections/<case>/drafts/<name>/`` with ``start.nii.gz`` (what was begun from), ``edit.nii.gz``
and ``draft.json``. It goes when the edit is saved or discarded.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import numpy as np

from ..cohort.volumes import read_label_map
from ..cohort.workspace import WorkspaceError, write_json
from .correction_files import template_of
from .corrections import Start, folder_of, name_part
from .flag_types import ReviewError
from .store_events import now, time_of, time_text

DRAFTS = "drafts"
ABOUT = {
    "case", "model", "who", "flag", "when", "path", "hash", "prediction_hash", "drawn", "opened", "host", "pid",
}  # fmt: skip
"""What ``draft.json`` tells."""

STILL_THERE_S = 60.0
"""How long after its last sign of life a draft may still be open in another window."""


@dataclass(frozen=True)
class Draft:
    """An edit that was not saved: of which case, whose, when it was last kept, and where it lies."""

    folder: Path
    case: str
    model: str
    who: str
    when: datetime
    flag: str = ""

    def start(self) -> Start:
        """What the edit began from, as it was then. Raises VolumeError, ReviewError where the draft is damaged."""
        about = _about(self.folder)
        kept = self.folder / "start.nii.gz"
        return Start(
            self.case, self.model, Path(about["path"]), about["hash"], read_label_map(kept), template_of(kept),
            about["prediction_hash"], about["drawn"], time_of(about["opened"]),
        )  # fmt: skip

    def labels(self) -> np.ndarray:
        """The edited label map ``(z, y, x)``, uint8. Raises VolumeError where it cannot be read."""
        return read_label_map(self.folder / "edit.nii.gz")

    def discard(self) -> None:
        """Take the draft away. Raises WorkspaceError where that cannot be."""
        _remove(self.folder)


class DraftKeeper:
    """Keeps the edit of one correction until it is saved or discarded; each window has a draft of its own."""

    def __init__(self, workspace: Path, start: Start, who: str, flag: str = "", folder: Path | None = None) -> None:
        """``folder``: that of a draft that is taken up again."""
        name = f"{name_part(start.model or 'no-model')}_{name_part(who)}_{uuid4().hex[:8]}"
        self.folder = folder or folder_of(workspace, start.case) / DRAFTS / name
        self.start, self.who, self.flag = start, who, flag

    def keep(self, labels: np.ndarray) -> None:
        """Write the edit ``(z, y, x)``; each file appears whole or not at all.

        Raises WorkspaceError, VolumeError where it cannot be written; what was kept before stays.
        """
        kept = self.folder / "start.nii.gz"
        if not kept.is_file():
            self.start.template.write(kept, self.start.labels)
        self.start.template.write(self.folder / "edit.nii.gz", labels)
        self.say_alive()

    def say_alive(self) -> None:
        """Tell other windows that this draft is being worked on. Raises WorkspaceError."""
        start = self.start
        about = {
            "case": start.case, "model": start.model, "who": self.who, "flag": self.flag, "when": time_text(now()),
            "path": str(start.path), "hash": start.hash, "prediction_hash": start.prediction_hash,
            "drawn": start.drawn, "opened": time_text(start.opened), "host": socket.gethostname(), "pid": os.getpid(),
        }  # fmt: skip
        write_json(self.folder / "draft.json", about)

    def let_go(self) -> None:
        """The window lets the draft lie: from now on anybody may take it up. Raises WorkspaceError."""
        if self.is_kept:
            about = _about(self.folder) | {"host": "", "pid": 0}
            write_json(self.folder / "draft.json", about)

    def discard(self) -> None:
        """The edit was saved, or is not wanted. Raises WorkspaceError where the draft cannot be taken away."""
        if self.folder.is_dir():
            _remove(self.folder)

    @property
    def is_kept(self) -> bool:
        """Whether there is anything to recover."""
        return (self.folder / "draft.json").is_file()


def drafts(workspace: Path, case: str, who: str | None = None, model: str | None = None) -> list[Draft]:
    """What was not saved in a case and is not open in another window, newest first; one that is damaged is passed over.

    With ``who`` and ``model`` only that reader's, of that model.
    """
    found = []
    for described in sorted((folder_of(workspace, case) / DRAFTS).glob("*/draft.json")):
        try:
            about = _about(described.parent)
            draft = Draft(
                described.parent, about["case"], about["model"], about["who"], time_of(about["when"]), about["flag"]
            )
        except ReviewError:
            continue
        wanted = draft.case == case and who in (None, draft.who) and model in (None, draft.model)
        if wanted and (described.parent / "edit.nii.gz").is_file() and not _is_open(described, about):
            found.append(draft)
    return sorted(found, key=lambda draft: draft.when, reverse=True)


def _is_open(described: Path, about: dict) -> bool:
    """Whether another window, maybe on another computer, works on the draft."""
    if not about["pid"] or (about["host"] == socket.gethostname() and not _is_running(about["pid"])):
        return False
    return time.time() - described.stat().st_mtime < STILL_THERE_S


def _is_running(pid: int) -> bool:
    """Whether such a process runs here; taken for granted where it cannot be asked (Windows)."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _about(folder: Path) -> dict:
    try:
        about = json.loads((folder / "draft.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReviewError(f"{folder}: this draft cannot be read ({error})") from error
    if not isinstance(about, dict) or not about.keys() >= ABOUT:
        raise ReviewError(f"{folder}: this draft cannot be read")
    return about


def _remove(folder: Path) -> None:
    try:
        (folder / "draft.json").unlink(missing_ok=True)  # first, so that what is left over is no draft
        shutil.rmtree(folder)
    except OSError as error:
        raise WorkspaceError(f"{folder}: the draft was not taken away ({error.strerror or error})") from error
