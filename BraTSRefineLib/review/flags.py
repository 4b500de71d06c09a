"""Connected uncertain regions, ranked, each with the place to look at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..cohort.volumes import Geometry
from ..cohort.workspace import written_whole
from ..fusion import QUANTITIES
from ..regions import REGION_NAMES

FLAG_COLUMNS = ["case", "region", "rank", "why", "quantity", "volume_ml", "mean", "maximum", "x_mm", "y_mm", "z_mm"]
CONNECTIVITY = 26
RIM_MM = 1.5
MOSTLY_SET, HARDLY_SET = 0.8, 0.2


class ReviewError(ValueError):
    """A map or a table of flags that cannot be used; the message says which and why."""


@dataclass(frozen=True)
class Flag:
    """One place to look at. ``center_lps`` in mm lies inside the region; ``mean`` and ``maximum`` in the map's unit."""

    case: str
    region: str
    rank: int
    why: str
    quantity: str
    volume_ml: float
    mean: float
    maximum: float
    center_lps: tuple[float, float, float]

    @property
    def row(self) -> dict[str, object]:
        """The flag as a row of ``flags.csv``."""
        row = {name: getattr(self, name) for name in FLAG_COLUMNS if not name.endswith("_mm")}
        return row | dict(zip(("x_mm", "y_mm", "z_mm"), self.center_lps, strict=True))


def default_threshold(quantity: str) -> float:
    """Half of the quantity's theoretical maximum: one number for every case, so that flags are comparable.

    For the entropy (in units of ln 2) it is 0.5; for five label maps it takes in what a single one contradicts.
    """
    if quantity not in QUANTITIES:
        raise ReviewError(f"no quantity '{quantity}': use one of {', '.join(QUANTITIES)}")
    return QUANTITIES[quantity].high / 2


def uncertain_regions(
    uncertainty: np.ndarray, geometry: Geometry, threshold: float, consensus: np.ndarray | None = None
) -> np.ndarray:
    """Components (int labels from 1, 26-connected) of the voxels at or above ``threshold``, ``(z, y, x)``.

    Members always differ a little along the surface. With the ``consensus`` mask of the region, voxels whose centre
    lies within 1.5 mm of one on the other side (1 mm of the surface between them) do not count, so that this rim
    neither hides nor joins the places that matter.
    """
    import cc3d

    uncertain = uncertainty >= threshold
    if consensus is not None and uncertain.any():
        uncertain &= ~_rim(consensus, geometry.array_spacing)
    return cc3d.connected_components(uncertain, connectivity=CONNECTIVITY)


def flagged_regions(
    uncertainty: np.ndarray,
    geometry: Geometry,
    *,
    case: str,
    region: str,
    quantity: str,
    threshold: float | None = None,
    minimum_voxels: int = 10,
    limit: int = 20,
    consensus: np.ndarray | None = None,
) -> list[Flag]:
    """The uncertain regions of a map ``(z, y, x)``, ranked by volume x mean uncertainty, at most ``limit``.

    ``threshold`` None takes ``default_threshold``. Components of fewer than ``minimum_voxels`` voxels stay in the
    map and out of the list. ``consensus``: see ``uncertain_regions``; with it ``why`` says which way the doubt goes.
    Raises ReviewError where the map does not fit the geometry or the quantity is unknown.
    """
    threshold = default_threshold(quantity) if threshold is None else threshold
    _check_shapes(uncertainty, geometry, case, consensus)
    components = uncertain_regions(uncertainty, geometry, threshold, consensus)
    sizes = np.bincount(components.ravel())
    totals = np.bincount(components.ravel(), weights=uncertainty.ravel())
    ranked = sorted((n for n in range(1, len(sizes)) if sizes[n] >= minimum_voxels), key=lambda n: (-totals[n], n))
    boxes = _boxes(components) if ranked else []
    return [
        _flag(uncertainty, components, boxes[n - 1], n, geometry, consensus, (case, region, quantity, rank))
        for rank, n in enumerate(ranked[:limit], start=1)
    ]


