"""Show: the simulated cohort, the review window, the demo."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import (
    FolderArgument,
    LabelsOption,
    ModelLabelsOption,
    PredictionsOption,
    ReferencesOption,
    StoreOption,
    WorkspaceOption,
    is_current,
    notes,
    open_cohort,
    print_problems,
    progress_bar,
    run_job,
    scores_of,
)

if TYPE_CHECKING:
    from ..cohort import Cohort
    from ..cohort.workspace import Workspace


def phantom(
    folder: Annotated[Path, typer.Argument(help="New folder for the simulated cohort.")],
    cases: Annotated[int, typer.Option(min=1)] = 24,
    centers: Annotated[int, typer.Option(min=1)] = 3,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    scale: Annotated[float, typer.Option(help="1: 240x240x155 at 1 mm; 0.5: half of it at 2 mm.")] = 1.0,
) -> None:
    """Simulate a multi-centre cohort with five models that err and with planted failures (truth.json).

    [dim]bratsrefine phantom demo/ --cases 24 --centers 3 --seed 1[/]
    """
    from ..phantom import write_cohort

    with progress_bar("simulating") as tell:
        write_cohort(folder, cases=cases, centers=centers, seed=seed, scale=scale, progress=tell)
    print(f"{cases} cases from {centers} centres: {folder}")


class Person(StrEnum):
    """Whose way through the module is replayed."""

    CLINICIAN = "clinician"
    RESEARCHER = "researcher"
    ANNOTATOR = "annotator"


@dataclass(frozen=True)
class Showing:
    """How the window is opened: off-screen it writes ``screenshots``, by default into the workspace.

    ``walk``: whose way is replayed; ``store``: where the decisions are kept, by default a file.
    """

    offscreen: bool
    screenshots: Path | None = None
    walk: Person | None = None
    store: str | None = None


def review_command(folder: Path, workspace: Workspace, how: Showing) -> list[str]:
    """The command line that opens the window on a prepared workspace."""
    command = [sys.executable, "-m", "BraTSRefine.Standalone", "--cohort", str(folder)]
    command += ["--workspace", str(workspace.root)]
    if how.offscreen:
        command += ["--offscreen", "--screenshots", str(how.screenshots or workspace.root / "screenshots")]
    return command + (["--walk", how.walk.value] if how.walk else []) + (["--store", how.store] if how.store else [])


def display_missing() -> bool:
    """True on a machine without a screen."""
    return sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_review(cohort: Cohort, folder: Path, workspace: Workspace, how: Showing) -> int:
    """Score and map what is not yet scored or mapped, then open the window."""
    if cohort.models:
        scores_of(cohort, workspace)
    several = any(len(case.usable_models()) > 1 for case in cohort.cases)
    if several and not is_current(workspace.uncertainty_csv, workspace):
        run_job(workspace, "uncertainty", {})
    if not how.offscreen and display_missing():
        notes.print("no display here: the same window is rendered off-screen instead")
        how = replace(how, offscreen=True)
    return subprocess.run(review_command(folder, workspace, how), check=False).returncode


def review(
    folder: FolderArgument,
    workspace: WorkspaceOption = None,
    offscreen: Annotated[bool, typer.Option("--offscreen", help="No window: write screenshots.")] = False,
    screenshots: Annotated[Path | None, typer.Option(help="Folder for the screenshots.")] = None,
    walk: Annotated[
        Person | None, typer.Option(help="Replay this person's way through the module off-screen, a picture a step.")
    ] = None,
    store: StoreOption = None,
    labels: LabelsOption = "auto",
    model_labels: ModelLabelsOption = None,
    references: ReferencesOption = None,
    predictions: PredictionsOption = None,
) -> None:
    """Open the review: worst cases beside their references in Slicer's views. Scores first where needed.

    [dim]bratsrefine review BraTS2021/ --workspace out/ | bratsrefine review data/ --offscreen --screenshots pics/[/]
    """
    found, opened = open_cohort(folder, workspace, labels, model_labels, references, predictions)
    print_problems(found)
    how = Showing(offscreen or walk is not None, screenshots, walk, store)
    raise typer.Exit(open_review(found, folder, opened, how))


def demo(
    folder: Annotated[Path, typer.Argument(help="Where the demo cohort lives; made on the first call.")] = Path(
        "demo-cohort"
    ),
    cases: Annotated[int, typer.Option(min=1)] = 12,
    offscreen: Annotated[bool, typer.Option("--offscreen", help="No window: write screenshots.")] = False,
) -> None:
    """Simulate a cohort, score it, map its uncertainty, write the report, and open the review on it.

    [dim]bratsrefine demo | bratsrefine demo elsewhere/ --offscreen[/]
    """
    if not (folder / "truth.json").is_file():
        phantom(folder, cases=cases, centers=min(3, cases), seed=1, scale=1.0)
    found, opened = open_cohort(folder, None)
    scores_of(found, opened)
    run_job(opened, "report", {})
    code = open_review(found, folder, opened, Showing(offscreen))
    print(f"report: {opened.report_html}")
    raise typer.Exit(code)
