"""How what lies over the images is drawn: which of it, as outline or filled, how strong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import views

BY_REGION = {"WT": "t2f", "TC": "t1c", "ET": "t1c"}
FLIPPED = ("prediction", "reference")
OPACITY = 0.55


@dataclass(frozen=True)
class Look:
    """``visible`` says which overlays are on, ``hidden`` that all are off for as long as a key is held.

    ``only`` is the one of prediction and reference that is shown where a view has both, empty for both. ``modality`` is
    the channel of the views for comparing, empty for the one that tells most about the region. ``opacity`` is that of
    everything but outlines. ``inMillimeters`` colours the surfaces in 3D by their distance.
    """

    visible: Mapping[str, bool] = field(default_factory=lambda: dict.fromkeys(views.OVERLAYS, True))
    hidden: bool = False
    only: str = ""
    modality: str = ""
    opacity: float = OPACITY
    fillsLabels: bool = False
    fillsErrors: bool = True
    inMillimeters: bool = False

    def shows(self, overlay: str) -> bool:
        """Whether an overlay is on."""
        return self.visible[overlay] and not self.hidden

    def isIn(self, overlay: str, view: views.View) -> bool:
        """Whether a view shows an overlay now."""
        flippedAway = overlay in FLIPPED and self.only not in ("", overlay) and self.only in view.overlays
        return self.shows(overlay) and overlay in view.overlays and not flippedAway

    def isIn3D(self, source: str) -> bool:
        """Whether a surface is in the 3D view now."""
        return self.shows(source) and self.only in ("", source)

    def channelsOf(self, view: views.View, region: str) -> tuple[str, ...]:
        """The channels that a view shows, in order of preference."""
        chosen = self.modality or BY_REGION.get(region, "")
        return (chosen, *view.channels) if view.takesModality and chosen else view.channels
