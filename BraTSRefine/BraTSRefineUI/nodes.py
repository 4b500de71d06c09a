"""MRML nodes made from arrays, and how they are removed again without leaving anything behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import vtk

from . import colours, labelmaps, vtkarrays
from .casedata import Labels
from .vtkarrays import Surface, forgetShared, polyDataOf, sharedArray, vtkArray

LINE_THICKNESS = {"WT": 1, "TC": 2, "ET": 3}
NO_LIMIT = 1e6
DISTANCE = "distance (mm)"
NOTHING = "no model"


class OwnedNodes:
    """Nodes by the part of the picture that they belong to; removing a part removes all that hangs on its nodes.

    ``RemoveNode`` on a volume alone leaves its display node, which keeps the voxels alive. The volume goes first: a
    slice view gives a volume that lost its display node a new one at once.
    """

    def __init__(self, scene) -> None:
        self.scene = scene
        self._parts: dict[str, list] = {}

    def one(self, part: str, make: Callable[[], Sequence], fits: Callable[[object], bool] = lambda node: True):
        """The first node of a part, to be filled. It stays from case to case: who comes or goes is work for all views.

        The part is made anew where somebody took a node of it away, or where it does not fit what is to be shown.
        """
        found = self._parts.get(part)
        if not found or not all(map(self._isWhole, found)) or not fits(found[0]):
            self.remove(part)
            self.add(part, *make())
        return self._parts[part][0]

    def _isWhole(self, node) -> bool:
        isShown = not node.IsA("vtkMRMLDisplayableNode") or node.GetDisplayNode() is not None
        return isShown and bool(self.scene.IsNodePresent(node))

    def add(self, part: str, *nodes) -> None:
        self._parts.setdefault(part, []).extend(nodes)

    def of(self, part: str, className: str) -> list:
        return [node for node in self._parts.get(part, ()) if node.IsA(className)]

    def remove(self, part: str) -> None:
        for node in self._parts.pop(part, ()):
            for each in (node, *_hangingOn(node)):
                self._removeNode(each)
        forgetShared()

    def clear(self) -> None:
        for part in list(self._parts):
            self.remove(part)

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


def greyVolume(scene, name: str) -> list:
    """An image that will be shown in grey."""
    return [_volume(scene, "vtkMRMLScalarVolumeNode", name, _scaledDisplay(scene, "vtkMRMLColorTableNodeGrey"))]


def classVolume(scene, name: str, classes: Mapping[int, tuple[str, str]]) -> list:
    """A label volume and its colour table; ``classes`` maps a label to its name and colour."""
    table = _colourTable(scene, f"{name} colours", max(classes) + 1)
    table.SetColor(0, "none", 0.0, 0.0, 0.0, 0.0)
    for label, (words, colour) in classes.items():
        table.SetColor(label, words, *colours.rgb(colour), 1.0)
    display = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeDisplayNode")
    display.SetAndObserveColorNodeID(table.GetID())
    return [_volume(scene, "vtkMRMLLabelMapVolumeNode", name, display), table]


def scaleVolume(scene, name: str) -> list:
    """A volume that will be shown in viridis, transparent below a threshold, and its colour table."""
    table = _colourTable(scene, f"{name} colours", 256)
    for index, colour in enumerate(colours.viridis()):
        table.SetColor(index, f"{index}", *colour, 1.0)
    display = _scaledDisplay(scene, table.GetID())
    display.ApplyThresholdOn()
    return [_volume(scene, "vtkMRMLScalarVolumeNode", name, display), table]


def _volume(scene, className: str, name: str, display):
    """A volume with a display node that is ready; a default one would measure the voxels."""
    node = scene.AddNewNodeByClass(className, name)
    node.SetAndObserveDisplayNodeID(display.GetID())
    return node


def fillVolume(node, voxels: np.ndarray, ijkToRas) -> None:
    """Let the volume show these voxels ``(z, y, x)``, where they lie in memory."""
    image = vtk.vtkImageData()
    image.SetDimensions(*voxels.shape[::-1])
    image.GetPointData().SetScalars(sharedArray(voxels))
    with modifiedOnce(node):
        node.SetIJKToRASMatrix(ijkToRas)
        node.SetAndObserveImageData(image)
    forgetShared()


def setScale(node, limits: tuple[float, float]) -> None:
    """The values between which a volume's colours lie."""
    node.GetDisplayNode().SetWindowLevelMinMax(*limits)


