"""All scores of one case: each of its files is read once, and what cannot be scored is a row that says why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import nan
from pathlib import Path

import numpy as np

from ..cohort.case import Case
from ..cohort.volumes import VolumeError, read_geometry, read_label_map
from ..fusion import majority
from ..regions import LabelConvention
from .conventions import OK, ScoringError
from .packing import occupied_box
from .pair import check_labels, region_scores, shared_regions
from .table import CONSENSUS, Row

NOTHING_TO_SCORE = "no reference and no prediction"
NO_OTHER_MODEL = "no reference and no other model to compare with"
SPACING_DIGITS = 6
"""Decimals of a spacing in mm that are kept: headers store single precision, and 1 mm must be 1 mm."""


@dataclass(frozen=True)
class Settings:
    """How a cohort is scored; ``models`` of None means every model."""

    convention: str
    tolerance_mm: float
    engine: str
    models: frozenset[str] | None = None

    def wants(self, model: str) -> bool:
        return self.models is None or model in self.models


@dataclass(frozen=True)
class LabelMap:
    """A label map as read: voxels (z, y, x) uint8, spacing in mm in array order, and how its labels are read."""

    voxels: np.ndarray
    spacing: tuple[float, ...]
    labels: LabelConvention


def case_rows(case: Case, settings: Settings) -> list[Row]:
    """The rows of one case: every wanted model against the reference, or else against the other models' majority."""
    expected = _expected_models(case, settings)
    if case.reference is not None:
        return _rows_against_reference(case, settings, expected)
    if not case.predictions:
        return _unscored(case, expected or [""], NOTHING_TO_SCORE, settings)
    return _rows_against_others(case, settings, expected)


def _expected_models(case: Case, settings: Settings) -> list[str]:
    """The wanted models of a case: those that predicted it and those that were found wanting."""
    found = dict.fromkeys([*case.predictions, *(p.model for p in case.problems if p.model)])
    return [model for model in found if settings.wants(model)]


def _rows_against_reference(case: Case, settings: Settings, expected: list[str]) -> list[Row]:
    try:
        reference = _read(case.reference, case.labels, case.error_of())
        check_labels(_labels(reference.voxels), reference.labels, str(case.reference))
    except (VolumeError, ScoringError) as error:
        return _unscored(case, expected or [""], error, settings)
    rows = [] if case.predictions else _volume_rows(case, reference, settings)
    for model in expected:
        try:
            rows += _rows_of_pair(case, model, reference, _prediction(case, model), settings)
        except (VolumeError, ScoringError) as error:
            rows += _unscored(case, [model], error, settings)
    return rows


def _rows_of_pair(case: Case, model: str, truth: LabelMap, prediction: LabelMap, settings: Settings) -> list[Row]:
    regions = shared_regions(truth.labels, prediction.labels)
    if not regions:
        raise ScoringError(f"{truth.labels.name} and {prediction.labels.name} have no region in common")
    scores, packed = region_scores(
        truth.voxels,
        prediction.voxels,
        truth.spacing,
        [truth.labels.scored_regions[region] for region in regions],
        [prediction.labels.scored_regions[region] for region in regions],
        settings.convention,
        settings.tolerance_mm,
        settings.engine,
    )
    check_labels(packed.prediction_labels, prediction.labels, str(case.predictions[model]))
    convention = _convention_of(case, settings)
    return [
        (case.case, model, region, metric, score.value, score.status, convention)
        for region, of_region in zip(regions, scores, strict=True)
        for metric, score in of_region.items()
    ]


def _rows_against_others(case: Case, settings: Settings, expected: list[str]) -> list[Row]:
    maps, errors = _all_predictions(case, expected)
    rows = []
    for model in expected:
        try:
            if model in errors:
                raise errors[model]
            consensus = _consensus(maps, model)
            rows += _rows_of_pair(case, model, consensus, maps[model], settings)
        except ScoringError as error:
            rows += _unscored(case, [model], error, settings)
    return rows


def _all_predictions(case: Case, expected: list[str]) -> tuple[dict[str, LabelMap], dict[str, ScoringError]]:
    """Every usable model's label map, all cropped to the box of all labels, and why others are not usable."""
    maps: dict[str, LabelMap] = {}
    errors: dict[str, ScoringError] = {}
    for model in dict.fromkeys([*case.predictions, *expected]):
        try:
            maps[model] = _on_one_grid(_prediction(case, model), maps)
        except (VolumeError, ScoringError) as error:
            errors[model] = ScoringError(str(error))
    return _cropped(maps), errors


