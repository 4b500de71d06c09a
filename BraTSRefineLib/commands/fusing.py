"""Fuse models, and fit the weights with which they are fused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..jobs.kinds import REGIONS
from .options import (
    FolderArgument,
    JsonOption,
    LabelsOption,
    MembersOption,
    ModelLabelsOption,
    UsageError,
    WorkspaceOption,
    finish,
    open_cohort,
    pairs,
    run_job,
)

if TYPE_CHECKING:
    from ..cohort import Cohort

METHODS = "mean (of probabilities), majority (of labels), weighted, staple, simple or select."


def fuse(
    folder: FolderArgument,
    workspace: WorkspaceOption = None,
    method: Annotated[str, typer.Option(help=METHODS)] = "majority",
    models: MembersOption = None,
    weights: Annotated[
        str | None, typer.Option(help="A file of fit-weights or its name in W/weights. Default: the newest there.")
    ] = None,
    weight: Annotated[
        list[str] | None, typer.Option(help="A stated weight: MODEL=0.7, or for one region WT:MODEL=0.7. Repeatable.")
    ] = None,
    labels: LabelsOption = "auto",
    model_labels: ModelLabelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fuse the members' predictions into a new one and say what it was worth.

    [dim]bratsrefine fuse cohort/ --method mean --model fold_0 --model fold_1[/]
    [dim]bratsrefine fuse cohort/ --method weighted --weight fold_0=2 --weight fold_1=1 --weight ET:fold_1=0[/]
    """
    if weights and weight:
        raise UsageError("--weights names a file and --weight states weights; give one of them")
    _, opened = open_cohort(folder, workspace, labels, model_labels)
    given = stated_weights(weight) if weight else weights
    finish(run_job(opened, "fuse", {"method": method, "models": models, "weights": given}), opened, as_json)


def fit_weights(
    folder: FolderArgument,
    workspace: WorkspaceOption = None,
    method: Annotated[str, typer.Option(help="select (greedy), dirichlet, soft-dice, or convex (Brier).")] = "select",
    models: MembersOption = None,
    max_models: Annotated[int | None, typer.Option(min=1, help="Keep the best so many models of each region.")] = None,
    by: Annotated[str, typer.Option(help="Hold out in turn: folds of patients (person) or each center.")] = "person",
    folds: Annotated[int, typer.Option(min=2, help="Folds of patients.")] = 5,
    split: Annotated[str, typer.Option(help="Use the cases of this split only, as validation.")] = "",
    seed: Annotated[int, typer.Option(min=0)] = 0,
    name: Annotated[str, typer.Option(help="Of the file in W/weights. Default: the method.")] = "",
    labels: LabelsOption = "auto",
    model_labels: ModelLabelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit each region's weights on cases with references and say what they gain on cases held out.

    Where they gain nothing over the plain mean, that is what the file holds. Use predictions of cases that the models
    were not trained on.

    [dim]bratsrefine fit-weights cohort/ --workspace out/[/]
    [dim]bratsrefine fit-weights cohort/ --method soft-dice --by center --max-models 3[/]
    """
    found, opened = open_cohort(folder, workspace, labels, model_labels)
    parameters = {"method": method, "models": models, "max_models": max_models, "by": by, "folds": folds}
    parameters |= {"seed": seed, "save_as": name, "cases": cases_of_split(found, split) if split else None}
    finish(run_job(opened, "fit_weights", parameters), opened, as_json)


def stated_weights(texts: list[str]) -> dict[str, dict[str, float]]:
    """Each region's weights from ``MODEL=0.7`` (all regions) and ``WT:MODEL=0.7`` (that one). Raises UsageError."""
    weights: dict[str, dict[str, float]] = {region: {} for region in REGIONS}
    given = pairs(texts, "--weight")
    for name, text in sorted(given.items(), key=lambda item: _region_of(item[0]) != ""):
        region = _region_of(name)
        model = name.removeprefix(f"{region}:") if region else name
        for each in (region,) if region else REGIONS:
            weights[each][model] = _number(name, text)
    return weights


def cases_of_split(cohort: Cohort, split: str) -> list[str]:
    """The names of the split's cases. Raises UsageError where there are none."""
    cases = [case.case for case in cohort.cases if case.split == split]
    if not cases:
        splits = ", ".join(sorted({case.split for case in cohort.cases if case.split}))
        raise UsageError(f"no case of split '{split}'; the cohort has {splits or 'no splits'}")
    return cases


def _region_of(name: str) -> str:
    region, colon, _ = name.partition(":")
    return region if colon and region in REGIONS else ""


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"--weight takes MODEL=NUMBER, not '{name}={text}'") from None
