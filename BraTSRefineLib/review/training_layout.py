"""Where annotations go so that they can be trained on: nnU-Net's raw folders, or BraTS' folder a case."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .. import __version__
from ..cohort import CHANNELS, Case, Cohort, CohortError, safe_name
from ..cohort.dataset_json import read_dataset_json
from ..cohort.new_files import written_new
from ..cohort.relabelling import consecutive
from ..cohort.workspace import write_json
from ..regions import LabelConvention
from .flag_types import ReviewError

MADE_BY = "BraTSRefine"
ABOUT = f"Made by {MADE_BY} {__version__}. For research use only, not for clinical decisions."
ENDING = ".nii.gz"


class Layout(Protocol):
    """Where a case's files go, and how its labels are written."""

    def target(self, source: LabelConvention) -> LabelConvention:
        """The convention in which a label map of ``source`` is written."""

    def label_file(self, case: str) -> Path: ...

    def image_files(self, case: Case) -> dict[Path, Path]:
        """Where each image of a case goes. Raises ReviewError where one that is needed is missing."""

    def finish(self) -> str:
        """Write what describes the folder, once its files are there; what has to be said of that comes back."""


@dataclass(frozen=True)
class BratsFolders:
    """``<case>/<case>-seg.nii.gz`` beside ``<case>/<case>-t1c.nii.gz`` ...; labels stay as they are."""

    folder: Path

    def target(self, source: LabelConvention) -> LabelConvention:
        return source

    def label_file(self, case: str) -> Path:
        return self._file(case, "seg")

    def image_files(self, case: Case) -> dict[Path, Path]:
        return {path: self._file(case.case, channel) for channel, path in case.images.items()}

    def finish(self) -> str:
        return ""

    def _file(self, case: str, role: str) -> Path:
        return self.folder / safe_name(case) / f"{safe_name(case)}-{role}{ENDING}"


class NnunetRaw:
    """``labelsTr/<case>.nii.gz``, ``imagesTr/<case>_0000.nii.gz`` ... and ``dataset.json``, as nnU-Net v2 reads them.

    The labels are those of the folder's ``dataset.json``, else of the cohort's, else the tissues as 1, 2, 3 ...; a
    ``dataset.json`` is written where there is none.
    """

    def __init__(self, folder: Path, cohort: Cohort) -> None:
        """Raises CohortError for a damaged ``dataset.json``, ReviewError for one that names no tumour."""
        self.folder = folder
        self._path = folder / "dataset.json"
        self._is_there = self._path.is_file()
        self._content: Mapping[str, Any] = {}
        self._stated: LabelConvention | None = None
        self._channels = list(CHANNELS)
        followed = self._path if self._is_there else cohort.root / "dataset.json"
        if followed.is_file():
            self._follow(followed)

    def _follow(self, path: Path) -> None:
        stated = read_dataset_json(path)
        self._content = stated.content
        self._stated = stated.convention()
        self._channels = [channel for _, channel in sorted(stated.channels.items())]
        if self._stated is None:
            raise ReviewError(f"{path}: its labels name no tumour tissues or regions; choose another folder")

    def target(self, source: LabelConvention) -> LabelConvention:
        """The first case decides where no ``dataset.json`` does."""
        self._stated = self._stated or consecutive(source)
        return self._stated

    def label_file(self, case: str) -> Path:
        return self.folder / "labelsTr" / f"{safe_name(case)}{ENDING}"

    def image_files(self, case: Case) -> dict[Path, Path]:
        missing = [channel or "one without a name" for channel in self._channels if channel not in case.images]
        if missing:
            raise ReviewError(f"{case.case}: no image {', '.join(missing)}, which nnU-Net needs of every case")
        images = self.folder / "imagesTr"
        return {
            case.images[channel]: images / f"{safe_name(case.case)}_{number:04d}{ENDING}"
            for number, channel in enumerate(self._channels)
        }

    def finish(self) -> str:
        count = len(list((self.folder / "labelsTr").glob(f"*{ENDING}")))
        if not self._is_there:
            with written_new(self._path) as temporary:
                content = self._new_description() | {"numTraining": count}
                temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
        elif self._content.get("numTraining") != count and self._content.get("made_by") == MADE_BY:
            write_json(self._path, {**self._content, "numTraining": count})
        elif self._content.get("numTraining") != count:
            return f"{self._path} is not ours and stays as it is; its numTraining has to be {count} now"
        return ""

    def _new_description(self) -> dict[str, Any]:
        """The cohort's own where that is of nnU-Net's version 2."""
        made = {"made_by": MADE_BY, "description": ABOUT, "file_ending": ENDING}
        if "channel_names" in self._content:
            return {**self._content, **made}
        tissues = {} if self._stated is None else self._stated.tissues
        labels = {"background": 0, **dict(sorted(tissues.items(), key=lambda item: item[1]))}
        return {"channel_names": {str(n): name for n, name in enumerate(self._channels)}, "labels": labels, **made}


LAYOUTS = ("nnunet", "brats")


def layout_of(name: str, folder: Path, cohort: Cohort) -> Layout:
    """The layout of that name in a folder. Raises ReviewError for another name, or a ``dataset.json`` of no use."""
    if name not in LAYOUTS:
        raise ReviewError(f"no layout '{name}'; it is one of {', '.join(LAYOUTS)}")
    try:
        return NnunetRaw(folder, cohort) if name == "nnunet" else BratsFolders(folder)
    except CohortError as error:
        raise ReviewError(str(error)) from None
