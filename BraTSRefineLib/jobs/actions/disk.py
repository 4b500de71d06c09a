"""What a prediction will take on the workspace's disk, from the images' headers alone, and whether there is room."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

from ...cohort import Case
from ...cohort.volumes import VolumeError, read_geometry
from ...inference.models import found_models
from ..description import JobError
from ..prediction_work import MAPS, PredictSettings

MAP_BYTES = 4
LEAST_SHARE, MOST_SHARE = 0.25, 0.4
"""What is left of a map once it is packed: 0.26 to 0.40 in skull-stripped cases of 2 to 36 MB a map."""

LABEL_SHARE = 0.01
"""The same of a label map of one byte a voxel: 0.003 to 0.005."""

GB = 1e9


@dataclass(frozen=True)
class Disk:
    """Bytes: ``least`` and ``most`` that the cases' files will take, ``free`` on the workspace's disk."""

    cases: int
    least: float
    most: float
    free: int

    def __str__(self) -> str:
        several = f" for {self.cases} cases" if self.cases > 1 else ""
        return f"about {_words(self.most)} of disk{several} ({_words(self.free)} free)"

    @property
    def problem(self) -> str:
        """Why the files may not fit and what to do, else empty."""
        if self.free >= self.most:
            return ""
        count = f"{self.cases} cases" if self.cases > 1 else "the case"
        return (
            f"{count} will take about {_words(self.most)} in the workspace, whose disk has {_words(self.free)} free: "
            "free some, choose fewer cases, or leave the maps of uncertainty out (--no-uncertainty)"
        )

    def check(self) -> None:
        """Raises JobError where they cannot fit, however well they pack."""
        if self.free < self.least:
            raise JobError(f"predict: {self.problem}")


def disk_of(cases: Sequence[Case], settings: PredictSettings, workspace: Path) -> Disk:
    """Of the cases that are still to be predicted; one whose images cannot be read takes nothing."""
    voxels = [count for case in cases if (count := _voxels(case))]
    maps = _regions(settings) * (len(MAPS) if settings.uncertainty else 1) * MAP_BYTES
    labels = LABEL_SHARE * (1 + _members(settings))
    least, most = (sum(voxels) * (maps * share + labels) for share in (LEAST_SHARE, MOST_SHARE))
    return Disk(len(voxels), least, most, shutil.disk_usage(workspace).free)


def _regions(settings: PredictSettings) -> int:
    """How many regions all models know; the models are opened elsewhere, which tells where they have none."""
    known = [set(model.regions) for path in settings.paths for model in found_models(Path(path))]
    return len(set.intersection(*known)) if known else 0


def _members(settings: PredictSettings) -> int:
    """How many trained models have a label map of their own, beside that of all; none where there is one."""
    found = (one for path in settings.paths for one in found_models(Path(path)))
    count = sum(len(settings.folds or one.folds) or 1 for one in found)
    return count if count > 1 else 0


def _voxels(case: Case) -> int:
    try:
        return prod(read_geometry(next(iter(case.images.values()))).size)
    except (StopIteration, VolumeError):
        return 0  # why it cannot be predicted is told when its turn comes


def _words(count: float) -> str:
    """``1.2 GB``, and below 0.1 GB in MB."""
    return f"{count / GB:.1f} GB" if count >= GB / 10 else f"{max(count / 1e6, 0.1):.1f} MB"
