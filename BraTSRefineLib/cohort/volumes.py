"""Volumes on disk: geometry, label maps and images, read whole or refused with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from .nifti_header import NiftiHeader, read_nifti_header
from .workspace import written_whole

GEOMETRY_TOLERANCE_MM = 1e-3
INTEGER_TOLERANCE = 1e-3
GZIP_MAGIC = b"\x1f\x8b"


class VolumeError(ValueError):
    """A file that cannot be used as what it is meant to be; the message names the file and the reason."""


@dataclass(frozen=True)
class Geometry:
    """Size in voxels, spacing and origin in mm (LPS), direction cosines row by row; all in (x, y, z) order."""

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]

    @property
    def array_shape(self) -> tuple[int, ...]:
        """Voxels in array order (z, y, x)."""
        return self.size[::-1]

    @property
    def array_spacing(self) -> tuple[float, ...]:
        """Spacing in mm in array order (z, y, x)."""
        return self.spacing[::-1]

    @property
    def voxel_ml(self) -> float:
        """The volume of a voxel in ml."""
        return float(np.prod(self.spacing)) / 1000

    @property
    def affine(self) -> np.ndarray:
        """4x4 matrix from (x, y, z) voxel index to LPS position in mm."""
        matrix = np.eye(4)
        matrix[:3, :3] = np.reshape(self.direction, (3, 3)) * np.asarray(self.spacing)
        matrix[:3, 3] = self.origin
        return matrix

    def to_physical(self, index_zyx: tuple[float, ...]) -> tuple[float, float, float]:
        """LPS position in mm of an array index (z, y, x)."""
        position = self.affine @ np.array([*index_zyx[::-1], 1.0])
        return float(position[0]), float(position[1]), float(position[2])

    def to_index(self, positions: np.typing.ArrayLike) -> np.ndarray:
        """Array indices (z, y, x), not rounded, of LPS positions in mm; (3,) or (n, 3)."""
        offsets = np.subtract(positions, self.origin)
        return np.linalg.solve(self.affine[:3, :3], offsets.T).T[..., ::-1]

    def difference(self, other: Geometry, tolerance_mm: float = GEOMETRY_TOLERANCE_MM) -> str:
        """What differs between two grids, in words; empty where no voxel lies further apart than the tolerance."""
        if self == other:
            return ""
        if self.size != other.size:
            return f"size {_numbers(self.size)} against {_numbers(other.size)}"
        for name in ("spacing", "origin"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if np.abs(np.subtract(mine, theirs)).max() > tolerance_mm:
                return f"{name} {_numbers(mine)} against {_numbers(theirs)} mm"
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.size], [1])).reshape(4, -1)
        if np.abs((self.affine - other.affine) @ corners).max() > tolerance_mm:
            return f"direction {_numbers(self.direction)} against {_numbers(other.direction)}"
        return ""


def _numbers(values: tuple[float, ...]) -> str:
    if isinstance(values[0], int):
        return "x".join(str(value) for value in values)
    return "(" + ", ".join(f"{value + 0.0:g}" for value in values) + ")"


def read_geometry(path: Path) -> Geometry:
    """Geometry from the header alone. Raises VolumeError for a missing or unreadable file or one that is not 3D."""
    reader = _reader(path)
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise VolumeError(f"{path}: not readable as an image ({_reason(error)}); export it again") from None
    if reader.GetDimension() != 3:
        raise VolumeError(f"{path}: has {reader.GetDimension()} dimensions, expected 3; split it into 3D files")
    return Geometry(
        tuple(reader.GetSize()), tuple(reader.GetSpacing()), tuple(reader.GetOrigin()), tuple(reader.GetDirection())
    )


def read_image(path: Path) -> np.ndarray:
    """Voxels ``(z, y, x)`` in the file's own type. Raises VolumeError where the file is not a readable 3D image."""
    return np.require(read_volume(path)[0], requirements="W")


def read_volume(path: Path) -> tuple[np.ndarray, Geometry]:
    """The same for reading alone, which spares a copy, and its geometry."""
    geometry = read_geometry(path)
    return _voxels(path), geometry


def _voxels(path: Path) -> np.ndarray:
    """Stored NIfTI voxels are taken as they are: ITK turns NaN into 0 without a word, and takes longer."""
    header = read_nifti_header(path)
    if header is not None and header.dtype and not header.scaled:
        return _stored_voxels(path, header)
    return _converted_voxels(path)


def _stored_voxels(path: Path, header: NiftiHeader) -> np.ndarray:
    _check_length(path, content := _content(path), header.file_bytes)
    voxels = np.frombuffer(content, header.dtype, prod(header.shape), header.voxel_offset)
    return voxels.reshape(header.shape[::-1]).astype(voxels.dtype.newbyteorder("="), copy=False)


