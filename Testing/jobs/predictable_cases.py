"""Cases with images that the small nnU-Net models of the tests can be asked about, on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nnunet_results import simulated_case

from BraTSRefineLib.cohort import write_volume


def write_images(data: Path, name: str, seed: int, shape=(26, 30, 28)) -> None:
    images = simulated_case(shape, seed=seed, name=name)
    for channel, voxels in images.channels.items():
        write_volume(data / name / f"{name}-{channel}.nii.gz", voxels, images.geometry)
    reference = (images.channels["t1n"] > 200).astype(np.uint8) * 2
    write_volume(data / name / f"{name}-seg.nii.gz", reference, images.geometry)
