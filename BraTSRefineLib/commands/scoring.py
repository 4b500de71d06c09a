"""Score a cohort, and explain what the numbers mean."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import (
    FolderArgument,
    JsonOption,
    LabelsOption,
    ModelLabelsOption,
    PredictionsOption,
    ReferencesOption,
    SchedulerOption,
    WorkspaceOption,
    finish,
    open_cohort,
    print_problems,
    run_job,
)


def _explain(asked: bool) -> None:
    if asked:
        from ..scoring import explain_lesion_rules
        from ..scoring.conventions import ALWAYS, CONVENTIONS

        print(f"Under every convention: {ALWAYS}\n")
        for convention in CONVENTIONS.values():
            print(f"{convention.name}: {convention.explanation}\n  {convention.definitions}\n")
        print(explain_lesion_rules())
        raise typer.Exit


def score(
    folder: FolderArgument,
    workspace: WorkspaceOption = None,
    convention: Annotated[
        str, typer.Option(help="How distances are defined and what an empty mask is worth; see --conventions.")
    ] = "brats2023",
    tolerance: Annotated[
        list[float] | None,
        typer.Option(help="Surface Dice tolerance in mm. Repeatable. Default: the convention's."),
    ] = None,
    measures: Annotated[
        str, typer.Option(help="Beside the metrics: lesions, instances, topology, calibration; or none.")
    ] = "lesions",
    lesion_rules: Annotated[
        str, typer.Option(help="Rules for lesions: brats2023-gli, brats2024-met ... Default: the convention's.")
    ] = "",
    labels: LabelsOption = "auto",
    model_labels: ModelLabelsOption = None,
    references: ReferencesOption = None,
    predictions: PredictionsOption = None,
    workers: Annotated[int | None, typer.Option(help="Processes. Default: one a core.")] = None,
    scheduler: SchedulerOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Score unchanged cases again too.")] = False,
    conventions: Annotated[
        bool, typer.Option("--conventions", callback=_explain, is_eager=True, help="Explain the conventions and stop.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Score every model against the reference, or against the consensus of the other models where there is none.

    Writes scores and lesions (parquet and csv), scores.json, which says the conventions in words, and findings.csv.
    A case whose files kept their size and time of change is not scored again; a stopped run goes on where it was.
    [dim]bratsrefine score BraTS2021/ --workspace out/ --labels brats2021 --measures lesions,topology[/]
    """
    found, opened = open_cohort(folder, workspace, labels, model_labels, references, predictions)
    if not as_json:
        print_problems(found)
    parameters = {
        "convention": convention,
        "tolerances": tolerance or None,
        "measures": [name.strip() for name in measures.split(",") if name.strip() not in ("", "none")],
        "lesions": lesion_rules,
        "workers": workers,
        "scheduler": scheduler,
        "fresh": fresh,
    }
    finish(run_job(opened, "score", parameters), opened, as_json)