def write_flags(flags: Iterable[Flag], path: Path) -> None:
    """Write ``flags.csv`` (FLAG_COLUMNS, positions LPS in mm); the file appears whole or not at all."""
    table = pd.DataFrame([flag.row for flag in flags], columns=FLAG_COLUMNS)
    with written_whole(path) as temporary:
        table.to_csv(temporary, index=False)


def read_flags(path: Path) -> pd.DataFrame:
    """The table that ``write_flags`` wrote. Raises ReviewError where there is none or columns are missing."""
    if not Path(path).is_file():
        raise ReviewError(f"{path}: no flags yet; run the uncertainty job first")
    table = pd.read_csv(path, dtype={"case": str, "region": str, "why": str, "quantity": str})
    missing = [column for column in FLAG_COLUMNS if column not in table]
    if missing:
        raise ReviewError(f"{path}: no column {', '.join(missing)}; run the uncertainty job again")
    return table


def _flag(
    uncertainty: np.ndarray,
    components: np.ndarray,
    box: tuple[slice, ...],
    number: int,
    geometry: Geometry,
    consensus: np.ndarray | None,
    names: tuple[str, str, str, int],
) -> Flag:
    case, region, quantity, rank = names
    inside = components[box] == number
    values = uncertainty[box][inside]
    indices = np.argwhere(inside)
    center = indices[_nearest_to_centroid(indices, values, geometry)] + [part.start for part in box]
    share = None if consensus is None else float(consensus[box][inside].mean())
    volume_ml = len(values) * float(np.prod(geometry.spacing)) / 1000
    place = geometry.to_physical(tuple(int(index) for index in center))
    why = _why(region, quantity, share)
    return Flag(case, region, rank, why, quantity, volume_ml, float(values.mean()), float(values.max()), place)


def _nearest_to_centroid(indices: np.ndarray, values: np.ndarray, geometry: Geometry) -> int:
    """Which voxel lies nearest, in mm, to the uncertainty-weighted centroid; a crescent's centroid lies outside."""
    positions = indices * np.asarray(geometry.array_spacing)
    centroid = np.average(positions, axis=0, weights=values)
    return int(((positions - centroid) ** 2).sum(axis=1).argmin())


def _why(region: str, quantity: str, share: float | None) -> str:
    verb = "are unsure about" if quantity in ("entropy", "mean") else "disagree about"
    words = f"members {verb} the {REGION_NAMES[region]}"
    if share is None:
        return words
    if share >= MOSTLY_SET:
        return f"{words}: the fused label has it here, possibly too much"
    if share <= HARDLY_SET:
        return f"{words}: the fused label leaves it out here, possibly a miss"
    return f"{words}: how far it reaches"


def _rim(consensus: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Voxels whose centre lies within RIM_MM of a voxel's centre on the other side of the surface."""
    from scipy import ndimage

    rim = np.zeros(consensus.shape, dtype=bool)
    if not consensus.any():
        return rim
    reach = [int(RIM_MM // length) + 1 for length in spacing]
    box = ndimage.find_objects(consensus.astype(np.uint8))[0]
    box = tuple(slice(max(part.start - n, 0), part.stop + n) for part, n in zip(box, reach, strict=True))
    mask = consensus[box]
    if mask.all():
        return rim
    inside = ndimage.distance_transform_edt(mask, sampling=spacing)
    outside = ndimage.distance_transform_edt(~mask, sampling=spacing)
    rim[box] = (inside + outside) <= RIM_MM
    return rim


def _boxes(components: np.ndarray) -> list[tuple[slice, ...]]:
    from scipy import ndimage

    return ndimage.find_objects(components)


def _check_shapes(uncertainty: np.ndarray, geometry: Geometry, case: str, consensus: np.ndarray | None) -> None:
    shape = geometry.size[::-1]
    for name, array in (("uncertainty map", uncertainty), ("consensus", consensus)):
        if array is not None and array.shape != shape:
            raise ReviewError(f"{case}: the {name} has shape {array.shape}, the case {shape}; make the map again")
