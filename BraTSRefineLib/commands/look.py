"""Find and understand: cohort, score, rank, strata, report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from .options import (
    FolderArgument,
    JsonOption,
    LabelsOption,
    MetricOption,
    ModelLabelsOption,
    PredictionsOption,
    ReferencesOption,
    RegionOption,
    UsageError,
    WorkspaceOption,
    find_cohort,
    finish,
    open_cohort,
    print_json,
    print_problems,
    run_job,
    say_unranked,
    scores_of,
    show_table,
    wide_console,
)

if TYPE_CHECKING:
    import pandas as pd

    from ..cohort import Cohort
    from ..cohort.workspace import Workspace


def cohort(
    folder: FolderArgument,
    labels: LabelsOption = "auto",
    model_labels: ModelLabelsOption = None,
    references: ReferencesOption = None,
    predictions: PredictionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which cases a folder holds, how their labels are read, and what is missing or wrong.

    [dim]bratsrefine cohort BraTS2021/ | bratsrefine cohort refs/ --predictions unet=out/unet --json[/]
    """
    found = find_cohort(folder, labels, model_labels, references, predictions)
    if as_json:
        print_json(_cohort_json(found))
    else:
        _print_cohort(found)


def _cohort_json(found: Cohort) -> dict:
    problems = [
        {"case": p.case, "model": p.model, "level": p.level, "message": p.message, "file": str(p.file or "")}
        for p in found.all_problems()
    ]
    return {
        "root": str(found.root),
        "layout": found.layout,
        "centers": found.centers,
        "models": found.models,
        "cases": found.table().to_dict("records"),
        "problems": problems,
    }


def _print_cohort(found: Cohort) -> None:
    from ..cohort import CHANNELS

    print(f"{found.root}: {len(found.cases)} cases, {len(found.models)} models, {found.layout}")
    table = Table(box=None, pad_edge=False)
    for heading in ("case", "centre", "channels", "reference", "models", "labels"):
        table.add_column(heading, overflow="fold")
    for case in found.cases:
        channels = " ".join(channel for channel in CHANNELS if channel in case.images) or "-"
        reference, convention = "yes" if case.reference else "-", case.labels.name if case.labels else "not known"
        models = f"{len(case.usable_models())} of {len(found.models)}"
        table.add_row(escape(case.case), escape(case.center) or "-", channels, reference, models, convention)
    if found.models:
        print(f"models: {', '.join(found.models)}")
    wide_console().print(table)
    print_problems(found)


def rank(
    folder: FolderArgument,
    workspace: WorkspaceOption = None,
    metric: MetricOption = "dice",
    region: Annotated[str | None, typer.Option(help="WT, TC, ET ... Default: ET; with --lesions all.")] = None,
    worst: Annotated[int, typer.Option(min=1, help="How many.")] = 20,
    model: Annotated[str | None, typer.Option(help="One model only.")] = None,
    by: Annotated[
        str, typer.Option(help="'metric'; 'mean rank' or the challenges' 'rank sum' over regions, Dice and HD95.")
    ] = "metric",
    lesions: Annotated[bool, typer.Option("--lesions", help="The worst lesions instead of the worst cases.")] = False,
    minimum_ml: Annotated[float, typer.Option(min=0, help="Leave out regions (lesions) smaller than this.")] = 0.0,
    labels: LabelsOption = "auto",
    model_labels: ModelLabelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the worst cases by a metric of a region, by mean rank or rank sum; or the worst lesions.

    [dim]bratsrefine rank BraTS2021/ --metric dice --region ET --worst 20 | bratsrefine rank BraTS2021/ --lesions[/]
    """
    from ..analysis import unranked, worst_cases, worst_lesions

    found, opened = open_cohort(folder, workspace, labels, model_labels)
    scores = scores_of(found, opened)
    chosen = {"worst": worst, "model": model, "minimum_ml": minimum_ml}
    if lesions:
        show_table(worst_lesions(_lesions_of(opened), region=region, by=metric, **chosen), as_json)
    else:
        by = by.replace("_", " ").replace("-", " ")
        show_table(worst_cases(scores, metric=metric, region=region or "ET", by=by, **chosen), as_json)
        say_unranked(unranked(scores, metric=metric, region=region or "ET", model=model))


def _lesions_of(workspace: Workspace) -> pd.DataFrame:
    from ..analysis import read_lesions

    lesions = read_lesions(workspace)
    if lesions.empty:
        raise UsageError(f"{workspace.root}: no lesions were scored; run bratsrefine score with --measures lesions")
    return lesions


STRATA_SHOWN = (
    "region model stratum second n median low high failure_rate dice_below_half missed hd95_above_20mm warning"
)


def strata(
    folder: FolderArgument,
    workspace: WorkspaceOption = None,
    by: Annotated[
        str,
        typer.Option(help="size, center, region, or a column of the manifest (scanner); two of them as size,center."),
    ] = "size",
    metric: MetricOption = "dice",
    region: RegionOption = "WT",
    cuts: Annotated[str | None, typer.Option(help="Size cuts in ml, as 1,10 ; or 'tertiles' of this cohort.")] = None,
    lesions: Annotated[bool, typer.Option("--lesions", help="How many lesions of each size are found.")] = False,
    trend: Annotated[bool, typer.Option("--trend", help="Correlation of the metric with the region's size.")] = False,
    labels: LabelsOption = "auto",
    model_labels: ModelLabelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare strata: tumour size, centre, region, scanner ...; one factor or a table of two.

    [dim]bratsrefine strata BraTS2021/ --by size --region ET --cuts 1,10 | bratsrefine strata list.csv --by scanner[/]
    """
    from ..analysis import LESION_CUTS_ML, lesion_strata, size_trend
    from ..analysis import strata as table_of_strata

    if lesions and (trend or cuts == "tertiles"):
        raise UsageError("--lesions goes with --region and --cuts in ml, not with --trend or tertiles")
    found, opened = open_cohort(folder, workspace, labels, model_labels)
    scores, edges = scores_of(found, opened), _cuts(cuts)
    if lesions:
        show_table(lesion_strata(_lesions_of(opened), region=region, cuts=edges or LESION_CUTS_ML), as_json)
    elif trend:
        show_table(size_trend(scores, metric=metric), as_json)
    else:
        factors = [part.strip() for part in by.split(",")]
        table = table_of_strata(scores, found, by=factors, metric=metric, region=region, cuts=edges)
        show_table(table, as_json, STRATA_SHOWN)


def _cuts(text: str | None) -> str | list[float] | None:
    if text in (None, "tertiles"):
        return text
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"--cuts takes numbers in ml as 1,10 or 'tertiles', not '{text}'") from None


def report(
    folder: FolderArgument,
    workspace: WorkspaceOption = None,
    labels: LabelsOption = "auto",
    model_labels: ModelLabelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write one HTML file that works offline: ranking, distributions, strata, pictures of every worst case.

    [dim]bratsrefine report BraTS2021/ --workspace out/[/]
    """
    found, opened = open_cohort(folder, workspace, labels, model_labels)
    scores_of(found, opened)
    finish(run_job(opened, "report", {}), opened, as_json)
