"""Surfaces of masks on a torch device and the distances between them, as surface-distance defines them.

Each surface element's distance to the other surface is exact: squared distances are minimised along one axis after the
other (Felzenszwalb and Huttenlocher 2012, "Distance transforms of sampled functions"), in float64, in blocks of bounded
memory, and are added up in the order of scipy's distance transform. Importing this module imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn.functional import pad

from .surface import PERCENT, TIE, Directed
from .surfels import CORNERS

BLOCK = 2**20
"""Numbers that are held at once while distances are minimised: 8 MiB, which a processor's cache still holds."""

ALL_INSIDE = 2 ** len(CORNERS) - 1


@dataclass(frozen=True)
class TorchSurface:
    """``elements`` (z, y, x) boolean, a voxel corner each, ``positions`` (n, 3) of those set, ``areas`` (n) in mm²."""

    elements: torch.Tensor
    positions: torch.Tensor
    areas: torch.Tensor


def torch_surface(padded: torch.Tensor, areas: torch.Tensor) -> TorchSurface:
    """The surface of a boolean mask (z, y, x) with an empty margin; ``areas`` (256) by code of the block."""
    corners = tuple(size - 1 for size in padded.shape)
    codes = torch.zeros(corners, dtype=torch.uint8, device=padded.device)
    for bit, corner in enumerate(CORNERS):
        window = tuple(slice(start, start + size) for start, size in zip(corner, corners, strict=True))
        codes |= padded[window].to(torch.uint8) << bit
    elements = (codes != 0) & (codes != ALL_INSIDE)
    return TorchSurface(elements, elements.nonzero(), areas[codes[elements].long()])


def edge(padded: torch.Tensor) -> torch.Tensor:
    """The voxels of a boolean mask (z, y, x) that have a face neighbour outside it; the outermost ones are empty."""
    inside = padded.clone()
    for axis in range(3):
        inside &= padded.roll(1, axis) & padded.roll(-1, axis)
    return padded & ~inside


def cropped(reference: torch.Tensor, prediction: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Two boolean masks (z, y, x), cut to where either has anything, with an empty margin of a voxel."""
    either = reference | prediction
    box = tuple(_extent(either.any(dim=tuple({0, 1, 2} - {axis}))) for axis in range(3))
    return pad(reference[box], (1,) * 6), pad(prediction[box], (1,) * 6)


def _extent(line: torch.Tensor) -> slice:
    occupied = line.nonzero().flatten()
    return slice(int(occupied[0]), int(occupied[-1]) + 1) if len(occupied) else slice(0, 0)


@dataclass(frozen=True)
class TorchDirected:
    """One surface's area (mm²) by its distance (mm) to the other, an entry an element, by (distance, area)."""

    distances: torch.Tensor
    areas: torch.Tensor

    @property
    def mean(self) -> torch.Tensor:
        """Area-weighted mean distance in mm."""
        return (self.distances * self.areas).sum() / self.areas.sum()

    def area_within(self, tolerance_mm: float) -> torch.Tensor:
        """Area at a distance of at most ``tolerance_mm``."""
        return self.areas[self.distances <= tolerance_mm].sum()

    def percentile(self, share: float = PERCENT) -> torch.Tensor:
        """The first distance within which lies at least ``share`` of the area.

        Where rounding decides, the sums are taken in the order of surface-distance, which a device does not keep to.
        """
        reached = self.areas.cumsum(0) / self.areas.sum()
        if ((reached - share).abs() < TIE).any():
            exact = Directed(self.distances.cpu().numpy(), self.areas.cpu().numpy(), elementwise=True)
            return self.distances.new_tensor(exact.percentile(share))
        index = (reached < share).sum().clamp(max=len(reached) - 1)
        return self.distances[index]


def directed(source: TorchSurface, target: TorchSurface, spacing: tuple[float, ...]) -> TorchDirected:
    """From each element of ``source`` to the nearest of ``target``, which has some; both on one grid."""
    in_columns = _squares_in_columns(target.elements, spacing[0])
    in_planes = _least_in_rows(in_columns, spacing[1])
    distances = _least_at(in_planes, source.positions, spacing[2]).sqrt()
    by_area = source.areas.argsort(stable=True)
    order = by_area[distances[by_area].argsort(stable=True)]
    return TorchDirected(distances[order], source.areas[order])


def _squares_in_columns(elements: torch.Tensor, step: float) -> torch.Tensor:
    """Squared distance (mm²) from each corner to the nearest element of its column along z; infinite where none is."""
    places = torch.arange(elements.shape[0], dtype=torch.float64, device=elements.device)[:, None, None]
    before = places.where(elements, -torch.inf).cummax(0).values
    behind = places.where(elements, torch.inf).flip(0).cummin(0).values.flip(0)
    nearest = torch.minimum(places - before, behind - places) * step
    return nearest * nearest


def _least_in_rows(squares: torch.Tensor, step: float) -> torch.Tensor:
    """For each corner the least of ``squares`` plus the squared distance (mm²) to it, over its row along y."""
    depth, length, width = squares.shape
    rows = squares.transpose(0, 1).reshape(length, depth * width)
    cost = _squared_steps(torch.arange(length, device=squares.device), length, step)[:, :, None]
    least = torch.cat([(some + cost).amin(1) for some in rows.split(max(1, BLOCK // length**2), dim=1)], dim=1)
    return least.reshape(length, depth, width).transpose(0, 1)


def _least_at(squares: torch.Tensor, positions: torch.Tensor, step: float) -> torch.Tensor:
    """The same over the row along x, at the given positions (n, 3) alone."""
    length = squares.shape[2]
    return torch.cat(
        [
            (squares[some[:, 0], some[:, 1]] + _squared_steps(some[:, 2], length, step)).amin(1)
            for some in positions.split(max(1, BLOCK // length))
        ]
    )


def _squared_steps(places: torch.Tensor, length: int, step: float) -> torch.Tensor:
    """Squared distance in mm² from each of ``places`` to each of the ``length`` corners of a line, (n, length)."""
    apart = (places[:, None] - torch.arange(length, device=places.device)).double() * step
    return apart * apart
