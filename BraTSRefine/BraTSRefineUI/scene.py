"""The one place that owns every node of a case, and the only one that turns LPS into RAS.

``CaseScene(scene)`` runs on any MRML scene: in the application, in the standalone host, in a plain test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from . import casedata, colours, nodes, tumourplace, views
from .casedata import CaseData, Image, Labels, UncertaintyMap
from .distancesurfaces import DistanceSurfaces
from .flagmarker import FlagMarker
from .look import Look
from .vtkarrays import ijkToRas, rasOf

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
CAMERA_DISTANCE_MM = 460.0


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
        self._compared: dict[int, Labels | None] = {}
        self._channels: list[str] = []
        self.errorClasses: list[int] = []
        self._owned = nodes.OwnedNodes(scene)
        self.distances = DistanceSurfaces(scene, self._owned)
        self.flagMarker = FlagMarker(scene, self._owned)

    def show(self, data: CaseData, uncertainty: UncertaintyMap | None = None, region: str = "WT") -> None:
        """Show a case in the views that exist; where they look does not change."""
        before, self._data, self.region = self._data, data.withoutImages(), region
        if data.images is not None:
            self._showImages(data)
        for source in OUTLINES:
            if getattr(data, source) is not getattr(before, source):
                self._showOutlines(source, getattr(data, source))
        if data.case != before.case:
            self.compare({})
        self._showErrors()
        self._showDistances()
        self.showUncertainty(uncertainty)
        views.follow(self.scene)

    def prepare(self, regions: Sequence[str]) -> None:
        """Make the outlines that the first case will fill: that takes as long as all else of it."""
        for source, colour in OUTLINES.items():
            if not self._owned.of(source, "vtkMRMLSegmentationNode"):
                self._owned.add(source, *nodes.outlines(self.scene, regions, colour))
                self._showOutlines(source, None)

    def setRegion(self, region: str, uncertainty: UncertaintyMap | None) -> None:
        """Put another region of what is shown forward, with its map; the outlines stay and only look otherwise."""
        self.region = region
        self._showErrors()
        self._showDistances()
        self.showUncertainty(uncertainty)

    def showAnother(self, data: CaseData, uncertainty: UncertaintyMap | None = None, region: str = "WT") -> None:
        """Show another case, looking at its tumour once its nodes are there."""
        self.show(data, uncertainty, region)
        self.lookAtTumour()

    def showUncertainty(self, uncertainty: UncertaintyMap | None) -> None:
        """Show a map as the third slice layer, or none."""
        if uncertainty is None:
            self._owned.remove("uncertainty")
        else:
            node = self._owned.one("uncertainty", lambda: nodes.scaleVolume(self.scene, "uncertainty"))
            node.SetName(uncertainty.quantity)
            nodes.setThreshold(node, self.threshold)
            nodes.setScale(node, (uncertainty.low, uncertainty.high))
            nodes.fillVolume(node, uncertainty.voxels, ijkToRas(uncertainty.geometry))
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
            self._showOutlines("prediction", prediction)
            self._showErrors()
            self._showDistances()
            self.update()
            views.follow(self.scene)

    def compare(self, others: Mapping[int, Labels | None]) -> None:
        """The outlines of further models by their place in the layout *Models*, where the chosen one has place 0.

        None stands for a model that is to come: its view has no outlines yet.
        """
        before, self._compared = self._compared, dict(others)
        if before == self._compared:
            return
        for place in before.keys() | self._compared.keys():
            if self._compared.get(place) is not before.get(place):
                self._showOutlines(_partOf(place), self._compared.get(place))
        self.update()
        views.follow(self.scene)

    def clear(self) -> None:
        """Remove every node that was made here, with its display and storage nodes."""
        self.distances.remove()
        self._owned.clear()
        self._letGo()
        self.update()

    def forget(self) -> None:
        """Let go of everything without touching the scene, which was closed by somebody else."""
        self.distances.limit = 0.0
        self._owned.forget()
        self._letGo()

    def _letGo(self) -> None:
        self._data, self._compared, self._channels = CaseData(""), {}, []

    def update(self) -> None:
        """Bring layers and outlines of the views that exist now to what is to be seen (after a change of layout)."""
        views.linkShown(self.scene)
        for view, slice_, composite in views.sliceNodes(self.scene):
            slice_.SetUseLabelOutline(not self.look.fillsErrors)
            if composite is not None:
                self._assignLayers(view, composite)
        for source in (*OUTLINES, *map(_partOf, range(1, views.MOST_MODELS))):
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
        centre, extent = tumourplace.of(self._data, self.region) or self._wholeImage()
        views.jump(self.scene, centre if where is None else where)
        views.zoom(self.scene, extent)
        views.lookFrom3D(self.scene, self._wholeImage()[0], CAMERA_DISTANCE_MM)

    def lookAtWorstSlice(self) -> bool:
        """Jump to the axial slice with the most wrong voxels of the region; False where none is wrong."""
        errors = self._errors()
        if errors is None or not errors.any():
            return False
        self.jump(tumourplace.middleOfLargestSlice(errors > 0, self._data.reference.geometry))
        return True

    def _showImages(self, data: CaseData) -> None:
        images = data.images or self._emptyGround(data)
        for channel in self._channels:
            if channel not in images:
                self._owned.remove(_imageOf(channel))
        self._channels = list(images)
        for channel, image in images.items():
            self._showImage(channel, image)
        brain = next((image.brain for image in list(data.images.values())[:1]), None)
        if brain is None:
            self._owned.remove("brain")
        else:
            nodes.fillSurface(self._owned.one("brain", lambda: nodes.brainSurface(self.scene)), brain)

    def _showImage(self, channel: str, image: Image) -> None:
        name = casedata.CHANNEL_NAMES.get(channel, channel)
        node = self._owned.one(_imageOf(channel), lambda: nodes.greyVolume(self.scene, name))
        node.SetAttribute("BraTSRefine.channel", channel)
        nodes.setScale(node, image.window)
        nodes.fillVolume(node, image.voxels, ijkToRas(image.geometry))

    def _emptyGround(self, data: CaseData) -> Mapping[str, Image]:
        """A black image for the label maps of a case without one, so that the views have something to move in."""
        labels = data.reference or data.prediction
        if labels is None:
            return {}
        shape = next(iter(labels.regions.values())).shape
        return {NO_IMAGE: Image(np.zeros(shape, dtype=np.uint8), labels.geometry)}

    def _showOutlines(self, source: str, labels: Labels | None) -> None:
        if labels is None:
            for node in self._owned.of(source, "vtkMRMLSegmentationNode"):
                nodes.emptyOutlines(node)
            return
        colour, regions = OUTLINES.get(source, colours.SECOND_PREDICTION), list(labels.regions)
        node = self._owned.one(
            source, lambda: nodes.outlines(self.scene, regions, colour), lambda node: nodes.hasRegions(node, regions)
        )
        nodes.fillOutlines(node, labels)

    def _showErrors(self) -> None:
        errors = self._errors()
        if errors is None:
            self.errorClasses = []
            self._owned.remove("errors")
            return
        counts = np.bincount(errors[errors > 0], minlength=max(ERROR_CLASSES) + 1)
        self.errorClasses = [label for label in ERROR_CLASSES if counts[label]]
        node = self._owned.one("errors", lambda: nodes.classVolume(self.scene, "errors", ERROR_CLASSES))
        nodes.fillVolume(node, errors, ijkToRas(self._data.reference.geometry))

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

    def _images(self) -> list:
        """The nodes of the images, one a channel."""
        return [node for channel in self._channels for node in self._volumes(_imageOf(channel))]

    def isVisible(self, overlay: str) -> bool:
        return self.look.shows(overlay)

    @property
    def hasErrors(self) -> bool:
        """Whether there is an error map: a reference and a prediction on one grid."""
        return bool(self._volumes("errors"))

    def channels(self) -> list[str]:
        """The channels of the case."""
        return [node.GetAttribute("BraTSRefine.channel") for node in self._images()]

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
        shown = {node.GetAttribute("BraTSRefine.channel"): node.GetID() for node in self._images()}
        wanted = (*self.look.channelsOf(view, self.region), NO_IMAGE)
        return next((shown[channel] for channel in wanted if channel in shown), None)

    def _updateOutlines(self, source: str, node) -> None:
        inViews = self._viewsOf(source)
        isCompared = source not in OUTLINES
        in3D = not isCompared and self.look.isIn3D(source) and not self.distances.limit
        for region, display in nodes.outlineDisplays(node).items():
            chosen = region == self.region
            with nodes.modifiedOnce(display):
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

    def _wholeImage(self) -> tuple[tuple[float, float, float], np.ndarray]:
        volumes = self._images()
        if not volumes:
            return (0.0, 0.0, 0.0), np.full(3, 200.0)
        bounds = [0.0] * 6
        volumes[0].GetRASBounds(bounds)
        low, high = np.array(bounds[::2]), np.array(bounds[1::2])
        return tuple((low + high) / 2), high - low


def _imageOf(channel: str) -> str:
    """The part of the picture that the image of a channel is."""
    return f"image {channel}"


def _partOf(place: int) -> str:
    """The part of the picture that a compared model's outlines are; the chosen one's are the prediction's."""
    return f"model {place}" if place else "prediction"
