"""Connected uncertain regions, ranked, each with the place to look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..cohort.volumes import Geometry
from .flag_regions import connected_parts
from .flag_types import Flag, ReviewError, default_threshold, highest, region_weight, type_of, why

SMALLEST_MM3 = 10.0


@dataclass(frozen=True)
class Flagged:
    """The flags of one map. ``labels`` holds each flag's rank where it lies, 0 elsewhere.

    ``subthreshold`` counts the places too small for the list; they stay in the map.
    """

    flags: list[Flag]
    labels: np.ndarray
    subthreshold: int


@dataclass(frozen=True)
class Doubt:
    """What is known of one region of a case, arrays ``(z, y, x)``.

    ``uncertainty`` in its quantity's unit; ``consensus``: the fused mask; ``probability``: the members' mean;
    ``mutual_information`` and ``entropy`` in nats. All but the first may be None.
    """

    uncertainty: np.ndarray
    consensus: np.ndarray | None = None
    probability: np.ndarray | None = None
    mutual_information: np.ndarray | None = None
    entropy: np.ndarray | None = None


def find_flags(
    doubt: Doubt,
    geometry: Geometry,
    *,
    case: str,
    region: str,
    quantity: str,
    threshold: float | None = None,
    minimum_mm3: float = SMALLEST_MM3,
    limit: int = 20,
    keep_rim: bool = False,
) -> Flagged:
    """The uncertain places of one region, ranked by score, at most ``limit``.

    score = w * sum of u * mm3 * (1 + mean MI/H): w is 3 for ET, 2 for TC, 1 for WT, u the uncertainty in units of its
    maximum. ``threshold`` None takes ``default_threshold``. Places of less than ``minimum_mm3`` are counted only.
    ``keep_rim`` suits a calibrated risk: that knows the distance to the consensus' surface, and names the rim around it
    only where it often errs.
    Raises ReviewError where a map does not fit the geometry or the quantity is unknown.
    """
    threshold = default_threshold(quantity) if threshold is None else threshold
    _check_shapes(doubt, geometry, case)
    rim_of = None if keep_rim else doubt.consensus
    parts = connected_parts(doubt.uncertainty >= threshold, doubt.uncertainty, geometry.array_spacing, rim_of)
    numbers, small = _large_enough(parts, minimum_mm3 / _voxel_mm3(geometry))
    scores = {n: _score(doubt, parts[box] == n, box, geometry, region, quantity) for n, box in numbers.items()}
    ranked = sorted(numbers, key=lambda number: (-scores[number], number))[:limit]
    labels, flags = np.zeros(parts.shape, np.int32), []
    for rank, number in enumerate(ranked, start=1):
        box = numbers[number]
        inside = parts[box] == number
        labels[box][inside] = rank
        flags.append(_flag(doubt, inside, box, geometry, (case, region, rank, quantity), scores[number]))
    return Flagged(flags, labels, small)


def _large_enough(parts: np.ndarray, minimum_voxels: float) -> tuple[dict[int, tuple[slice, ...]], int]:
    """The box of each part that is large enough, and how many are not."""
    from scipy.ndimage import find_objects

    sizes, boxes = np.bincount(parts.ravel()), find_objects(parts)
    numbers = {n: boxes[n - 1] for n in range(1, len(sizes)) if sizes[n] and sizes[n] >= minimum_voxels}
    return numbers, int(np.count_nonzero(sizes[1:])) - len(numbers)


def _score(
    doubt: Doubt, inside: np.ndarray, box: tuple[slice, ...], geometry: Geometry, region: str, quantity: str
) -> float:
    summed = float(doubt.uncertainty[box][inside].sum(dtype=np.float64)) / highest(quantity)
    contradiction = 0.0
    if doubt.mutual_information is not None and doubt.entropy is not None:
        entropy = doubt.entropy[box][inside]
        shares = np.divide(
            doubt.mutual_information[box][inside], entropy, out=np.zeros(entropy.shape), where=entropy > 1e-6
        )
        contradiction = float(shares.mean())
    return region_weight(region) * summed * _voxel_mm3(geometry) * (1 + contradiction)


def _flag(
    doubt: Doubt,
    inside: np.ndarray,
    box: tuple[slice, ...],
    geometry: Geometry,
    names: tuple[str, str, int, str],
    score: float,
) -> Flag:
    case, region, rank, quantity = names
    values, indices, first = doubt.uncertainty[box][inside], np.argwhere(inside), [side.start for side in box]
    center = indices[_nearest_to_centroid(indices, values, geometry)] + first
    share = None if doubt.consensus is None else float(doubt.consensus[box][inside].mean())
    kind = type_of(share)
    return Flag(
        case,
        region,
        rank,
        why(region, quantity, kind),
        quantity,
        len(values) * _voxel_mm3(geometry) / 1000,
        float(values.mean()),
        float(values.max()),
        _place(geometry, center),
        kind,
        score,
        _ambiguity_ml(doubt, inside, box, geometry),
        _box_lps(geometry, box),
    )


def _ambiguity_ml(doubt: Doubt, inside: np.ndarray, box: tuple[slice, ...], geometry: Geometry) -> float:
    """Expected absolute change of volume if each voxel were drawn anew: sum of min(p, 1 - p)."""
    if doubt.probability is None:
        return np.nan
    probability = doubt.probability[box][inside].astype(np.float64)
    return float(np.minimum(probability, 1 - probability).sum()) * _voxel_mm3(geometry) / 1000


def _nearest_to_centroid(indices: np.ndarray, values: np.ndarray, geometry: Geometry) -> int:
    """Which voxel lies nearest, in mm, to the uncertainty-weighted centroid; a crescent's centroid lies outside."""
    positions = indices * np.asarray(geometry.array_spacing)
    centroid = np.average(positions, axis=0, weights=values)
    return int(((positions - centroid) ** 2).sum(axis=1).argmin())


def _place(geometry: Geometry, index: np.ndarray) -> tuple[float, float, float]:
    return geometry.to_physical(tuple(int(number) for number in index))


def _box_lps(geometry: Geometry, box: tuple[slice, ...]) -> tuple[float, ...]:
    """The lowest and the highest x, y, z of the box's corner voxels."""
    ends = [(side.start, side.stop - 1) for side in box]
    corners = np.array([_place(geometry, np.array((z, y, x))) for z in ends[0] for y in ends[1] for x in ends[2]])
    return (*map(float, corners.min(axis=0)), *map(float, corners.max(axis=0)))


def _voxel_mm3(geometry: Geometry) -> float:
    return float(np.prod(geometry.spacing))


def _check_shapes(doubt: Doubt, geometry: Geometry, case: str) -> None:
    shape = geometry.array_shape
    arrays = {"uncertainty map": doubt.uncertainty, "consensus": doubt.consensus, "probability": doubt.probability}
    arrays |= {"mutual information": doubt.mutual_information, "entropy": doubt.entropy}
    for name, array in arrays.items():
        if array is not None and array.shape != shape:
            raise ReviewError(f"{case}: the {name} has shape {array.shape}, the case {shape}; make the map again")