def _on_one_grid(prediction: LabelMap, maps: Mapping[str, LabelMap]) -> LabelMap:
    for model, other in maps.items():
        if other.voxels.shape != prediction.voxels.shape:
            raise ScoringError(f"{_size(prediction)} voxels, {model} has {_size(other)}: not one grid")
    return prediction


def _cropped(maps: dict[str, LabelMap]) -> dict[str, LabelMap]:
    if not maps:
        return maps
    box = occupied_box(np.bitwise_or.reduce([one.voxels for one in maps.values()]))
    return {model: LabelMap(np.ascontiguousarray(m.voxels[box]), m.spacing, m.labels) for model, m in maps.items()}


def _consensus(maps: Mapping[str, LabelMap], model: str) -> LabelMap:
    """The other models' majority, region by region among those that know the region.

    In the label map bit ``i`` is region ``i`` of the model, so that regions need not be nested.
    """
    others = [other for name, other in maps.items() if name != model]
    if not others:
        raise ScoringError(NO_OTHER_MODEL)
    voxels = np.zeros(maps[model].voxels.shape, dtype=np.uint8)
    regions = {}
    for bit, region in enumerate(shared_regions(maps[model].labels)):
        voters = [other for other in others if region in other.labels.scored_regions]
        if voters and voxels.size:
            votes = majority(other.labels.mask(other.voxels, region)[np.newaxis] for other in voters)
            voxels |= votes[0].view(np.uint8) << np.uint8(bit)
        if voters:
            regions[region] = tuple(label for label in range(256) if label >> bit & 1)
    return LabelMap(voxels, others[0].spacing, LabelConvention("the consensus of the others", {}, regions))


def _prediction(case: Case, model: str) -> LabelMap:
    """Raises VolumeError or ScoringError, with the file or the reason that the cohort found."""
    if model not in case.predictions:
        messages = [problem.message for problem in case.problems if problem.model == model]
        raise ScoringError("; ".join(messages))
    path = case.predictions[model]
    prediction = _read(path, case.convention_of(model), case.error_of(model))
    if case.reference is None:
        check_labels(_labels(prediction.voxels), prediction.labels, str(path))
    return prediction


def _read(path: Path, labels: LabelConvention | None, problem: str) -> LabelMap:
    if problem:
        raise ScoringError(problem)
    if labels is None:
        raise ScoringError(f"{path}: what its labels mean is not known; state it with --labels")
    spacing = tuple(round(value, SPACING_DIGITS) for value in read_geometry(path).array_spacing)
    return LabelMap(read_label_map(path), spacing, labels)


def _labels(voxels: np.ndarray) -> frozenset[int]:
    occupied = voxels[occupied_box(voxels)]
    return frozenset(np.flatnonzero(np.bincount(occupied.ravel())).tolist()) - {0}


def _volume_rows(case: Case, reference: LabelMap, settings: Settings) -> list[Row]:
    """A case that no model predicted still has a size."""
    voxel_ml = float(np.prod(reference.spacing)) / 1000
    return [
        (case.case, "", region, "volume_reference_ml", volume * voxel_ml, OK, settings.convention)
        for region in shared_regions(reference.labels)
        for volume in [int(np.isin(reference.voxels, reference.labels.scored_regions[region]).sum())]
    ]


def _unscored(case: Case, models: Iterable[str], reason: Exception | str, settings: Settings) -> list[Row]:
    status = " ".join(str(reason).split())
    return [(case.case, model, "", "", nan, status, _convention_of(case, settings)) for model in models]


def failed_rows(case: Case, error: Exception, settings: Settings) -> list[Row]:
    """The rows of a case whose scoring ended in an error that is no fault of one file."""
    reason = f"{type(error).__name__}: {error}"
    return _unscored(case, _expected_models(case, settings) or [""], reason, settings)


def _convention_of(case: Case, settings: Settings) -> str:
    return settings.convention + ("" if case.reference is not None else CONSENSUS)


def _size(label_map: LabelMap) -> str:
    return "x".join(str(size) for size in label_map.voxels.shape)
