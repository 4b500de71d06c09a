"""The work queue and the flagged regions of the shown case; who reviews; what readers decided differently."""

from __future__ import annotations

from html import escape

from slicer.i18n import tr as _

from .. import colours, flagwords, overview, tables
from ..panel import Cell, Panel, fillCombo, say
from ..reading import REGIONS
from ..reviewqueue import ORDERS
from ..rowtable import RowTable
from .readersbox import ReadersBox

STEPS = ("cases", "readers")
UNDER_CURSOR = "#506ECE58"
STATES = ("open", "decided", "second reader", "disagreement")
GONE_TOLD = 3


class ReviewPanel(Panel):
    name = "Review"
    uiFile = "Review.ui"

    def build(self) -> None:
        ui = self.ui
        self._short: dict[str, str] = {}
        self._flagUnderMouse = -1
        self.queue = RowTable(ui.queueView, self._queueCells, self._onCase)
        self.flags = RowTable(ui.flagsOfCaseView, self._flagCells, self._onFlag)
        self.readers = ReadersBox(self.workbench, ui)
        ui.readerButton.clicked.connect(lambda checked=False: self._onName())
        ui.readerEdit.returnPressed.connect(lambda: self._onName())
        ui.changeReaderButton.clicked.connect(lambda checked=False: self.askName())
        ui.blindCheck.toggled.connect(lambda on=True: self.desk.setBlind(on))
        for combo in (ui.orderCombo, ui.stateCombo, ui.centerCombo, ui.flagRegionCombo):
            combo.currentIndexChanged.connect(lambda index=0: self._onWish())
        ui.flagsOfCaseView.entered.connect(self._onMouse)
        ui.flagsOfCaseView.viewportEntered.connect(lambda: self._onMouse())
        for step, name in enumerate(STEPS):
            self._button(name).clicked.connect(lambda checked=False, step=step: self._onStep(step))

    @property
    def desk(self):
        return self.workbench.review

    @property
    def reviewing(self):
        return self.desk.reviewing

    @property
    def shownCases(self) -> list[str]:
        """The queue as it stands."""
        return [row.case for row in self.reviewing.queue.rows]

    def neighbours(self) -> list[str]:
        """The next and the previous case of the queue, which are read ahead."""
        return [name for step in (1, -1) for name in self.reviewing.queue.following(step, self.session.case)[:1]]

    def stepCase(self, step: int) -> None:
        self.desk.stepCase(step)

    def stepFlag(self, step: int) -> None:
        self.desk.stepFlag(step)

    def flagCount(self) -> int:
        return len(self.reviewing.flags())

    # What the session and the records say

    def forgetChoices(self) -> None:
        """Another cohort: the queue by priority, nothing filtered."""
        self.ui.nameFrame.visible = False
        self.readers.forget()

    def refresh(self) -> None:
        self.desk.bringUpToDate()
        self._short = overview.shortNames(self.session.caseNames)
        self._fillWishes()
        self._showReader()
        self.showQueue()
        self._fillFlags()
        self.readers.refresh()

    def showCase(self) -> None:
        self._fillFlags()
        self.ui.flagsOfCaseView.scrollToTop()

    def showSelected(self) -> None:
        self._markFlag()

    def showQueue(self) -> None:
        """The queue anew, the shown case marked."""
        isBlind = self.reviewing.queue.order == "blind"
        flags = [] if isBlind else [_("Flags")]
        why = [] if isBlind else [_("Why")]
        widths = [30, 130, 0] if isBlind else [30, 100, 100, 44, 0]
        self.queue.fill(["#", _("Case"), _("State"), *flags, *why], self.reviewing.queue.rows, widths)
        self._fitQueue()
        self._markCase()
        self._tellState()

    def _fitQueue(self) -> None:
        """No higher than its rows: the room that a short queue leaves is the flags'."""
        view = self.ui.queueView
        view.maximumHeight = view.horizontalHeader().height + view.verticalHeader().length() + 2 * view.frameWidth

    def caseChanged(self, number: int) -> None:
        """One row of the queue has another state."""
        known, now = self.queue.rows, self.reviewing.queue.rows
        if 0 <= number < min(len(known), len(now)) and known[number].case == now[number].case:
            self.queue.model.setRow(number, now[number])

    def showDecisions(self) -> None:
        """The flags' decisions are others, or another flag is looked at."""
        if self.flags.rows:
            self.flags.model.changed(0, len(self.flags.rows) - 1)
        self._markFlag()
        self._showReader()
        self._tellState()
        if self.ui.reviewSteps.currentIndex == STEPS.index("readers"):
            self.readers.refresh()

    def showHovered(self, number: int) -> None:
        """The flag under the mouse in the views, from 0; -1 for none."""
        before, self._flagUnderMouse = self._flagUnderMouse, number
        for row in (before, number):
            if 0 <= row < len(self.flags.rows):
                self.flags.model.changed(row)
        self._tellFigures(number)

    def onFront(self) -> None:
        """A tab came to the front: the readers' page is one of adjudication only while it is seen."""
        self.desk.setAdjudicating(self.desk.isInFront and self.ui.reviewSteps.currentIndex == STEPS.index("readers"))

    def askName(self) -> None:
        """Ask for the reviewer's name, here and not in a box of its own."""
        self.ui.nameFrame.visible = True
        self.ui.readerEdit.text = self.reviewing.reader
        self.ui.readerEdit.setFocus()
        self.ui.readerEdit.selectAll()

    def showStep(self, name: str) -> None:
        """Bring the cases or the readers to the front."""
        self._button(name).checked = True
        self._onStep(STEPS.index(name))

    # Filling

    def _fillWishes(self) -> None:
        ui, queue = self.ui, self.reviewing.queue
        centers = self.session.cohort.centers if self.session.isOpen else []
        orders = [_("Priority"), _("Random"), _("Blind order")]
        fillCombo(ui.orderCombo, orders, orders[ORDERS.index(queue.order)])
        fillCombo(ui.stateCombo, [_("All states"), *STATES], next(iter(queue.states), _("All states")))
        fillCombo(ui.centerCombo, [_("All centres"), *centers], queue.center or _("All centres"))
        ui.centerCombo.visible = bool(centers)
        fillCombo(ui.flagRegionCombo, [_("All regions"), *REGIONS], queue.region or _("All regions"))

    def _showReader(self) -> None:
        ui, reviewing = self.ui, self.reviewing
        isAsking = self.session.isOpen and not reviewing.reader
        ui.nameFrame.visible = ui.nameFrame.visible or isAsking
        ui.readerLabel.text = f"<b>{escape(reviewing.reader) or _('Nobody yet')}</b>"
        ui.changeReaderButton.visible = bool(reviewing.reader)

    def _fillFlags(self) -> None:
        self._flagUnderMouse = -1
        headings = ["#", "", _("Why"), "ml", _("Mean"), _("Max"), _("Decision")]
        self.flags.fill(headings, list(enumerate(self.reviewing.flags(), start=1)), [24, 28, 0, 36, 40, 40, 100])
        self._markFlag()

    def _markFlag(self) -> None:
        number = self.reviewing.flagNumber()
        self.flags.mark(number)
        count = len(self.flags.rows)
        words = _("Flagged regions of this case: {count}").format(count=count)
        if number >= 0:
            words = _("Flagged regions: {number} of {count}").format(number=number + 1, count=count)
        undecided = sum(self.reviewing.decisionOf(flag) is None for _number, flag in self.flags.rows)
        left = _("{count} undecided").format(count=undecided) if count else ""
        self.ui.flagsOfCaseLabel.text = " · ".join(part for part in (f"<b>{words}</b>", left) if part)
        self._tellFigures(number)

    def _markCase(self) -> None:
        names = [row.case for row in self.queue.rows]
        self.queue.mark(names.index(self.session.case) if self.session.case in names else -1)

    def _tellFigures(self, number: int) -> None:
        """The figures of the flag under the mouse, else of the one that is looked at."""
        number = number if 0 <= number < len(self.flags.rows) else self.reviewing.flagNumber()
        if not 0 <= number < len(self.flags.rows):
            self.ui.flagFiguresLabel.text = "" if self.flags.rows else self._noFlags()
            return
        flag = self.flags.rows[number][1]
        self.ui.flagFiguresLabel.text = escape(flagwords.figures(flag, number + 1, self.reviewing.errorsIn(flag)))

    def _noFlags(self) -> str:
        if not self.session.case:
            return ""
        if not self.session.hasUncertainties:
            return _("No flags yet: <b>Uncertainty</b>, then <b>Compute maps</b>. Decide the case as a whole.")
        return _("Nothing is flagged in this case. Decide it as a whole.")

    def _queueCells(self, row) -> list[Cell]:
        colour = colours.BAD if row.failed else ""
        state = row.decision if row.decision and row.state == "decided" else row.state
        state = _("not readable") if row.failed else f"{state} ({row.decision})" if self._adds(row, state) else state
        tip = row.failed or row.case
        name = Cell(overview.cutInside(self._short.get(row.case, row.case), 13), tip, colour)
        cells = [Cell(f"{row.place}", tip, colour, isNumber=True), name, Cell(state, row.failed or state, colour)]
        if self.reviewing.queue.order == "blind":
            return cells
        decided = f"{row.flagsDecided}/{row.flags}" if row.flags else tables.NOT_COMPUTED
        flagTip = _("{decided} of {count} flags decided").format(decided=row.flagsDecided, count=row.flags)
        why = f"{row.why} · {row.center}" if row.center else row.why
        return [*cells, Cell(decided, flagTip, colour, isNumber=True), Cell(row.why, row.failed or why, colour)]

    def _adds(self, row, state: str) -> bool:
        return bool(row.decision) and state != row.decision

    def _flagCells(self, row) -> list[Cell]:
        number, flag = row
        ground = UNDER_CURSOR if number - 1 == self._flagUnderMouse else ""
        decided = self.reviewing.decisionOf(flag)
        errors = self.reviewing.errorsIn(flag)
        decision = decided.decision if decided else ""
        noted = f"{decision} ✎" if decided and decided.note else decision
        tip = f"{decision}: {decided.note}" if decided and decided.note else decision
        figures = (tables.milliliters(flag.milliliters), tables.number(flag.mean), tables.number(flag.maximum))
        whole = flagwords.whole(flag, number, errors)
        return [
            Cell(f"{number}", whole, isNumber=True, ground=ground),
            Cell(flag.region, whole, ground=ground),
            Cell(flagwords.short(flag, errors), whole, ground=ground),
            *(Cell(text, whole, isNumber=True, ground=ground) for text in figures),
            Cell(noted, tip, ground=ground),
        ]

    def _tellState(self) -> None:
        say(self.ui.reviewStateLabel, "<br>".join(escape(words) for words in self._state()))

    def _state(self) -> list[str]:
        """What a reviewer must know: no store, cases that are gone, notes of the store, an empty queue."""
        session, reviewing = self.session, self.reviewing
        if not session.isOpen:
            return [_("No cohort is open: Open… comes first.")]
        told = [_("Nothing can be recorded: {why}").format(why=reviewing.problem)] if reviewing.problem else []
        gone = reviewing.queue.gone
        if gone:
            named = ", ".join(gone[:GONE_TOLD]) + (" …" if len(gone) > GONE_TOLD else "")
            words = _("{count} cases with records are no longer in the cohort: {named}. Their records are kept.")
            told.append(words.format(count=len(gone), named=named))
        if not reviewing.queue.rows:
            told.append(_("No case of this model fits the filter."))
        return [*told, *reviewing.notes]

    # What is pressed

    def _onName(self) -> None:
        if self.ui.readerEdit.text.strip():
            self.ui.nameFrame.visible = False
            self.desk.setReader(self.ui.readerEdit.text)
            self.ui.queueView.setFocus()

    def _onWish(self) -> None:
        ui, queue = self.ui, self.reviewing.queue
        queue.order = ORDERS[max(ui.orderCombo.currentIndex, 0)]
        queue.states = (ui.stateCombo.currentText,) if ui.stateCombo.currentIndex > 0 else ()
        queue.center = ui.centerCombo.currentText if ui.centerCombo.currentIndex > 0 else ""
        queue.region = ui.flagRegionCombo.currentText if ui.flagRegionCombo.currentIndex > 0 else ""
        if not self.desk.bringUpToDate():
            queue.narrow()
        self.showQueue()

    def _onCase(self, row: int) -> None:
        self.workbench.showCaseFromPanel(self.queue.rows[row].case)

    def _onFlag(self, row: int) -> None:
        self.desk.goToFlag(row)

    def _onMouse(self, index=None) -> None:
        self._tellFigures(index.row() if index is not None else -1)

    def _onStep(self, step: int) -> None:
        self.ui.reviewSteps.currentIndex = step
        self.onFront()
        self.readers.refresh()

    def _button(self, name: str):
        return getattr(self.ui, f"{name}StepButton")
