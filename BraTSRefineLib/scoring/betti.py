"""The shape of a mask in whole numbers: its pieces, tunnels and cavities (Betti numbers), and how far two masks differ.

A mask is the union of its voxels as closed cubes, so that voxels which share a corner are one piece and the background
is joined by faces alone: connectivity 26 inside, 6 outside. What lies beyond the image is background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .arrays import boolean, same_shape
from .conventions import ScoringError
from .packing import occupied_box
from .pair import checked_spacing


@dataclass(frozen=True)
class Topology:
    """Betti numbers of a mask: ``betti0`` pieces, ``betti1`` tunnels, ``betti2`` cavities (closed hollows).

    ``piece_voxels`` and ``cavity_voxels`` are their sizes, the largest first.
    """

    betti0: int
    betti1: int
    betti2: int
    piece_voxels: tuple[int, ...]
    cavity_voxels: tuple[int, ...]

    @property
    def euler(self) -> int:
        """Euler characteristic: pieces minus tunnels plus cavities."""
        return self.betti0 - self.betti1 + self.betti2


def topology(mask: np.ndarray) -> Topology:
    """Pieces, tunnels and cavities of a boolean mask (z, y, x); all are 0 where it is empty.

    Pieces and cavities are counted as components; the tunnels follow from the Euler characteristic, which is the
    alternating sum of the corners, edges, faces and cubes that the mask is made of. Raises ScoringError for other
    than a boolean 3D mask.
    """
    mask = boolean(mask, "mask")
    if mask.ndim != 3:
        raise ScoringError(f"mask: has {mask.ndim} dimensions, expected 3 (z, y, x)")
    padded = np.pad(mask[occupied_box(mask.view(np.uint8))], 1)
    pieces, cavities = _component_sizes(padded, 26), _component_sizes(~padded, 6, leave_out_corner=True)
    tunnels = len(pieces) + len(cavities) - _euler(padded)
    return Topology(len(pieces), tunnels, len(cavities), pieces, cavities)


def topology_errors(
    reference: np.ndarray, prediction: np.ndarray, spacing: Sequence[float] | None = None
) -> dict[str, float]:
    """Both masks' Betti numbers and Euler characteristic and how far they differ, by metric name.

    ``betti0_reference``, ``betti0_prediction`` and ``betti0_error``, their absolute difference (the Betti error of
    Hu et al. 2019, "Topology-preserving deep image segmentation", over the whole mask), and so on for ``betti1``,
    ``betti2`` and ``euler``. With ``spacing`` in mm in array order also the volume inside the cavities,
    ``cavity_volume_reference_ml``, ``cavity_volume_prediction_ml`` and ``cavity_volume_error_ml``, prediction minus
    reference. Raises ScoringError as ``topology`` does, and for masks of two shapes or a spacing that is none.
    """
    same_shape(reference=np.asarray(reference), prediction=np.asarray(prediction))
    of_reference, of_prediction = topology(reference), topology(prediction)
    scores: dict[str, float] = {}
    for name in ("betti0", "betti1", "betti2", "euler"):
        expected, found = getattr(of_reference, name), getattr(of_prediction, name)
        scores |= {f"{name}_reference": expected, f"{name}_prediction": found, f"{name}_error": abs(found - expected)}
    if spacing is not None:
        voxel_ml = float(np.prod(checked_spacing(spacing))) / 1000
        expected, found = (sum(one.cavity_voxels) * voxel_ml for one in (of_reference, of_prediction))
        scores |= {"cavity_volume_reference_ml": expected, "cavity_volume_prediction_ml": found}
        scores["cavity_volume_error_ml"] = found - expected
    return {name: float(value) for name, value in scores.items()}


def _component_sizes(voxels: np.ndarray, connectivity: int, leave_out_corner: bool = False) -> tuple[int, ...]:
    """Voxels of each component, the largest first, on request without the one that holds the first voxel."""
    import cc3d

    labels = cc3d.connected_components(np.ascontiguousarray(voxels).view(np.uint8), connectivity=connectivity)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    if leave_out_corner:
        sizes[labels[0, 0, 0]] = 0
    return tuple(sorted(sizes[sizes > 0].tolist(), reverse=True))


def _euler(padded: np.ndarray) -> int:
    """Corners minus edges plus faces minus cubes of the union of closed voxels; no voxel at the border is set."""
    return sum(
        (-1) ** (3 - dimensions) * _cells(padded, axes)
        for dimensions in range(4)
        for axes in combinations(range(3), dimensions)
    )


def _cells(padded: np.ndarray, axes: tuple[int, ...]) -> int:
    """How many cells, each shared by the voxels beside it along ``axes``, belong to a voxel that is set."""
    for axis in axes:
        lower, upper = ([slice(None)] * 3 for _ in range(2))
        lower[axis], upper[axis] = slice(None, -1), slice(1, None)
        padded = padded[tuple(lower)] | padded[tuple(upper)]
    return int(np.count_nonzero(padded))
