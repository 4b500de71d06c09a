"""The complete real cases (four channels and a reference) on a 2 mm grid as an nnU-Net raw data set.

Real voxels: it goes where the models go, never into the repository.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from phantom_dataset import LABELLED, LABELS_OF, write_dataset_json

from BraTSRefineLib.cohort import CHANNELS, Case, discover, write_volume
from BraTSRefineLib.cohort.volumes import Geometry, as_labels
from BraTSRefineLib.phantom.tumour import LABELS
from BraTSRefineLib.regions import REGIONS

REAL = "Dataset903_Real"
SETS = ("brats2021", "brats2018", "brats2023-ssa")
SHRINK = (2, 2, 2)


def write_real(out: Path, real: Path) -> Path:
    """The raw data set under ``out/nnUNet_raw``, from the folder of real data sets; labels NCR 1, ED 2, ET 3."""
    folder = out / "nnUNet_raw" / REAL
    cases = [case for name in SETS for case in discover(real / name).cases if _complete(case)]
    for case in cases:
        if not (folder / "labelsTr" / f"{case.case}.nii.gz").is_file():
            _write_case(case, folder)
    write_dataset_json(folder, LABELS_OF[LABELLED], len(cases))
    return folder


def _complete(case: Case) -> bool:
    return case.reference is not None and case.labels is not None and set(CHANNELS) <= case.images.keys()


def _write_case(case: Case, folder: Path) -> None:
    for number, channel in enumerate(CHANNELS):
        voxels, geometry = _coarse(_oriented(case.images[channel]))
        write_volume(folder / "imagesTr" / f"{case.case}_{number:04d}.nii.gz", voxels, geometry)
    write_volume(folder / "labelsTr" / f"{case.case}.nii.gz", *_coarse_labels(case))


def _oriented(path: Path):
    """All cases the same way round: nnU-Net looks at no direction, and some of these sets run the other way."""
    import SimpleITK

    return SimpleITK.DICOMOrient(SimpleITK.ReadImage(str(path), SimpleITK.sitkFloat32), "LPS")


def _coarse(image) -> tuple[np.ndarray, Geometry]:
    """Means of 2 x 2 x 2 voxels, float32 ``(z, y, x)``, and their grid."""
    import SimpleITK

    coarse = SimpleITK.BinShrink(image, SHRINK)
    grid = (coarse.GetSize(), coarse.GetSpacing(), coarse.GetOrigin(), coarse.GetDirection())
    return SimpleITK.GetArrayFromImage(coarse), Geometry(*map(tuple, grid))


def _coarse_labels(case: Case) -> tuple[np.ndarray, Geometry]:
    """A coarse voxel is in a region that covers at least half of it."""
    import SimpleITK

    image = _oriented(case.reference)
    fine = as_labels(SimpleITK.GetArrayFromImage(image), case.reference)
    covered, geometry = [], None
    for region in REGIONS:
        mask = SimpleITK.GetImageFromArray(case.labels.mask(fine, region).astype(np.float32))
        mask.CopyInformation(image)
        share, geometry = _coarse(mask)
        covered.append(share >= 0.5)
    return LABELS.paint(np.stack(covered)), geometry
