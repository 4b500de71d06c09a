"""What reviewers decided: give it away, take it in, say how far they agree, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import JsonOption, StoreOption, UsageError, finish, print_json, print_table, records, say

if TYPE_CHECKING:
    import pandas as pd

    from ..cohort import Cohort
    from ..cohort.workspace import Workspace
    from ..review import Store, Worklist

ReviewedOption = Annotated[Path, typer.Option("--workspace", "-w", help="The workspace of the review.")]

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")


@app.callback()
def decisions() -> None:
    """Export, import and compare what reviewers decided.

    [dim]bratsrefine decisions export --workspace out/ --out decisions.csv[/]
    """


@app.command("export")
def export_decisions(
    workspace: ReviewedOption,
    out: Annotated[Path, typer.Option(help="FILE.csv or FILE.jsonl.")],
    pseudonymise: Annotated[bool, typer.Option("--pseudonymise", help="Other names for cases and readers.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write every record, one a row with its uid, as CSV or JSON lines.

    [dim]bratsrefine decisions export --workspace out/ --out decisions.csv --pseudonymise[/]
    """
    from ..review import pseudonyms_of, write_events

    with opened_store(workspace, store) as (opened, reviewed):
        events = opened.events()
        if pseudonymise:
            events = pseudonyms_of(reviewed.root).of(events, _cases(reviewed))
            if any(event.note for event in events):
                say("note", "notes are free text: read them before you give the file away")
    write_events(events, out)
    finish({"events": len(events), "file": str(out), "pseudonymised": pseudonymise}, reviewed, as_json)


@app.command("import")
def import_decisions(
    file: Annotated[Path, typer.Argument(help="A .csv or .jsonl that export wrote, also elsewhere.")],
    workspace: ReviewedOption,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in what is not here yet; a record that is here, by its uid, is left as it is.

    [dim]bratsrefine decisions import --workspace out/ decisions.csv[/]
    """
    from ..review import read_events

    events = read_events(file)
    with opened_store(workspace, store) as (opened, reviewed):
        new = opened.add(events)
    finish({"read": len(events), "new": new, "known": len(events) - new}, reviewed, as_json)


@app.command()
def agreement(workspace: ReviewedOption, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """How far readers agree: Cohen's kappa, the disagreements, Dice between their corrections.

    [dim]bratsrefine decisions agreement --workspace out/ --json[/]
    """
    from ..review import correction_agreement, disagreements, newest_corrections, reader_agreement

    with opened_store(workspace, store) as (opened, reviewed):
        events = opened.events()
    tables = {"pairs": reader_agreement(events), "disagreements": disagreements(events)}
    if newest_corrections(events):
        tables["corrections"] = correction_agreement(events, reviewed_cohort(reviewed), reviewed.root)
    if as_json:
        print_json({name: records(table) for name, table in tables.items()})
        return
    for name, table in tables.items():
        print(f"{name}:" if len(table) else f"{name}: none")
        if len(table):
            print_table(table)


def worklist(
    workspace: ReviewedOption,
    order: Annotated[str, typer.Option(help="priority, random or blind (a reader's own, nothing told).")] = "priority",
    state: Annotated[
        list[str] | None, typer.Option(help="open, decided, 'second reader', disagreement. Repeatable.")
    ] = None,
    center: Annotated[list[str] | None, typer.Option(help="Only cases of this centre. Repeatable.")] = None,
    region: Annotated[str, typer.Option(help="Only what was flagged or predicted in WT, TC, ET ...")] = "",
    reader: Annotated[str, typer.Option(help="As this reader sees it, blind to the others.")] = "",
    model: Annotated[str | None, typer.Option(help="Only what was said of this model's predictions.")] = None,
    seed: Annotated[int, typer.Option(help="Fixes the random order.")] = 0,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Which case to review next, and why: by flagged volume times uncertainty, or the lowest predicted Dice.

    [dim]bratsrefine worklist --workspace out/ --state open[/]
    """
    from ..cohort import load_cohort
    from ..review import PROGRESS, Wish
    from ..review import worklist as ordered

    unknown = [name for name in state or [] if name not in PROGRESS]
    if unknown:
        raise UsageError(f"no state '{unknown[0]}'; it is one of {', '.join(PROGRESS)}")
    with opened_store(workspace, store) as (opened, reviewed):
        states = opened.states(reader or None, model)
    wish = Wish(order, tuple(state or ()), tuple(center or ()), region, seed)
    found = ordered(load_cohort(reviewed), states, *_ranked_by(reviewed), wish, reader)
    _show_worklist(found, as_json)


@contextmanager
def opened_store(workspace: Path, url: str | None) -> Iterator[tuple[Store, Workspace]]:
    """The store and its workspace, which must be there; what there is to know of it goes to standard error."""
    from ..cohort.workspace import Workspace
    from ..review import open_store

    if not workspace.is_dir():
        raise UsageError(f"{workspace}: no such workspace; 'bratsrefine score FOLDER --workspace {workspace}' makes it")
    reviewed = Workspace(workspace.expanduser().resolve())
    with open_store(url or reviewed.root, reviewed.root) as opened:
        for note in opened.notes:
            say("note", note)
        yield opened, reviewed


def reviewed_cohort(workspace: Workspace) -> Cohort:
    """With what was predicted and made here, whose labels may be read otherwise than the data's."""
    from ..cohort import load_cohort
    from ..jobs import with_runs

    return with_runs(load_cohort(workspace), workspace)


def _cases(workspace: Workspace) -> list[str]:
    """The cohort's names, where there is a cohort."""
    from ..cohort import load_cohort

    return [case.case for case in load_cohort(workspace).cases] if workspace.cohort_csv.is_file() else []


def _ranked_by(workspace: Workspace) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """The tables of flags and of predicted quality, where they are."""
    from ..review import read_flags, read_quality

    flags, quality = workspace.flags_csv, workspace.quality_csv
    return read_flags(flags) if flags.is_file() else None, read_quality(quality) if quality.is_file() else None


def _show_worklist(found: Worklist, as_json: bool) -> None:
    if found.gone:
        named = ", ".join(found.gone[:3]) + (" ..." if len(found.gone) > 3 else "")
        say("note", f"cases with records that are no longer in the cohort: {len(found.gone)} ({named})")
    if as_json:
        shown = {"progress": found.progress, "done": found.done, "of": found.cases, "cases": records(found.table)}
        print_json(shown)
        return
    print(f"{found.progress} decided")
    if len(found.table):
        print_table(found.table)
