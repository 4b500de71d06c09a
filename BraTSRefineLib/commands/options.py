"""What every sub-command shares: its options, the opened cohort, the running job, and how results are printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from ..cohort import Cohort
    from ..cohort.workspace import Workspace

notes = Console(stderr=True, highlight=False)

FolderArgument = Annotated[Path, typer.Argument(help="Data folder (BraTS, nnU-Net, data sets) or a manifest CSV.")]
WorkspaceOption = Annotated[
    Path | None, typer.Option("--workspace", "-w", help="Where results go. Default: FOLDER-refine beside FOLDER.")
]
LabelsOption = Annotated[
    str, typer.Option(help="Label convention: auto, brats2021, brats2023, brats2024-gli ... or NCR=1,ED=2,ET=4.")
]
ModelLabelsOption = Annotated[
    list[str] | None, typer.Option(help="A model's own labels: MODEL=brats2023 or MODEL=NCR=3,ED=1,ET=2. Repeatable.")
]
ReferencesOption = Annotated[Path | None, typer.Option(help="Folder of references, where they lie elsewhere.")]
PredictionsOption = Annotated[
    list[str] | None, typer.Option(help="A model's folder of predictions: MODEL=FOLDER. Repeatable.")
]
MembersOption = Annotated[list[str] | None, typer.Option("--model", help="Members; repeatable. Default: all.")]
SchedulerOption = Annotated[
    str | None, typer.Option(help="Address of a Dask scheduler whose workers do the work, as tcp://HOST:8786.")
]
StoreOption = Annotated[
    str | None, typer.Option(help="postgresql://USER@HOST/NAME, where a team keeps its decisions. Default: a file.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
MetricOption = Annotated[str, typer.Option(help="Metric: dice, hd95_mm, assd_mm, nsd_1mm, sensitivity, precision ...")]
RegionOption = Annotated[str, typer.Option(help="WT, TC, ET, and what else was scored: RC, NETC, SNFH ...")]


class UsageError(ValueError):
    """A combination of arguments that makes no sense; the message says what to change."""


def say(word: str, text: str) -> None:
    """One line on standard error; ``word`` says what it is, as a note."""
    notes.print(f"[yellow]{word}[/] {escape(text)}", soft_wrap=True)


def open_cohort(
    folder: Path,
    workspace: Path | None,
    labels: str = "auto",
    model_labels: list[str] | None = None,
    references: Path | None = None,
    predictions: list[str] | None = None,
) -> tuple[Cohort, Workspace]:
    """Discover the cohort and keep it in the workspace, where jobs and the module find it.

    What the workspace already knows is left as it is, so that results stay younger than the cohort they are of.
    """
    from ..cohort.opening import keep
    from ..cohort.workspace import Workspace

    cohort = find_cohort(folder, labels, model_labels, references, predictions)
    opened = Workspace.open(workspace or Workspace.beside(folder), folder)
    keep(cohort, opened)
    return cohort, opened


def find_cohort(
    folder: Path,
    labels: str,
    model_labels: list[str] | None,
    references: Path | None,
    predictions: list[str] | None,
) -> Cohort:
    """The cohort that the options describe."""
    from ..cohort import discover

    folders = {model: Path(path) for model, path in pairs(predictions, "--predictions").items()}
    stated = pairs(model_labels, "--model-labels")
    with progress_bar("looking") as tell:
        return discover(
            folder,
            labels=labels,
            model_labels=stated,
            references=references,
            predictions=folders or None,
            progress=tell,
        )


@contextmanager
def progress_bar(words: str) -> Iterator[Callable[[int, int, str], None]]:
    """A bar on standard error while something is done; to be told how many of how many, and a name."""
    with Progress(*Progress.get_default_columns(), console=notes, transient=True) as progress:
        task = progress.add_task(words, total=None)
        yield lambda done, total, name: progress.update(task, completed=done, total=total)


def is_current(result: Path, workspace: Workspace) -> bool:
    """Whether a result is there and younger than the cohort (its files, labels, problems) that it was made from."""
    return result.is_file() and result.stat().st_mtime_ns >= workspace.cohort_csv.stat().st_mtime_ns


def pairs(texts: list[str] | None, option: str) -> dict[str, str]:
    parts = [text.partition("=") for text in texts or []]
    for name, _, value in parts:
        if not name or not value:
            raise UsageError(f"{option} takes NAME=VALUE, not '{name}'")
    return {name: value for name, _, value in parts}


def print_problems(found: Cohort) -> None:
    """One line a problem on standard error; what many cases share is one line that counts and names them."""
    shared: dict[tuple[str, str, str], list[str]] = {}
    for problem in found.all_problems():
        shared.setdefault((problem.level, problem.model, problem.message), []).append(problem.case)
    for (level, model, message), cases in shared.items():
        style = "red" if level == "error" else "yellow"
        where = " / ".join(part for part in (_some(cases), model) if part)
        notes.print(f"[{style}]{level}[/] {escape(f'{where}: {message}' if where else message)}", soft_wrap=True)


def _some(cases: list[str], at_most: int = 3) -> str:
    if len(cases) <= at_most:
        return ", ".join(cases)
    return f"{len(cases)} cases ({', '.join(cases[:at_most])} ...)"


def run_job(workspace: Workspace, kind: str, parameters: dict) -> dict:
    """Run one job to its end with a progress bar; its summary comes back, an error is raised."""
    from .. import jobs

    description = jobs.create(workspace, kind, parameters)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[case]}"),
    )
    skipped: dict[str, list[str]] = {}
    try:
        with Progress(*columns, console=notes, transient=True) as progress:
            task = progress.add_task(kind, total=None, case="")
            return jobs.run(description, on_event=lambda event: _take_in(event, progress, task, skipped))
    finally:
        for message, cases in skipped.items():
            say("skipped", f"{_some(cases)}: {message}".lstrip(": "))


def _take_in(event: dict, progress: Progress, task: TaskID, skipped: dict[str, list[str]]) -> None:
    if event["event"] == "progress":
        progress.update(task, completed=event["step"], total=event["of"], case=escape(event.get("case", "")))
    elif event["event"] == "pass":
        progress.update(task, case=escape(f"{event['case']} pass {event['done']} of {event['of']}"))
    elif event["event"] == "note":
        say("note", event["message"])
    elif event["event"] == "problem":
        skipped.setdefault(event["message"], []).append(event.get("case", ""))


def print_json(content: object) -> None:
    print(json.dumps(content, indent=1, ensure_ascii=False))


def records(table: pd.DataFrame) -> list[dict]:
    """A dictionary a row in JSON's own types; what is not a number is None."""
    return json.loads(table.to_json(orient="records", force_ascii=False))


