"""Which cases to annotate next, and why."""

from __future__ import annotations

from html import escape

from slicer.i18n import tr as _

from .. import overview
from ..panel import Cell, Panel, fillTable, fitRows, keepRowsFitted, say, selectRow
from ..session import REGIONS


class AnnotatePanel(Panel):
    name = "Annotate"
    uiFile = "Annotate.ui"

    def build(self) -> None:
        ui = self.ui
        self._chosen: list = []
        for region in REGIONS:
            ui.regionCombo.addItem(region)
        ui.regionCombo.currentIndex = REGIONS.index("ET")
        ui.chooseButton.clicked.connect(lambda checked=False: self._choose())
        ui.chosenTable.itemSelectionChanged.connect(self._onRow)
        keepRowsFitted(ui.chosenTable)

    def refresh(self) -> None:
        ui = self.ui
        ui.chooseButton.enabled = self.session.hasUncertainties and not self.workbench.isBusy
        ui.chooseButton.toolTip = self._tip()
        self._chosen = self.session.chosenCases()
        short = overview.shortNames(self.session.caseNames)
        rows = [
            [
                Cell(f"{row.rank}", isNumber=True),
                Cell(overview.cutInside(short.get(row.case, row.case), 14), row.case),
                Cell(overview.cutInside(row.center, 9), row.center),
                Cell(row.reason),
            ]
            for row in self._chosen
        ]
        fillTable(ui.chosenTable, ["#", _("Case"), _("Centre"), _("Why")], rows)
        ui.chosenTable.visible = bool(rows)
        fitRows(ui.chosenTable)
        self.showSelected()
        say(ui.annotateStateLabel, self._state())

    def showSelected(self) -> None:
        cases = [row.case for row in self._chosen]
        selectRow(self.ui.chosenTable, cases.index(self.session.case) if self.session.case in cases else -1)

    def _choose(self) -> None:
        parameters = {"k": self.ui.countSpin.value, "region": self.ui.regionCombo.currentText}
        self.workbench.startJob("select", parameters)

    def _onRow(self) -> None:
        row = self.ui.chosenTable.currentRow()
        if 0 <= row < len(self._chosen):
            self.workbench.showCaseFromPanel(self._chosen[row].case)

    def _tip(self) -> str:
        if self.workbench.isBusy:
            return _("A job is running")
        if not self.session.hasUncertainties:
            return _("Compute the uncertainty maps first")
        return _("Choose the cases, in the background")

    def _state(self) -> str:
        if self.workbench.isBusy:
            return _("A job is running; its progress is shown below.")
        if not self.session.isOpen:
            return _("No cohort is open.")
        if not self.session.hasUncertainties:
            return _("Needs the uncertainty of the cohort: <b>Uncertainty</b>, then <b>Compute maps</b>.")
        if self.workbench.jobs.lastMessage:
            return escape(self.workbench.jobs.lastMessage)
        return "" if self._chosen else _("Nothing chosen yet.")
