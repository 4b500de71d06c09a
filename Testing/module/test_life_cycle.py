"""How the module begins and ends: what is opened, what is missing, what it gives back when it is left."""

from __future__ import annotations

import pytest
from driving import click, press
from own_process import run_apart
from PySide6.QtCore import Qt


def test_a_folder_that_is_none_is_refused_and_the_open_cohort_stays(host, bench, tmp_path):
    case = bench.session.case
    bench.cohortPanel.ui.folderEdit.setText(str(tmp_path / "nowhere"))
    bench.cohortPanel.ui.workspaceEdit.setText(str(tmp_path / "workspace"))
    host.widget.showPanel("Cohort")
    click(bench.cohortPanel.ui.openFolderButton)
    host.settle()
    assert "no such folder" in bench.cohortPanel.ui.cohortStateLabel.text()
    assert bench.session.case == case


def test_a_scene_that_somebody_closes_takes_the_case_along_and_not_the_cohort(host, bench):
    import slicer

    slicer.mrmlScene.Clear()
    host.settle()
    assert bench.session.case == ""
    assert bench.session.isOpen
    press(host, Qt.Key_N)
    assert bench.session.case == bench.worstCases.shownCases[0]
    assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode")


def test_the_self_test_of_the_module_passes(host):
    from BraTSRefine.BraTSRefine import BraTSRefineTest

    result = BraTSRefineTest().run()
    assert result.testsRun == 1
    assert result.failures + result.errors + result.skipped == []


def test_leaving_gives_views_and_keys_back_and_closing_leaves_no_node(host, bench):
    import slicer

    host.widget.exit()
    host.layoutManager.setLayout(6)
    host.widget.enter()
    host.widget.exit()
    assert host.layoutManager.layout == 6
    press(host, Qt.Key_N)
    assert bench.session.case == bench.worstCases.shownCases[0]
    host.widget.cleanup()
    for className in ("vtkMRMLVolumeNode", "vtkMRMLSegmentationNode", "vtkMRMLModelNode"):
        left = [node for node in slicer.util.getNodesByClass(className) if not node.GetHideFromEditors()]
        assert not left, className


def test_a_slicer_without_the_backends_packages_says_which_are_missing(host, phantom_cohort, monkeypatch):
    """The person answers no to the question whether to install them."""
    import slicer
    from BraTSRefineUI import dependencies

    asked = []
    monkeypatch.setattr(dependencies, "NEEDED", ("a_package_that_nobody_has",))
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda text, *rest: asked.append(text))
    with pytest.raises(dependencies.MissingPackages, match="a_package_that_nobody_has"):
        host.widget.openWorkspace(phantom_cohort)
    assert "a_package_that_nobody_has" in asked[0]


WITHOUT_PACKAGES = """
import sys
import PySide6.QtCore
from BraTSRefine.Standalone.host import start

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pandas", "pyarrow", "sqlalchemy", "alembic"):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)

sys.meta_path.insert(0, Missing())
host = start("BraTSRefine", offscreen=True, size=(1280, 800))
host.settle(4000)
print("failures:", host.failures)
host.close()
"""


@pytest.mark.slow
def test_the_window_comes_up_before_the_packages_of_the_backend_are_installed():
    run = run_apart(WITHOUT_PACKAGES)
    assert run.returncode == 0, run.stderr
    assert "failures: []" in run.stdout
