"""A data folder is looked at for its workspace, which keeps what was found there."""

from __future__ import annotations

from pathlib import Path

from .assembly import Progress
from .case import Cohort, CohortError
from .layouts import check_there, discover
from .saved import load_cohort, save_cohort
from .workspace import Workspace


def look(
    folder: Path | str,
    workspace: Path | str = "",
    labels: str = "auto",
    again: bool = False,
    progress: Progress | None = None,
) -> tuple[Cohort, Workspace]:
    """The cohort of a data folder, and the workspace that shall ``keep`` it; by default that beside the folder.

    What the workspace already knows of the folder is used unless labels are stated or it shall be looked at ``again``;
    ``progress`` is told of each case then. Raises CohortError and WorkspaceError.
    """
    check_there(folder)  # before a workspace is made beside a misspelt name
    opened = Workspace.open(workspace or Workspace.beside(folder), folder)
    known = None if again or labels != "auto" else _known(opened, folder)
    return known or discover(folder, labels=labels, progress=progress), opened


def keep(cohort: Cohort, workspace: Workspace) -> None:
    """Save the cohort unless the workspace knows it as it is, so that results stay younger than what they are of.

    Raises WorkspaceError where the workspace cannot be written.
    """
    try:
        is_kept = load_cohort(workspace) == cohort
    except CohortError:
        is_kept = False
    if not is_kept:
        save_cohort(cohort, workspace)


def _known(workspace: Workspace, folder: Path | str) -> Cohort | None:
    """What the workspace knows of this very folder; None where it knows nothing or another one."""
    if not workspace.cohort_csv.is_file():
        return None
    cohort = load_cohort(workspace)
    return cohort if Path(cohort.root).resolve() == Path(folder).expanduser().resolve() else None
