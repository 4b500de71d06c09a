"""The module's folder on the path, as Slicer has it, the host's helpers too, and a scene with real slice logics."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

import BraTSRefine.Standalone  # noqa: F401  (before the folder, in which BraTSRefine is a file and no package)

sys.path.append(str(Path(__file__).resolve().parents[2] / "BraTSRefine"))
sys.path.append(str(Path(__file__).resolve().parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "standalone"))


@pytest.fixture
def scene():
    """A MRML scene with the slice views of the module: real slice, composite and colour nodes, no window."""
    import slicer
    from BraTSRefineUI import views

    scene = slicer.vtkMRMLScene()
    application = slicer.vtkSlicerApplicationLogic()
    application.SetMRMLScene(scene)
    application.GetColorLogic().SetMRMLScene(scene)
    application.GetColorLogic().AddDefaultColorNodes()
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    logics = []
    for view in views.SLICE_VIEWS:
        logic = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLApplicationLogic(application)
        logic.SetMRMLScene(scene)
        node = logic.AddSliceNode(view.tag)
        node.SetOrientation(view.orientation)
        node.SetDimensions(400, 300, 1)
        logics.append(logic)
    yield scene
    for logic in logics:
        logic.SetMRMLScene(None)
    scene.Clear(1)


@pytest.fixture(scope="session")
def scored_workspace(phantom_cohort, tmp_path_factory) -> Path:
    """A workspace in which the phantom cohort is known, scored and mapped."""
    from BraTSRefineLib import jobs
    from BraTSRefineLib.cohort import Workspace, discover, save_cohort
    from BraTSRefineLib.scoring import score_cohort, write_scores

    folder = tmp_path_factory.mktemp("module") / "workspace"
    opened = Workspace.open(folder, phantom_cohort)
    cohort = discover(phantom_cohort)
    save_cohort(cohort, opened)
    write_scores(score_cohort(cohort, measures=["lesions"], workers=1), opened)
    jobs.run(jobs.create(opened, "uncertainty", {}))
    return folder


@pytest.fixture(scope="module")
def workspace(scored_workspace, tmp_path_factory) -> Path:
    """A copy of it for the tests of one file, which leave runs there."""
    return shutil.copytree(scored_workspace, tmp_path_factory.mktemp("copied") / "workspace")


@pytest.fixture
def folder(scored_workspace, tmp_path) -> Path:
    """A copy of it for each test: what was decided in one is not there in the next."""
    return shutil.copytree(scored_workspace, tmp_path / "workspace")


@pytest.fixture(scope="module")
def window():
    """The module in its window, once for a file's tests: a start takes seconds."""
    from BraTSRefine.Standalone.host import start

    host = start("BraTSRefine", offscreen=True, size=(1280, 800))
    yield host
    host.close()


@pytest.fixture
def host(window, phantom_cohort, workspace):
    """The window with the phantom cohort opened anew; nothing may fail in a slot."""
    window.widget.openWorkspace(phantom_cohort, workspace)
    window.settle()
    yield window
    assert not window.failures


@pytest.fixture
def bench(host):
    return host.widget.workbench


@pytest.fixture
def row(host):
    """The widgets under the case card."""
    return host.widget.ui


@pytest.fixture
def answers(monkeypatch):
    """What a person answers to the questions of the window, which would wait for ever."""
    from correct_driving import Answers

    return Answers(monkeypatch)
