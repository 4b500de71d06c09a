"""What was decided, in a few words for the card and the corners of the views."""

from __future__ import annotations

from slicer.i18n import tr as _

from .reviewing import Reviewing


def ofFlag(reviewing: Reviewing, number: int, count: int) -> str:
    """Which flag is looked at, from 0, of how many, and its decision; empty where none is."""
    flag = reviewing.flag()
    if flag is None:
        return ""
    decided = reviewing.decisionOf(flag)
    words = _("flag {number} of {count}").format(number=number + 1, count=count)
    return f"{words} · {decided.decision}" if decided else words


def ofCase(reviewing: Reviewing) -> str:
    """The shown case's decision and marks."""
    state = reviewing.state(reviewing.session.case) if reviewing.session.case else None
    if state is None:
        return ""
    decided = state.decision.decision if state.decision else ""
    marks = [(state.approved, _("approved")), (state.second_reader, _("second reader")), (state.done, _("done"))]
    return " · ".join(word for word in (decided, *(words for event, words in marks if event)) if word)
