"""A tiny scripted module, written as for Slicer, with which the host is tested."""

from typing import Annotated

import qt
import slicer
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import Default, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

SIX_VIEWS = 711
ONE_VIEW = 712
AXIAL_VIEWS = ("ProbeA", "ProbeB", "ProbeC")


def slice_view(tag, orientation):
    return (
        f'<view class="vtkMRMLSliceNode" singletontag="{tag}">'
        f'<property name="orientation" action="default">{orientation}</property></view>'
    )


def row(*views):
    return '<layout type="horizontal">' + "".join(f"<item>{view}</item>" for view in views) + "</layout>"


SIX_VIEWS_LAYOUT = (
    '<layout type="vertical"><item>'
    + row(*(slice_view(tag, "Axial") for tag in AXIAL_VIEWS))
    + '</item><item splitSize="500">'
    + row(
        slice_view("ProbeCoronal", "Coronal"),
        slice_view("ProbeSagittal", "Sagittal"),
        '<view class="vtkMRMLViewNode" singletontag="Probe3D"/>',
    )
    + "</item></layout>"
)
ONE_VIEW_LAYOUT = row(slice_view("ProbeA", "Axial"))


class HostProbe(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Host probe")
        self.parent.categories = ["Testing"]


@parameterNodeWrapper
class HostProbeParameterNode:
    threshold: Annotated[float, WithinRange(0.0, 1.0)] = 0.25
    name: str = "first"
    enabled: Annotated[bool, Default(True)]
    volume: slicer.vtkMRMLScalarVolumeNode


class HostProbeWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.events = []

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/HostProbe.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = HostProbeLogic()
        self.ui.nameLabel.text = _("ready")
        self.ui.pressButton.clicked.connect(self.onPress)
        self.timer = qt.QTimer()
        self.timer.interval = 20
        self.timer.timeout.connect(self.onTimer)
        self.timer.start()
        self.addObserver(slicer.mrmlScene, slicer.vtkMRMLScene.StartCloseEvent, self.onSceneClose)
        layoutNode = slicer.app.layoutManager().layoutLogic().GetLayoutNode()
        layoutNode.AddLayoutDescription(SIX_VIEWS, SIX_VIEWS_LAYOUT)
        layoutNode.AddLayoutDescription(ONE_VIEW, ONE_VIEW_LAYOUT)
        slicer.app.layoutManager().setLayout(SIX_VIEWS)

    def onPress(self, checked=False):
        self.ui.nameLabel.text = "pressed"
        if self.ui.pressButton.text == "fail":
            raise ValueError("asked to fail")

    def onTimer(self):
        self.events.append("timer")

    def onSceneClose(self, caller, event):
        self.events.append("scene closes")

    def enter(self):
        self.events.append("enter")

    def exit(self):
        self.events.append("exit")

    def cleanup(self):
        self.timer.stop()
        self.removeObservers()
        self.events.append("cleanup")

    def openWorkspace(self, cohortFolder, workspaceFolder):
        if cohortFolder == "missing":
            raise ValueError("no such folder: missing")
        self.events.append(("opened", cohortFolder, workspaceFolder))

    def panelNames(self):
        return ["Worst cases", "Refine"]

    def showPanel(self, name):
        self.ui.nameLabel.text = name


class HostProbeLogic(ScriptedLoadableModuleLogic):
    def getParameterNode(self):
        return HostProbeParameterNode(super().getParameterNode())


class HostProbeTest(ScriptedLoadableModuleTest):
    def test_SceneExists(self):
        assert slicer.mrmlScene is not None
