"""Connected uncertain places: the trivial rim removed, what is too long for one look split."""

from __future__ import annotations

from math import ceil

import numpy as np

from ..fusion.boxes import union_box

CONNECTIVITY = 26
RIM_MM, DEEP_MM = 1.0, 2.0
"""Distances to the surface: see ``signed_distance``."""

REACH_MM = 3.0
"""How far from a deep uncertain voxel the rim still belongs to it."""

LONGEST_MM = 30.0
SMOOTHING_MM = 5.0
"""Of the uncertainty, before its peaks become the seeds of the parts: half of a part's least distance to the next."""


def connected_parts(
    uncertain: np.ndarray, uncertainty: np.ndarray, spacing: tuple[float, ...], consensus: np.ndarray | None = None
) -> np.ndarray:
    """Labels from 1 of the connected places of a mask ``(z, y, x)``; 0 elsewhere. ``spacing`` in mm in array order.

    With the ``consensus`` mask of the region its rim is removed first (``without_rim``); then components are
    26-connected, and those that span more than 30 mm along an axis are split along the valleys of ``uncertainty``.
    """
    import cc3d

    if consensus is not None:
        uncertain = without_rim(uncertain, consensus, spacing)
    labels = cc3d.connected_components(uncertain, connectivity=CONNECTIVITY, out_dtype=np.uint32).astype(np.int32)
    return split_long(labels, uncertainty, spacing)


def without_rim(uncertain: np.ndarray, consensus: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """The mask without the voxels within 1 mm of the consensus' surface, but for those beside a deep uncertain voxel.

    Members always differ a little along the surface. The rim stays where the doubt reaches more than 2 mm from the
    surface within 3 mm of the voxel, so that it neither joins places that are apart nor is cut off one that matters.
    """
    from scipy.ndimage import distance_transform_edt

    if not uncertain.any() or not consensus.any() or consensus.all():
        return uncertain
    box, signed = signed_distance(consensus, spacing, DEEP_MM + REACH_MM + max(spacing))
    here, distance = uncertain[box], np.abs(signed)
    kept = here & (distance > RIM_MM)
    deep = here & (distance > DEEP_MM)
    if deep.any():
        kept |= here & (distance_transform_edt(~deep, sampling=spacing) <= REACH_MM)
    result = uncertain.copy()
    result[box] = kept
    return result


def signed_distance(
    mask: np.ndarray, spacing: tuple[float, ...], reach_mm: float
) -> tuple[tuple[slice, ...], np.ndarray]:
    """The box that reaches so far around a mask, neither empty nor full, and its voxels' distance to the surface.

    In mm, negative inside. The surface lies half of the finest spacing before the nearest voxel on the other side.
    """
    from scipy.ndimage import distance_transform_edt

    box, half = box_around(mask, spacing, reach_mm), min(spacing) / 2
    inside = mask[box]
    outer = distance_transform_edt(~inside, sampling=spacing) - half
    inner = distance_transform_edt(inside, sampling=spacing) - half
    return box, np.where(inside, -inner, outer)


def split_long(labels: np.ndarray, uncertainty: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """The same places with those longer than 30 mm split by a watershed on the smoothed uncertainty."""
    from scipy.ndimage import find_objects

    labels, last = labels.copy(), int(labels.max())
    for number, box in enumerate(find_objects(labels), start=1):
        if box is None or _length(box, spacing) <= LONGEST_MM:
            continue
        inside = labels[box] == number
        parts = _watershed(inside, uncertainty[box], spacing)
        further = inside & (parts > 1)
        labels[box][further] = last + parts[further] - 1
        last += max(int(parts.max()) - 1, 0)
    return labels


def box_around(mask: np.ndarray, spacing: tuple[float, ...], margin_mm: float) -> tuple[slice, ...]:
    """The box of a mask that is not empty, wider by a margin, within the array."""
    return union_box([mask], [ceil(margin_mm / length) for length in spacing])


def _length(box: tuple[slice, ...], spacing: tuple[float, ...]) -> float:
    return max((side.stop - side.start) * length for side, length in zip(box, spacing, strict=True))


def _watershed(inside: np.ndarray, uncertainty: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Parts from 1, one a peak of the smoothed uncertainty; peaks lie at least half of the longest part apart."""
    from scipy.ndimage import gaussian_filter, maximum_filter
    from skimage.measure import label
    from skimage.segmentation import watershed

    height = gaussian_filter(np.where(inside, uncertainty, 0).astype(np.float32), [SMOOTHING_MM / s for s in spacing])
    reach = [2 * round(LONGEST_MM / 2 / length) + 1 for length in spacing]
    peaks = inside & (height == maximum_filter(np.where(inside, height, -1), size=reach))
    return watershed(-height, label(peaks, connectivity=3), mask=inside)
