"""Saved probability maps as WT, TC, ET stacks: nnU-Net's ``.npz``, 4D NIfTI, and the maps that we write."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from ..regions import REGIONS
from .case import Case, CohortError
from .dataset_json import dataset_json_above, read_dataset_json
from .geometry import case_geometry
from .volumes import VolumeError, check_complete, read_volume

OWN_MAP = "-WT-mean.nii.gz"
"""Our own maps are a file a region; the whole tumour's stands for all of them."""

ROUNDING = 1e-3
"""How far beyond 0 and 1 a probability may lie: float16 and sums of softmax channels do not end exactly there."""


def read_probabilities(path: Path, case: Case) -> np.ndarray:
    """Probabilities ``(3, z, y, x)`` float32 of WT, TC, ET in the case's grid.

    nnU-Net's ``.npz`` has ``probabilities`` ``(channel, z, y, x)``; the ``dataset.json`` beside it or above it says
    which channels add up to a region, without one three channels are WT, TC, ET. Of our own maps ``path`` is the
    whole tumour's, the others lie beside it. Raises VolumeError for a file that is damaged, of another size than the
    case, with unknown channels, or with values that are no probabilities.
    """
    regions = _own_maps(path) if path.name.endswith(OWN_MAP) else _regions(_channels(path), path)
    expected = case_geometry(case).array_shape
    if regions.shape[1:] != expected:
        raise VolumeError(f"{path}: size {regions.shape[1:]} against {expected} of the case; predict it again")
    low, high = float(regions.min()), float(regions.max())
    if not (low >= -ROUNDING and high <= 1 + ROUNDING):
        raise VolumeError(f"{path}: values from {low:g} to {high:g} are no probabilities; were logits saved?")
    return np.clip(regions, 0.0, 1.0, out=regions)


def _own_maps(path: Path) -> np.ndarray:
    """A region that the model does not know has no file and is nowhere."""
    case = path.name.removesuffix(OWN_MAP)
    files = [path.with_name(f"{case}-{region}-mean.nii.gz") for region in REGIONS]
    maps = [read_volume(file)[0] if file.is_file() else None for file in files]
    return np.stack([np.zeros_like(maps[0]) if one is None else one for one in maps]).astype(np.float32, copy=False)


def _channels(path: Path) -> np.ndarray:
    return _npz_channels(path) if path.suffix.lower() == ".npz" else _image_channels(path)


def _npz_channels(path: Path) -> np.ndarray:
    try:
        with np.load(path, allow_pickle=False) as stored:
            channels = stored["probabilities"]
    except KeyError:
        raise VolumeError(
            f"{path}: holds no array 'probabilities'; save it as nnU-Net's --save_probabilities"
        ) from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise VolumeError(f"{path}: not a readable .npz ({error}); copy or export it again") from None
    if channels.ndim != 4:
        raise VolumeError(f"{path}: shape {channels.shape}, expected (channel, z, y, x)")
    return channels


def _image_channels(path: Path) -> np.ndarray:
    """A 4D image, or a 3D one with several values a voxel."""
    import SimpleITK

    if not path.is_file():
        raise VolumeError(f"{path}: no such file")
    check_complete(path)
    try:
        image = SimpleITK.ReadImage(str(path))
    except RuntimeError:
        raise VolumeError(f"{path}: not readable as an image; export it again") from None
    voxels = SimpleITK.GetArrayFromImage(image)
    if image.GetDimension() == 3 and image.GetNumberOfComponentsPerPixel() > 1:
        voxels = np.moveaxis(voxels, -1, 0)
    if voxels.ndim != 4:
        raise VolumeError(f"{path}: {voxels.ndim} dimensions, expected three channels of 3D in one file")
    return voxels


def _regions(channels: np.ndarray, path: Path) -> np.ndarray:
    """Channels put together to regions, as the ``dataset.json`` says or, three of them, as they come."""
    stated = dataset_json_above(path)
    if stated is None:
        if len(channels) != len(REGIONS):
            raise VolumeError(f"{path}: {len(channels)} channels without a dataset.json, expected WT, TC, ET; add it")
        return channels.astype(np.float32)
    try:
        members = read_dataset_json(stated).probability_channels()
    except (CohortError, ValueError) as error:
        raise VolumeError(f"{path}: its channels cannot be told apart ({error})") from None
    needed = 1 + max(index for indices in members.values() for index in indices)
    if len(channels) < needed:
        raise VolumeError(f"{path}: {len(channels)} channels, but {stated} names {needed}; which one is right?")
    return np.stack([channels[list(members[region])].astype(np.float32).sum(axis=0) for region in REGIONS])
