"""Where each flag lies, voxel by voxel: a label map a case and region that holds the flags' ranks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..cohort.volumes import Geometry, VolumeError, read_label_volume, write_volume
from ..cohort.workspace import Workspace, safe_name
from .flag_types import ReviewError


def flag_map_path(workspace: Workspace, case: str, region: str, model: str = "") -> Path:
    """``flags/<case>/<region>.nii.gz``; with ``-of-<model>`` those of a model's own maps."""
    of = f"-of-{safe_name(model)}" if model else ""
    return workspace.root / "flags" / safe_name(case) / f"{region}{of}.nii.gz"


def write_flag_map(path: Path, ranks: np.ndarray, geometry: Geometry) -> None:
    """The ``labels`` of ``Flagged``, as uint8. Raises ReviewError for a rank above 255, VolumeError."""
    if ranks.max(initial=0) > np.iinfo(np.uint8).max:
        raise ReviewError(f"{path}: more than 255 flags in one region; flag fewer")
    write_volume(path, ranks.astype(np.uint8), geometry, "rank of the flag, 0 where nothing is flagged")


def read_flag_map(workspace: Workspace, case: str, region: str, model: str = "") -> tuple[np.ndarray, Geometry] | None:
    """The ranks ``(z, y, x)``, for reading alone, and their geometry; None where no map was kept.

    Raises ReviewError where it cannot be read.
    """
    path = flag_map_path(workspace, case, region, model)
    if not path.is_file():
        return None
    try:
        return read_label_volume(path)
    except VolumeError as error:
        raise ReviewError(f"{error}; run the uncertainty job again") from error
