"""The views: which layout, what lies over the images, what stands in the corners."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from . import captions, views
from .comparing import Comparing
from .corners import Corners
from .desk import Action, Desk
from .look import FLIPPED
from .viewbar import ViewBar

OVERLAY_KEYS = dict(zip("RDEU", views.OVERLAYS, strict=True))


class ViewDesk(Desk):
    """Owns the layouts and the corners; ``layoutManager`` is None in Slicer without a main window."""

    def __init__(self, workbench) -> None:
        super().__init__(workbench)
        self.layoutManager = workbench.layoutManager
        self.corners = Corners(self.layoutManager) if self.layoutManager else None
        self.comparing = Comparing(self.session)
        self._formerLayout = self._modelViews = 0
        self._timer = qt.QTimer()
        self._timer.interval = 0
        self._timer.timeout.connect(self._readNextModel)
        self.bar = ViewBar(self)
        self.scene.setLook(**self.bar.look)
        for overlay in views.OVERLAYS:
            self._toggle(overlay).toggled.connect(lambda on=True, overlay=overlay: self._onToggle(overlay, on))

    @property
    def scene(self):
        return self.workbench.caseScene

    def title(self) -> str:
        return _("Views")

    def actions(self) -> list[Action]:
        words = {
            "reference": _("Show or hide the reference"),
            "prediction": _("Show or hide the prediction"),
            "errors": _("Show or hide the errors"),
            "uncertainty": _("Show or hide the uncertainty"),
        }
        toggles = [
            Action(key, words[overlay], lambda overlay=overlay: self._toggle(overlay).toggle())
            for key, overlay in OVERLAY_KEYS.items()
        ]
        ui = self.bar.ui
        return [
            Action("V", _("Next layout"), self.nextLayout),
            *toggles,
            Action("X", _("Only the prediction, then only the reference, in the same views"), self.flip),
            Action("Shift+X", _("Prediction and reference together again"), lambda: self.setLook(only="")),
            Action("]", _("Next member of the ensemble, or next model"), lambda: self.stepMember(1)),
            Action("[", _("Previous member; before the first the chosen model"), lambda: self.stepMember(-1)),
            Action("L", _("Fill the label maps or draw outlines"), lambda: ui.fillLabelsToggle.toggle()),
            Action("Shift+E", _("Fill the error map or draw outlines"), lambda: ui.fillErrorsToggle.toggle()),
            Action("I", _("Colour the surfaces in 3D by their distance in mm"), lambda: ui.distanceToggle.toggle()),
            Action("B", _("Next modality in the views for comparing"), self.nextModality),
            Action("K", _("Show or hide the crosshair"), lambda: ui.crosshairToggle.toggle()),
        ]

    # What the workbench tells

    def opened(self) -> None:
        self.comparing.asked = []

    def refresh(self) -> None:
        if self.comparing.refresh():
            self._compareAnew()
        self.bar.refresh()
        self.writeCaptions()

    showCase = refresh

    def showSelected(self) -> None:
        self._moveCrosshair()
        self.writeCaptions()

    def enter(self) -> None:
        if self.layoutManager:
            views.registerLayouts(self.layoutManager.layoutLogic().GetLayoutNode())
            self._formerLayout = self.layoutManager.layout
            self.setLayout(views.REVIEW_LAYOUT)
        self.showCrosshair(self.bar.ui.crosshairToggle.checked)

    def exit(self) -> None:
        self._timer.stop()
        self.showCrosshair(False)
        if self.corners:
            self.corners.clear()
        if self.layoutManager and self._formerLayout:
            self.layoutManager.setLayout(self._formerLayout)

    def sceneClosed(self) -> None:
        self._timer.stop()

    def cleanup(self) -> None:
        self._timer.stop()

    # Layouts

    @property
    def layout(self) -> int:
        return self.layoutManager.layout if self.layoutManager else 0

    def layoutNames(self) -> dict[int, str]:
        """What each layout is called, in the order of the key; empty where there are no views."""
        return {layout: _(views.LAYOUT_NAMES[layout]) for layout in views.LAYOUTS} if self.layoutManager else {}

    def nextLayout(self) -> None:
        """From each layout to the next one, and from the last back to *Review*."""
        layouts = list(views.LAYOUTS)
        following = layouts.index(self.layout) + 1 if self.layout in layouts else 0
        self.setLayout(layouts[following % len(layouts)])

    def setLayout(self, layout: int) -> None:
        """Show the views of a layout, looking where the views before it looked, else at the tumour."""
        where = views.position(self.scene.scene) if self.layout in views.LAYOUTS else None
        if self.corners:
            self.corners.clear()
        if layout == views.MODELS_LAYOUT:
            self._countModels()
        self.layoutManager.setLayout(layout)
        slicer.app.processEvents()
        self.scene.update()
        if self.session.case:
            self.scene.lookAtTumour(where)
        self._compareAnew()
        self.bar.refresh()
        self.writeCaptions()

    def writeCaptions(self) -> None:
        """What stands in the corners of the views."""
        if self.corners:
            bench = self.workbench
            captions.write(self.corners, self.session, self.scene, self.comparing, bench.threshold, bench.uncertainty)

    # How overlays are drawn

    def hideOverlays(self, hidden: bool) -> None:
        """All overlays off while H is held."""
        self.setLook(hidden=hidden)

    def setLook(self, **changes) -> None:
        """Draw overlays otherwise: fields of ``Look`` by name."""
        self.scene.setLook(**changes)
        self.writeCaptions()

    def flip(self) -> None:
        """Only the prediction, then only the reference, then the prediction again."""
        self.setLook(only=FLIPPED[1] if self.scene.look.only == FLIPPED[0] else FLIPPED[0])

    def nextModality(self) -> None:
        """Another of the case's modalities in the views for comparing."""
        there = self.scene.channels()
        if there:
            shown = self.scene.comparedChannel()
            following = there.index(shown) + 1 if shown in there else 0
            self.setLook(modality=there[following % len(there)])

    def showCrosshair(self, on: bool) -> None:
        """Show the scene's crosshair, where the views look, or give it back as it was."""
        node = views.crosshair(self.scene.scene)
        if node is None:
            return
        if on and node.GetCrosshairMode() == node.NoCrosshair:
            node.SetCrosshairMode(node.ShowBasic)
            self._moveCrosshair()
        elif not on:
            node.SetCrosshairMode(node.NoCrosshair)

    def _moveCrosshair(self) -> None:
        node, where = views.crosshair(self.scene.scene), views.position(self.scene.scene)
        if node is not None and where is not None:
            node.SetCrosshairRAS(*where)

    def _toggle(self, overlay: str):
        return getattr(self.workbench.ui, f"{overlay}Toggle")

    def _onToggle(self, overlay: str, on: bool) -> None:
        self.scene.setVisible(overlay, on)
        self.writeCaptions()

    # Members and models

    def stepMember(self, step: int) -> None:
        """The next or the previous member; between the last and the first is the chosen model."""
        self.goToMember(self.comparing.place + step)

    def goToMember(self, place: int) -> None:
        """Show a member's outlines and errors in all views; 0 is the chosen model."""
        if not self.comparing.names:
            return
        member = self.comparing.step(place)
        with slicer.util.RenderBlocker():
            self.scene.showPrediction(member.labels if member else self.session.data.prediction)
        self.bar.refresh()
        self.writeCaptions()

    def chooseModel(self, model: str, on: bool) -> None:
        """Put a model beside the chosen one in *Models*, or take it away."""
        others = [other for other in self.comparing.wanted()[1:] if other != model]
        self.comparing.asked = [*others, model] if on else others
        self._compareAnew()
        self.bar.refresh()

    def _countModels(self) -> bool:
        """Give *Models* as many views as there are models to compare; whether that changed its views."""
        count = len(self.comparing.wanted()) if self.session.case else 1
        before, self._modelViews = self._modelViews, min(count, views.MOST_MODELS)
        views.registerModels(self.layoutManager.layoutLogic().GetLayoutNode(), count)
        return self._modelViews != before

    def _compareAnew(self) -> None:
        """Read the models of *Models* again, one at a time, while that layout is shown."""
        self.comparing.beside = {}
        if self.layout != views.MODELS_LAYOUT or not self.session.case:
            self.scene.compare({})
            return
        if self._countModels():
            self.setLayout(views.MODELS_LAYOUT)
        self._compareRead()
        self._timer.start()

    def _compareRead(self) -> None:
        """Show what was read of the models of *Models*; the views of the others wait."""
        beside = self.comparing.beside
        self.scene.compare({place: beside[place].labels if place in beside else None for place in self._places()[1:]})

    def _readNextModel(self) -> None:
        """One model a turn of the event loop, so that the window stays awake."""
        waiting = [place for place in self._places() if place not in self.comparing.beside]
        if self.layout != views.MODELS_LAYOUT or not waiting:
            self._timer.stop()
            return
        self.comparing.take(waiting[0])
        self._compareRead()
        self.writeCaptions()

    def _places(self) -> range:
        """The places of *Models* that have a model of the shown case."""
        return range(min(len(self.comparing.wanted()), views.MOST_MODELS) if self.session.case else 0)
