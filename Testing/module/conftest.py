"""The module's folder on the path, as Slicer has it, and a scene with real slice logics."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import BraTSRefine.Standalone  # noqa: F401  (before the folder, in which BraTSRefine is a file and no package)

sys.path.append(str(Path(__file__).resolve().parents[2] / "BraTSRefine"))


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
