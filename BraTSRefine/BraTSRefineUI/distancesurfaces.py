"""The surfaces of reference and prediction in 3D, coloured by how far apart they are."""

from __future__ import annotations

from . import nodes, surfaces
from .casedata import Labels
from .look import Look

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
        """Make the models; none where one of the two has nothing of the region."""
        self.remove()
        found = surfaces.signedDistances(reference, prediction, region)
        if found:
            self.limit = surfaces.limit(list(found.values()))
            coloured = {name: (labels.surfaces[region], found[name]) for name, labels in _named(reference, prediction)}
            self._owned.add(PART, *nodes.distanceSurfaces(self.scene, coloured, self.limit))

    def remove(self) -> None:
        self._owned.remove(PART)
        self.limit = 0.0

    def update(self, look: Look) -> None:
        """Show those of the two that are to be seen now."""
        for node in self._owned.of(PART, "vtkMRMLModelNode"):
            node.GetDisplayNode().SetVisibility(look.isIn3D(node.GetName()))


def _named(reference: Labels, prediction: Labels) -> tuple[tuple[str, Labels], ...]:
    return ("reference", reference), ("prediction", prediction)
