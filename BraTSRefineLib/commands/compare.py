"""Compare: the centres of a cohort, two models, two runs, the order of all models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from .options import (
    FolderArgument,
    JsonOption,
    LabelsOption,
    MetricOption,
    ModelLabelsOption,
    UsageError,
    WorkspaceOption,
    notes,
    open_cohort,
    print_json,
    print_table,
    records,
    scores_of,
    show_table,
)

if TYPE_CHECKING:
    import pandas as pd

    from ..cohort import Cohort

CENTERS_SHOWN = (
    "region model center n median difference q adjusted_difference low high adjusted_p adjusted_q flagged warning"
)
COMPARISON_SHOWN = (
    "a b region metric stratum n mean_a mean_b mean_difference low high better worse equal effect p q warning"
)


def centers(
    folder: FolderArgument,
    workspace: WorkspaceOption = None,
    metric: MetricOption = "dice",
    region: Annotated[list[str] | None, typer.Option(help="WT, TC, ET ... Repeatable. Default: all.")] = None,
    model: Annotated[str | None, typer.Option(help="One model only.")] = None,
    labels: LabelsOption = "auto",
    model_labels: ModelLabelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare each centre with the rest, also at equal tumour size; which centres differ; what holding one out costs.

    [dim]bratsrefine centers cohort/ --workspace out/ | bratsrefine centers cohort/ --metric hd95_mm --region ET[/]
    """
    from ..analysis import center_tests, held_out_drop

    found, opened = open_cohort(folder, workspace, labels, model_labels)
    scores = scores_of(found, opened)
    tests = center_tests(scores, found, metric=metric, regions=region, model=model)
    tables = {"centers": tests.centers, "overall": tests.overall, "pairs": tests.pairs}
    tables["held_out"] = held_out_drop(scores, found, metric=metric)
    _show_tables(tables, tests.notes, as_json, {"centers": CENTERS_SHOWN})


def compare(
    folder: FolderArgument,
    workspace: WorkspaceOption = None,
    model: Annotated[list[str] | None, typer.Option(help="Two models; with --with one, or before and after.")] = None,
    other: Annotated[Path | None, typer.Option("--with", help="Workspace of another run of the same cases.")] = None,
    metric: Annotated[list[str] | None, typer.Option(help="Repeatable. Default: dice and hd95_mm.")] = None,
    by: Annotated[str | None, typer.Option(help="Also by stratum: size, center, or a column of the manifest.")] = None,
    labels: LabelsOption = "auto",
    model_labels: ModelLabelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two models or two runs case by case; without either, rank all models and say how sure the order is.

    Differences are the second model minus the first, and the run of --with minus that of --workspace.
    [dim]bratsrefine compare data/ --model a --model b | bratsrefine compare data/ -w before/ --with after/[/]
    """
    models = model or []
    if len(models) > 2 or (len(models) == 1 and other is None):
        raise UsageError(f"compare takes two --model, or --with another workspace; {len(models)} given")
    found, opened = open_cohort(folder, workspace, labels, model_labels)
    scores = scores_of(found, opened)
    metrics = metric or ["dice", "hd95_mm"]
    if other is not None:
        show_table(_of_runs(scores, other, models, metrics, found, by), as_json, COMPARISON_SHOWN)
    elif models:
        from ..analysis import compare_models

        table = compare_models(scores, *models, metrics=metrics, cohort=found, by=by)
        show_table(table, as_json, COMPARISON_SHOWN)
    else:
        _rank_models(scores, found, metrics[0], by, as_json)


def _of_runs(
    scores: pd.DataFrame, other: Path, models: list[str], metrics: list[str], found: Cohort, by: str | None
) -> pd.DataFrame:
    from ..analysis import compare_runs
    from ..cohort import Workspace
    from ..scoring import read_scores

    named = {models[0]: models[-1]} if models else None
    second = read_scores(Workspace(other.expanduser().resolve()))
    return compare_runs(scores, second, models=named, metrics=metrics, cohort=found, by=by)


def _rank_models(scores: pd.DataFrame, found: Cohort, metric: str, by: str | None, as_json: bool) -> None:
    from ..analysis import rank_sums, ranking_stability

    stability = ranking_stability(scores, metric=metric, cohort=found, by=by)
    tables = {"models": stability.models, "pairs": stability.pairs, "ranks": stability.ranks}
    tables["rank_sums"] = rank_sums(scores)
    if not as_json:
        print(f"models in the order of their mean {metric} over the regions, and of the challenges' rank sum")
        tables["ranks"] = _beside_each_other(stability.ranks)
    _show_tables(tables, stability.notes, as_json, {})


def _beside_each_other(ranks: pd.DataFrame) -> pd.DataFrame:
    """How often a model has which rank, a row a model instead of a row a rank."""
    wide = ranks.pivot_table(
        index=["stratum", "aggregation", "model"], columns="rank", values="share", aggfunc="first", sort=False
    )
    return wide.rename(columns="rank {}".format).reset_index()


def _show_tables(
    tables: dict[str, pd.DataFrame], remarks: tuple[str, ...], as_json: bool, columns: dict[str, str]
) -> None:
    """JSON with a list of rows a table and the notes, or the tables that have rows one after the other."""
    if as_json:
        print_json({name: records(table) for name, table in tables.items()} | {"notes": list(remarks)})
        return
    for remark in remarks:
        notes.print(escape(remark), soft_wrap=True)
    for name, table in tables.items():
        if len(table):
            print(name.replace("_", " "))
            print_table(table, columns.get(name, ""))
