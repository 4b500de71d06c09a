"""What a reload of the module, a second cohort and the end leave behind: nothing.

Slicer reloads a module by ``cleanup`` of the former widget, without leaving it, and ``setup`` of a new one in place.
"""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import psutil
import pytest
from driving import press, wait_until
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QShortcut
from shiboken6 import isValid


@pytest.fixture(scope="module", autouse=True)
def others() -> set[psutil.Process]:
    """Processes that tests of other files left to the end of the run, as multiprocessing's tracker of resources."""
    return set(psutil.Process().children(recursive=True))


@pytest.fixture
def large(host, bench):
    """Every case counts as large, so that another process reads it."""
    read_by_another_process(host)
    yield
    host.widget.workbench.reading.smallBytes = 2**40
    host.widget.workbench.reading.cleanup()


def read_by_another_process(host) -> None:
    desk = host.widget.workbench.reading
    desk.smallBytes = 0
    desk.refresh()
    wait_until(host, lambda: desk.isIdle)


def reload_module(host) -> None:
    """As ``slicer.util.reloadScriptedModule`` does while the module is in front."""
    kind, parent = type(host.widget), host.widget.parent
    host.widget.cleanup()
    while parent.layout().count():
        widget = parent.layout().takeAt(0).widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
    host.widget = None
    host.widget = kind(parent)
    host.widget.setup()
    host.widget.enter()
    host.settle()


def alive() -> list:
    gc.unfreeze()
    gc.collect()
    return [found for found in gc.get_objects() if isinstance(found, QObject) and isValid(found)]


def folders() -> int:
    from BraTSRefineUI import prefetch

    places = {Path(tempfile.gettempdir()), prefetch.IN_MEMORY}
    return sum(len(list(place.glob(f"{prefetch.PREFIX}{os.getpid()}-*"))) for place in places)


def what_is_there(host, others: set[psutil.Process]) -> dict:
    """Everything that the module can leave behind, counted."""
    import slicer

    scene, objects = slicer.mrmlScene, alive()
    nodes = (scene.GetNthNode(i) for i in range(scene.GetNumberOfNodes()))
    return {
        "nodes": Counter(node.GetClassName() for node in nodes),
        "timers": sum(found.isActive() for found in objects if isinstance(found, QTimer)),
        "keys": len(host.window.findChildren(QShortcut)),
        "watchers": Counter(type(found).__name__ for found in objects if ours(found)),
        "processes": len(set(psutil.Process().children(recursive=True)) - others),
        "folders": folders(),
    }


def ours(found) -> bool:
    """Whether it is an event filter of the module, or anything else of its own that Qt knows."""
    return type(found).__module__.startswith("BraTSRefineUI")


def show_all(host, cohort, workspace) -> None:
    """Open a cohort, look at something in each layout, and wait until everything has come to rest."""
    host.widget.openWorkspace(cohort, workspace)
    read_by_another_process(host)
    press(host, Qt.Key_F)
    for _ in range(6):
        press(host, Qt.Key_V)
    host.settle(600)


def test_a_second_cohort_leaves_nothing_of_the_first(host, others, large, phantom_cohort, workspace, tmp_path):
    other = shutil.copytree(phantom_cohort, tmp_path / "cohort")
    second = shutil.copytree(workspace, tmp_path / "workspace")
    show_all(host, phantom_cohort, workspace)
    before = what_is_there(host, others)
    show_all(host, other, second)
    show_all(host, phantom_cohort, workspace)
    assert what_is_there(host, others) == before


def test_a_reload_leaves_nothing_of_the_former_module(host, others, large, phantom_cohort, workspace):
    import slicer

    reload_module(host)
    show_all(host, phantom_cohort, workspace)
    before, former, called = what_is_there(host, others), host.widget.workbench, []
    former.onSceneClosed = lambda: called.append("the scene was closed")
    for desk in former.desks:
        desk.refresh = lambda: called.append("something changed")
    reload_module(host)
    assert host.widget.workbench is not former
    assert former.session.data.case == ""
    show_all(host, phantom_cohort, workspace)
    assert what_is_there(host, others) == before
    slicer.mrmlScene.Clear()
    host.settle()
    assert not called
    show_all(host, phantom_cohort, workspace)


def test_the_end_leaves_no_process_no_folder_no_key_and_no_node(host, others, large, phantom_cohort, workspace):
    import slicer

    show_all(host, phantom_cohort, workspace)
    host.widget.cleanup()
    host.settle(600)
    there = what_is_there(host, others)
    assert (there["processes"], there["folders"], there["keys"]) == (0, 0, 0)
    kinds = ("vtkMRMLVolumeNode", "vtkMRMLSegmentationNode", "vtkMRMLModelNode", "vtkMRMLPlotChartNode")
    left = [node.GetName() for kind in kinds for node in slicer.util.getNodesByClass(kind)]
    assert not [node for node in left if "Slice" not in node]
    assert there["timers"] == 0
