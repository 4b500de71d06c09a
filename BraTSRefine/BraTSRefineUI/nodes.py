"""MRML nodes made from arrays, and how they are removed again without leaving anything behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import vtk

from . import colours, labelmaps

LINE_THICKNESS = {"WT": 1, "TC": 2, "ET": 3}
SURFACE_SMOOTHING = "0.2"
BRAIN_STEP = 3
NO_LIMIT = 1e6


class OwnedNodes:
    """Nodes by the part of the picture that they belong to; removing a part removes all that hangs on its nodes.

    ``RemoveNode`` on a volume alone leaves its display node, which keeps the voxels alive. The volume goes first: a
    slice view gives a volume that lost its display node a new one at once.
    """

    def __init__(self, scene) -> None:
        self.scene = scene
        self._parts: dict[str, list] = {}

    def add(self, part: str, *nodes) -> None:
        self._parts.setdefault(part, []).extend(nodes)

    def of(self, part: str, className: str) -> list:
        return [node for node in self._parts.get(part, ()) if node.IsA(className)]

    def remove(self, part: str) -> None:
        for node in self._parts.pop(part, ()):
            for each in (node, *_hangingOn(node)):
                self._removeNode(each)

    def clear(self) -> None:
        for part in list(self._parts):
            self.remove(part)

    def forget(self) -> None:
        """Let go of the nodes where the scene itself was closed."""
        self._parts.clear()

    def _removeNode(self, node) -> None:
        if self.scene.IsNodePresent(node):
            self.scene.RemoveNode(node)


def _hangingOn(node) -> list:
    """Display and storage nodes of a node."""
    hanging = []
    if node.IsA("vtkMRMLDisplayableNode"):
        hanging += [node.GetNthDisplayNode(i) for i in range(node.GetNumberOfDisplayNodes())]
    if node.IsA("vtkMRMLStorableNode"):
        hanging += [node.GetNthStorageNode(i) for i in range(node.GetNumberOfStorageNodes())]
    return [other for other in hanging if other is not None]


def greyVolume(scene, name: str, voxels: np.ndarray, ijkToRas, window: tuple[float, float]):
    """An image shown in grey between the two values of ``window``."""
    display = _scaledDisplay(scene, "vtkMRMLColorTableNodeGrey", window)
    return _volume(scene, "vtkMRMLScalarVolumeNode", name, voxels, ijkToRas, display)


def classVolume(scene, name: str, voxels: np.ndarray, ijkToRas, classes: Mapping[int, tuple[str, str]]) -> list:
    """A label volume and its colour table; ``classes`` maps a label to its name and colour."""
    table = _colourTable(scene, f"{name} colours", max(classes) + 1)
    table.SetColor(0, "none", 0.0, 0.0, 0.0, 0.0)
    for label, (words, colour) in classes.items():
        table.SetColor(label, words, *colours.rgb(colour), 1.0)
    display = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeDisplayNode")
    display.SetAndObserveColorNodeID(table.GetID())
    return [_volume(scene, "vtkMRMLLabelMapVolumeNode", name, voxels, ijkToRas, display), table]


def scaleVolume(scene, name: str, voxels: np.ndarray, ijkToRas, limits: tuple[float, float], threshold: float) -> list:
    """A volume in viridis between the limits, transparent below the threshold, and its colour table."""
    table = _colourTable(scene, f"{name} colours", 256)
    for index, colour in enumerate(colours.viridis()):
        table.SetColor(index, f"{index}", *colour, 1.0)
    display = _scaledDisplay(scene, table.GetID(), limits)
    display.ApplyThresholdOn()
    node = _volume(scene, "vtkMRMLScalarVolumeNode", name, voxels, ijkToRas, display)
    setThreshold(node, threshold)
    return [node, table]


def _volume(scene, className: str, name: str, voxels: np.ndarray, ijkToRas, display):
    """A volume of voxels ``(z, y, x)`` with a display node that is ready; a default one would measure the voxels."""
    image = vtk.vtkImageData()
    image.SetDimensions(*voxels.shape[::-1])
    image.GetPointData().SetScalars(labelmaps.vtkArray(voxels))
    node = scene.AddNewNodeByClass(className, name)
    node.SetIJKToRASMatrix(ijkToRas)
    node.SetAndObserveDisplayNodeID(display.GetID())
    node.SetAndObserveImageData(image)
    return node


def _scaledDisplay(scene, colourNodeID: str, limits: tuple[float, float]):
    display = scene.AddNewNodeByClass("vtkMRMLScalarVolumeDisplayNode")
    display.AutoWindowLevelOff()
    display.AutoThresholdOff()
    display.SetWindowLevelMinMax(*limits)
    display.SetAndObserveColorNodeID(colourNodeID)
    return display


def setThreshold(node, value: float) -> None:
    """Values below are transparent; above there is no limit."""
    node.GetDisplayNode().SetThreshold(value, NO_LIMIT)


def _colourTable(scene, name: str, count: int):
    table = scene.AddNewNodeByClass("vtkMRMLColorTableNode", name)
    table.SetTypeToUser()
    table.SetNumberOfColors(count)
    table.SetHideFromEditors(True)
    return table


def outlines(scene, name: str, masks: Mapping[str, np.ndarray], ijkToRas, colour: str):
    """A segmentation with one segment a region, and a display node each: the thicker the line the deeper the region.

    Line thickness belongs to the display node, not to the segment.
    """
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.GetSegmentation().SetConversionParameter("Smoothing factor", SURFACE_SMOOTHING)
    labelmaps.fillSegmentation(node, masks, ijkToRas, colours.rgb(colour))
    node.CreateClosedSurfaceRepresentation()
    for region in masks:
        _addOutlineDisplay(scene, node, region)
    return node


def _addOutlineDisplay(scene, node, region: str) -> None:
    """A display node that shows one segment of the segmentation alone."""
    display = scene.AddNewNodeByClass("vtkMRMLSegmentationDisplayNode", region)
    display.SetVisibility2DFill(False)
    display.SetSliceIntersectionThickness(LINE_THICKNESS.get(region, 1))
    display.SetPreferredDisplayRepresentationName2D("Closed surface")
    display.SetPreferredDisplayRepresentationName3D("Closed surface")
    display.SetVisibility(False)
    node.AddAndObserveDisplayNodeID(display.GetID())
    for segment in node.GetSegmentation().GetSegmentIDs():
        display.SetSegmentVisibility(segment, segment == region)


def outlineDisplays(node) -> dict[str, object]:
    """The display node of each region of a segmentation made by ``outlines``."""
    displays = (node.GetNthDisplayNode(i) for i in range(node.GetNumberOfDisplayNodes()))
    return {display.GetName(): display for display in displays}


def brainSurface(scene, voxels: np.ndarray, ijkToRas) -> list:
    """A faint hull of everything that is not 0 in a skull-stripped image, for orientation in 3D."""
    surface = _hull(voxels[::BRAIN_STEP, ::BRAIN_STEP, ::BRAIN_STEP], ijkToRas)
    if not surface.GetNumberOfPoints():
        return []
    node = scene.AddNewNodeByClass("vtkMRMLModelNode", "brain")
    node.SetAndObservePolyData(surface)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetColor(0.75, 0.75, 0.78)
    display.SetOpacity(0.2)
    display.SetVisibility2D(False)
    display.BackfaceCullingOn()
    return [node]


def _hull(sample: np.ndarray, ijkToRas) -> vtk.vtkPolyData:
    """Surface, in RAS, of the smoothed mask of a sample of every third voxel."""
    from scipy.ndimage import gaussian_filter

    mask = np.pad(gaussian_filter((sample > 0).astype(np.float32), 1.2), 1)
    image = vtk.vtkImageData()
    image.SetDimensions(*mask.shape[::-1])
    image.SetSpacing(BRAIN_STEP, BRAIN_STEP, BRAIN_STEP)
    image.SetOrigin(-BRAIN_STEP, -BRAIN_STEP, -BRAIN_STEP)
    image.GetPointData().SetScalars(labelmaps.vtkArray(mask))
    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.5)
    contour.ComputeScalarsOff()
    toRas = vtk.vtkTransformPolyDataFilter()
    transform = vtk.vtkTransform()
    transform.SetMatrix(ijkToRas)
    toRas.SetTransform(transform)
    toRas.SetInputConnection(contour.GetOutputPort())
    toRas.Update()
    return toRas.GetOutput()


def restrictTo(display, viewNodeIDs: Sequence[str]) -> None:
    """Show a display node in these views alone; in all where the list is empty."""
    display.RemoveAllViewNodeIDs()
    for identifier in viewNodeIDs:
        display.AddViewNodeID(identifier)
