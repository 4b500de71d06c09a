"""One case in memory: arrays with their geometry, read from files, before any node is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from BraTSRefineLib.cohort.case import Case
    from BraTSRefineLib.cohort.volumes import Geometry
    from BraTSRefineLib.regions import LabelConvention


CHANNEL_NAMES = {"t1n": "T1", "t1c": "T1c", "t2w": "T2", "t2f": "FLAIR"}


@dataclass(frozen=True)
class Image:
    """Voxels ``(z, y, x)`` of one channel."""

    voxels: np.ndarray
    geometry: Geometry


@dataclass(frozen=True)
class Labels:
    """A label map taken apart into regions.

    ``regions`` maps WT, TC, ET to masks ``(z, y, x)``; ``tissues`` is the label map itself, None where the regions
    come from several label maps (a consensus).
    """

    name: str
    regions: Mapping[str, np.ndarray]
    geometry: Geometry
    tissues: np.ndarray | None = None

    def on(self, other: Labels) -> bool:
        """Whether both lie on one grid, so that they can be compared voxel by voxel."""
        return not self.geometry.difference(other.geometry)


@dataclass(frozen=True)
class UncertaintyMap:
    """One quantity of one region, with what was recorded beside it.

    ``model`` is the one whose folds and augmentations it comes from; empty where it compares the cohort's models.
    """

    voxels: np.ndarray
    geometry: Geometry
    quantity: str
    region: str
    what: str = ""
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    members: int = 0
    model: str = ""


@dataclass(frozen=True)
class CaseData:
    """All that is shown of a case; what is missing is absent, ``problems`` says why.

    ``images`` of None means those that are shown already: nobody has to keep four volumes twice.
    """

    case: str
    images: Mapping[str, Image] | None = field(default_factory=dict)
    reference: Labels | None = None
    prediction: Labels | None = None
    consensus: bool = False
    problems: tuple[str, ...] = ()

    def withoutImages(self) -> CaseData:
        """The same once its images are nodes."""
        return replace(self, images=None)


def readImages(case: Case) -> tuple[dict[str, Image], list[str]]:
    """Every channel that can be read, and one line for each that cannot."""
    from BraTSRefineLib.cohort.volumes import VolumeError, read_geometry, read_image

    images, problems = {}, []
    for channel, path in case.images.items():
        try:
            voxels, broken = _finite(read_image(path))
            images[channel] = Image(voxels, read_geometry(path))
        except VolumeError as error:
            problems.append(str(error))
        else:
            if broken:
                problems.append(f"{path.name}: {broken} voxels are NaN or infinite and shown as 0; export it again")
    return images, problems


def _finite(voxels: np.ndarray) -> tuple[np.ndarray, int]:
    """The voxels with 0 for what is not finite, and how many those were."""
    if not np.issubdtype(voxels.dtype, np.floating):
        return voxels, 0
    voxels = voxels.astype(np.float32, copy=False)
    broken = ~np.isfinite(voxels)
    voxels[broken] = 0
    return voxels, int(broken.sum())


def readLabels(path: Path, convention: LabelConvention | None, name: str) -> Labels:
    """A label map and its regions. Raises VolumeError; without a convention everything that is not 0 is WT."""
    from BraTSRefineLib.cohort.volumes import read_geometry, read_label_map

    tissues = read_label_map(path)
    return Labels(name, _regions(tissues, convention), read_geometry(path), tissues)


def _regions(tissues: np.ndarray, convention: LabelConvention | None) -> dict[str, np.ndarray]:
    """The masks of the regions, looked up where there is any label at all."""
    bounds = occupiedBounds(tissues, margin=0)
    box = tuple(slice(first, last + 1) for first, last in bounds or [(0, -1)] * 3)
    known = convention.regions if convention else ("WT",)
    regions = {region: np.zeros(tissues.shape, dtype=bool) for region in known}
    for region, mask in regions.items():
        mask[box] = convention.mask(tissues[box], region) if convention else tissues[box] > 0
    return regions


def occupiedBounds(mask: np.ndarray, margin: int = 1) -> list[tuple[int, int]] | None:
    """First and last index an axis of what is not 0, ``margin`` voxels wider inside the array; None if all is 0."""
    bounds = []
    for axis in range(mask.ndim):
        others = tuple(i for i in range(mask.ndim) if i != axis)
        occupied = np.flatnonzero(mask.any(axis=others))
        if not occupied.size:
            return None
        bounds.append((max(int(occupied[0]) - margin, 0), min(int(occupied[-1]) + margin, mask.shape[axis] - 1)))
    return bounds


def consensus(case: Case, models: Sequence[str]) -> Labels | None:
    """Majority of the models, region by region among those that know the region; None where there is none.

    The models that cannot be read or lie on another grid are left out, as in scoring.
    """
    from BraTSRefineLib.fusion import majority

    voters = _readable(case, models)
    regions = {}
    for region in ("WT", "TC", "ET"):
        votes = [voter.regions[region] for voter in voters if region in voter.regions]
        if votes:
            regions[region] = majority(votes)
    return Labels(f"consensus of {len(voters)}", regions, voters[0].geometry) if regions else None


def _readable(case: Case, models: Sequence[str]) -> list[Labels]:
    from BraTSRefineLib.cohort.volumes import VolumeError

    voters: list[Labels] = []
    for model in models:
        try:
            labels = readLabels(case.predictions[model], case.convention_of(model), model)
        except VolumeError:
            continue  # the cohort's list of problems names the file
        if not voters or labels.on(voters[0]):
            voters.append(labels)
    return voters


def readUncertainty(path: Path) -> UncertaintyMap:
    """A map of the workspace with its description (``.json`` of the same name). Raises VolumeError."""
    import json

    from BraTSRefineLib.cohort.volumes import read_geometry, read_image

    description = path.with_name(path.name.removesuffix(".nii.gz") + ".json")
    about = json.loads(description.read_text(encoding="utf-8")) if description.is_file() else {}
    quantity, _separator, region = path.name.removesuffix(".nii.gz").rpartition("_")
    return UncertaintyMap(
        read_image(path),
        read_geometry(path),
        about.get("quantity", quantity),
        about.get("region", region),
        about.get("what", ""),
        float(about.get("low", 0.0)),
        float(about.get("high", 1.0)),
        about.get("unit", ""),
        len(about.get("members", ())),
    )


FALSE_POSITIVE, FALSE_NEGATIVE, WRONG_CLASS = 1, 2, 3


def errorMap(reference: Labels, prediction: Labels, region: str) -> np.ndarray | None:
    """Where the prediction of a region errs ``(z, y, x)``, uint8: 1 false positive, 2 false negative, 3 wrong class.

    Wrong class is marked in WT alone: both say tumour, their tissues differ. None where the grids differ or one of
    the two does not know the region.
    """
    if not reference.on(prediction) or region not in reference.regions or region not in prediction.regions:
        return None
    true, found = reference.regions[region], prediction.regions[region]
    errors = np.zeros(true.shape, dtype=np.uint8)
    if region == "WT":
        errors[_wrongClass(reference, prediction)] = WRONG_CLASS
    errors[found & ~true] = FALSE_POSITIVE
    errors[true & ~found] = FALSE_NEGATIVE
    return errors


def _wrongClass(reference: Labels, prediction: Labels) -> np.ndarray:
    wrong = np.zeros(reference.regions["WT"].shape, dtype=bool)
    for inner in ("TC", "ET"):
        if inner in reference.regions and inner in prediction.regions:
            wrong |= reference.regions[inner] != prediction.regions[inner]
    return wrong & reference.regions["WT"] & prediction.regions["WT"]
