"""The row of decisions under the case card: what is decided, five buttons, the note."""

from __future__ import annotations

from html import escape

from slicer.i18n import tr as _

from .desk import Action

BUTTONS = {
    "accept": "acceptButton",
    "minor": "minorButton",
    "major": "majorButton",
    "unacceptable": "unacceptableButton",
    "bad image": "badImageButton",
}
MARKS = {"approve": "approveButton", "second reader": "secondReaderButton", "done": "doneButton"}


class DecisionRow:
    """Shows what was decided of the flag that is looked at, else of the case; tells the desk what was pressed."""

    def __init__(self, ui, desk) -> None:
        self.ui, self.desk = ui, desk
        self._tips = {name: getattr(ui, name).toolTip for name in (*self._names(), "wholeCaseButton")}
        for decision, name in BUTTONS.items():
            getattr(ui, name).clicked.connect(lambda checked=False, decision=decision: desk.decide(decision))
        for kind, name in MARKS.items():
            getattr(ui, name).clicked.connect(lambda checked=False, kind=kind: desk.mark(kind))
        ui.undoButton.clicked.connect(lambda checked=False: desk.undo())
        ui.wholeCaseButton.clicked.connect(lambda checked=False: desk.wholeCase())
        ui.noteEdit.returnPressed.connect(lambda: desk.writeNote())

    def note(self) -> str:
        return self.ui.noteEdit.text.strip()

    def clearNote(self) -> None:
        self.ui.noteEdit.text = ""

    def refresh(self) -> None:
        """Show the decision there is, or why none can be taken."""
        reviewing = self.desk.reviewing
        flag, refusal = reviewing.flag(), reviewing.refusal()
        decided = reviewing.decisionOf(flag)
        state = reviewing.state(reviewing.session.case) if reviewing.session.case else None
        for decision, name in BUTTONS.items():
            getattr(self.ui, name).checked = decided is not None and decided.decision == decision
        marked = {"approve": "approved", "second reader": "second_reader", "done": "done"}
        for kind, name in MARKS.items():
            getattr(self.ui, name).checked = state is not None and getattr(state, marked[kind]) is not None
        for name in self._names():
            button = getattr(self.ui, name)
            button.enabled = not refusal
            button.toolTip = f"{self._tips[name]}: {refusal}" if refusal else self._tips[name]
        self.ui.noteEdit.placeholderText = _("Note on this flag") if flag else _("Note on the case")
        self.ui.wholeCaseButton.enabled = flag is not None
        here = _("It is the whole case already: no flag is looked at")
        self.ui.wholeCaseButton.toolTip = self._tips["wholeCaseButton"] if flag else here
        self.ui.wholeCaseButton.checked = flag is None
        target = self._target(flag)
        progress = "" if reviewing.adjudicates else escape(reviewing.queue.progressWords())
        words = [f"<b>{escape(target[:1].upper() + target[1:])}</b>", progress]
        self.ui.decisionTargetLabel.text = " · ".join(word for word in words if word)
        self.ui.decisionTargetLabel.toolTip = _("Recorded for {reader}").format(reader=reviewing.reader or "-")

    def _target(self, flag) -> str:
        """What a decision would be about; the last word on what readers decided differently says what they decided."""
        target = self.desk.flagWords() if flag else _("whole case")
        dispute = self.desk.reviewing.dispute() if self.desk.reviewing.adjudicates else None
        return _("last word on {what}: {words}").format(what=target, words=dispute.choices) if dispute else target

    def _names(self) -> list[str]:
        return [*BUTTONS.values(), *MARKS.values(), "undoButton"]


def decisionKeys(desk) -> list[Action]:
    """What has a button here has a key."""
    words = {
        "accept": _("Decide: accept, nothing to correct"),
        "minor": _("Decide: minor errors"),
        "major": _("Decide: major errors"),
        "unacceptable": _("Decide: unacceptable, to be drawn anew"),
        "bad image": _("Decide: bad image"),
        "approve": _("Approve the case"),
        "second reader": _("Ask for a second reader"),
        "done": _("Mark the case as done"),
    }
    deciding = zip("12345", BUTTONS, strict=True)
    marking = zip("ASM", MARKS, strict=True)
    return [
        *(Action(key, words[one], lambda decision=one: desk.decide(decision)) for key, one in deciding),
        Action("0", _("Decide the whole case, not the flag"), desk.wholeCase),
        Action("Backspace", _("Take back the last decision"), desk.undo),
        *(Action(key, words[one], lambda kind=one: desk.mark(kind)) for key, one in marking),
    ]
