"""The label maps of one case in memory: each file is read once, and what cannot be used says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ..cohort.case import Case
from ..cohort.volumes import Geometry, VolumeError, read_label_volume
from ..fusion import majority
from ..regions import LabelConvention
from .conventions import ScoringError
from .packing import joint_box, labels_in, occupied_box, widened
from .pair import check_labels, shared_regions

NO_OTHER_MODEL = "no reference and no other model to compare with"
SPACING_DIGITS = 6
"""Decimals of a spacing in mm that are kept: headers store single precision, and 1 mm must be 1 mm."""


@dataclass(frozen=True)
class LabelMap:
    """A label map as read: voxels (z, y, x) uint8, their grid, and how the labels are read."""

    voxels: np.ndarray
    geometry: Geometry
    labels: LabelConvention

    @property
    def spacing(self) -> tuple[float, ...]:
        """In mm, in array order."""
        return tuple(round(value, SPACING_DIGITS) for value in self.geometry.array_spacing)

    @cached_property
    def box(self) -> tuple[slice, ...]:
        """The box of all labels."""
        return occupied_box(self.voxels)

    @cached_property
    def seen(self) -> frozenset[int]:
        """The labels that occur, background left out."""
        return labels_in(self.voxels[self.box])

    def cut(self, box: tuple[slice, ...]) -> LabelMap:
        """The part in a box, with the geometry that it has."""
        voxels = np.ascontiguousarray(self.voxels[box])
        origin = self.geometry.to_physical(tuple(axis.start for axis in box))
        return LabelMap(voxels, replace(self.geometry, size=voxels.shape[::-1], origin=origin), self.labels)


@dataclass(frozen=True)
class LabelPair:
    """Two label maps on one grid: what counts as the truth, and a model's prediction."""

    truth: LabelMap
    prediction: LabelMap

    def masks(self, region: str) -> tuple[np.ndarray, np.ndarray]:
        """The region in both, boolean (z, y, x)."""
        return tuple(one.labels.mask(one.voxels, region) for one in (self.truth, self.prediction))

    def cut(self, margin: int) -> LabelPair:
        """Both cut to the box of all labels and ``margin`` voxels around, within the image."""
        box = widened(joint_box(self.truth.box, self.prediction.box), margin, self.truth.voxels.shape)
        return LabelPair(self.truth.cut(box), self.prediction.cut(box))


@dataclass(frozen=True)
class CaseMaps:
    """What could be read of a case, and why the rest could not; ``errors`` by model, the reference's under "".

    ``doubtful`` are maps that can be read and hold labels that their convention does not know.
    """

    case: Case
    reference: LabelMap | None
    predictions: Mapping[str, LabelMap]
    errors: Mapping[str, str]
    doubtful: Mapping[str, LabelMap] = field(default_factory=dict)


def read_case(case: Case, models: list[str]) -> CaseMaps:
    """The reference and the predictions of ``models``; without a reference those of all models, for the consensus."""
    reference, predictions, errors, doubtful = None, {}, {}, {}
    if case.reference is not None:
        try:
            reference = _read(case.reference, case.labels, case.error_of())
            check_labels(reference.seen, reference.labels, str(case.reference))
        except (VolumeError, ScoringError) as error:
            return CaseMaps(case, None, {}, {"": _in_one_line(error)}, {"": reference} if reference else {})
    for model in models if reference is not None else dict.fromkeys([*case.predictions, *models]):
        try:
            prediction = _prediction(case, model)
            _check_grid(prediction, reference, predictions)
            doubtful[model] = prediction
            check_labels(prediction.seen, prediction.labels, str(case.predictions[model]))
            predictions[model] = doubtful.pop(model)
        except (VolumeError, ScoringError) as error:
            errors[model] = _in_one_line(error)
    return CaseMaps(case, reference, predictions, errors, doubtful)


def consensus_of_others(maps: Mapping[str, LabelMap], model: str) -> LabelMap:
    """The other models' consensus on the regions of the model. Raises ScoringError where there is no other model."""
    others = [other for name, other in maps.items() if name != model]
    if not others:
        raise ScoringError(NO_OTHER_MODEL)
    return consensus(others, shared_regions(maps[model].labels))


def consensus(maps: Sequence[LabelMap], regions: Sequence[str]) -> LabelMap:
    """The majority of label maps on one grid, region by region among those that know the region.

    In the label map bit ``i`` is region ``i``, so that regions need not be nested; those that no map knows are absent.
    """
    voxels = np.zeros(maps[0].voxels.shape, dtype=np.uint8)
    known = {}
    for bit, region in enumerate(regions):
        voters = [one for one in maps if region in one.labels.scored_regions]
        if voters and voxels.size:
            votes = majority(one.labels.mask(one.voxels, region)[np.newaxis] for one in voters)
            voxels |= votes[0].view(np.uint8) << np.uint8(bit)
        if voters:
            known[region] = tuple(label for label in range(1 << len(regions)) if label >> bit & 1)
    return LabelMap(voxels, maps[0].geometry, LabelConvention("the consensus of the others", {}, known))


def cropped(maps: Mapping[str, LabelMap]) -> dict[str, LabelMap]:
    """The maps cut to the box of all their labels."""
    if not maps:
        return {}
    box = joint_box(*(one.box for one in maps.values()))
    return {model: label_map.cut(box) for model, label_map in maps.items()}


def _prediction(case: Case, model: str) -> LabelMap:
    if model not in case.predictions:
        raise ScoringError("; ".join(problem.message for problem in case.problems if problem.model == model))
    return _read(case.predictions[model], case.convention_of(model), case.error_of(model))


def _read(path: Path, labels: LabelConvention | None, problem: str) -> LabelMap:
    if problem:
        raise ScoringError(problem)
    if labels is None:
        raise ScoringError(f"{path}: what its labels mean is not known; state it with --labels")
    return LabelMap(*read_label_volume(path), labels)


def _check_grid(prediction: LabelMap, reference: LabelMap | None, others: Mapping[str, LabelMap]) -> None:
    """Raises ScoringError where a prediction has another size than the reference, or than the first model read."""
    for name, other in [("reference", reference)] if reference else others.items():
        if other.voxels.shape != prediction.voxels.shape:
            raise ScoringError(f"{_size(prediction)} voxels, {name} has {_size(other)}: not one grid")


def _size(label_map: LabelMap) -> str:
    return "x".join(str(size) for size in label_map.voxels.shape)


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())
