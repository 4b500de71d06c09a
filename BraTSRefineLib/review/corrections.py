"""Corrected label maps: each save is a new version beside the others, and none is ever written over.

A version is ``corrections/<case>/<case>_<model>_<reviewer>_<UTC>.nii.gz`` in the workspace, with a ``.json`` beside it
that holds its event. The file and the store say the same, so that either can be lost without the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..cohort.case import Case
from ..cohort.volumes import read_label_map
from ..cohort.workspace import WorkspaceError, safe_name, write_json
from .correction_files import Template, blank_template_of, template_of
from .correction_labels import kept_inside
from .file_hash import file_hash
from .flag_types import ReviewError
from .store_events import CORRECTION, Event, event_of, now
from .store_state import standing

FOLDER = "corrections"
LONGEST_PART = 60
"""Bytes of a name within a file's name, of which there are 255."""

OK, MISSING, CHANGED = "ok", "missing", "changed"


class SourceChanged(ReviewError):
    """The file that a correction began from is no longer what it was when it was opened."""


@dataclass(frozen=True)
class Start:
    """What a correction begins from, as it was when it was opened.

    ``path`` is the label map, or, where ``drawn``, the image on whose grid one is drawn from nothing. ``hash`` is the
    SHA-256 of that file. ``prediction_hash`` is that of the prediction at the beginning of the line, '' without one.
    ``labels`` is the map ``(z, y, x)``, uint8.
    """

    case: str
    model: str
    path: Path
    hash: str
    labels: np.ndarray = field(repr=False)
    template: Template = field(repr=False)
    prediction_hash: str = ""
    drawn: bool = False
    opened: datetime = field(default_factory=now)

    def is_unchanged(self) -> bool:
        """Whether the file on disk is still the one that was opened."""
        try:
            return file_hash(self.path) == self.hash
        except ReviewError:
            return False


@dataclass(frozen=True)
class Version:
    """A saved correction: its event and where its file lies."""

    event: Event
    path: Path

    def status(self) -> str:
        """``ok``, or that the file is missing or was changed since it was saved."""
        if not self.path.is_file():
            return MISSING
        return OK if file_hash(self.path) == self.event.payload.get("sha256") else CHANGED


def start_from_prediction(case: Case, model: str) -> Start:
    """The model's label map of the case; without one, an empty map on the grid of the case's first image.

    Raises ReviewError where there is neither, VolumeError where the file cannot be used.
    """
    path = case.predictions.get(model)
    if path is not None:
        start = _start(case.case, model, path)
        return replace(start, prediction_hash=start.hash)
    image = next(iter(case.images.values()), None)
    if image is None:
        raise ReviewError(
            f"{case.case}: nothing to correct, there is no prediction of {model or 'a model'} and no image"
        )
    template = blank_template_of(image)
    empty = np.zeros(template.shape, dtype=np.uint8)
    return Start(case.case, model, image, file_hash(image), empty, template, drawn=True)


def start_from_version(version: Version) -> Start:
    """A saved correction. Raises ReviewError where its file is missing or was changed, VolumeError if unreadable."""
    status = version.status()
    if status != OK:
        advice = "start from an older version or from the prediction"
        raise ReviewError(f"{version.path}: {status} since it was saved; {advice}")
    event = version.event
    return replace(_start(event.case, event.model, version.path), prediction_hash=event.prediction_hash)


def _start(case: str, model: str, path: Path) -> Start:
    """Raises ReviewError where the file changes while it is read."""
    before = file_hash(path)
    start = Start(case, model, path, before, read_label_map(path), template_of(path))
    if not start.is_unchanged():
        raise ReviewError(f"{path}: was written while it was read; try again")
    return start


def save_correction(
    workspace: Path,
    start: Start,
    edited: np.ndarray,
    who: str,
    *,
    flag: str = "",
    inside: np.ndarray | None = None,
    note: str = "",
    though_changed: bool = False,
) -> Version:
    """Keep an edited label map ``(z, y, x)`` as a new version; its ``event`` is still to be recorded in a store.

    Grid, header and voxel type are the start's. What was changed outside of the mask ``inside`` is not taken; the
    payload says how many voxels in ``left_out``. Raises SourceChanged where the start's file is no longer what was
    opened, unless ``though_changed``; ReviewError where nothing is changed; WorkspaceError and VolumeError where the
    file cannot be written. Nothing is left behind then.
    """
    changed_on_disk = not start.is_unchanged()
    if changed_on_disk and not though_changed:
        raise SourceChanged(_changed_words(start))
    taken, left_out = kept_inside(start.labels, edited, inside)
    voxels = int(np.count_nonzero(taken != start.labels))
    if not voxels:
        outside = f"; {left_out} changed voxels lie outside of the flag's neighbourhood" if left_out else ""
        raise ReviewError(f"{start.case}: nothing to save, no voxel is changed{outside}")
    facts = {"voxels": voxels, "left_out": left_out, "source_changed": changed_on_disk}
    return _write(Path(workspace), start, taken, who, flag, note, facts)


