"""Which cases to annotate next, why, what they take; and the labels that training reads."""

from __future__ import annotations

from html import escape

import qt
from slicer.i18n import tr as _

from .. import colours, overview
from ..annotating import DONE, IN_WORK, Annotating, Task, exportWords
from ..failures import reported
from ..panel import Cell, Panel, fillTable, painted, say, selectRow
from ..reading import REGIONS

ROW_HEIGHT = 38
FOLDER = "training"
"""The folder in the workspace that is proposed for what is saved."""


class AnnotatePanel(Panel):
    name = "Annotate"
    uiFile = "Annotate.ui"

    def build(self) -> None:
        ui = self.ui
        self._annotating: Annotating | None = None
        self._saved = self._proposed = ""
        for region in REGIONS:
            ui.regionCombo.addItem(region)
        ui.regionCombo.currentIndex = REGIONS.index("ET")
        for combo, words in ((ui.trainingLayoutCombo, _layoutWords()), (ui.imagesCombo, _imageWords())):
            for text in words.values():
                combo.addItem(text)
        ui.chooseButton.clicked.connect(lambda checked=False: self._choose())
        ui.startButton.clicked.connect(lambda checked=False: self.start())
        ui.annotatedButton.clicked.connect(lambda checked=False: self.markDone())
        ui.trainingFolderButton.clicked.connect(lambda checked=False: self._browse())
        ui.saveLabelsButton.clicked.connect(lambda checked=False: self.saveLabels())
        ui.saveListButton.clicked.connect(lambda checked=False: self.saveList())
        ui.chosenTable.itemSelectionChanged.connect(self._onRow)

    @property
    def annotating(self) -> Annotating:
        """Made when first asked for: the desk of the review comes after the panels."""
        if self._annotating is None:
            self._annotating = Annotating(self.session, self.workbench.review.reviewing)
        return self._annotating

    @property
    def tasks(self) -> list[Task]:
        return self._annotating.tasks if self._annotating else []

    # What is shown

    def refresh(self) -> None:
        ui = self.ui
        self._propose()
        if self.session.isOpen:
            self.annotating.refresh()
        ui.chooseButton.enabled = self.session.hasUncertainties and not self.workbench.isBusy
        ui.chooseButton.toolTip = self._chooseTip()
        self._showTasks()
        say(ui.annotateStateLabel, self._state())

    def showCase(self) -> None:
        self._refreshButtons()
        self.showSelected()
        say(self.ui.annotateStateLabel, self._state())

    def showRecords(self) -> None:
        if self.annotating.isOutdated():
            self.annotating.refresh()
            self._showTasks()

    def _showTasks(self) -> None:
        ui = self.ui
        short = overview.shortNames(self.session.caseNames)
        rows = [_cells(task, short.get(task.case, task.case)) for task in self.tasks]
        fillTable(ui.chosenTable, ["#", _("Case"), _("State"), _("ml"), _("Slices"), _("Why")], rows)
        ui.chosenTable.visible = ui.listBox.visible = bool(rows)
        self._fitRows()
        say(ui.annotateProgressLabel, escape(self.annotating.progress()) if rows else "")
        ui.explainLabel.visible = not rows
        self._refreshButtons()
        self.showSelected()

    def _fitRows(self) -> None:
        """Two lines a row: all of a reason is on hover, and below the table for the shown case."""
        table = self.ui.chosenTable
        for row in range(table.rowCount):
            table.setRowHeight(row, ROW_HEIGHT)

    def _refreshButtons(self) -> None:
        ui = self.ui
        if not self.tasks:
            return
        refusal = self.annotating.refusal()
        isDone = self.annotating.stateOf(self.session.case) == DONE
        ui.startButton.enabled = not refusal
        ui.startButton.toolTip = refusal or _("Begin to annotate the shown case, so that others see it (C corrects it)")
        ui.annotatedButton.enabled = not refusal and not isDone
        ui.annotatedButton.toolTip = refusal or (_("It is done") if isDone else _("The shown case is annotated (M)"))
        hasDone = any(task.state == DONE for task in self.tasks)
        ui.saveLabelsButton.enabled = hasDone
        ui.saveLabelsButton.toolTip = (
            _("Save the labels of all cases that are done; a file that is there is never replaced")
            if hasDone
            else _("No case is done yet: mark it done first (M)")
        )

    def showSelected(self) -> None:
        cases = [task.case for task in self.tasks]
        selectRow(self.ui.chosenTable, cases.index(self.session.case) if self.session.case in cases else -1)

    def _caseAfter(self, step: int) -> str:
        """Along the list, where there is one."""
        if not self.tasks:
            return Panel._caseAfter(self, step)
        cases = [task.case for task in self.tasks]
        return self.session.neighbour(cases, step, self.workbench.reading.currentCase)

    # What is done

    def start(self) -> None:
        """Open the editor on the shown case; that it is begun is recorded once it is open."""
        correcting = self.workbench.correcting
        if not correcting.isCorrecting:
            correcting.begin()
        if correcting.isCorrecting:
            with reported(_("Not recorded that the case was begun:"), self.workbench.tellFailure):
                self.annotating.begin()
                self.showRecords()

    def markDone(self) -> None:
        """The shown case is annotated."""
        self.workbench.review.mark("done")

    def saveLabels(self) -> None:
        """Save what is done in the layout that training reads."""
        ui = self.ui
        layout = list(_layoutWords())[ui.trainingLayoutCombo.currentIndex]
        images = list(_imageWords())[ui.imagesCombo.currentIndex]
        with reported(_("Not saved:"), self._tellFailure):
            result = self.annotating.export(ui.trainingFolderEdit.text, layout, images)
            self._tell(exportWords(result), isBad=bool(result.count("refused")))

    def saveList(self) -> None:
        """Save the list as CSV and as CART reads it."""
        with reported(_("Not saved:"), self._tellFailure):
            paths = self.annotating.writeLists(self.ui.trainingFolderEdit.text)
            self._tell(_("saved: {names}").format(names=", ".join(path.name for path in paths)))

    def _choose(self) -> None:
        parameters = {"k": self.ui.countSpin.value, "region": self.ui.regionCombo.currentText}
        self._saved = ""
        self.workbench.startJob("select", parameters)

    def _onRow(self) -> None:
        self._saved = ""
        row = self.ui.chosenTable.currentRow()
        if 0 <= row < len(self.tasks):
            self.workbench.showCaseFromPanel(self.tasks[row].case)

    def _browse(self) -> None:
        edit = self.ui.trainingFolderEdit
        folder = qt.QFileDialog.getExistingDirectory(self.widget, _("Choose a folder"), edit.text)
        if folder:
            edit.text = str(folder)

    def _propose(self) -> None:
        """A folder in the workspace, until the person chooses another one."""
        edit = self.ui.trainingFolderEdit
        if edit.text == self._proposed and self.session.isOpen:
            self._proposed = edit.text = str(self.session.workspace.root / FOLDER)

    # Words

    def _tell(self, words: str, isBad: bool = False) -> None:
        self._saved = painted(words, colours.BAD) if isBad else escape(words)
        say(self.ui.annotateStateLabel, self._state())

    def _tellFailure(self, words: str) -> None:
        self._tell(words, isBad=True)
        self.workbench.tellFailure(words)

    def _chooseTip(self) -> str:
        if self.workbench.isBusy:
            return _("A job is running")
        if not self.session.isOpen:
            return _("Open a cohort first")
        if not self.session.hasUncertainties:
            return _("Compute the uncertainty maps first")
        return _("Choose the cases, in the background")

    def _state(self) -> str:
        if self.workbench.isBusy:
            return _("A job is running; its progress is shown below.")
        if not self.session.isOpen:
            return _("No cohort is open: Open… comes first.")
        if self.annotating.problem:
            return painted(self.annotating.problem, colours.BAD)
        if not self.tasks and not self.session.hasUncertainties:
            return _("Needs the uncertainty of the cohort: <b>Uncertainty</b>, then <b>Compute maps</b>.")
        if self._saved:
            return self._saved
        if self.annotating.gone:
            return _("No longer in the cohort: {cases}").format(cases=escape(", ".join(self.annotating.gone)))
        shown = next((task for task in self.tasks if task.case == self.session.case), None)
        if shown is not None:
            return escape(shown.reason)
        if self.workbench.jobs.lastMessage:
            return escape(self.workbench.jobs.lastMessage)
        return "" if self.tasks else _("Nothing chosen yet: say how many cases, then <b>Choose</b>.")


def _layoutWords() -> dict[str, str]:
    """The layouts of the backend, in words."""
    return {"nnunet": _("nnU-Net labelsTr"), "brats": _("BraTS folders")}


def _imageWords() -> dict[str, str]:
    return {"none": _("labels alone"), "links": _("and links to images"), "copies": _("and copies of images")}


def _cells(task: Task, short: str) -> list[Cell]:
    state = f"{task.state}, {task.who}" if task.who else task.state
    colour = {DONE: colours.BETTER, IN_WORK: colours.DOUBTFUL}.get(task.state, "")
    tip = f"{task.case}, {task.center}" if task.center else task.case
    effort = (
        _("Not known: nothing was flagged; compute the uncertainty maps")
        if task.milliliters == "-"
        else _("Flagged volume over all regions, and the slices that it reaches")
    )
    return [
        Cell(f"{task.rank}", isNumber=True),
        Cell(overview.cutInside(short, 14), tip),
        Cell(task.state, state, colour),
        Cell(task.milliliters, effort, isNumber=True),
        Cell(task.slices, effort, isNumber=True),
        Cell(task.reason),
    ]
