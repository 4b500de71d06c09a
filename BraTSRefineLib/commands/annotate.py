"""What an annotator works on: the chosen cases, what they take, and the labels that training reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .decisions import ReviewedOption, opened_store, reviewed_cohort
from .options import JsonOption, StoreOption, UsageError, print_json, print_table, records, say

if TYPE_CHECKING:
    from ..cohort import Cohort
    from ..cohort.workspace import Workspace
    from ..review import AnnotationList, Event

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")


@app.callback()
def annotate() -> None:
    """The cases to annotate: list them, mark them done, save their labels for training. For research use only.

    [dim]bratsrefine annotate list --workspace out/ | bratsrefine annotate export --workspace out/ --out Dataset001/[/]
    """


@app.command("list")
def list_cases(
    workspace: ReviewedOption,
    out: Annotated[Path | None, typer.Option(help="Also as a table: FILE.csv. A file that is there stays.")] = None,
    cart: Annotated[
        bool, typer.Option("--cart", help="That table in the CART form: a uid column, other columns are files.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """The cases that 'select' chose, with the reason, the estimated effort, and how far they are.

    [dim]bratsrefine annotate list --workspace out/ --out cases.csv --cart[/]
    """
    from ..review import write_annotation_list

    if cart and out is None:
        raise UsageError("--cart is a form of the table: name its file with --out")
    with opened_store(workspace, store) as (opened, reviewed):
        events = opened.events()
    cohort = reviewed_cohort(reviewed)
    found = _list(reviewed, cohort, events)
    if out is not None:
        write_annotation_list(found, out, cohort, events, reviewed.root, cart=cart)
    _show(found, as_json)


@app.command()
def done(
    case: Annotated[str, typer.Argument(help="The case that is annotated.")],
    workspace: ReviewedOption,
    reader: Annotated[str, typer.Option(help="Who annotated it.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Mark a case of the list as done.

    [dim]bratsrefine annotate done BraTS-001 --workspace out/ --reader Ann[/]
    """
    from ..review import Event

    with opened_store(workspace, store) as (opened, reviewed):
        marked = Event("done", case, reader)
        found = _list(reviewed, reviewed_cohort(reviewed), [*opened.events(), marked])
        if case not in set(found.table["case"]):
            raise UsageError(f"'{case}' is not on the list; 'bratsrefine annotate list' shows it")
        opened.record(marked)
    _show(found, as_json)


@app.command("export")
def export_labels(
    workspace: ReviewedOption,
    out: Annotated[Path, typer.Option(help="Folder for the labels; a file that is there is never replaced.")],
    layout: Annotated[
        str, typer.Option(help="nnunet (labelsTr/CASE.nii.gz) or brats (CASE/CASE-seg.nii.gz).")
    ] = "nnunet",
    images: Annotated[str, typer.Option(help="none, links or copies of the images beside the labels.")] = "none",
    case: Annotated[list[str] | None, typer.Option(help="Only this case. Repeatable. Default: all done ones.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Save the labels of what is done: the newest correction, or the prediction that was accepted.

    [dim]bratsrefine annotate export --workspace out/ --out nnUNet_raw/Dataset001_Tumour --images links[/]
    """
    from ..review import export_annotations

    with opened_store(workspace, store) as (opened, reviewed):
        events, states = opened.events(), opened.states()
    cohort = reviewed_cohort(reviewed)
    names = case or _done(_list(reviewed, cohort, events))
    result = export_annotations(cohort, names, states, reviewed.root, out, layout, images)
    for row in result.saved:
        if row.why:
            say("refused", f"{row.case}: {row.why}")
    for note in result.notes:
        say("note", note)
    if as_json:
        print_json({"folder": str(out), "cases": [asdict(row) for row in result.saved], "notes": list(result.notes)})
    else:
        counts = Counter(row.status for row in result.saved)
        print(", ".join(f"{status}: {count}" for status, count in counts.items()) + f"; {out}")
    if all(row.why for row in result.saved):
        raise typer.Exit(1)


def _list(workspace: Workspace, cohort: Cohort, events: list[Event]) -> AnnotationList:
    from ..review import open_list

    found = open_list(workspace, cohort, events)
    if found is None:
        raise UsageError(f"{workspace.root}: nothing is chosen yet; 'bratsrefine select' chooses cases to annotate")
    return found


def _done(found: AnnotationList) -> list[str]:
    names = found.table.loc[found.table["state"] == "done", "case"].tolist()
    if not names:
        raise UsageError("no case of the list is done; mark it done, or name cases with --case")
    return names


def _show(found: AnnotationList, as_json: bool) -> None:
    if found.gone:
        say("note", f"chosen cases that are no longer in the cohort: {', '.join(found.gone)}")
    if as_json:
        print_json({"progress": found.progress, "done": found.done, "cases": records(found.table)})
        return
    print(found.progress)
    print_table(found.table)
