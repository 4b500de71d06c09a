"""What stands in the corners of the views: modality, case, model, region, flag, and what the colours mean."""

from __future__ import annotations

from slicer.i18n import tr as _

from . import casedata, colours, tables, views
from .comparing import Comparing
from .corners import Corners, Scale
from .members import Member
from .overview import cutInside
from .scene import ERROR_CLASSES, NO_IMAGE, OUTLINES, CaseScene
from .session import Session

LONGEST_MODEL = 30
LONGEST_LABEL = 18
ORIENTATIONS = {"Coronal": "coronal", "Sagittal": "sagittal"}
WITH_CASE = ("BraTSRefineT1c", "BraTSRefineT1", "BraTSRefineOnlyReference", "BraTSRefineOne", "BraTSRefineModel0")
WITH_MODEL = ("BraTSRefineSagittal", "BraTSRefineOnlyPrediction", "BraTSRefineOne")
WITH_FLAG = ("BraTSRefineCoronal", "BraTSRefineOnlyErrors", "BraTSRefineOne")


def write(corners: Corners, session: Session, shown: CaseScene, comparing: Comparing, threshold: float, uncertainty):
    """Write into every view of the layout; nothing while no case is shown."""
    if not session.case:
        corners.clear()
        return
    for view, _slice, _composite in views.shownSliceNodes(shown.scene):
        lines, scale = [_outlines(session, shown, comparing, view)], None
        if "errors" in view.overlays and shown.isVisible("errors") and shown.hasErrors:
            lines.append(_errors(session.region, shown.errorClasses))
        if "uncertainty" in view.overlays and uncertainty and shown.isVisible("uncertainty"):
            lines += _uncertainty(uncertainty, threshold)
            scale = Scale(uncertainty.unit, uncertainty.low, uncertainty.high) if view.orientation == "Axial" else None
        title = _title(session, shown, comparing, view, uncertainty)
        corners.show(view.tag, title, [line for line in lines if line], scale)
    _writeIn3D(corners, session, shown, comparing)


def memberWords(comparing: Comparing) -> list[str]:
    """Which member is looked at: "member 3 of 5:", "fold_2,", "Dice 0.81"; empty while it is the chosen model."""
    if comparing.member is None:
        return []
    words = _("member {number} of {count}:") if comparing.isEnsemble else _("model {number} of {count}:")
    model = cutInside(comparing.member.model, LONGEST_MODEL)
    return [words.format(number=comparing.place, count=len(comparing.names)), f"{model},", _dice(comparing.member)]


def _dice(member: Member) -> str:
    return member.problem or _("Dice {value}").format(value=tables.number(member.dice))


def _title(session: Session, shown: CaseScene, comparing: Comparing, view: views.View, uncertainty) -> list:
    modality = shown.channelName(view)
    orientation = ORIENTATIONS.get(view.orientation, "")
    words = f"{modality} {orientation}".strip() if modality != NO_IMAGE else f"{view.orientation}, {modality}"
    pieces = [(words, colours.TEXT)]
    if view.tag in WITH_CASE:
        pieces += [(session.case, colours.QUIET_TEXT), (session.caseWords, colours.DOUBTFUL)]
        pieces += [(words, colours.PREDICTION) for words in memberWords(comparing)]
    if view.tag in WITH_MODEL:
        pieces.append((_nameOfShown(session, comparing), colours.QUIET_TEXT))
    if view.tag in WITH_FLAG:
        pieces.append((session.flagWords, colours.UNCERTAIN))
    if view.tag.startswith("BraTSRefineModel"):
        pieces += _figures(session, comparing, view)
    hasBoth = view.overlays == views.BOTH_OUTLINES or view.tag == "BraTSRefineOne"
    if hasBoth and shown.look.only and not shown.look.hidden:
        pieces.append((_onlyWords(shown.look.only), colours.TEXT))
    pieces += [(why, colours.QUIET_TEXT) for why in _absent(session, shown, view, uncertainty)]
    return [(words, colour) for words, colour in pieces if words]


def _nameOfShown(session: Session, comparing: Comparing) -> str:
    model = comparing.member.model if comparing.member else session.model
    return f"{cutInside(model, LONGEST_MODEL)} {session.region}".strip()


def _onlyWords(source: str) -> str:
    return _("only the prediction (X)") if source == "prediction" else _("only the reference (X)")