def finish(summary: dict, workspace: Workspace, as_json: bool) -> None:
    """Print what a job came to: JSON, or a line a key."""
    if as_json:
        print_json({"workspace": str(workspace.root), **summary})
        return
    for key, value in summary.items():
        if isinstance(value, dict) and value:
            _print_rows(key.replace("_", " "), value)
        elif value not in ({}, [], None):
            print(f"{key.replace('_', ' ')}: {', '.join(map(str, value)) if isinstance(value, list) else value}")
    print(f"workspace: {workspace.root}")


def _print_rows(title: str, rows: dict) -> None:
    """A dict of dicts as a table, any other dict as one line."""
    if not all(isinstance(row, dict) for row in rows.values()):
        print(f"{title}: {', '.join(f'{key} {cell(value)}' for key, value in rows.items())}")
        return
    table = Table(box=None, pad_edge=False)
    table.add_column(title)
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right")
    for name, row in rows.items():
        table.add_row(escape(name), *(cell(row.get(column)) for column in columns))
    wide_console().print(table)


def wide_console() -> Console:
    """Standard output; a file or pipe has no edge at which a name must break."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 400)


def cell(value: object) -> str:
    """One value of a table: three significant digits, a dash for what could not be computed."""
    if value is None or value != value:
        return "-"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return escape(str(value))


def show_table(table: pd.DataFrame, as_json: bool, columns: str = "") -> None:
    """A table of scores: all of it as JSON; of ``columns`` those that say something on the screen."""
    if as_json:
        print_json(records(table))
        return
    if table.empty:
        notes.print("nothing to list: no prediction has a number for this metric and region")
        return
    print_table(table, columns)


def print_table(table: pd.DataFrame, columns: str = "") -> None:
    shown = Table(box=None, pad_edge=False)
    named = [name for name in (columns.split() or table.columns) if not (table[name] == "").all()]
    for name in named:
        shown.add_column(str(name), overflow="fold", justify="right" if table[name].dtype.kind in "fi" else "left")
    for row in table[named].itertuples(index=False):
        shown.add_row(*(cell(value) for value in row))
    wide_console().print(shown)


def say_unranked(left_out: pd.DataFrame) -> None:
    """On standard error, the predictions that a ranking has no number for, by reason."""
    for status, group in left_out.groupby("status", sort=False):
        names = [f"{row.case} / {row.model}" for row in group.itertuples()]
        say("not ranked", f"{_some(names)}: {status}")


def scores_of(cohort: Cohort, workspace: Workspace) -> pd.DataFrame:
    """The workspace's scores; where there are none of this cohort and version, they are computed and that is said."""
    from ..scoring import read_scores
    from ..scoring.again import scored_settings
    from ..scoring.table import VERSION, scores_version

    there = is_current(workspace.scores_parquet, workspace)
    if not there or scores_version(workspace) < VERSION:
        why = "of an older version" if there else "none of this cohort yet"
        where = escape(str(workspace.root))
        notes.print(f"scores in {where}: {why}; scoring {len(cohort.cases)} cases", soft_wrap=True)
        run_job(workspace, "score", scored_settings(workspace))
    return read_scores(workspace)
