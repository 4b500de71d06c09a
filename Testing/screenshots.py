"""``python Testing/screenshots.py DEMO [DATA [WORKSPACE [MODELS]]]``: make the pictures of the README anew.

DEMO is the folder of ``bratsrefine demo``; every panel is shown on it, with something fused and chosen. DATA is a
folder of real data sets that ``bratsrefine review`` was opened on; CASE of MODEL gives ``review.png``. MODELS is a
folder of trained models (``Testing/models``); two folds of the FIRST of them with flips, estimated and then predicted
in one case, give ``predict.png`` and ``predict-uncertainty.png``. DATA and WORKSPACE may be empty.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from BraTSRefine.Standalone.__main__ import PERSONS
from BraTSRefineLib import jobs
from BraTSRefineLib.cohort import Workspace

PICTURES = Path(__file__).resolve().parents[1] / "Resources" / "Screenshots"
CASE, MODEL = "TCGA-FG-6692", "isen-20"
FIRST = "3d_fullres"


def main(demo: str, data: str = "", workspace: str = "", models: str = "") -> None:
    from BraTSRefine.Standalone.host import start

    host = start("BraTSRefine", offscreen=True, size=(1600, 900))
    _picture_panels(host, demo)
    if data:
        _picture_real_case(host, data, workspace)
    if models:
        _picture_predicting(host, demo, Path(models))
    host.close()
    _picture_walks(demo)


def _picture_panels(host, demo: str) -> None:
    opened = Workspace(Workspace.beside(demo))
    if not any(run.name.startswith("fuse") for run in jobs.runs(opened)):
        jobs.run(jobs.create(opened, "fuse", {"method": "mean"}))
        jobs.run(jobs.create(opened, "select", {"k": 5, "region": "ET"}))
    host.widget.openWorkspace(demo, opened.root)
    for name in host.widget.panelNames():
        host.widget.showPanel(name)
        if name == "Refine":
            host.widget.workbench.panelNamed("Refine").showStep("result")
        host.settle(500)
        host.screenshot(PICTURES / f"panel-{name.lower().replace(' ', '-')}.png")


def _picture_real_case(host, data: str, workspace: str) -> None:
    host.widget.openWorkspace(data, workspace or Workspace.beside(data))
    host.widget.showPanel("Worst cases")
    host.widget.showCase(CASE)
    host.widget.workbench.setModel(MODEL)
    while host.widget.isReading():
        host.settle(50)
    host.settle(1000)
    host.screenshot(PICTURES / "review.png")


def _picture_predicting(host, demo: str, models: Path) -> None:
    """The path is typed from its own parent, so that no picture shows where somebody keeps models."""
    host.widget.openWorkspace(demo, Workspace.beside(demo))
    bench = host.widget.workbench
    refine = bench.panelNamed("Refine")
    host.widget.showPanel("Refine")
    refine.showStep("predict")
    os.chdir(models.resolve().parent)
    box = refine.predictBox
    box.ui.modelsEdit.setText(models.name)
    box.look()
    while not box.ui.trainedList.count():
        host.settle(100)
    rows = range(box.ui.trainedList.count())
    chosen = next(row for row in rows if box.ui.trainedList.item(row).text().startswith(FIRST))
    box.ui.trainedList.item(chosen).setCheckState(Qt.Checked)
    box.ui.foldsEdit.setText("0, 2")
    box.ui.ttaCombo.setCurrentIndex(1)
    _press(host, box.ui.estimateButton)
    host.screenshot(PICTURES / "predict.png")
    _press(host, box.ui.predictButton)
    host.widget.showPanel("Uncertainty")
    host.settle(500)
    host.screenshot(PICTURES / "predict-uncertainty.png")


def _picture_walks(demo: str) -> None:
    """Each person's way through the demo, in a copy of its workspace, a picture a step, in 256 colours."""
    folder = PICTURES / "walks"
    shutil.rmtree(folder, ignore_errors=True)
    for person in PERSONS:
        with tempfile.TemporaryDirectory() as place:
            workspace = shutil.copytree(Workspace.beside(demo), Path(place) / "workspace")
            command = ["--cohort", demo, "--workspace", str(workspace), "--walk", person, "--size", "1280x800"]
            command += ["--offscreen", "--screenshots", str(folder)]
            subprocess.run([sys.executable, "-m", "BraTSRefine.Standalone", *command], check=True)
    for picture in folder.glob("*.png"):
        QImage(str(picture)).convertToFormat(QImage.Format_Indexed8).save(str(picture))


def _press(host, button) -> None:
    """Start a job and wait for its end."""
    button.click()
    while host.widget.workbench.isBusy:
        host.settle(100)


if __name__ == "__main__":
    main(*sys.argv[1:])