def _figures(session: Session, comparing: Comparing, view: views.View) -> list:
    """The model of a view of *Models* and its Dice."""
    member = comparing.beside.get(view.model)
    if member is None:
        return []
    colour = colours.SECOND_PREDICTION if view.model else colours.PREDICTION
    return [(cutInside(member.model, LONGEST_MODEL), colour), (f"{session.region} {_dice(member)}", colours.TEXT)]


def _absent(session: Session, shown: CaseScene, view: views.View, uncertainty) -> list[str]:
    """Why a view that is made for one overlay shows none."""
    if len(view.overlays) > 1:
        return []
    lacks = {
        "reference": None if session.data.reference else _("no reference"),
        "prediction": None if session.data.prediction else _("no prediction"),
        "errors": None if shown.hasErrors else _("no error map"),
        "uncertainty": None if uncertainty else _("no uncertainty map yet"),
    }
    return [words for overlay in view.overlays if (words := lacks[overlay])]


def _outlines(session: Session, shown: CaseScene, comparing: Comparing, view: views.View) -> list:
    pieces = []
    if session.data.reference is not None and shown.look.isIn("reference", view):
        pieces.append((session.versus, colours.REFERENCE))
    if view.model:
        other = comparing.beside.get(view.model)
        isThere = other is not None and other.labels is not None and shown.look.isIn("prediction", view)
        return [*pieces, *([(_("prediction"), colours.SECOND_PREDICTION)] if isThere else [])]
    hasPrediction = session.data.prediction is not None or comparing.member is not None
    if hasPrediction and shown.look.isIn("prediction", view):
        words = cutInside(comparing.member.model, LONGEST_LABEL) if comparing.member else session.predictionWords
        pieces.append((words, colours.PREDICTION))
    if session.isCorrecting:
        pieces.append((_("being corrected"), colours.PREDICTION))
    return pieces


def _writeIn3D(corners: Corners, session: Session, shown: CaseScene, comparing: Comparing) -> None:
    title = [(f"3D {session.region}", colours.TEXT)]
    if shown.look.only and not shown.look.hidden:
        title.append((_onlyWords(shown.look.only), colours.TEXT))
    if shown.distances.limit:
        ends = [(_("too far out"), colours.FALSE_POSITIVE), (_("falls short"), colours.FALSE_NEGATIVE)]
        limit = shown.distances.limit
        corners.show(views.THREE_D_TAG, title, [ends], Scale(_("mm"), -limit, limit, isDiverging=True))
        return
    if shown.look.inMillimeters:
        title.append((_("no two surfaces to compare"), colours.QUIET_TEXT))
    words = {"reference": session.versus, "prediction": session.predictionWords}
    if comparing.member is not None:
        words["prediction"] = cutInside(comparing.member.model, LONGEST_LABEL)
    pieces = [
        (words[source], colour)
        for source, colour in OUTLINES.items()
        if getattr(session.data, source) is not None and shown.look.isIn3D(source)
    ]
    corners.show(views.THREE_D_TAG, title, [pieces] if pieces else [])


def _errors(region: str, occurring: list[int]) -> list:
    """What the colours of the error map mean in a region, of those that occur; that nothing is wrong, if so."""
    if region == "WT":
        wrong = {casedata.WRONG_CLASS: _("wrong class")}
    else:
        wrong = {
            casedata.WRONG_CLASS: _("other tissue called {region}").format(region=region),
            casedata.CONFUSED_AWAY: _("{region} called other tissue").format(region=region),
        }
    words = {casedata.FALSE_POSITIVE: _("false positive"), casedata.FALSE_NEGATIVE: _("false negative"), **wrong}
    found = [(words[label], ERROR_CLASSES[label][1]) for label in occurring if label in words]
    return found or [(_("nothing is wrong"), colours.QUIET_TEXT)]


def _uncertainty(uncertainty, threshold: float) -> list:
    """What the colours mean, and below it whose map it is where one model's own members made it."""
    words = _("uncertainty: {what}").format(what=_range(uncertainty, threshold))
    source = _("of {model}").format(model=cutInside(uncertainty.model, LONGEST_MODEL)) if uncertainty.model else ""
    return [[(line, colours.UNCERTAIN)] for line in (source, words) if line]


def _range(uncertainty, threshold: float) -> str:
    name = uncertainty.quantity.replace("_", " ")
    return f"{name} {threshold:.2f}–{uncertainty.high:.2f}"
