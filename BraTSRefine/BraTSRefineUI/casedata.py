"""One case in memory: arrays with their geometry, read from files, before any node is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from BraTSRefineLib.cohort.case import Case
    from BraTSRefineLib.cohort.volumes import Geometry
    from BraTSRefineLib.regions import LabelConvention

    from .vtkarrays import Surface

CHANNEL_NAMES = {"t1n": "T1", "t1c": "T1c", "t2w": "T2", "t2f": "FLAIR"}


@dataclass(frozen=True)
class Image:
    """Voxels ``(z, y, x)`` of one channel. What takes time to work out is worked out once and kept."""

    voxels: np.ndarray
    geometry: Geometry

    @cached_property
    def window(self) -> tuple[float, float]:
        """Grey level range: 0.5th to 99.5th percentile inside the brain (every second voxel, not 0)."""
        sample = self.voxels[::2, ::2, ::2]
        brain = sample[sample != 0]
        if not brain.size:
            return 0.0, 1.0
        low, high = np.percentile(brain, (0.5, 99.5))
        return float(low), float(max(high, low + 1e-6))

    @cached_property
    def brain(self) -> Surface | None:
        """A coarse hull of everything that is not 0 in a skull-stripped image; None for an empty one."""
        from . import meshes, vtkarrays

        return vtkarrays.surfaceOf(meshes.ofBrain(self.voxels, vtkarrays.ijkToRas(self.geometry)))


@dataclass(frozen=True, eq=False)
class Labels:
    """A label map taken apart into regions; equal to itself alone.

    ``regions`` maps WT, TC, ET to masks ``(z, y, x)``; ``tissues`` is the label map itself, None where the regions
    come from several label maps (a consensus).
    """

    name: str
    regions: Mapping[str, np.ndarray]
    geometry: Geometry
    tissues: np.ndarray | None = None

    @cached_property
    def regionBounds(self) -> dict[str, list[tuple[int, int]]]:
        """First and last index an axis of each region that is not empty."""
        found = {region: occupiedBounds(mask, margin=0) for region, mask in self.regions.items()}
        return {region: bounds for region, bounds in found.items() if bounds is not None}

    @cached_property
    def bounds(self) -> list[tuple[int, int]] | None:
        """First and last index an axis of what is set in any region; None where nothing is."""
        ends = zip(*self.regionBounds.values(), strict=True)
        return [(min(first for first, _last in axis), max(last for _first, last in axis)) for axis in ends] or None

    @cached_property
    def surfaces(self) -> dict[str, Surface]:
        """The surface of each region that is not empty."""
        from . import meshes, vtkarrays

        grid = vtkarrays.ijkToRas(self.geometry)
        made = {region: vtkarrays.surfaceOf(meshes.ofMask(mask, grid)) for region, mask in self.regions.items()}
        return {region: surface for region, surface in made.items() if surface is not None}

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
    """Every channel that can be read, and one line for each that cannot, or that must not be passed on."""
    from BraTSRefineLib.cohort.faces import UNSTRIPPED, looks_unstripped
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
    heads = [CHANNEL_NAMES[name] for name, image in images.items() if looks_unstripped(image.voxels, image.geometry)]
    if heads:
        problems.append(f"{', '.join(heads)}: image {UNSTRIPPED}")
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

    from BraTSRefineLib.cohort.volumes import read_volume

    description = path.with_name(path.name.removesuffix(".nii.gz") + ".json")
    about = json.loads(description.read_text(encoding="utf-8")) if description.is_file() else {}
    quantity, _separator, region = path.name.removesuffix(".nii.gz").rpartition("_")
    return UncertaintyMap(
        *read_volume(path),
        about.get("quantity", quantity),
        about.get("region", region),
        about.get("what", ""),
        float(about.get("low", 0.0)),
        float(about.get("high", 1.0)),
        about.get("unit", ""),
        len(about.get("members", ())),
    )


FALSE_POSITIVE, FALSE_NEGATIVE, WRONG_CLASS, CONFUSED_AWAY = 1, 2, 3, 4
"""The kinds of errors, as ``error_kinds`` numbers them."""


def errorMap(reference: Labels, prediction: Labels, region: str) -> np.ndarray | None:
    """What is wrong where with the prediction of a region ``(z, y, x)``: see ``error_kinds``.

    None where the grids differ or one of the two does not know the region.
    """
    from BraTSRefineLib.analysis.errors import error_kinds

    if not reference.on(prediction) or region not in reference.regions or region not in prediction.regions:
        return None
    box = _boxAround(reference, prediction)
    true, found = ({name: mask[box] for name, mask in each.regions.items()} for each in (reference, prediction))
    errors = np.zeros(reference.regions[region].shape, dtype=np.uint8)
    errors[box] = error_kinds(true, found, region)
    return errors


def dice(reference: Labels | None, prediction: Labels | None, region: str) -> float | None:
    """Dice of a region; None where they cannot be compared, or where both are empty."""
    if reference is None or prediction is None or not reference.on(prediction):
        return None
    if region not in reference.regions or region not in prediction.regions:
        return None
    box = _boxAround(reference, prediction)
    true, found = reference.regions[region][box], prediction.regions[region][box]
    total = np.count_nonzero(true) + np.count_nonzero(found)
    return 2 * np.count_nonzero(true & found) / total if total else None


def _boxAround(*several: Labels) -> tuple[slice, ...]:
    """The box around everything that is set in any region of label maps on one grid."""
    bounds = [labels.bounds for labels in several if labels.bounds is not None]
    if not bounds:
        return (slice(0),) * 3
    return tuple(slice(min(b[axis][0] for b in bounds), max(b[axis][1] for b in bounds) + 1) for axis in range(3))
