"""The voxels of the shown case's flags, read map by map, and how much of each is wrong. No Qt, no MRML."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .casedata import FALSE_NEGATIVE, FALSE_POSITIVE, CaseData, Labels
from .tables import FlagRow

if TYPE_CHECKING:
    from BraTSRefineLib.cohort.volumes import Geometry
    from BraTSRefineLib.cohort.workspace import Workspace


TOLERANCE_MM = 0.6
"""Half a voxel: a box is that of the voxels' centres."""


@dataclass(frozen=True)
class Extent:
    """A flag's voxels ``mask`` (z, y, x) in ``box`` of a volume of this ``geometry`` (the whole volume's)."""

    mask: np.ndarray
    box: tuple[slice, ...]
    geometry: Geometry

    def contains(self, lps: Sequence[float]) -> bool:
        index = np.rint(self.geometry.to_index(lps)).astype(int)
        place = [i - side.start for i, side in zip(index, self.box, strict=True)]
        isInside = all(0 <= i < n for i, n in zip(place, self.mask.shape, strict=True))
        return isInside and bool(self.mask[tuple(place)])


class FlagExtents:
    """Of one case. A map is read when ``read`` is asked to; a flag whose map is missing or another's has no extent."""

    def __init__(self, workspace: Workspace, case: str, flags: Sequence[FlagRow]) -> None:
        self.case = case
        self._workspace = workspace
        self._flags: dict[tuple[str, str], list[FlagRow]] = {}
        for flag in flags:
            self._flags.setdefault((flag.region, flag.model), []).append(flag)
        self._unread = list(self._flags)
        self._found: dict[str, Extent] = {}
        self._judged: Labels | None = None
        self._errors: dict[str, dict[int, float] | None] = {}

    @property
    def isRead(self) -> bool:
        return not self._unread

    def readNext(self) -> None:
        """Read one more of the maps; one that cannot be read counts as missing, the flags' boxes remain."""
        if self._unread:
            self._read(self._unread.pop(0))

    def of(self, flag: FlagRow) -> Extent | None:
        """Where the flag lies; reads its map if that was not read yet."""
        key = flag.region, flag.model
        if key in self._unread:
            self._unread.remove(key)
            self._read(key)
        return self._found.get(flag.id)

    def errorsIn(self, flag: FlagRow, data: CaseData) -> dict[int, float] | None:
        """Its millilitres too much and missed, by kind; None without a reference, or while its map is not read."""
        if data.prediction is not self._judged:
            self._judged, self._errors = data.prediction, {}
        if flag.id not in self._errors:
            extent = self._found.get(flag.id)
            if extent is None:
                return None
            self._errors[flag.id] = _errorsIn(extent, flag.region, data)
        return self._errors[flag.id]

    def _read(self, key: tuple[str, str]) -> None:
        from BraTSRefineLib.review import ReviewError
        from BraTSRefineLib.review.flag_maps import read_flag_map

        region, model = key
        try:
            found = read_flag_map(self._workspace, self.case, region, model)
        except ReviewError:
            return
        if found is not None:
            self._found |= _extents(*found, self._flags[key])


def _extents(ranks: np.ndarray, geometry: Geometry, flags: Sequence[FlagRow]) -> dict[str, Extent]:
    """By id, those whose place the map has under their rank: after another run the map may be of other flags."""
    from scipy.ndimage import find_objects

    boxes, found = find_objects(ranks), {}
    for flag in flags:
        box = boxes[flag.rank - 1] if flag.rank <= len(boxes) else None
        if box is not None:
            extent = Extent(ranks[box] == flag.rank, box, geometry)
            if extent.contains(flag.center):
                found[flag.id] = extent
    return found


def _errorsIn(extent: Extent, region: str, data: CaseData) -> dict[int, float] | None:
    reference, prediction = data.reference, data.prediction
    if reference is None or prediction is None or data.consensus or not reference.on(prediction):
        return None
    if region not in reference.regions or region not in prediction.regions:
        return None
    if reference.geometry.difference(extent.geometry):
        return None
    true, said = (labels.regions[region][extent.box] for labels in (reference, prediction))
    wrong = {FALSE_POSITIVE: said & ~true, FALSE_NEGATIVE: true & ~said}
    return {kind: np.count_nonzero(mask & extent.mask) * extent.geometry.voxel_ml for kind, mask in wrong.items()}


def isAround(flag: FlagRow, lps: tuple[float, float, float]) -> bool:
    """Whether the position lies in the flag's box, or where that is not known in a ball of its volume."""
    if flag.box:
        low, high = flag.box[:3], flag.box[3:]
        return all(a - TOLERANCE_MM <= x <= b + TOLERANCE_MM for a, x, b in zip(low, lps, high, strict=True))
    return math.dist(flag.center, lps) <= flag.radius + TOLERANCE_MM
