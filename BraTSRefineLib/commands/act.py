"""Act: post-process, choose cases to annotate."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import (
    FolderArgument,
    JsonOption,
    LabelsOption,
    ModelLabelsOption,
    RegionOption,
    UsageError,
    WorkspaceOption,
    finish,
    is_current,
    notes,
    open_cohort,
    pairs,
    run_job,
)


def postprocess(
    folder: FolderArgument,
    model: Annotated[str, typer.Option(help="Whose predictions.")],
    workspace: WorkspaceOption = None,
    minimum_voxels: Annotated[
        list[str] | None, typer.Option(help="Remove components below: REGION=VOXELS, as ET=50. Repeatable.")
    ] = None,
    hierarchy: Annotated[bool, typer.Option(help="Keep ET inside TC inside WT.")] = True,
    labels: LabelsOption = "auto",
    model_labels: ModelLabelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Enforce the hierarchy, remove small components, and say what it was worth.

    [dim]bratsrefine postprocess cohort/ --model fold_0 --minimum-voxels ET=50 --minimum-voxels WT=100[/]
    """
    _, opened = open_cohort(folder, workspace, labels, model_labels)
    try:
        smallest = {region: int(text) for region, text in pairs(minimum_voxels, "--minimum-voxels").items()}
    except ValueError as error:
        raise UsageError(f"--minimum-voxels takes REGION=VOXELS ({error})") from None
    parameters = {"model": model, "hierarchy": hierarchy, "minimum_voxels": smallest}
    finish(run_job(opened, "postprocess", parameters), opened, as_json)


def select(
    folder: FolderArgument,
    workspace: WorkspaceOption = None,
    k: Annotated[int, typer.Option("--cases", "-k", min=1, help="How many cases to annotate.")] = 5,
    region: RegionOption = "WT",
    labels: LabelsOption = "auto",
    model_labels: ModelLabelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Choose the next cases to annotate: those with the highest mean uncertainty in a region.

    [dim]bratsrefine select cohort/ --cases 5 --region ET[/]
    """
    _, opened = open_cohort(folder, workspace, labels, model_labels)
    if not is_current(opened.uncertainty_csv, opened):
        notes.print("no uncertainty maps of this cohort yet: making them")
        run_job(opened, "uncertainty", {})
    finish(run_job(opened, "select", {"k": k, "region": region}), opened, as_json)
