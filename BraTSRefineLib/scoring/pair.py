"""How good one prediction is: every metric of two masks, or of each region of two label maps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import inf, nan

import numpy as np
import pandas as pd

from ..regions import SCORED_REGIONS, LabelConvention, label_convention
from .conventions import (
    BOTH_EMPTY,
    OK,
    PREDICTION_EMPTY,
    REFERENCE_EMPTY,
    Convention,
    Score,
    ScoringError,
    nsd_name,
    scoring_convention,
)
from .engines import chosen_engine, surface_pairs
from .packing import REFERENCE_BITS, Packed, pack
from .places import Places, places
from .surface import SurfacePair

PAIR_COLUMNS = ("region", "metric", "value", "status", "convention")
Tolerances = float | Sequence[float] | None


def metric_names(tolerance_mm: Tolerances = 1.0) -> tuple[str, ...]:
    """The metrics in the order of the tables; the surface Dice is named after its tolerance (``nsd_1mm``).

    Raises ScoringError for a tolerance that is no distance.
    """
    return (
        "dice",
        "hd95_mm",
        "assd_mm",
        *(nsd_name(tolerance) for tolerance in _tolerances(tolerance_mm, (1.0,))),
        "sensitivity",
        "precision",
        "volume_reference_ml",
        "volume_prediction_ml",
        "volume_error_ml",
        "jaccard",
        "specificity",
        "hd_mm",
        "masd_mm",
        "boundary_iou",
        "relative_volume_error",
        "centroid_distance_mm",
    )


def _tolerances(given: Tolerances, default: tuple[float, ...]) -> tuple[float, ...]:
    """Raises ScoringError where one is no distance."""
    tolerances = default if given is None else (given,) if isinstance(given, int | float) else tuple(given)
    for tolerance in tolerances:
        if not 0 <= tolerance < inf:
            raise ScoringError(f"tolerance {tolerance} must be a distance in mm")
    return tolerances


METRICS = metric_names()


def compare_masks(
    reference: np.ndarray,
    prediction: np.ndarray,
    spacing: Sequence[float],
    *,
    convention: str = "brats2023",
    tolerance_mm: Tolerances = None,
    engine: str = "auto",
    metrics: Sequence[str] | None = None,
) -> dict[str, Score]:
    """Every metric of two boolean masks (z, y, x), or those of ``metrics``, by name.

    ``spacing`` in mm in array order; volumes in ml, ``volume_error_ml`` is prediction minus reference.
    ``convention`` says how distances are defined and what empty masks count (``explain_convention``);
    ``tolerance_mm`` gives the surface Dice's tolerances (default: the convention's own, mostly 1 mm).
    Raises ScoringError for other than two boolean 3D masks of one shape, a spacing that is not three positive
    numbers, or an unknown convention, engine or metric.
    """
    masks = _mask(reference, "reference"), _mask(prediction, "prediction")
    return region_scores(*masks, spacing, [(1,)], [(1,)], convention, tolerance_mm, engine, metrics=metrics)[0][0]


def score_pair(
    reference: np.ndarray,
    prediction: np.ndarray,
    spacing: Sequence[float],
    *,
    labels: LabelConvention | str,
    convention: str = "brats2023",
    prediction_labels: LabelConvention | str | None = None,
    tolerance_mm: Tolerances = None,
    engine: str = "auto",
    metrics: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Every metric (or those of ``metrics``) of each region of two label maps (z, y, x), one below the other.

    Columns region, metric, value, status, convention.

    ``labels`` is the label convention of both, or of the reference where ``prediction_labels`` is given. Regions that
    one of the conventions does not know have no rows. Raises ScoringError as ``compare_masks`` does, and for labels
    outside their convention, LabelError for an unknown label convention.
    """
    mine = _convention(labels)
    theirs = mine if prediction_labels is None else _convention(prediction_labels)
    regions = shared_regions(mine, theirs)
    scores, packed = region_scores(
        label_map(reference, "reference"),
        label_map(prediction, "prediction"),
        spacing,
        [mine.scored_regions[region] for region in regions],
        [theirs.scored_regions[region] for region in regions],
        convention,
        tolerance_mm,
        engine,
        metrics=metrics,
    )
    check_labels(packed.reference_labels, mine, "reference")
    check_labels(packed.prediction_labels, theirs, "prediction")
    name = scoring_convention(convention).name
    rows = [
        (region, metric, score.value, score.status, name)
        for region, of_region in zip(regions, scores, strict=True)
        for metric, score in of_region.items()
    ]
    return pd.DataFrame(rows, columns=list(PAIR_COLUMNS))


