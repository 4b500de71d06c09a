"""Uncertainty: map it and flag where to look; evaluate what that is worth."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.core import TyperGroup

from .options import (
    FolderArgument,
    JsonOption,
    LabelsOption,
    MembersOption,
    ModelLabelsOption,
    PredictionsOption,
    ReferencesOption,
    WorkspaceOption,
    finish,
    open_cohort,
    run_job,
)

MAP = "map"
BudgetOption = Annotated[
    float | None,
    typer.Option("--budget", help="What a reader is willing to look at: flags of at most so many ml a case."),
]


class MapByDefault(TyperGroup):
    """``uncertainty FOLDER`` is ``uncertainty map FOLDER``; a folder of a sub-command's name is ``./evaluate``."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        named = bool(args) and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named or not args else [MAP, *args])


app = typer.Typer(cls=MapByDefault, no_args_is_help=True, rich_markup_mode="rich")


@app.callback()
def uncertainty() -> None:
    """Map where the models disagree and list the regions to look at; [bold]evaluate[/] what that is worth.

    [dim]bratsrefine uncertainty cohort/ --workspace out/[/]
    [dim]bratsrefine uncertainty evaluate cohort/ --workspace out/[/]
    """


@app.command(MAP)
def map_uncertainty(
    folder: FolderArgument,
    workspace: WorkspaceOption = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="Members; repeatable. Default: all. One that was predicted here: its own maps."),
    ] = None,
    budget: BudgetOption = None,
    threshold: Annotated[float | None, typer.Option(help="Flag regions above this value.")] = None,
    labels: LabelsOption = "auto",
    model_labels: ModelLabelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Map where the models disagree and list the regions to look at (the default).

    After an evaluation flags are cut where the fused label was often wrong; a threshold goes before that, and with a
    budget a case's flags hold at most so many ml, the likeliest errors first.

    [dim]bratsrefine uncertainty cohort/ --workspace out/[/]
    [dim]bratsrefine uncertainty cohort/ --workspace out/ --model 3d_fullres-flips --budget 5[/]
    """
    _, opened = open_cohort(folder, workspace, labels, model_labels)
    parameters = {"models": models, "threshold": threshold, "budget_ml": budget}
    finish(run_job(opened, "uncertainty", parameters), opened, as_json)


@app.command()
def evaluate(
    folder: FolderArgument,
    workspace: WorkspaceOption = None,
    models: MembersOption = None,
    precision: Annotated[float, typer.Option(help="Share of what is flagged that should be wrong.")] = 0.45,
    budget: BudgetOption = None,
    labels: LabelsOption = "auto",
    model_labels: ModelLabelsOption = None,
    references: ReferencesOption = None,
    predictions: PredictionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what the uncertainty is worth on the cases with a reference: maps, flags, predicted quality.

    Members that were predicted here are compared by their own maps too, each a source, on the cases that all have.
    Writes tables and report.html into the workspace's evaluation/, and the calibration that later flags are cut at.

    [dim]bratsrefine uncertainty evaluate cohort/ --workspace out/ --json[/]
    """
    _, opened = open_cohort(folder, workspace, labels, model_labels, references, predictions)
    parameters = {"models": models, "precision": precision, "budget_ml": budget}
    finish(run_job(opened, "evaluate", parameters), opened, as_json)
