"""The one place that owns every node of a case, and the only one that turns LPS into RAS.

``CaseScene(scene)`` runs on any MRML scene: in the application, in the standalone host, in a plain test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from . import casedata, colours, nodes, views
from .casedata import CaseData, Image, Labels, UncertaintyMap
from .distancesurfaces import DistanceSurfaces
from .flagmarker import FlagMarker
from .look import Look
from .vtkarrays import forgetShared, ijkToRas

ERROR_CLASSES = {
    casedata.FALSE_POSITIVE: ("false positive", colours.FALSE_POSITIVE),
    casedata.FALSE_NEGATIVE: ("false negative", colours.FALSE_NEGATIVE),
    casedata.WRONG_CLASS: ("wrong class", colours.WRONG_CLASS),
    casedata.CONFUSED_AWAY: ("taken for other tissue", colours.CONFUSED_AWAY),
}
OUTLINES = {"reference": colours.REFERENCE, "prediction": colours.PREDICTION}
UNCERTAINTY_LAYER = 3
NO_IMAGE = "no image"
FAINT_OUTLINE = 0.45
FAINT_FILL = 0.5
SMALLEST_BOX_MM = 130.0
ROOM_AROUND_TUMOUR = 1.25
CAMERA_DISTANCE_MM = 460.0


def rasOf(lps: Sequence[float]) -> tuple[float, float, float]:
    """RAS position of an LPS position."""
    return -float(lps[0]), -float(lps[1]), float(lps[2])


class CaseScene:
    """The nodes of the case that is shown, by part: images, reference, prediction, errors, uncertainty.

    ``show`` replaces what changed and leaves the rest; ``clear`` removes everything that was made here.
    """

    def __init__(self, scene) -> None:
        self.scene = scene
        self.region = "WT"
        self.threshold = 0.0
        self.look = Look()
        self._data = CaseData("")
        self._compared: dict[int, Labels] = {}
        self.errorClasses: list[int] = []
        self._owned = nodes.OwnedNodes(scene)
        self.distances = DistanceSurfaces(scene, self._owned)
        self.flagMarker = FlagMarker(scene, self._owned)

    def show(self, data: CaseData, uncertainty: UncertaintyMap | None = None, region: str = "WT") -> None:
        """Show a case in the views that exist; where they look does not change."""
        before = self._data
        isOther = region != self.region or any(getattr(data, one) is not getattr(before, one) for one in OUTLINES)
        self._show(data, uncertainty, region)
        if isOther:
            views.follow(self.scene)

    def showAnother(self, data: CaseData, uncertainty: UncertaintyMap | None = None, region: str = "WT") -> None:
        """Show another case, looking at its tumour once its nodes are there; a view that moves draws their outlines."""
        self._show(data, uncertainty, region)
        before = views.position(self.scene)
        self.lookAtTumour()
        if views.position(self.scene) == before:
            views.follow(self.scene)

    def _show(self, data: CaseData, uncertainty: UncertaintyMap | None, region: str) -> None:
        with nodes.together(self.scene):
            self._replace(data, uncertainty, region)
        forgetShared()

    def _replace(self, data: CaseData, uncertainty: UncertaintyMap | None, region: str) -> None:
        before, self._data, self.region = self._data, data.withoutImages(), region
        if data.images is not None:
            self._showImages(data)
        for source in OUTLINES:
            if getattr(data, source) is not getattr(before, source):
                self._showOutlines(source, getattr(data, source))
        if data.case != before.case:
            self._dropCompared()
        self._showErrors()
        self._showDistances()
        self.showUncertainty(uncertainty)

    def showUncertainty(self, uncertainty: UncertaintyMap | None) -> None:
        """Show a map as the third slice layer, or none."""
        self._owned.remove("uncertainty")
        if uncertainty is not None:
            limits = (uncertainty.low, uncertainty.high)
            grid = ijkToRas(uncertainty.geometry)
            made = nodes.scaleVolume(self.scene, uncertainty.quantity, uncertainty.voxels, grid, limits, self.threshold)
            self._owned.add("uncertainty", *made)
        self.update()

    def setThreshold(self, value: float) -> None:
        """Uncertainty below the value becomes transparent."""
        self.threshold = value
        for node in self._volumes("uncertainty"):
            nodes.setThreshold(node, value)

    def setLook(self, **changes) -> None:
        """Draw what lies over the images otherwise: fields of ``Look`` by name."""
        before, self.look = self.look, replace(self.look, **changes)
        if self.look.inMillimeters != before.inMillimeters:
            self._showDistances()
        self.update()

    def setVisible(self, overlay: str, on: bool) -> None:
        """Show or hide the reference, the prediction, the errors or the uncertainty."""
        self.setLook(visible={**self.look.visible, overlay: on})

    def hideOverlays(self, hidden: bool) -> None:
        """All overlays off while a key is held, and back as they were."""
        self.setLook(hidden=hidden)

    def showPrediction(self, prediction: Labels | None) -> None:
        """Another prediction of the same case, with its errors, as the members of an ensemble one after another."""
        if prediction is not self._data.prediction:
            self._data = replace(self._data, prediction=prediction)
            with self._followed():
                self._showOutlines("prediction", prediction)
                self._showErrors()
                self._showDistances()
                self.update()

    def compare(self, others: Mapping[int, Labels]) -> None:
        """The outlines of further models by their place in the layout *Models*, where the chosen one has place 0."""
        before, self._compared = self._compared, dict(others)
        with self._followed():
            for place in before.keys() | self._compared.keys():
                if before.get(place) is not self._compared.get(place):
                    self._showOutlines(_partOf(place), self._compared.get(place))
            self.update()

    @contextmanager
    def _followed(self) -> Iterator[None]:
        """Outlines come and go together, and are drawn then."""
        with nodes.together(self.scene):
            yield
        views.follow(self.scene)

    def clear(self) -> None:
        """Remove every node that was made here, with its display and storage nodes."""
        self.distances.remove()
        self._owned.clear()
        self._data, self._compared = CaseData(""), {}
        self.update()

    def forget(self) -> None:
        """Let go of everything without touching the scene, which was closed by somebody else."""
        self.distances.limit = 0.0
        self._owned.forget()
        self._data, self._compared = CaseData(""), {}

    def update(self) -> None:
        """Bring layers and outlines of the views that exist now to what is to be seen (after a change of layout)."""
        views.linkShown(self.scene)
        for view, slice_, composite in views.sliceNodes(self.scene):
            slice_.SetUseLabelOutline(not self.look.fillsErrors)
            if composite is not None:
                self._assignLayers(view, composite)
        for source in (*OUTLINES, *map(_partOf, self._compared)):
            for node in self._owned.of(source, "vtkMRMLSegmentationNode"):
                self._updateOutlines(source, node)
        self.distances.update(self.look)
        self.flagMarker.update(self.look.hidden)

    def jump(self, lps: Sequence[float]) -> None:
        """Bring a position (LPS, mm) to the middle of every slice view."""
        views.jump(self.scene, rasOf(lps))

    def lookAtTumour(self, where: Sequence[float] | None = None) -> None:
        """Zoom to the tumour with some brain around it, at its largest slice; to the whole image without a tumour.

        ``where`` (RAS, mm) is looked at in place of the largest slice.
        """
        centre, extent = self._lookAt()
        views.jump(self.scene, centre if where is None else where)
        views.zoom(self.scene, extent)
        views.lookFrom3D(self.scene, self._wholeImage()[0], CAMERA_DISTANCE_MM)

    def lookAtWorstSlice(self) -> bool:
        """Jump to the axial slice with the most wrong voxels of the region; False where none is wrong."""
        errors = self._errors()
        if errors is None or not errors.any():
            return False
        self.jump(self._middleOfLargestSlice(errors > 0, self._data.reference.geometry))
        return True

    def _showImages(self, data: CaseData) -> None:
        self._owned.remove("images")
        for channel, image in (data.images or self._emptyGround(data)).items():
            name = casedata.CHANNEL_NAMES.get(channel, channel)
            node = nodes.greyVolume(self.scene, name, image.voxels, ijkToRas(image.geometry), image.window)
            node.SetAttribute("BraTSRefine.channel", channel)
            self._owned.add("images", node)
        for image in list(data.images.values())[:1]:
            self._owned.add("images", *nodes.brainSurface(self.scene, image))

    def _emptyGround(self, data: CaseData) -> Mapping[str, Image]:
        """A black image for the label maps of a case without one, so that the views have something to move in."""
        labels = data.reference or data.prediction
        if labels is None:
            return {}
        shape = next(iter(labels.regions.values())).shape
        return {NO_IMAGE: Image(np.zeros(shape, dtype=np.uint8), labels.geometry)}

    def _showOutlines(self, source: str, labels: Labels | None) -> None:
        self._owned.remove(source)
        if labels is not None:
            colour = OUTLINES.get(source, colours.SECOND_PREDICTION)
            self._owned.add(source, nodes.outlines(self.scene, labels, colour))

    def _dropCompared(self) -> None:
        for place in self._compared:
            self._owned.remove(_partOf(place))
        self._compared = {}

    def _showErrors(self) -> None:
        self._owned.remove("errors")
        errors = self._errors()
        self.errorClasses = [] if errors is None else [label for label in ERROR_CLASSES if (errors == label).any()]
        if errors is not None:
            grid = ijkToRas(self._data.reference.geometry)
            self._owned.add("errors", *nodes.classVolume(self.scene, "errors", errors, grid, ERROR_CLASSES))

    def _showDistances(self) -> None:
        self.distances.remove()
        if self.look.inMillimeters and self._data.reference is not None and self._data.prediction is not None:
            self.distances.show(self._data.reference, self._data.prediction, self.region)

    def _errors(self) -> np.ndarray | None:
        if self._data.reference is None or self._data.prediction is None:
            return None
        return casedata.errorMap(self._data.reference, self._data.prediction, self.region)

    def _volumes(self, part: str) -> list:
        return self._owned.of(part, "vtkMRMLScalarVolumeNode")

    def isVisible(self, overlay: str) -> bool:
        return self.look.shows(overlay)

    @property
    def hasErrors(self) -> bool:
        """Whether there is an error map: a reference and a prediction on one grid."""
        return bool(self._volumes("errors"))

    def channels(self) -> list[str]:
        """The channels of the case."""
        return [node.GetAttribute("BraTSRefine.channel") for node in self._volumes("images")]

    def comparedChannel(self) -> str:
        """The channel in the views for comparing; empty where there is no image."""
        node = self.scene.GetNodeByID(self._backgroundID(views.viewOf("BraTSRefineOne")) or "")
        return node.GetAttribute("BraTSRefine.channel") if node else ""

    def channelName(self, view: views.View) -> str:
        """The modality that a view shows, in words; empty where there is no image."""
        node = self.scene.GetNodeByID(self._backgroundID(view) or "")
        return node.GetName() if node else ""

    def _assignLayers(self, view: views.View, composite) -> None:
        errors = self._volumes("errors") if self.look.isIn("errors", view) else []
        uncertain = self._volumes("uncertainty") if self.look.isIn("uncertainty", view) else []
        composite.SetLinkedControl(1)
        composite.SetHotLinkedControl(1)
        composite.SetBackgroundVolumeID(self._backgroundID(view))
        composite.SetLabelVolumeID(errors[0].GetID() if errors else None)
        composite.SetLabelOpacity(self.look.opacity if self.look.fillsErrors else 1.0)
        composite.SetNthLayerVolumeID(UNCERTAINTY_LAYER, uncertain[0].GetID() if uncertain else None)
        composite.SetNthLayerOpacity(UNCERTAINTY_LAYER, self.look.opacity)

    def _backgroundID(self, view: views.View) -> str | None:
        shown = {node.GetAttribute("BraTSRefine.channel"): node.GetID() for node in self._volumes("images")}
        wanted = (*self.look.channelsOf(view, self.region), NO_IMAGE)
        return next((shown[channel] for channel in wanted if channel in shown), None)

    def _updateOutlines(self, source: str, node) -> None:
        inViews = self._viewsOf(source)
        isCompared = source not in OUTLINES
        in3D = not isCompared and self.look.isIn3D(source) and not self.distances.limit
        for region, display in nodes.outlineDisplays(node).items():
            chosen = region == self.region
            display.SetVisibility(bool(inViews))
            display.SetVisibility2DFill(self.look.fillsLabels and chosen)
            display.SetOpacity2DFill(self.look.opacity * FAINT_FILL)
            display.SetOpacity2DOutline(1.0 if chosen else FAINT_OUTLINE)
            display.SetVisibility3D(chosen and in3D)
            display.SetOpacity3D(0.55 if source == "prediction" else 0.8)
            nodes.restrictTo(display, inViews)

    def _viewsOf(self, source: str) -> list[str]:
        """The nodes of the views that show an outline now; in 3D the surfaces of reference and prediction."""
        overlay = source if source in OUTLINES else "prediction"
        inSlices = [
            node.GetID()
            for view, node, _composite in views.shownSliceNodes(self.scene)
            if self.look.isIn(overlay, view) and (source == "reference" or source == _partOf(view.model))
        ]
        return inSlices + (views.threeDNodeIDs(self.scene) if source in OUTLINES and self.look.isIn3D(source) else [])

    def _lookAt(self) -> tuple[tuple[float, float, float], np.ndarray]:
        """Where to look (RAS) and the size of the box to be seen (R, A, S in mm)."""
        tumour = self._tumour()
        if tumour is None:
            return self._wholeImage()
        mask, geometry = tumour
        box = self._tumourBox() * ROOM_AROUND_TUMOUR
        return rasOf(self._middleOfLargestSlice(mask, geometry)), np.maximum(box, SMALLEST_BOX_MM)

    def _tumour(self):
        """The chosen region (or any that is not empty) of reference or prediction, with its geometry."""
        for region in (self.region, "ET", "TC", "WT"):
            for labels in (self._data.reference, self._data.prediction):
                if labels is not None and region in labels.regionBounds:
                    return labels.regions[region], labels.geometry
        return None

    def _tumourBox(self) -> np.ndarray:
        """Size of the box around the largest region of reference and prediction along R, A, S in mm."""
        boxes = [
            _boxOf(labels.regionBounds[region], labels.geometry)
            for labels in (self._data.reference, self._data.prediction)
            if labels is not None
            for region in {"WT", self.region} & labels.regionBounds.keys()
        ]
        return np.max(boxes, axis=0)

    def _wholeImage(self) -> tuple[tuple[float, float, float], np.ndarray]:
        volumes = self._volumes("images")
        if not volumes:
            return (0.0, 0.0, 0.0), np.full(3, 200.0)
        bounds = [0.0] * 6
        volumes[0].GetRASBounds(bounds)
        low, high = np.array(bounds[::2]), np.array(bounds[1::2])
        return tuple((low + high) / 2), high - low

    def _middleOfLargestSlice(self, mask: np.ndarray, geometry) -> tuple[float, float, float]:
        """LPS position inside the mask: the set voxel nearest to the middle of the slice where most is set."""
        largest = int(mask.sum(axis=(1, 2)).argmax())
        inSlice = np.argwhere(mask[largest])
        nearest = inSlice[np.abs(inSlice - inSlice.mean(axis=0)).sum(axis=1).argmin()]
        return geometry.to_physical((largest, *map(float, nearest)))


def _partOf(place: int) -> str:
    """The part of the picture that a compared model's outlines are; the chosen one's are the prediction's."""
    return f"model {place}" if place else "prediction"


def _boxOf(bounds: Sequence[tuple[int, int]], geometry) -> np.ndarray:
    """Size along R, A and S, in mm, of the box between the first and last indices."""
    extent = np.array([last - first + 1 for first, last in bounds]) * np.asarray(geometry.array_spacing)
    return np.abs(np.reshape(geometry.direction, (3, 3))) @ extent[::-1]
