"""The flag that is looked at, in the views: its outline where its voxels are known, else a ball of its volume."""

from __future__ import annotations

import vtk

from . import colours, meshes, nodes, views
from .flagextents import Extent
from .tables import FlagRow
from .vtkarrays import ijkToRas

LINE_WIDTH = 2
OPACITY_3D = 0.5
SMALLEST_RADIUS_MM = 3.0
PART = "flag"


class FlagMarker:
    """A model node that is given another surface for each flag; ``owned`` are the nodes of the case's scene."""

    def __init__(self, scene, owned: nodes.OwnedNodes) -> None:
        self._scene, self._owned = scene, owned

    def show(self, flag: FlagRow | None, extent: Extent | None, isHidden: bool = False) -> None:
        """Mark a flag in our views, or none."""
        if flag is None:
            self._owned.remove(PART)
            return
        node = self._owned.one(PART, self._make)
        node.SetName(f"flag {flag.id}")
        self.update(isHidden)
        node.SetAndObservePolyData(ballOf(flag) if extent is None else surfaceOf(extent))

    def _make(self) -> list:
        node = self._scene.AddNewNodeByClass("vtkMRMLModelNode")
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetColor(*colours.rgb(colours.UNCERTAIN))
        display.SetOpacity(OPACITY_3D)
        display.SetVisibility2D(True)
        display.SetVisibility(False)
        display.SetSliceIntersectionThickness(LINE_WIDTH)
        return [node]

    def update(self, isHidden: bool) -> None:
        """Hide it with the overlays, and show it in the views that exist now."""
        for node in self._owned.of(PART, "vtkMRMLModelNode"):
            nodes.restrictTo(node.GetDisplayNode(), _ourViews(self._scene))
            node.GetDisplayNode().SetVisibility(not isHidden)


def surfaceOf(extent: Extent) -> vtk.vtkPolyData:
    """The surface, in RAS, of a flag's voxels."""
    return meshes.ofPart(extent.mask, extent.box, ijkToRas(extent.geometry))


def ballOf(flag: FlagRow) -> vtk.vtkPolyData:
    """A ball of the flag's volume around its place, in RAS."""
    x, y, z = flag.center
    ball = vtk.vtkSphereSource()
    ball.SetCenter(-x, -y, z)
    ball.SetRadius(max(flag.radius, SMALLEST_RADIUS_MM))
    ball.SetThetaResolution(24)
    ball.SetPhiResolution(24)
    ball.Update()
    return ball.GetOutput()


def _ourViews(scene) -> list[str]:
    return [node.GetID() for _view, node, _composite in views.shownSliceNodes(scene)] + views.threeDNodeIDs(scene)
