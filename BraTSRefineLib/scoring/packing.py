"""Several regions of two label maps in one byte a voxel, cropped to where there is anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

REFERENCE_BITS = 4
"""Bits 0-3 hold the reference's regions, bits 4-7 the prediction's."""


@dataclass(frozen=True)
class Packed:
    """``voxels`` (z, y, x) uint8, cropped to the box of all labels; ``counts[byte]`` voxels of each byte in it.

    ``reference_labels`` and ``prediction_labels`` are the labels seen, background left out.
    """

    voxels: np.ndarray
    counts: np.ndarray
    reference_labels: frozenset[int]
    prediction_labels: frozenset[int]

    def count(self, bits: int) -> int:
        """Voxels in which all of ``bits`` are set."""
        return int(self.counts[with_bits(bits)].sum())

    def overlap(self, region: int) -> tuple[int, int, int]:
        """Voxels of that region in the reference, in the prediction, and in both."""
        reference, prediction = 1 << region, 1 << (region + REFERENCE_BITS)
        return self.count(reference), self.count(prediction), self.count(reference | prediction)


def with_bits(bits: int) -> np.ndarray:
    """Which of the 256 bytes have all of ``bits`` set."""
    return (np.arange(256) & bits) == bits


def bit_table(regions: list[tuple[int, ...]], first_bit: int) -> np.ndarray:
    """Byte by label (256 values): bit ``first_bit + i`` is set where region ``i`` holds the label."""
    table = np.zeros(256, dtype=np.uint8)
    for bit, labels in enumerate(regions, first_bit):
        table[list(labels)] |= np.uint8(1 << bit)
    return table


def pack(
    reference: np.ndarray,
    prediction: np.ndarray,
    reference_regions: list[tuple[int, ...]],
    prediction_regions: list[tuple[int, ...]],
    engine: str,
) -> Packed:
    """Pack two uint8 label maps of one shape; at most four regions, each the labels that it is made of.

    ``engine`` is ``numba`` or ``scipy``, both with the same result.
    """
    tables = bit_table(reference_regions, 0), bit_table(prediction_regions, REFERENCE_BITS)
    if engine == "numba":
        from .kernels import packed_voxels
    else:
        packed_voxels = _packed_voxels
    voxels, joint = packed_voxels(reference, prediction, *tables)
    return Packed(voxels, *_tallies(joint, *tables))


def _packed_voxels(reference, prediction, reference_table, prediction_table) -> tuple[np.ndarray, np.ndarray]:
    """The packed crop, and how often each pair of labels occurs in it (256, 256)."""
    box = joint_box(occupied_box(reference), occupied_box(prediction))
    reference, prediction = reference[box], prediction[box]
    joint = np.bincount((reference.ravel().astype(np.uint16) << 8) | prediction.ravel(), minlength=65536)
    return reference_table[reference] | prediction_table[prediction], joint.reshape(256, 256)


def occupied_box(labels: np.ndarray) -> tuple[slice, ...]:
    """The smallest box (z, y, x) that holds everything set in a mask or label map; of no extent where nothing is."""
    plane = np.bitwise_or.reduce(_in_words(labels), axis=0).view(labels.dtype)
    y, x = _extent(plane.any(axis=1)), _extent(plane.any(axis=0))
    return _extent(labels[:, y, x].any(axis=(1, 2))), y, x


def joint_box(*boxes: tuple[slice, ...]) -> tuple[slice, ...]:
    """The smallest box around all of them; those of no extent do not count."""
    given = [box for box in boxes if box[0].stop] or [boxes[0]]
    return tuple(slice(min(s.start for s in axis), max(s.stop for s in axis)) for axis in zip(*given, strict=True))


def widened(box: tuple[slice, ...], margin: int, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """The box with ``margin`` voxels around, as far as the image goes."""
    sides = zip(box, shape, strict=True)
    return tuple(slice(max(0, side.start - margin), min(size, side.stop + margin)) for side, size in sides)


def labels_in(voxels: np.ndarray) -> frozenset[int]:
    """The labels of a uint8 label map, background left out."""
    largest = int(voxels.max(initial=0))
    if largest > FEW_LABELS:
        return frozenset(np.flatnonzero(np.bincount(voxels.ravel())).tolist()) - {0}
    return frozenset(label for label in range(1, largest + 1) if (voxels == label).any())


FEW_LABELS = 8
"""Up to so many, comparing with each is faster than counting all."""


def _in_words(labels: np.ndarray) -> np.ndarray:
    """Eight voxels of a byte at a time, where rows are long enough."""
    fits = labels.itemsize == 1 and labels.flags.c_contiguous and labels.shape[-1] % 8 == 0 and labels.size
    return labels.view(np.uint64) if fits else labels


def _extent(line: np.ndarray) -> slice:
    indices = np.flatnonzero(line)
    return slice(int(indices[0]), int(indices[-1]) + 1) if len(indices) else slice(0, 0)


def _tallies(joint: np.ndarray, reference_table: np.ndarray, prediction_table: np.ndarray):
    """Counts by packed byte, and the labels seen in each map."""
    pairs = np.argwhere(joint)
    bytes_of_pairs = reference_table[pairs[:, 0]] | prediction_table[pairs[:, 1]]
    counts = np.bincount(bytes_of_pairs, weights=joint[tuple(pairs.T)], minlength=256).astype(np.int64)
    labels = (frozenset(np.unique(pairs[:, side]).tolist()) - {0} for side in (0, 1))
    return counts, *labels