def region_scores(
    reference: np.ndarray,
    prediction: np.ndarray,
    spacing: Sequence[float],
    reference_regions: list[tuple[int, ...]],
    prediction_regions: list[tuple[int, ...]],
    convention: str,
    tolerance_mm: Tolerances,
    engine: str,
    shape: Sequence[int] | None = None,
    metrics: Sequence[str] | None = None,
) -> tuple[list[dict[str, Score]], Packed]:
    """The metrics of each region (given as the labels that it is made of) of two uint8 label maps, in one pass.

    ``shape`` is the image's where the maps are cut out of it.
    """
    rules, engine, spacing = scoring_convention(convention), chosen_engine(engine), checked_spacing(spacing)
    tolerances = _tolerances(tolerance_mm, rules.tolerances_mm)
    names = _chosen(metric_names(tolerances), metrics)
    if reference.shape != prediction.shape:
        raise ScoringError(f"reference has {_size(reference)} voxels, prediction {_size(prediction)}: not one grid")
    scores: list[dict[str, Score]] = []
    packed = pack(reference, prediction, [], [], engine) if not reference_regions else None
    for first in range(0, len(reference_regions), REFERENCE_BITS):
        some = slice(first, first + REFERENCE_BITS)
        packed = pack(reference, prediction, reference_regions[some], prediction_regions[some], engine)
        pair = _PackedPair(packed, spacing, shape or reference.shape, rules, tolerances, names, engine)
        scores += [pair.scores(region) for region in range(len(reference_regions[some]))]
    return scores, packed


def _chosen(names: tuple[str, ...], wanted: Sequence[str] | None) -> tuple[str, ...]:
    """Raises ScoringError for a metric that is not among ``names``."""
    unknown = [name for name in wanted or () if name not in names]
    if unknown:
        raise ScoringError(f"unknown metric '{unknown[0]}': use any of {', '.join(names)}")
    return names if wanted is None else tuple(name for name in names if name in wanted)


class _PackedPair:
    """The metrics of up to four regions that are packed together."""

    def __init__(
        self,
        packed: Packed,
        spacing: tuple[float, ...],
        shape: Sequence[int],
        rules: Convention,
        tolerances: tuple[float, ...],
        names: tuple[str, ...],
        engine: str,
    ) -> None:
        self._packed, self._spacing, self._shape, self._engine = packed, spacing, tuple(shape), engine
        self._rules, self._tolerances, self._names = rules, tolerances, names

    @cached_property
    def _surfaces(self) -> dict[str, dict[int, SurfacePair]]:
        """By kind of surface and region, where both masks have voxels."""
        both = [region for region in range(REFERENCE_BITS) if all(self._packed.overlap(region)[:2])]
        return {
            kind: surface_pairs(self._packed, both, self._spacing, self._engine, kind)
            for kind in sorted(self._rules.surfaces)
        }

    @cached_property
    def _places(self) -> Places:
        return places(self._packed, self._engine)

    def scores(self, region: int) -> dict[str, Score]:
        reference, prediction, both = self._packed.overlap(region)
        status = _status(reference, prediction)
        if status == OK:
            values = _overlaps(reference, prediction, both) | self._distances(region)
        else:
            values = {name: self._rules.empty_value(name, status, self._shape) for name in self._names_by_rule()}
        scores = {name: Score(float(value), status) for name, value in values.items()}
        scores |= {name: Score(value, OK) for name, value in self._always(reference, prediction, both).items()}
        return {name: scores[name] for name in self._names}

    def _names_by_rule(self) -> list[str]:
        """The metrics whose worth for an empty mask the convention says."""
        return [name for name in self._names if name not in ALWAYS_DEFINED]

    def _distances(self, region: int) -> dict[str, float]:
        values: dict[str, float] = {}
        if any(name.startswith(DISTANCES) for name in self._names):
            pairs = {kind: of_kind[region] for kind, of_kind in self._surfaces.items()}
            values |= self._rules.distances(pairs, self._tolerances)
        if "boundary_iou" in self._names:
            values["boundary_iou"] = self._places.boundary_iou(region)
        if "centroid_distance_mm" in self._names:
            values["centroid_distance_mm"] = self._places.centroid_distance(region, self._spacing)
        return values

    def _always(self, reference: int, prediction: int, both: int) -> dict[str, float]:
        """What is defined for empty masks too."""
        voxel_ml = float(np.prod(self._spacing)) / 1000
        background = int(np.prod(self._shape)) - reference
        volumes = (reference * voxel_ml, prediction * voxel_ml, (prediction - reference) * voxel_ml)
        specificity = (background - prediction + both) / background if background else nan
        return dict(zip(ALWAYS_DEFINED, (*volumes, specificity), strict=True))


