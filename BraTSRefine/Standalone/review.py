"""The review run off-screen: opens a cohort's workspace in the module and photographs the case and every panel.

What the module's widget has to offer: ``openWorkspace(cohortFolder, workspaceFolder[, store])``, which ends with a case
shown; ``panelNames() -> list[str]``; ``showPanel(name)``. For a window that people see, ``beginOpening`` with the same
arguments, which comes back at once.
"""

import re
from pathlib import Path

from .host import Host, HostError

SETTLE_MS = 400


def openCohort(host: Host, cohort: str, workspace: str, store: str = "") -> None:
    """Ask the module to open the cohort; ``store``: where the decisions are kept, if not in the workspace.

    :raises HostError: with the module's reason, if it could not.
    """
    try:
        host.widget.openWorkspace(cohort, workspace, *([store] if store else []))
    except Exception as error:
        raise HostError(f"Could not open {cohort} with workspace {workspace}: {error}") from error
    host.settle(SETTLE_MS)
    raiseFailures(host)


def photograph(host: Host, folder: str | Path) -> list[Path]:
    """``review.png`` of the worst case, then ``panel-<name>.png`` of each panel; the paths written."""
    pictures = [host.screenshot(Path(folder) / "review.png")]
    for name in host.widget.panelNames():
        host.widget.showPanel(name)
        host.settle(SETTLE_MS)
        pictures.append(host.screenshot(Path(folder) / f"panel-{fileName(name)}.png"))
    raiseFailures(host)
    return pictures


def fileName(name: str) -> str:
    """A panel's name as part of a file name: "Worst cases" becomes ``worst-cases``."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def raiseFailures(host: Host) -> None:
    if host.failures:
        raise HostError(f"The module failed: {host.failures[0]}")