def _scaledDisplay(scene, colourNodeID: str):
    display = scene.AddNewNodeByClass("vtkMRMLScalarVolumeDisplayNode")
    display.AutoWindowLevelOff()
    display.AutoThresholdOff()
    display.SetAndObserveColorNodeID(colourNodeID)
    return display


@contextmanager
def modifiedOnce(node) -> Iterator[None]:
    """Several changes of a node, of which the views hear once."""
    before = node.StartModify()
    try:
        yield
    finally:
        node.EndModify(before)


def setThreshold(node, value: float) -> None:
    """Values below are transparent; above there is no limit."""
    node.GetDisplayNode().SetThreshold(value, NO_LIMIT)


def _colourTable(scene, name: str, count: int):
    table = scene.AddNewNodeByClass("vtkMRMLColorTableNode", name)
    table.SetTypeToUser()
    table.SetNumberOfColors(count)
    table.SetHideFromEditors(True)
    return table


def outlines(scene, regions: Sequence[str], colour: str) -> list:
    """A segmentation with an empty segment a region, and a display node each: the deeper it lies the thicker its line.

    Line thickness belongs to the display node, not to the segment.
    """
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.GetSegmentation().SetSourceRepresentationName(labelmaps.BINARY_LABELMAP)
    for region in regions:
        labelmaps.addSegment(node, region, region, labelmaps.emptyImage(), colours.rgb(colour))
    for region in regions:
        node.GetSegmentation().GetSegment(region).AddRepresentation(labelmaps.CLOSED_SURFACE, vtk.vtkPolyData())
        _addOutlineDisplay(scene, node, region)
    return [node]


def fillOutlines(node, labels: Labels) -> None:
    """Put the regions of these labels into a segmentation of ``outlines``.

    The views follow when they are told to: to give them a new surface costs them ten times as much as to look again at
    one that they have.
    """
    node.SetName(labels.name)
    node.SetHideFromEditors(False)
    grid = vtkarrays.ijkToRas(labels.geometry)
    for region, mask in labels.regions.items():
        surface = labels.surfaces.get(region)
        filled = vtk.vtkPolyData() if surface is None else polyDataOf(surface)
        _fillSegment(node, region, labelmaps.orientedImage(mask, grid), filled)


def emptyOutlines(node) -> None:
    """Leave nothing in a segmentation of ``outlines``, and nothing of it to choose elsewhere."""
    node.SetName(NOTHING)
    node.SetHideFromEditors(True)
    for region in node.GetSegmentation().GetSegmentIDs():
        _fillSegment(node, region, labelmaps.emptyImage(), vtk.vtkPolyData())


def _fillSegment(node, region: str, image, surface) -> None:
    """The surface that is shown is filled, so that views that know it need no new one."""
    segment = node.GetSegmentation().GetSegment(region)
    segment.SetLabelValue(1)
    segment.AddRepresentation(labelmaps.BINARY_LABELMAP, image)
    held = segment.GetRepresentation(labelmaps.CLOSED_SURFACE)
    if held is None:
        segment.AddRepresentation(labelmaps.CLOSED_SURFACE, surface)
    else:
        held.ShallowCopy(surface)


def hasRegions(node, regions: Sequence[str]) -> bool:
    """Whether a segmentation of ``outlines`` is still one of these regions: somebody may have edited it."""
    return list(node.GetSegmentation().GetSegmentIDs()) == list(regions) == list(outlineDisplays(node))


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


def brainSurface(scene) -> list:
    """A faint hull of everything that is not 0 in a skull-stripped image, for orientation in 3D."""
    node = scene.AddNewNodeByClass("vtkMRMLModelNode", "brain")
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetColor(0.75, 0.75, 0.78)
    display.SetOpacity(0.2)
    display.SetVisibility2D(False)
    display.BackfaceCullingOn()
    return [node]


def fillSurface(node, surface: Surface) -> None:
    """Let the model show a surface."""
    node.SetAndObservePolyData(polyDataOf(surface))


def restrictTo(display, viewNodeIDs: Sequence[str]) -> None:
    """Show a display node in these views alone; in all where the list is empty."""
    if [display.GetNthViewNodeID(i) for i in range(display.GetNumberOfViewNodeIDs())] == list(viewNodeIDs):
        return  # every change is followed by each view
    display.RemoveAllViewNodeIDs()
    for identifier in viewNodeIDs:
        display.AddViewNodeID(identifier)
