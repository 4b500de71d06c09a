"""Folders by names of their own, so that what a job leaves in the workspace names no folder above it or the data.

What is read again, a job's parameters and its events, is kept from the workspace and the data on, and gets its whole
paths back when it is read: ``kept`` and ``restored``, ``Places.told`` and ``meant``. What is only read by people, the
log, has every other file by its bare name. Imports nothing beyond the standard library, as the descriptions.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

WORKSPACE, DATA, ELSEWHERE = "<workspace>", "<data>", "<elsewhere>"
PROGRAM = Path(__file__).resolve().parents[2]

_START = rf"(?:/(?=[^\s/])|[A-Za-z]:\\+|[A-Za-z]:/|{ELSEWHERE}[\\/])"
_BARE = rf"""{_START}(?:(?:[^/\\\r\n":<>']|(?<=\w)'(?=\w))+[/\\])+"""
_FOLDERS = [
    re.compile(rf'(?<="){_START}[^"\n]*[\\/]'),
    re.compile(rf"(?<='){_START}[^'\n]*[\\/]"),
    re.compile(rf"(?<![\w.>/\\:-]){_BARE}"),
    re.compile(rf"(?<=file://){_BARE}"),
]
"""The folder of a file that nothing else is known of: in quotes, bare (then blanks belong to it), in a URL."""


@dataclass(frozen=True)
class Places:
    """Marks and the whole paths of the folders that they stand for."""

    folders: tuple[tuple[str, Path], ...]

    def told(self, value: object) -> object:
        """``value``, or every text in it, with a mark for each folder; files elsewhere keep their bare names."""
        return _each_text(value, self._told)

    def meant(self, text: str) -> str:
        """JSON lines with the whole paths of the workspace and the data again."""
        for mark, folder in self.folders:
            if mark in (WORKSPACE, DATA):
                text = text.replace(mark, json.dumps(str(folder), ensure_ascii=False)[1:-1])
        return text

    def _told(self, text: str) -> str:
        if "/" not in text and "\\" not in text:
            return text
        for spelling, mark in self._spellings:
            text = spelling.sub(mark, text)
        for pattern in _FOLDERS:
            text = pattern.sub(f"{ELSEWHERE}/", text)
        return text

    @cached_property
    def _spellings(self) -> list[tuple[re.Pattern[str], str]]:
        """Each folder as it may be written, the longest first, and after them the folders that they lie in."""
        known = {path: mark for mark, path in reversed(self.folders) if path != path.parent}
        above = {parent: ELSEWHERE for path in known for parent in path.parents if parent != parent.parent}
        return [
            (re.compile(rf"(?<![\w.>-]){re.escape(written)}(?![\w-]|\.\w)"), mark)
            for group in (known, {path: mark for path, mark in above.items() if path not in known})
            for path, mark in sorted(group.items(), key=lambda entry: -len(str(entry[0])))
            for written in dict.fromkeys((str(path), str(path).replace("\\", "\\\\"), path.as_posix()))
        ]


def of_workspace(workspace: Path) -> Places:
    """The workspace and, where a readable cohort is kept in it, the root of the data."""
    try:
        root = Path(json.loads((workspace / "cohort.json").read_text(encoding="utf-8"))["root"])
    except (OSError, ValueError, KeyError, TypeError):  # who needs the cohort says what is wrong with it
        return Places(((WORKSPACE, workspace),))
    return Places(((WORKSPACE, workspace), (DATA, root)))


def of_job(workspace: Path, parameters: Mapping[str, object]) -> Places:
    """All that a log may name: also trained models, this program and its Python; what else is at home is elsewhere."""
    models = [
        (f"<model {number}>", whole)
        for number, path in enumerate(parameters.get("paths") or [], start=1)
        for whole in (Path(path).expanduser().absolute(), Path(path).expanduser().resolve())
    ]
    python = [("<program>", PROGRAM), ("<environment>", Path(sys.prefix)), ("<python>", Path(sys.base_prefix))]
    return Places((*of_workspace(workspace).folders, *models, *python, (ELSEWHERE, Path.home())))


def kept(value: object, workspace: Path) -> object:
    """``value`` with every whole path in it named from the workspace, where they have a folder in common."""
    return _each_text(value, lambda text: _from_workspace(text, workspace))


def restored(value: object, workspace: Path) -> object:
    """What ``kept`` was given."""
    return _each_text(
        value,
        lambda text: os.path.normpath(workspace / text[len(WORKSPACE) + 1 :]) if text.startswith(WORKSPACE) else text,
    )


def _from_workspace(text: str, workspace: Path) -> str:
    path = Path(text)
    if not path.is_absolute() or path.anchor != workspace.anchor:
        return text
    if len(path.parts) < 2 or len(workspace.parts) < 2 or path.parts[1] != workspace.parts[1]:
        return text
    return f"{WORKSPACE}/{Path(os.path.relpath(path, workspace)).as_posix()}"


def _each_text(value: object, change: object) -> object:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list | tuple):
        return [_each_text(item, change) for item in value]
    if isinstance(value, Mapping):
        return {key: _each_text(item, change) for key, item in value.items()}
    return value
