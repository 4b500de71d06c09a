"""The card of the shown case: its numbers, what is wrong and what it calls for, what is doubtful."""

from __future__ import annotations

from html import escape

from slicer.i18n import tr as _

from . import overview, tables
from .session import Session
from .tables import CaseRow

PROBLEMS_SHOWN = 3


def title(session: Session) -> str:
    """The case and its figures in the chosen region."""
    row = _row(session)
    name = f"<b>{escape(session.case)}</b>"
    name += f" · {escape(session.caseWords)}" if session.caseWords else ""
    if row is None or not row.values:
        return name
    if "dice" not in row.values:
        return f"{name}<br>{session.region} {tables.milliliters(row.milliliters)} ml in the reference"
    change = tables.signedMilliliters(row.values.get("volume_error_ml"))
    figures = f"{session.region} Dice {tables.number(row.values.get('dice'))}"
    figures += f" · HD95 {row.distance} · {change} ml"
    versus = f" <i>vs {escape(row.versus)}</i>" if row.versus else ""
    return f"{name}<br>{figures}{versus}"


def titleTip(session: Session) -> str:
    """How the card's figures were made."""
    row = _row(session)
    return session.how.explained(row.convention, row.case) if row is not None else ""


def _row(session: Session) -> CaseRow | None:
    return next((row for row in session.rows() if row.case == session.case), None)


def sentence(session: Session) -> str:
    """What is wrong, and on its own line what it calls for."""
    wrong, callsFor = (escape(words) for words in session.verdict())
    return f"{wrong[:1].upper()}{wrong[1:]}." + (f"<br>→ {callsFor}." if callsFor else "") if wrong else ""


def problems(session: Session) -> tuple[str, str]:
    """What makes the numbers doubtful and what could not be read: in short, and the whole of it for hovering."""
    doubts, unread = session.suspicions(), session.data.problems
    words = [_("doubt: {kind}").format(kind=doubt.kind) for doubt in doubts]
    words += [overview.withoutPaths(problem) for problem in unread]
    shown = "<br>".join(escape(one) for one in words[:PROBLEMS_SHOWN])
    return shown, "\n".join([*(doubt.message for doubt in doubts), *unread])
