"""``python Testing/screenshots.py DEMO [DATA]``: make the pictures of the README anew.

DEMO is the folder of ``bratsrefine demo``; every panel is shown on it, with something fused and chosen. DATA is a
folder of real data sets that ``bratsrefine review`` was opened on; CASE of MODEL gives ``review.png``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from BraTSRefineLib import jobs
from BraTSRefineLib.cohort import Workspace

PICTURES = Path(__file__).resolve().parents[1] / "Resources" / "Screenshots"
CASE, MODEL = "TCGA-FG-6692", "isen-20"


def main(demo: str, data: str = "", workspace: str = "") -> None:
    from BraTSRefine.Standalone.host import start

    host = start("BraTSRefine", offscreen=True, size=(1600, 900))
    _picture_panels(host, demo)
    if data:
        _picture_real_case(host, data, workspace)
    host.close()


def _picture_panels(host, demo: str) -> None:
    opened = Workspace(Workspace.beside(demo))
    if not any(run.name.startswith("fuse") for run in jobs.runs(opened)):
        jobs.run(jobs.create(opened, "fuse", {"method": "mean"}))
        jobs.run(jobs.create(opened, "select", {"k": 5, "region": "ET"}))
    host.widget.openWorkspace(demo, opened.root)
    for name in host.widget.panelNames():
        host.widget.showPanel(name)
        host.settle(500)
        host.screenshot(PICTURES / f"panel-{name.lower().replace(' ', '-')}.png")


def _picture_real_case(host, data: str, workspace: str) -> None:
    host.widget.openWorkspace(data, workspace or Workspace.beside(data))
    host.widget.showPanel("Worst cases")
    models = host.widget.ui.modelCombo
    models.setCurrentIndex(models.findText(MODEL))
    host.widget.showCase(CASE)
    host.settle(1000)
    host.screenshot(PICTURES / "review.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
