"""trame-slicer's off-screen views, prepared for a window: nodes and orientations are the layout's."""

from contextlib import contextmanager

import numpy as np
from PySide6.QtGui import QImage
from trame_slicer.views import AbstractView
from trame_slicer.views import SliceView as TrameSliceView
from trame_slicer.views import ThreeDView as TrameThreeDView
from trame_slicer.views.render_scheduler import ScheduledRenderStrategy
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkObject, vtkUnsignedCharArray

BACKGROUND = (0.11, 0.115, 0.125)
SHOWN = ("Camera", "Crosshair", "Layer", "Model", "ScalarBar", "Segmentations", "View")
"""Kinds of displayable managers; window and level are dragged by that of the scalar bar."""


class RenderRequests(ScheduledRenderStrategy):
    """Hands the displayable managers' wishes for a new picture to the widget that shows it."""

    def __init__(self, request):
        super().__init__()
        self.schedule_render = request


class LeanView(AbstractView):
    """Draws what is shown here beside the images: every further kind hears of all nodes and takes time to be made."""

    def _initialize_displayable_manager_group(self, factory, application, managers) -> None:
        needed = [one for one in managers if getattr(one, "__name__", one).removeprefix("vtkMRML").startswith(SHOWN)]
        super()._initialize_displayable_manager_group(factory, application, needed)


class SliceView(LeanView, TrameSliceView):
    """A slice view of the node that the layout made, in the orientation that the layout gave it."""

    def _initialize_displayable_manager_group(self, *arguments) -> None:
        # Drawn first, so that translucent fills and outlines blend with the image and not with the black behind it.
        image = self._render_manager.image_actor
        image.SetVisibility(False)
        self.first_renderer().AddViewProp(image)
        super()._initialize_displayable_manager_group(*arguments)

    def set_scene(self, scene) -> None:
        AbstractView.set_scene(self, scene)
        self._logic.SetMRMLScene(scene)
        self._logic.SetSliceNode(scene.GetSingletonNode(self.name, "vtkMRMLSliceNode"))
        self.set_view_node(self._logic.GetSliceNode())

    def _reset_node_view_properties(self) -> None:
        AbstractView._reset_node_view_properties(self)


class ThreeDView(LeanView, TrameThreeDView):
    """A 3D view of the node that the layout made; dark and without a box until the module says otherwise."""

    def set_scene(self, scene) -> None:
        AbstractView.set_scene(self, scene)
        self._logic.SetMRMLScene(scene)
        node = scene.GetSingletonNode(self.name, "vtkMRMLViewNode")
        self.set_view_node(node)
        node.SetBoxVisible(False)
        node.SetAxisLabelsVisible(False)
        node.SetBackgroundColor(*BACKGROUND)
        node.SetBackgroundColor2(*BACKGROUND)
        self._drawTranslucentSurfaces(node)

    def _drawTranslucentSurfaces(self, node) -> None:
        # Depth peeling takes a second a picture on a CPU, and with multisampling it leaves the picture empty.
        node.SetUseDepthPeeling(False)
        self.renderer().SetUseDepthPeeling(False)
        self.renderer().SetUseDepthPeelingForVolumes(False)
        self.render_window().SetMultiSamples(0)
        self.renderer().SetUseFXAA(True)


@contextmanager
def quietStart(isStart: bool = True):
    """Silences VTK while a view is made: it reports the missing display and an event that VTK 9.6 renamed."""
    former = vtkObject.GetGlobalWarningDisplay()
    vtkObject.SetGlobalWarningDisplay(former and not isStart)
    try:
        yield
    finally:
        vtkObject.SetGlobalWarningDisplay(former)


def renderedImage(view: AbstractView) -> QImage:
    """Render the view's window and return its pixels."""
    window = view.render_window()
    window.Render()
    width, height = window.GetSize()
    pixels = vtkUnsignedCharArray()
    window.GetPixelData(0, 0, width - 1, height - 1, 1, pixels, 0)
    rows = np.ascontiguousarray(vtk_to_numpy(pixels).reshape(height, width, 3)[::-1])
    return QImage(rows.data, width, height, 3 * width, QImage.Format_RGB888).copy()
