"""The phantom on a coarse grid as nnU-Net raw data sets of training and held-out cases, with labels or with regions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from BraTSRefineLib.cohort.case import CHANNELS
from BraTSRefineLib.phantom import write_cohort
from BraTSRefineLib.phantom.cohort import DATASET
from BraTSRefineLib.phantom.tumour import LABELS

TRAINING, HELD_OUT = 20, 6
SCALE = 0.25
"""4 mm: the brain is 47 x 41 x 38 voxels, which two patches of 32 a side cover."""

LABELLED, REGIONS = "Dataset901_Phantom", "Dataset902_PhantomRegions"
LABELS_OF = {LABELLED: {"background": 0, **LABELS.tissues}, REGIONS: DATASET["labels"]}


def write_phantom(out: Path) -> Path:
    """The simulated cohort, made once: ``out/phantom``."""
    folder = out / "phantom"
    if not (folder / "truth.json").is_file():
        write_cohort(folder, cases=TRAINING + HELD_OUT, centers=3, seed=11, scale=SCALE, workers=1)
    return folder


def write_raw(out: Path, name: str) -> Path:
    """One of the two raw data sets under ``out/nnUNet_raw``; the last cases are held out (``imagesTs``)."""
    folder = out / "nnUNet_raw" / name
    cases = sorted((write_phantom(out) / "cases").iterdir())
    for number, case in enumerate(cases):
        _copy_case(case, folder, "Tr" if number < TRAINING else "Ts")
    write_dataset_json(folder, LABELS_OF[name], TRAINING)
    return folder


def write_held_out(out: Path) -> Path:
    """A raw data set of the held-out cases alone, ``out/held_out``: what the models are tried on as a cohort."""
    folder = out / "held_out"
    for case in sorted((write_phantom(out) / "cases").iterdir())[TRAINING:]:
        _copy_case(case, folder, "Ts")
    write_dataset_json(folder, LABELS_OF[LABELLED], 0)
    return folder


def _copy_case(case: Path, folder: Path, split: str) -> None:
    for number, channel in enumerate(CHANNELS):
        _copy(case / f"{case.name}-{channel}.nii.gz", folder / f"images{split}" / f"{case.name}_{number:04d}.nii.gz")
    _copy(case / f"{case.name}-seg.nii.gz", folder / f"labels{split}" / f"{case.name}.nii.gz")


def _copy(source: Path, target: Path) -> None:
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def write_dataset_json(folder: Path, labels: dict, training: int) -> None:
    """What nnU-Net wants to know of a raw data set; labels that are lists are regions, painted in DATASET's order."""
    content = {
        "channel_names": DATASET["channel_names"],
        "labels": labels,
        "numTraining": training,
        "file_ending": ".nii.gz",
    }
    if any(isinstance(label, list) for label in labels.values()):
        content["regions_class_order"] = DATASET["regions_class_order"]
    (folder / "dataset.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
