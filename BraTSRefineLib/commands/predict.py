"""Predict: run trained models on the cohort's cases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    FolderArgument,
    JsonOption,
    LabelsOption,
    ModelLabelsOption,
    SchedulerOption,
    UsageError,
    WorkspaceOption,
    finish,
    open_cohort,
    run_job,
)


def predict(
    folder: FolderArgument,
    model: Annotated[
        list[Path],
        typer.Option(help="nnU-Net results folder, MONAI bundle or YAML description of a network. Repeatable."),
    ],
    workspace: WorkspaceOption = None,
    folds: Annotated[str | None, typer.Option(help="Folds, as 0,1,2,3,4. Default: all that are there.")] = None,
    tta: Annotated[
        str, typer.Option(help="none, flips, rotations, full, dropout, or a list as flips:xy,rotate:z:5,gamma:0.8.")
    ] = "none",
    mode: Annotated[str, typer.Option(help="exact; fast-window and fast-roi are faster and change the result.")] = (
        "exact"
    ),
    name: Annotated[str, typer.Option(help="The new model's name. Default: made of configuration and --tta.")] = "",
    case: Annotated[list[str] | None, typer.Option(help="Only this case. Repeatable.")] = None,
    checkpoint: Annotated[str, typer.Option(help="final or best (nnU-Net).")] = "final",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...")] = "auto",
    precision: Annotated[str, typer.Option(help="fp32, fp16, or auto: fp16 on a GPU.")] = "auto",
    seed: Annotated[int, typer.Option(help="Of random augmentations.")] = 0,
    uncertainty: Annotated[bool, typer.Option(help="Write maps of uncertainty beside the mean.")] = True,
    adapt: Annotated[
        str, typer.Option(help="Adapt the networks to each case: tent, information-geometric, uncertainty-guided.")
    ] = "",
    before: Annotated[str | None, typer.Option(help="The model to compare with. Default: the mean of all.")] = None,
    scheduler: SchedulerOption = None,
    dry_run: Annotated[bool, typer.Option(help="Say what it would cost, and stop.")] = False,
    labels: LabelsOption = "auto",
    model_labels: ModelLabelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Predict the cases with trained models, their folds and test-time augmentation as one ensemble.

    Run again, it goes on where it stopped.

    [dim]bratsrefine predict cohort/ --model nnUNet_results/Dataset1/nnUNetTrainer__nnUNetPlans__3d_fullres
    --tta flips[/]
    """
    _, opened = open_cohort(folder, workspace, labels, model_labels)
    parameters = {
        "paths": [str(path.expanduser().resolve()) for path in model],
        "folds": _folds(folds),
        "tta": tta,
        "mode": mode,
        "name": name,
        "cases": case,
        "checkpoint": checkpoint,
        "device": device,
        "precision": precision,
        "seed": seed,
        "uncertainty": uncertainty,
        "adapt": adapt,
        "before": before,
        "scheduler": scheduler,
        "dry_run": dry_run,
    }
    finish(run_job(opened, "predict", parameters), opened, as_json)


def _folds(text: str | None) -> list[str] | None:
    folds = None if text is None else [fold.strip() for fold in text.split(",") if fold.strip()]
    if folds is not None and (not folds or not all(fold.isdigit() or fold == "all" for fold in folds)):
        raise UsageError(f"--folds takes numbers as 0,1,2,3,4 or all, not '{text}'")
    return folds
