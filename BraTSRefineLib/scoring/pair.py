"""How good one prediction is: every metric of two masks, or of each region of two label maps."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np
import pandas as pd

from ..regions import REGIONS, LabelConvention, label_convention
from .conventions import (
    BOTH_EMPTY,
    OK,
    PREDICTION_EMPTY,
    REFERENCE_EMPTY,
    EmptyMaskPolicy,
    Score,
    ScoringError,
    empty_mask_policy,
)
from .engines import chosen_engine, surface_pairs
from .packing import Packed, pack
from .surface import SurfacePair

PAIR_COLUMNS = ("region", "metric", "value", "status", "convention")


def metric_names(tolerance_mm: float = 1.0) -> tuple[str, ...]:
    """The metrics in the order of the tables; the surface Dice is named after its tolerance (``nsd_1mm``).

    Raises ScoringError for a tolerance that is no distance.
    """
    if not 0 <= tolerance_mm < inf:
        raise ScoringError(f"tolerance {tolerance_mm} must be a distance in mm")
    return (
        "dice",
        "hd95_mm",
        "assd_mm",
        f"nsd_{tolerance_mm:g}mm",
        "sensitivity",
        "precision",
        "volume_reference_ml",
        "volume_prediction_ml",
        "volume_error_ml",
    )


METRICS = metric_names()


def compare_masks(
    reference: np.ndarray,
    prediction: np.ndarray,
    spacing: Sequence[float],
    *,
    convention: str = "brats2023",
    tolerance_mm: float = 1.0,
    engine: str = "auto",
) -> dict[str, Score]:
    """Every metric of two boolean masks (z, y, x), by name.

    ``spacing`` in mm in array order; volumes in ml, ``volume_error_ml`` is prediction minus reference.
    ``convention`` says what empty masks count (``explain_convention``). Definitions: ``conventions.DEFINITIONS``.
    Raises ScoringError for other than two boolean 3D masks of one shape, a spacing that is not three positive
    numbers, or an unknown convention or engine.
    """
    masks = _mask(reference, "reference"), _mask(prediction, "prediction")
    return region_scores(*masks, spacing, [(1,)], [(1,)], convention, tolerance_mm, engine)[0][0]


def score_pair(
    reference: np.ndarray,
    prediction: np.ndarray,
    spacing: Sequence[float],
    *,
    labels: LabelConvention | str,
    convention: str = "brats2023",
    prediction_labels: LabelConvention | str | None = None,
    tolerance_mm: float = 1.0,
    engine: str = "auto",
) -> pd.DataFrame:
    """Every metric of each region of two label maps (z, y, x): columns region, metric, value, status, convention.

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
        [mine.regions[region] for region in regions],
        [theirs.regions[region] for region in regions],
        convention,
        tolerance_mm,
        engine,
    )
    check_labels(packed.reference_labels, mine, "reference")
    check_labels(packed.prediction_labels, theirs, "prediction")
    rows = [
        (region, metric, score.value, score.status, convention)
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
    tolerance_mm: float,
    engine: str,
) -> tuple[list[dict[str, Score]], Packed]:
    """The metrics of each region (given as the labels that it is made of) of two uint8 label maps, in one pass."""
    policy, engine, spacing = empty_mask_policy(convention), chosen_engine(engine), checked_spacing(spacing)
    names = metric_names(tolerance_mm)
    if reference.shape != prediction.shape:
        raise ScoringError(f"reference has {_size(reference)} voxels, prediction {_size(prediction)}: not one grid")
    packed = pack(reference, prediction, reference_regions, prediction_regions, engine)
    overlaps = [packed.overlap(region) for region in range(len(reference_regions))]
    both = [region for region, (a, b, _) in enumerate(overlaps) if a and b]
    pairs = surface_pairs(packed, both, spacing, engine)
    voxel_ml = float(np.prod(spacing)) / 1000
    scores = [
        _scores(overlap, pairs.get(region), voxel_ml, tolerance_mm, names, policy)
        for region, overlap in enumerate(overlaps)
    ]
    return scores, packed


def _scores(
    overlap: tuple[int, int, int],
    pair: SurfacePair | None,
    voxel_ml: float,
    tolerance_mm: float,
    names: tuple[str, ...],
    policy: EmptyMaskPolicy,
) -> dict[str, Score]:
    reference, prediction, both = overlap
    status = _status(reference, prediction)
    if pair is None:
        values = [policy.value(name, status) for name in names[:6]]
    else:
        surface = (pair.hd95, pair.assd, pair.nsd(tolerance_mm))
        values = [2 * both / (reference + prediction), *surface, both / reference, both / prediction]
    volumes = (reference * voxel_ml, prediction * voxel_ml, (prediction - reference) * voxel_ml)
    scores = [Score(float(value), status) for value in values] + [Score(volume, OK) for volume in volumes]
    return dict(zip(names, scores, strict=True))


def _status(reference: int, prediction: int) -> str:
    if reference and prediction:
        return OK
    if reference:
        return PREDICTION_EMPTY
    return REFERENCE_EMPTY if prediction else BOTH_EMPTY


def shared_regions(*conventions: LabelConvention) -> list[str]:
    """The regions that all of them know, from the outermost."""
    return [region for region in REGIONS if all(region in convention.regions for convention in conventions)]


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