def _converted_voxels(path: Path) -> np.ndarray:
    import SimpleITK

    check_complete(path)
    reader = _reader(path)
    try:
        return SimpleITK.GetArrayFromImage(reader.Execute())
    except RuntimeError as error:
        raise VolumeError(f"{path}: the voxels cannot be read ({_reason(error)}); copy or export it again") from None


def read_label_map(path: Path) -> np.ndarray:
    """Label map ``(z, y, x)``, uint8.

    Whole numbers stored as float are accepted within 1e-3. Raises VolumeError for NaN, fractions and labels
    outside 0-255.
    """
    return as_labels(read_image(path), path)


def read_label_volume(path: Path) -> tuple[np.ndarray, Geometry]:
    """Label map as ``read_label_map`` gives it, but for reading alone, and its geometry."""
    voxels, geometry = read_volume(path)
    return as_labels(voxels, path), geometry


def as_labels(voxels: np.ndarray, path: Path) -> np.ndarray:
    """The voxels of a label map as uint8, same shape. Raises VolumeError as ``read_label_map`` does."""
    if voxels.dtype == np.uint8 or voxels.size == 0:
        return voxels.astype(np.uint8, copy=False)
    if np.issubdtype(voxels.dtype, np.floating):
        with np.errstate(invalid="ignore"):
            labels = voxels.astype(np.uint8)
        if np.array_equal(labels, voxels):
            return labels
        voxels = _whole_numbers(voxels, path)
    low, high = int(voxels.min()), int(voxels.max())
    if low < 0 or high > 255:
        raise VolumeError(f"{path}: labels from {low} to {high} are no label map (0 to 255)")
    return voxels.astype(np.uint8)


def write_volume(path: Path, voxels: np.ndarray, geometry: Geometry, description: str = "") -> None:
    """Write ``(z, y, x)`` voxels with ``geometry``; the file appears whole or not at all.

    ``description`` goes into the NIfTI header's ``descrip`` (79 characters).
    """
    import SimpleITK

    image = SimpleITK.GetImageFromArray(voxels)
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction)
    if description:
        image.SetMetaData("ITK_FileNotes", description[:79])
    with written_whole(path) as temporary:
        try:
            SimpleITK.WriteImage(image, str(temporary), useCompression=True)
            check_complete(temporary, voxels.nbytes)
        except (RuntimeError, VolumeError) as error:
            raise VolumeError(f"{path}: not written ({_reason(error)}); is the disk full?") from None


def _reader(path: Path):
    import SimpleITK

    if not Path(path).is_file():
        raise VolumeError(f"{path}: no such file")
    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    return reader


def check_complete(path: Path, least_bytes: int = 0) -> None:
    """ITK reads and writes a truncated ``.nii.gz`` without a word; its checksum and length tell.

    Raises VolumeError for a damaged NIfTI file and for one that holds fewer bytes than asked for or than its
    header announces; other formats notice by themselves.
    """
    if Path(path).suffix.lower() not in (".gz", ".nii"):
        return
    header = read_nifti_header(path)
    _check_length(path, _content(path), max(least_bytes, header.file_bytes if header else 0))


def _check_length(path: Path, content: bytes, expected: int) -> None:
    """Raises VolumeError where a file's unpacked content is shorter than expected."""
    if len(content) < expected:
        raise VolumeError(f"{path}: truncated ({len(content)} of {expected} bytes); copy or export it again")


def _content(path: Path) -> bytes:
    """The file's bytes, unpacked and their checksum verified where it is a ``.gz``."""
    packed = Path(path).read_bytes()
    if not packed.startswith(GZIP_MAGIC):
        return packed
    from isal import igzip

    try:
        return igzip.decompress(packed)
    except (EOFError, OSError) as error:
        raise VolumeError(f"{path}: truncated or damaged ({error}); copy or export it again") from None


def _whole_numbers(voxels: np.ndarray, path: Path) -> np.ndarray:
    if not np.isfinite(voxels).all():
        raise VolumeError(f"{path}: the label map holds NaN or infinity; export it again")
    rounded = np.rint(voxels)
    worst = float(np.abs(voxels - rounded).max())
    if worst > INTEGER_TOLERANCE:
        raise VolumeError(f"{path}: labels are not whole numbers (off by {worst:.3g}); is it a probability map?")
    return rounded


def _reason(error: Exception) -> str:
    """The last telling line of an ITK message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].removeprefix("ITK ERROR: ") if lines else "unknown reason"