def _changed_words(start: Start) -> str:
    state = "changed" if start.path.is_file() else "no longer there"
    when = start.opened.astimezone().strftime("%H:%M")
    return (
        f"{start.path.name} is {state} since it was opened at {when}; nothing was saved and the edit is kept. "
        f"Save once more to keep it as a correction of the file as it was (sha256 {start.hash[:12]}), "
        "or discard it and start from the new file"
    )


def _write(
    workspace: Path, start: Start, labels: np.ndarray, who: str, flag: str, note: str, facts: Mapping[str, Any]
) -> Version:
    when = now()
    path = _new_file(workspace, start, who, when)
    try:
        start.template.write(path, labels)
        payload = {
            "file": path.relative_to(workspace).as_posix(),
            "sha256": file_hash(path),
            "from": _short(start.path, workspace),
            "from_sha256": start.hash,
            "drawn": start.drawn,
            **facts,
        }
        event = Event(
            CORRECTION, start.case, who, note=note, flag=flag, model=start.model,
            prediction_hash=start.prediction_hash, payload=payload, when=when,
        )  # fmt: skip
        write_json(_beside(path), event.row)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Version(event, path)


def _new_file(workspace: Path, start: Start, who: str, when: datetime) -> Path:
    """A file of a name that none had, empty, so that nobody else takes it. Raises WorkspaceError."""
    stamp = when.strftime("%Y%m%dT%H%M%S%fZ")
    parts = [name_part(part) for part in (start.case, start.model or "no-model", who)]
    path = folder_of(workspace, start.case) / ("_".join([*parts, stamp]) + ".nii.gz")
    if not workspace.is_dir():
        raise WorkspaceError(f"{workspace}: the workspace is no longer there; put it back and save again")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            path.open("xb").close()
            return path
    except OSError as error:
        advice = "make it writable, or free disk space, and save again"
        raise WorkspaceError(f"{path.parent}: not saved ({error.strerror or error}); {advice}") from error
    return _new_file(workspace, start, who, now())


def folder_of(workspace: Path, case: str) -> Path:
    """Where a case's corrections lie."""
    return Path(workspace) / FOLDER / name_part(case)


def file_of(event: Event, workspace: Path) -> Path:
    """Where a recorded correction lies. Raises ReviewError where the record leads out of the workspace."""
    path = (workspace / event.payload["file"]).resolve()
    if not path.is_relative_to(workspace.resolve()):
        raise ReviewError(f"{event.case}: its correction {event.payload['file']} lies outside of the workspace")
    return path


def name_part(text: str) -> str:
    """A name as a part of a file's name: safe, and not too long."""
    return safe_name(text).encode()[:LONGEST_PART].decode(errors="ignore")


def _beside(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".nii.gz") + ".json")


def _short(path: Path, workspace: Path) -> str:
    """Within the workspace the relative path, elsewhere the name alone: a record tells nobody where data lie."""
    return path.relative_to(workspace).as_posix() if path.is_relative_to(workspace) else path.name


def versions(
    workspace: Path, case: str, model: str | None = None, events: Iterable[Event] = (), who: str | None = None
) -> list[Version]:
    """The saved corrections of a case, newest first; with ``model`` or ``who`` only those.

    ``events`` are the store's: a correction that was taken back there is left out.
    """
    undone = undone_corrections(events)
    found = [
        version
        for version in saved_versions(workspace, folder_of(workspace, case))
        if version.event.case == case
        and model in (None, version.event.model)
        and who in (None, version.event.who)
        and version.event.uid not in undone
    ]
    return sorted(found, key=lambda version: (version.event.when, version.event.uid), reverse=True)


def undone_corrections(events: Iterable[Event]) -> set[str]:
    """The uids of corrections that were taken back."""
    events = list(events)
    counting = {event.uid for event in standing(events)}
    return {event.uid for event in events if event.kind == CORRECTION and event.uid not in counting}


def saved_versions(workspace: Path, folder: Path | None = None) -> Iterator[Version]:
    """Every correction that lies in the workspace, or in one of its folders; in no order.

    A ``.json`` that is no event, and one whose file's name leads elsewhere, is passed over: it is none of ours.
    """
    workspace = Path(workspace)
    folders = [folder] if folder else sorted((workspace / FOLDER).glob("*/"))
    for described in (path for each in folders for path in sorted(each.glob("*.json"))):
        try:
            event = event_of(json.loads(described.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue
        path = workspace / str(event.payload.get("file", ""))
        if event.kind == CORRECTION and _beside(path) == described:
            yield Version(event, path)


def is_of_another_prediction(version: Version, prediction: Path | None) -> bool:
    """Whether the model's prediction is no longer the one that the correction was made of."""
    if prediction is None or not version.event.prediction_hash:
        return False
    return file_hash(prediction) != version.event.prediction_hash
