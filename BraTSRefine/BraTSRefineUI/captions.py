"""What stands in the corners of the views: modality, case, model, region, flag, and what the colours mean."""

from __future__ import annotations

from slicer.i18n import tr as _

from . import casedata, colours, views
from .corners import Corners
from .overview import cutInside
from .scene import ERROR_CLASSES, NO_IMAGE, CaseScene
from .session import Session

LONGEST_MODEL = 30
ORIENTATIONS = {"Coronal": "coronal", "Sagittal": "sagittal"}


def write(corners: Corners, session: Session, shown: CaseScene, threshold: float, uncertainty) -> None:
    """Write into every view of the layout; nothing while no case is shown."""
    if not session.case:
        corners.clear()
        return
    for view, _slice, _composite in views.sliceNodes(shown.scene):
        lines, scale = [], None
        if "reference" in view.overlays or "prediction" in view.overlays:
            lines.append(_outlines(session, shown, view))
        if "errors" in view.overlays and shown.isVisible("errors") and shown.hasErrors:
            lines.append(_errors(session.region))
        if "uncertainty" in view.overlays and uncertainty and shown.isVisible("uncertainty"):
            lines += _uncertainty(uncertainty, threshold)
            scale = (uncertainty.unit, uncertainty.low, uncertainty.high) if view.orientation == "Axial" else None
        corners.show(view.tag, _title(session, shown, view), [line for line in lines if line], scale)
    corners.show(views.THREE_D_TAG, _titleIn3D(session), [_outlines(session, shown, None)])


def _title(session: Session, shown: CaseScene, view: views.View) -> list:
    modality = shown.channelName(view)
    orientation = ORIENTATIONS.get(view.orientation, "")
    words = f"{modality} {orientation}".strip() if modality != NO_IMAGE else f"{view.orientation}, {modality}"
    pieces = [(words, colours.TEXT)]
    if view.tag == "BraTSRefineT1c":
        pieces.append((session.case, colours.QUIET_TEXT))
        if session.caseWords:
            pieces.append((session.caseWords, colours.DOUBTFUL))
    elif view.tag == "BraTSRefineCoronal" and session.flagWords:
        pieces.append((session.flagWords, colours.UNCERTAIN))
    elif view.tag == "BraTSRefineSagittal":
        pieces.append((f"{session.model} {session.region}".strip(), colours.QUIET_TEXT))
    return pieces


def _titleIn3D(session: Session) -> list:
    return [(f"3D {session.region}", colours.TEXT)] if session.case else [("3D", colours.TEXT)]


def _outlines(session: Session, shown: CaseScene, view: views.View | None) -> list:
    pieces = []
    for source, words in (("reference", session.versus), ("prediction", _("prediction"))):
        isHere = view is None or source in view.overlays
        if isHere and shown.isVisible(source) and getattr(session.data, source) is not None:
            pieces.append((words, colours.REFERENCE if source == "reference" else colours.PREDICTION))
    return pieces


def _errors(region: str) -> list:
    """What the colours of the error map mean in a region."""
    if region == "WT":
        wrong = {casedata.WRONG_CLASS: _("wrong class")}
    else:
        wrong = {
            casedata.WRONG_CLASS: _("other tissue called {region}").format(region=region),
            casedata.CONFUSED_AWAY: _("{region} called other tissue").format(region=region),
        }
    words = {casedata.FALSE_POSITIVE: _("false positive"), casedata.FALSE_NEGATIVE: _("false negative"), **wrong}
    return [(words[label], ERROR_CLASSES[label][1]) for label in words]


def _uncertainty(uncertainty, threshold: float) -> list:
    """What the colours mean, and below it whose map it is where one model's own members made it."""
    words = _("uncertainty: {what}").format(what=_range(uncertainty, threshold))
    source = _("of {model}").format(model=cutInside(uncertainty.model, LONGEST_MODEL)) if uncertainty.model else ""
    return [[(line, colours.UNCERTAIN)] for line in (source, words) if line]


def _range(uncertainty, threshold: float) -> str:
    name = uncertainty.quantity.replace("_", " ")
    return f"{name} {threshold:.2f}–{uncertainty.high:.2f}"
