"""The surfaces of reference and prediction in 3D, coloured by how far apart they are."""

from __future__ import annotations

import numpy as np
import vtk

from . import nodes, surfaces
from .casedata import Labels
from .look import Look
from .vtkarrays import ijkToRas

PART = "distances"


class DistanceSurfaces:
    """Two models whose colours say how far the prediction reaches beyond the reference (or, negative, falls short).

    Whichever of the two surfaces lies outside is the one that is seen, so that nothing missed stays hidden.
    ``limit`` is the end of the scale in mm, 0 while there are no models.
    """

    def __init__(self, scene, owned: nodes.OwnedNodes) -> None:
        self.scene, self._owned = scene, owned
        self.limit = 0.0

    def show(self, reference: Labels, prediction: Labels, region: str) -> None:
        """Make the models from the outlines' surfaces; none where one of the two has nothing of the region."""
        self.remove()
        meshes = {source: self._mesh(source, region) for source in ("reference", "prediction")}
        if None in meshes.values():
            return
        tooFarOut = {
            "reference": _isInside(prediction, region, meshes["reference"]),
            "prediction": ~_isInside(reference, region, meshes["prediction"]),
        }
        found = {}
        for source, other in (("reference", "prediction"), ("prediction", "reference")):
            away = surfaces.distances(nodes.trianglesOf(meshes[source])[0], *nodes.trianglesOf(meshes[other]))
            found[source] = meshes[source], np.where(tooFarOut[source], away, -away)
        self.limit = surfaces.limit([values for _surface, values in found.values()])
        self._owned.add(PART, *nodes.distanceSurfaces(self.scene, found, self.limit))

    def remove(self) -> None:
        self._owned.remove(PART)
        self.limit = 0.0

    def update(self, look: Look) -> None:
        """Show those of the two that are to be seen now."""
        for node in self._owned.of(PART, "vtkMRMLModelNode"):
            node.GetDisplayNode().SetVisibility(look.isIn3D(node.GetName()))

    def _mesh(self, source: str, region: str):
        segmentations = self._owned.of(source, "vtkMRMLSegmentationNode")
        return nodes.surfaceOf(segmentations[0], region) if segmentations else None


def _isInside(labels: Labels, region: str, surface) -> np.ndarray:
    """Whether each of the surface's points lies in the region."""
    toIjk = vtk.vtkMatrix4x4()
    vtk.vtkMatrix4x4.Invert(ijkToRas(labels.geometry), toIjk)
    matrix = np.array([[toIjk.GetElement(row, column) for column in range(4)] for row in range(4)])
    return surfaces.isInside(labels.regions[region], matrix, nodes.trianglesOf(surface)[0])
