"""A case switch in the module: from the click on a row to the last rendered view, and the memory that it keeps.

Full-size files on disk (240x240x155): four modalities, reference, prediction and an uncertainty map a case; read,
made into nodes with surfaces, shown in five slice views and one 3D view of a window of 1600x900, off-screen.
"""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from run import Figure


CASES = 3
SWITCHES = 50
MEGABYTE = 2**20


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, folder], check=True)
        return _measured(Path(folder) / "cohort", Path(folder) / "workspace")


def prepare(folder: Path) -> None:
    """A full-size phantom cohort, scored and mapped; in a process of its own, whose memory is not ours to count."""
    from BraTSRefineLib import jobs
    from BraTSRefineLib.cohort import Workspace, discover, save_cohort
    from BraTSRefineLib.phantom import write_cohort
    from BraTSRefineLib.scoring import score_cohort, write_scores

    cohort = write_cohort(folder / "cohort", cases=CASES, centers=1, seed=1, scale=1.0)
    workspace = Workspace.open(folder / "workspace", cohort)
    found = discover(cohort)
    save_cohort(found, workspace)
    write_scores(score_cohort(found), workspace)
    jobs.run(jobs.create(workspace, "uncertainty", {}))


def _measured(cohort: Path, workspace: Path) -> list[Figure]:
    from BraTSRefine.Standalone.host import start

    host = start("BraTSRefine", offscreen=True, size=(1600, 900))
    try:
        host.widget.openWorkspace(cohort, workspace)
        host.settle()
        seconds, memory = _switches(host)
    finally:
        host.close()
    from run import Figure

    detail = f"four modalities, reference, prediction, uncertainty; {SWITCHES} switches between {CASES} cases"
    growth = (memory[-1] - memory[4]) / MEGABYTE
    return [
        Figure("case switch, click to rendered, median", statistics.median(seconds), unit="s", detail=detail),
        Figure("case switch, slowest", max(seconds), unit="s"),
        Figure(
            "memory kept after 50 switches against after 5",
            growth,
            "<=",
            100,
            "MB",
            f"{memory[-1] / MEGABYTE:.0f} MB in all",
        ),
    ]


def _switches(host) -> tuple[list[float], list[int]]:
    import psutil

    table = host.widget.workbench.worstCases.ui.casesTable
    seconds, memory = [], []
    for number in range(SWITCHES):
        row = (table.currentIndex().row() + 1) % table.model().rowCount()
        started = time.perf_counter()
        _click(table, row)
        host.settle()
        seconds.append(time.perf_counter() - started)
        assert host.widget.workbench.session.case == host.widget.workbench.worstCases.shownCases[row]
        gc.collect()
        memory.append(psutil.Process().memory_info().rss)
        print(f"switch {number + 1}: {seconds[-1]:.2f} s, {memory[-1] / MEGABYTE:.0f} MB", flush=True)
    return seconds, memory


def _click(table, row: int) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    place = table.visualRect(table.model().index(row, 0)).center()
    QTest.mouseClick(table.viewport(), Qt.LeftButton, pos=place)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
