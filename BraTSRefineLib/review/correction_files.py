"""A label map written as another file lies on disk: its grid, its voxel type, its header to the byte."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..cohort.nifti_header import HEADER_BYTES, NiftiHeader, read_nifti_header
from ..cohort.volumes import (
    GZIP_MAGIC,
    Geometry,
    VolumeError,
    read_geometry,
    read_image,
    read_label_volume,
    write_volume,
)
from ..cohort.workspace import written_whole

UINT8_CODE, UINT8_BITS = 2, 8
NO_EXTENSION = b"\0\0\0\0"
FAST = 1


@dataclass(frozen=True)
class Template:
    """How a label map lies in its file, apart from the labels.

    ``dtype`` is NumPy's name with the byte order. ``header`` holds a NIfTI-1 file's bytes before its voxels, so that
    affine, qform and sform codes, units and extensions stay as they are; it is empty for other formats.
    """

    geometry: Geometry
    dtype: str
    header: bytes = b""

    @property
    def shape(self) -> tuple[int, ...]:
        """``(z, y, x)``."""
        return self.geometry.array_shape

    def write(self, path: Path, labels: np.ndarray) -> None:
        """Write a label map ``(z, y, x)`` as ``.nii.gz`` and read it again; the file appears whole or not at all.

        Raises VolumeError where it does not read back as it should, WorkspaceError where it cannot be written.
        """
        if labels.shape != self.shape:
            raise VolumeError(f"{path}: not written, {labels.shape} voxels do not fit the grid of {self.shape}")
        voxels = labels.astype(self.dtype)
        if not np.array_equal(voxels, labels):
            raise VolumeError(f"{path}: not written, labels up to {int(labels.max())} do not fit {self.dtype}")
        with written_whole(path) as temporary:
            if self.header:
                self._write_nifti(temporary, voxels)
            else:
                write_volume(temporary, voxels, self.geometry)
            self._check(temporary, path, labels)

    def _write_nifti(self, path: Path, voxels: np.ndarray) -> None:
        from isal import igzip

        path.write_bytes(igzip.compress(self.header + voxels.tobytes(), FAST))

    def _check(self, written: Path, path: Path, labels: np.ndarray) -> None:
        """Raises VolumeError where the file is not what was to be written."""
        found, geometry = read_label_volume(written)
        same = np.array_equal(found, labels) and not geometry.difference(self.geometry)
        if not same or (self.header and read_nifti_header(written).raw != self.header[:HEADER_BYTES]):
            raise VolumeError(f"{path}: not written, it reads back as something else; is the disk damaged?")


def template_of(path: Path) -> Template:
    """How the label map at ``path`` is stored. Raises VolumeError where it cannot be read."""
    geometry = read_geometry(path)
    header = read_nifti_header(path)
    if header is None or not header.dtype:
        return Template(geometry, read_image(path).dtype.name)
    return Template(geometry, header.dtype, _unscaled(_leading_bytes(path, header.voxel_offset)))


def blank_template_of(image: Path) -> Template:
    """A label map of bytes on the grid of an image. Raises VolumeError where the image cannot be read."""
    geometry = read_geometry(image)
    header = read_nifti_header(image)
    return Template(geometry, "uint8", _of_bytes(header)) if header else Template(geometry, "uint8")


def _leading_bytes(path: Path, count: int) -> bytes:
    """The first bytes of a file, unpacked where it is a ``.gz``."""
    from isal import igzip

    with Path(path).open("rb") as stream:
        packed = stream.read(2) == GZIP_MAGIC
    with igzip.open(path) if packed else Path(path).open("rb") as stream:
        return stream.read(count)


def _unscaled(header: bytes) -> bytes:
    """The same where stored values are the labels; a slope or intercept that would change them is set to 1 and 0."""
    parsed = NiftiHeader(header[:HEADER_BYTES], _order(header))
    if not parsed.scaled:
        return header
    changed = bytearray(header)
    struct.pack_into(f"{parsed.order}2f", changed, 112, 1.0, 0.0)
    return bytes(changed)


def _of_bytes(header: NiftiHeader) -> bytes:
    """The header of an image made that of a map of bytes: datatype, size of a voxel, offset, scaling, display range."""
    changed = bytearray(header.raw)
    struct.pack_into(f"{header.order}2h", changed, 70, UINT8_CODE, UINT8_BITS)
    struct.pack_into(f"{header.order}3f", changed, 108, HEADER_BYTES + len(NO_EXTENSION), 1.0, 0.0)
    struct.pack_into(f"{header.order}2f", changed, 124, 0.0, 0.0)
    return bytes(changed) + NO_EXTENSION


def _order(header: bytes) -> str:
    return next(order for order in "<>" if struct.unpack_from(f"{order}i", header)[0] == HEADER_BYTES)
