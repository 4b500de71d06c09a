"""The segmentation that is painted on: a segment a tissue label, read back by its own identity.

Slicer's exporter numbers labels anew; here a segment is known by the identity that it was made with, whatever it is
called, wherever it stands in the list, and whether it is seen or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import slicer
import vtk

from . import colours, labelmaps, views
from .nodes import OwnedNodes
from .vtkarrays import ijkToRas

TISSUE_COLOURS = {"ED": "#009E73", "SNFH": "#009E73", "ET": "#E69F00", "NCR": "#CC79A7", "NETC": "#CC79A7"}
OTHER_COLOURS = ("#F0E442", "#D55E00", "#8C7AE6", "#7BC8A4", "#B8B8B8")
"""None is that of the reference, which may lie over them."""

MASK_ID = "neighbourhood"
MASK_COLOUR = "#B8B8B8"
EDITOR_TAG = "BraTSRefineCorrect"
PART = "edit"
FILL = 0.25
SAME_GRID_MM = 1e-3


def segmentID(label: int) -> str:
    """The identity of the segment of a label."""
    return f"label-{label}"


class CorrectScene:
    """The nodes of a correction: a segmentation and the editor's own node."""

    def __init__(self, scene) -> None:
        self.scene = scene
        self.segmentation = self.editorNode = None
        self._owned = OwnedNodes(scene)
        self._grid = self._shape = None

    def sourceVolume(self, geometry, shape: tuple[int, int, int], channels: Sequence[str]):
        """The image of the first of the channels that lies on the labels' grid; an empty one where none does."""
        grid = ijkToRas(geometry)
        images = views.nodesOfClass(self.scene, "vtkMRMLScalarVolumeNode")
        byChannel = {node.GetAttribute("BraTSRefine.channel"): node for node in images}
        for node in (byChannel[channel] for channel in channels if channel in byChannel):
            if _isOn(node, grid, shape):
                return node
        blank = self.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "grid of the labels")
        blank.SetIJKToRASMatrix(grid)
        image = vtk.vtkImageData()
        image.SetDimensions(*shape[::-1])
        image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
        image.GetPointData().GetScalars().Fill(0)
        blank.SetAndObserveImageData(image)
        blank.SetHideFromEditors(True)
        self._owned.add(PART, blank)
        return blank

    def begin(self, name: str, labels: np.ndarray, tissues: Sequence, geometry, volume) -> None:
        """Make a segment of each tissue of a label map ``(z, y, x)``, also of one that is empty."""
        self._grid, self._shape = ijkToRas(geometry), labels.shape
        node = self.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        node.GetSegmentation().SetSourceRepresentationName(labelmaps.BINARY_LABELMAP)
        for tissue, colour in zip(tissues, self._colours(tissues), strict=True):
            self._addSegment(node, segmentID(tissue.label), tissue.words, labels == tissue.label, colour)
        node.CreateDefaultDisplayNodes()
        self._display(node)
        self.segmentation = node
        self.editorNode = self._newEditorNode()
        self._owned.add(PART, node, self.editorNode)

    def _colours(self, tissues: Sequence) -> list[str]:
        others = cycle(OTHER_COLOURS)
        return [TISSUE_COLOURS.get(tissue.name) or next(others) for tissue in tissues]

    def _addSegment(self, node, identity: str, name: str, mask: np.ndarray, colour: str) -> None:
        image = labelmaps.orientedImage(mask, self._grid)
        labelmaps.addSegment(node, identity, name, image, colours.rgb(colour))

    def _display(self, node) -> None:
        display = node.GetDisplayNode()
        display.SetOpacity2DFill(FILL)
        display.SetVisibility3D(False)
        display.SetSliceIntersectionThickness(2)

    def _newEditorNode(self):
        """One of its own: Slicer's Segment Editor keeps what it is set to."""
        node = slicer.vtkMRMLSegmentEditorNode()
        node.SetSingletonTag(EDITOR_TAG)
        return self.scene.AddNode(node)

    def keepTo(self, mask: np.ndarray | None) -> None:
        """Let the effects act inside a mask alone; everywhere for None.

        The mask is a hidden segment; visible segments alone are painted over, so that it stays as it is.
        """
        segmentation, node = self.segmentation.GetSegmentation(), self.editorNode
        if segmentation.GetSegment(MASK_ID) is not None:
            segmentation.RemoveSegment(MASK_ID)
        if mask is None:
            node.SetMaskMode(slicer.vtkMRMLSegmentationNode.EditAllowedEverywhere)
            node.SetOverwriteMode(slicer.vtkMRMLSegmentEditorNode.OverwriteAllSegments)
            return
        self._addSegment(self.segmentation, MASK_ID, "where it may be edited", mask, MASK_COLOUR)
        self.segmentation.GetDisplayNode().SetSegmentVisibility(MASK_ID, False)
        node.SetMaskMode(slicer.vtkMRMLSegmentationNode.EditAllowedInsideSingleSegment)
        node.SetMaskSegmentID(MASK_ID)
        node.SetOverwriteMode(slicer.vtkMRMLSegmentEditorNode.OverwriteVisibleSegments)

    def masks(self, tissues: Sequence) -> Mapping[int, np.ndarray]:
        """The mask ``(z, y, x)`` of each tissue's segment by its label; empty where the segment was removed."""
        return {
            tissue.label: labelmaps.maskOfSegment(self.segmentation, segmentID(tissue.label), self._shape)
            for tissue in tissues
        }

    def strangers(self, tissues: Sequence) -> list[str]:
        """The names of segments that were made in the editor and belong to no label."""
        known = {MASK_ID, *(segmentID(tissue.label) for tissue in tissues)}
        held = self.segmentation.GetSegmentation()
        return [held.GetSegment(name).GetName() for name in held.GetSegmentIDs() if name not in known]

    def end(self) -> None:
        """Remove what was made."""
        self._owned.clear()
        self.segmentation = self.editorNode = None

    def forget(self) -> None:
        """Let go where the scene itself was closed."""
        self._owned.forget()
        self.segmentation = self.editorNode = None


def _isOn(node, ijkToRas, shape: tuple[int, int, int]) -> bool:
    """Whether a volume lies on a grid."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    apart = max(abs(matrix.GetElement(i, j) - ijkToRas.GetElement(i, j)) for i in range(4) for j in range(4))
    return node.GetImageData().GetDimensions()[::-1] == tuple(shape) and apart < SAME_GRID_MM
