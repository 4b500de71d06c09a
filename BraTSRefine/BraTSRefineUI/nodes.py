"""MRML nodes made from arrays, and how they are removed again without leaving anything behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import vtk

from . import colours, labelmaps, vtkarrays
from .casedata import Image, Labels
from .vtkarrays import Surface, forgetShared, polyDataOf, sharedArray, vtkArray

LINE_THICKNESS = {"WT": 1, "TC": 2, "ET": 3}
NO_LIMIT = 1e6
DISTANCE = "distance (mm)"


@contextmanager
def together(scene) -> Iterator[None]:
    """Nodes come and go without every view following each of them; they follow once, at the end."""
    scene.StartState(scene.BatchProcessState)
    try:
        yield
    finally:
        scene.EndState(scene.BatchProcessState)


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
        forgetShared()

    def forget(self) -> None:
        """Let go of the nodes where the scene itself was closed."""
        self._parts.clear()
        forgetShared()

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
    image.GetPointData().SetScalars(sharedArray(voxels))
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


def outlines(scene, labels: Labels, colour: str):
    """A segmentation with one segment a region, and a display node each: the thicker the line the deeper the region.

    Line thickness belongs to the display node, not to the segment.
    """
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", labels.name)
    labelmaps.fillSegmentation(node, labels.regions, vtkarrays.ijkToRas(labels.geometry), colours.rgb(colour))
    for region in labels.regions:
        segment = node.GetSegmentation().GetSegment(region)
        if segment is not None:
            segment.AddRepresentation(labelmaps.CLOSED_SURFACE, polyDataOf(labels.surfaces[region]))
        _addOutlineDisplay(scene, node, region)
    return node


def _addOutlineDisplay(scene, node, region: str) -> None:
    """A display node that shows one segment of the segmentation alone."""
    display = scene.AddNewNodeByClass("vtkMRMLSegmentationDisplayNode", region)
    display.SetVisibility2DFill(False)
    display.SetSliceIntersectionThickness(LINE_THICKNESS.get(region, 1))
    display.SetPreferredDisplayRepresentationName2D(labelmaps.CLOSED_SURFACE)
    display.SetPreferredDisplayRepresentationName3D(labelmaps.CLOSED_SURFACE)
    display.SetVisibility(False)
    node.AddAndObserveDisplayNodeID(display.GetID())
    for segment in node.GetSegmentation().GetSegmentIDs():
        display.SetSegmentVisibility(segment, segment == region)


def outlineDisplays(node) -> dict[str, object]:
    """The display node of each region of a segmentation made by ``outlines``."""
    displays = (node.GetNthDisplayNode(i) for i in range(node.GetNumberOfDisplayNodes()))
    return {display.GetName(): display for display in displays}


def distanceSurfaces(scene, found: Mapping[str, tuple[Surface, np.ndarray]], limit: float) -> list:
    """A model a surface, coloured by the values (n,) in mm at its points between ``-limit`` and ``limit``; a table."""
    table = _colourTable(scene, "distance colours", 256)
    for index, colour in enumerate(colours.diverging()):
        table.SetColor(index, f"{index}", *colour, 1.0)
    return [*(_colouredModel(scene, name, *each, limit, table) for name, each in found.items()), table]


def _colouredModel(scene, name: str, surface: Surface, values: np.ndarray, limit: float, table):
    coloured = polyDataOf(surface)
    scalars = vtkArray(values.astype(np.float32))
    scalars.SetName(DISTANCE)
    coloured.GetPointData().AddArray(scalars)
    node = scene.AddNewNodeByClass("vtkMRMLModelNode", name)
    node.SetAndObservePolyData(coloured)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetVisibility2D(False)
    display.SetAndObserveColorNodeID(table.GetID())
    display.SetActiveScalar(DISTANCE, vtk.vtkAssignAttribute.POINT_DATA)
    display.SetScalarRangeFlag(display.UseManualScalarRange)
    display.SetScalarRange(-limit, limit)
    display.SetScalarVisibility(True)
    return node


def brainSurface(scene, image: Image) -> list:
    """A faint hull of everything that is not 0 in a skull-stripped image, for orientation in 3D."""
    if image.brain is None:
        return []
    node = scene.AddNewNodeByClass("vtkMRMLModelNode", "brain")
    node.SetAndObservePolyData(polyDataOf(image.brain))
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetColor(0.75, 0.75, 0.78)
    display.SetOpacity(0.2)
    display.SetVisibility2D(False)
    display.BackfaceCullingOn()
    return [node]


def restrictTo(display, viewNodeIDs: Sequence[str]) -> None:
    """Show a display node in these views alone; in all where the list is empty."""
    if [display.GetNthViewNodeID(i) for i in range(display.GetNumberOfViewNodeIDs())] == list(viewNodeIDs):
        return  # every change is followed by each view
    display.RemoveAllViewNodeIDs()
    for identifier in viewNodeIDs:
        display.AddViewNodeID(identifier)
