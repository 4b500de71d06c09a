"""The README that lies beside the trained models: what is where, and how good it is."""

from __future__ import annotations

import json
from pathlib import Path

TEXT = """Small real models for the tests of BraTSRefine, made by Testing/models/train.py.

nnUNet_results/Dataset901_Phantom/          2d, 3d_fullres, 3d_dropout (3d_fullres trained with dropout) and
                                            3d_lowres in 5 folds, 3d_cascade_fullres in 2; labels NCR 1, ED 2, ET 3;
                                            channels t1n, t1c, t2w, t2f
nnUNet_results/Dataset902_PhantomRegions/   3d_fullres in 2 folds, trained on WT, TC and ET
nnUNet_results/Dataset903_Real/             3d_fullres in 5 folds on real cases at 2 mm; what each fold says of the
                                            cases that it has not seen: fold_*/validation (label maps and .npz)
monai/                                      SwinUNETR and SegResNet as weights (.pt) and SegResNet as TorchScript (.ts)
                                            and torch.export program (.pt2), each with its description (.yaml)
held_out/                                   the phantom's held-out cases: a cohort to predict
nnUNet_raw/Dataset90*/                      the raw data sets; imagesTs and labelsTs of 901 and 902 are held_out's cases
phantom/                                    the simulated cohort at 4 mm that all but 903 come from

The phantom's models know 20 cases at 4 mm and are good for nothing but tests. Dataset903_Real holds real voxels: its
data sets' terms apply, and it never goes into the repository.

A cohort and a model: bratsrefine predict held_out --workspace W --model \\
    nnUNet_results/Dataset901_Phantom/nnUNetTrainer__nnUNetPlans__3d_fullres

"""


def readme(out: Path, dice: dict[str, dict[str, float]]) -> str:
    """``dice``: model to region to the mean Dice on the held-out cases, all folds together, without mirroring."""
    lines = [
        f"{name}: {', '.join(f'{region} {value:.2f}' for region, value in of.items())}" for name, of in dice.items()
    ]
    real = sorted((out / "nnUNet_results" / "Dataset903_Real").glob("*/fold_*/validation/summary.json"))
    lines += [f"{path.parent.parent.relative_to(out)}: {_summary(path)} on its validation cases" for path in real]
    return TEXT + "Mean Dice on held-out cases:\n" + "".join(f"  {line}\n" for line in lines)


def _summary(path: Path) -> str:
    mean = json.loads(path.read_text(encoding="utf-8"))["foreground_mean"]["Dice"]
    return f"mean of the three labels {mean:.2f}"
