"""The views: which layout, what lies over the images, what stands in the corners."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from . import captions, views
from .corners import Corners
from .desk import Action, Desk

OVERLAY_KEYS = dict(zip("RDEU", views.OVERLAYS, strict=True))


class ViewDesk(Desk):
    """Owns the layouts and the corners; ``layoutManager`` is None in Slicer without a main window."""

    def __init__(self, workbench) -> None:
        super().__init__(workbench)
        self.layoutManager = workbench.layoutManager
        self.corners = Corners(self.layoutManager) if self.layoutManager else None
        self._formerLayout = 0
        for overlay in views.OVERLAYS:
            self._toggle(overlay).toggled.connect(lambda on=True, overlay=overlay: self._onToggle(overlay, on))

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
        return [*toggles, Action("V", _("Next layout"), self.nextLayout)]

    def refresh(self) -> None:
        self.writeCaptions()

    showCase = showSelected = refresh

    def writeCaptions(self) -> None:
        """What stands in the corners of the views."""
        if self.corners:
            bench = self.workbench
            captions.write(self.corners, self.session, bench.caseScene, bench.threshold, bench.uncertainty)

    def hideOverlays(self, hidden: bool) -> None:
        """All overlays off while H is held."""
        self.workbench.caseScene.hideOverlays(hidden)
        self.writeCaptions()

    def nextLayout(self) -> None:
        """From *Review* to *Compare* to *Channels* and back."""
        layouts = list(views.LAYOUTS)
        shown = self.layoutManager.layout
        following = layouts.index(shown) + 1 if shown in layouts else 0
        self.setLayout(layouts[following % len(layouts)])

    def setLayout(self, layout: int) -> None:
        """Show the views of a layout, looking at the tumour."""
        if self.corners:
            self.corners.clear()
        self.layoutManager.setLayout(layout)
        slicer.app.processEvents()
        self.workbench.caseScene.update()
        if self.session.case:
            self.workbench.caseScene.lookAtTumour()
        self.writeCaptions()

    def enter(self) -> None:
        if self.layoutManager:
            views.registerLayouts(self.layoutManager.layoutLogic().GetLayoutNode())
            self._formerLayout = self.layoutManager.layout
            self.setLayout(views.REVIEW_LAYOUT)

    def exit(self) -> None:
        if self.corners:
            self.corners.clear()
        if self.layoutManager and self._formerLayout:
            self.layoutManager.setLayout(self._formerLayout)

    def _toggle(self, overlay: str):
        return getattr(self.workbench.ui, f"{overlay}Toggle")

    def _onToggle(self, overlay: str, on: bool) -> None:
        self.workbench.caseScene.setVisible(overlay, on)
        self.writeCaptions()