DISTANCES = ("hd", "assd", "masd", "nsd_")
"""Beginnings of the names of metrics that are taken from the distances between surfaces."""

ALWAYS_DEFINED = ("volume_reference_ml", "volume_prediction_ml", "volume_error_ml", "specificity")


def _overlaps(reference: int, prediction: int, both: int) -> dict[str, float]:
    """Metrics of the numbers of voxels in the reference, in the prediction and in both, none of the two empty."""
    return {
        "dice": 2 * both / (reference + prediction),
        "jaccard": both / (reference + prediction - both),
        "sensitivity": both / reference,
        "precision": both / prediction,
        "relative_volume_error": (prediction - reference) / reference,
    }


def _status(reference: int, prediction: int) -> str:
    if reference and prediction:
        return OK
    if reference:
        return PREDICTION_EMPTY
    return REFERENCE_EMPTY if prediction else BOTH_EMPTY


def shared_regions(*conventions: LabelConvention) -> list[str]:
    """The regions that all of them know, from the outermost."""
    return [region for region in SCORED_REGIONS if all(region in known.scored_regions for known in conventions)]


def check_labels(labels: frozenset[int], convention: LabelConvention, what: str) -> None:
    """Raises ScoringError where ``labels`` has one that the convention does not know."""
    outside = convention.outside(labels)
    if outside:
        known = ", ".join(str(label) for label in sorted(convention.labels))
        raise ScoringError(
            f"{what}: label {', '.join(map(str, outside))} is not in the convention {convention.name} "
            f"(labels {known}); state the right one with --labels"
        )


def label_map(voxels: np.ndarray, what: str) -> np.ndarray:
    """``voxels`` as a uint8 label map (z, y, x). Raises ScoringError where they are none."""
    voxels = _three_dimensional(voxels, what)
    if voxels.dtype == np.uint8:
        return voxels
    if voxels.dtype == bool:
        return voxels.view(np.uint8)
    if voxels.size and not (voxels.min() >= 0 and voxels.max() <= 255 and np.array_equal(voxels, np.rint(voxels))):
        raise ScoringError(f"{what}: not a label map; labels are whole numbers from 0 to 255")
    return voxels.astype(np.uint8)


def _mask(voxels: np.ndarray, what: str) -> np.ndarray:
    if _three_dimensional(voxels, what).dtype != bool:
        raise ScoringError(f"{what}: a mask is boolean, this is {np.asarray(voxels).dtype}; compare it with a label")
    return np.asarray(voxels).view(np.uint8)


def _three_dimensional(voxels: np.ndarray, what: str) -> np.ndarray:
    voxels = np.asarray(voxels)
    if voxels.ndim != 3:
        raise ScoringError(f"{what}: has {voxels.ndim} dimensions, expected 3 (z, y, x)")
    return voxels


def checked_spacing(spacing: Sequence[float]) -> tuple[float, ...]:
    """Three positive numbers. Raises ScoringError where it is something else."""
    values = tuple(float(value) for value in spacing)
    if len(values) != 3 or not all(np.isfinite(value) and value > 0 for value in values):
        raise ScoringError(f"spacing {values} must be three positive numbers in mm, in the order z, y, x")
    return values


def _convention(labels: LabelConvention | str) -> LabelConvention:
    return labels if isinstance(labels, LabelConvention) else label_convention(labels)


def _size(voxels: np.ndarray) -> str:
    return "x".join(str(size) for size in voxels.shape)
