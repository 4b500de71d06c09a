"""Corrections on the command line: which there are, and taking in one that was drawn with another program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .decisions import ReviewedOption, opened_store, reviewed_cohort
from .options import JsonOption, StoreOption, UsageError, finish, print_json, print_table, records

if TYPE_CHECKING:
    import numpy as np

    from ..review import Start, Version

CORRECTION_COLUMNS = ["case", "model", "who", "when", "voxels", "left_out", "status", "file"]
UNDONE = "taken back"


def corrections(
    workspace: ReviewedOption,
    case: Annotated[list[str] | None, typer.Option(help="Only of this case. Repeatable.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """The corrected label maps, the newest of a case first; whether a file is as it was saved, and what was taken back.

    [dim]bratsrefine decisions corrections --workspace out/ --case BraTS-001[/]
    """
    import pandas as pd

    from ..review import saved_versions
    from ..review.corrections import undone_corrections

    with opened_store(workspace, store) as (opened, reviewed):
        events = opened.events()
    undone = undone_corrections(events)
    found = [version for version in saved_versions(reviewed.root) if not case or version.event.case in case]
    found.sort(key=lambda version: version.event.when, reverse=True)
    found.sort(key=lambda version: (version.event.case, version.event.model))
    table = pd.DataFrame([_row(version, undone) for version in found], columns=CORRECTION_COLUMNS)
    if as_json:
        print_json(records(table))
    elif len(table):
        print_table(table)
    else:
        print("no corrections")


def correct(
    file: Annotated[Path, typer.Argument(help="The corrected label map, on the prediction's grid.")],
    workspace: ReviewedOption,
    case: Annotated[str, typer.Option(help="The case that it is of.")],
    model: Annotated[str, typer.Option(help="The model whose prediction was corrected.")],
    who: Annotated[str, typer.Option(help="Who corrected it.")],
    note: Annotated[str, typer.Option(help="What was wrong.")] = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in a label map that was corrected with another program, as a new version; the window shows it from then on.

    It is kept with the grid, the voxel type and the header of the prediction, or of the newest correction before it.

    [dim]bratsrefine decisions correct edited.nii.gz -w out/ --case BraTS-001 --model unet --who Ann[/]
    """
    from ..review import save_correction, start_from_prediction, start_from_version, versions

    with opened_store(workspace, store) as (opened, reviewed):
        known = versions(reviewed.root, case, model, opened.events(case))
        start = start_from_version(known[0]) if known else start_from_prediction(reviewed_cohort(reviewed)[case], model)
        version = save_correction(reviewed.root, start, _labels(file, start), who, note=note)
        opened.record(version.event)
    finish(_summary(version), reviewed, as_json)


def _labels(file: Path, start: Start) -> np.ndarray:
    """The label map. Raises UsageError where it lies on another grid: nothing is resampled."""
    from ..cohort import read_geometry, read_label_map

    different = read_geometry(file).difference(start.template.geometry)
    if different:
        raise UsageError(f"{file}: lies on another grid than {start.path.name}: {different}; export it on that grid")
    return read_label_map(file)


def _row(version: Version, undone: set[str]) -> dict[str, object]:
    event = version.event
    status = UNDONE if event.uid in undone else version.status()
    about = {name: event.row[name] for name in ("case", "model", "who", "when")}
    return about | {name: event.payload.get(name, "") for name in ("voxels", "left_out", "file")} | {"status": status}


def _summary(version: Version) -> dict[str, object]:
    event = version.event
    return {"case": event.case, "model": event.model, "voxels": event.payload["voxels"], "file": str(version.path)}
