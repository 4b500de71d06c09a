"""Opening the module costs nothing that is not used: no torch, no pandas, no reader of images."""

from __future__ import annotations

import importlib.util
import json

from own_process import run_apart

HEAVY = {"torch", "monai", "nnunetv2", "pandas", "numba", "SimpleITK", "plotly", "dask", "nilearn", "sklearn", "cc3d"}

OPENING = """
import json, sys
from importlib.abc import MetaPathFinder

class Recorder(MetaPathFinder):
    asked = set()
    def find_spec(self, name, path=None, target=None):
        self.asked.add(name.partition(".")[0])

from BraTSRefine.Standalone import host as hosting
import PySide6.QtWidgets, trame_slicer.core, trame_slicer.views
already = set(sys.modules)
sys.meta_path.insert(0, Recorder())
host = hosting.start("BraTSRefine", offscreen=True)
for name in host.widget.panelNames():
    host.widget.showPanel(name)
host.settle()
print("ASKED", json.dumps(sorted(Recorder.asked | {name.partition(".")[0] for name in set(sys.modules) - already})))
host.close()
"""


def test_opening_the_module_and_every_panel_imports_nothing_heavy():
    run = run_apart(OPENING)
    lines = [line for line in run.stdout.splitlines() if line.startswith("ASKED ")]
    assert lines, run.stderr
    asked = set(json.loads(lines[0].removeprefix("ASKED ")))
    assert "BraTSRefineUI" in asked
    assert not asked & HEAVY


def test_the_heavy_packages_are_installed_so_that_the_test_above_can_fail():
    assert importlib.util.find_spec("torch") is not None
    assert importlib.util.find_spec("pandas") is not None
