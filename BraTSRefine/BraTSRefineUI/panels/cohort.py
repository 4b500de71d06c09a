"""Start page: open a folder, see what was found and what is missing, state the labels, score."""

from __future__ import annotations

from html import escape
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from .. import colours, overview
from ..failures import reported
from ..panel import Cell, Panel, fillTable, fitRows, keepRowsFitted, painted, say

CONVENTIONS = ("auto", "brats2021", "brats2023", "brats2013", "brats2024-gli", "brats2024-ped", "core-rest")
RECENT = "BraTSRefine/recent"
RECENT_KEPT = 4

NO_FOLDER = _("Not opened: choose a data folder first")
OPENING = _("Looking at the folder; how far that is, and the button that cancels it, are shown below.")
WELCOME = _("Choose a data folder. Nothing in it is ever changed; results go to the workspace beside it.")


class CohortPanel(Panel):
    name = "Cohort"
    uiFile = "Cohort.ui"

    def build(self) -> None:
        ui = self.ui
        for convention in CONVENTIONS:
            ui.conventionCombo.addItem(convention)
        ui.folderButton.clicked.connect(lambda checked=False: self._browse(ui.folderEdit))
        ui.workspaceButton.clicked.connect(lambda checked=False: self._browse(ui.workspaceEdit))
        ui.folderEdit.returnPressed.connect(lambda: self.open())
        ui.openFolderButton.clicked.connect(lambda checked=False: self.open())
        ui.lookAgainButton.clicked.connect(lambda checked=False: self.open(again=True))
        ui.scoreButton.clicked.connect(lambda checked=False: self.score())
        ui.reviewButton.clicked.connect(lambda checked=False: self.workbench.showPanel("Worst cases"))
        ui.recentLabel.linkActivated.connect(lambda folder: self.openPlace(folder))
        keepRowsFitted(ui.problemsTable)
        self._tips = {
            name: getattr(ui, name).toolTip for name in ("openFolderButton", "lookAgainButton", "reviewButton")
        }

    def open(self, again: bool = False) -> None:
        """Open what the lines say, unless something runs."""
        ui, bench = self.ui, self.workbench
        if bench.isBusy:
            return
        if not ui.folderEdit.text.strip():
            bench.tellFailure(NO_FOLDER)
            return
        with reported(_("Not opened:"), bench.tellFailure):
            bench.opening.start(ui.folderEdit.text.strip(), ui.workspaceEdit.text.strip(), self._labels(), again)

    def openPlace(self, folder: str, workspace: str = "") -> None:
        """Open that folder, as if it had been typed."""
        if not self.workbench.isBusy:
            self.ui.folderEdit.text, self.ui.workspaceEdit.text = folder, workspace
            self.open()

    def score(self) -> None:
        """Score everything, by the convention of the scores that are there."""
        self.workbench.startJob("score", self.session.scoringParameters())

    def refresh(self) -> None:
        session, ui = self.session, self.ui
        isBusy = self.workbench.isBusy
        for name in ("openFolderButton", "lookAgainButton"):
            self._enableUnless(_("A job is running") if isBusy else "", name)
        self._enableUnless("" if session.isOpen else _("Open a data folder first"), "reviewButton")
        self._refreshScoreButton(isBusy)
        say(ui.recentLabel, "" if session.isOpen else self._recentLinks())
        if not session.isOpen:
            say(ui.foundLabel, "")
            ui.problemsTable.visible = False
            say(ui.cohortStateLabel, OPENING if isBusy else self._failure() or WELCOME)
            return
        say(ui.foundLabel, self._found())
        self._refreshProblems()
        say(ui.cohortStateLabel, self._state(isBusy))

    def _enableUnless(self, why: str, name: str) -> None:
        """A button that says why it cannot be pressed, else what it does."""
        button = getattr(self.ui, name)
        button.enabled, button.toolTip = not why, why or self._tips[name]

    def _refreshScoreButton(self, isBusy: bool) -> None:
        session, button = self.session, self.ui.scoreButton
        hasSomething = bool(session.models) or session.hasReferences
        button.enabled = hasSomething and not isBusy
        button.text = _("Score again") if session.hasScores else _("Score")
        if isBusy:
            button.toolTip = _("A job is running")
        elif not hasSomething:
            button.toolTip = _("There is nothing to score")
        elif not session.models:
            button.toolTip = _("Measure the volumes of the references, in the background")
        else:
            button.toolTip = _("Score every model in every case, in the background")

    def _refreshProblems(self) -> None:
        rows = [
            [
                _levelCell(problem),
                Cell(problem.where, problem.everywhere),
                Cell(problem.message, problem.everywhere),
            ]
            for problem in self.session.problems()
        ]
        self.ui.problemsTable.visible = bool(rows)
        fillTable(self.ui.problemsTable, ["", _("Where"), _("Why, and what to do")], rows)
        fitRows(self.ui.problemsTable)

    def _found(self) -> str:
        lines = "".join(
            f"<tr><td>{escape(name)}&nbsp;&nbsp;</td><td>{escape(words)}</td></tr>"
            for name, words in self.session.summary()
        )
        return f"<table>{lines}</table>"

    def _state(self, isBusy: bool) -> str:
        if isBusy:
            isOpening = self.workbench.opening.isRunning
            return OPENING if isOpening else _("A job is running; its progress is shown below.")
        if self.workbench.failure:
            return self._failure()
        if not self.session.models:
            return _("No prediction was found: images and references can be looked at, their volumes measured.")
        if self.session.scoresProblem:
            return escape(overview.withoutPaths(self.session.scoresProblem))
        return "" if self.session.hasScores else _("Not scored yet: press <b>Score</b>.")

    def _failure(self) -> str:
        failure = self.workbench.failure
        return painted(failure, colours.BAD) if failure else ""

    def _labels(self) -> str:
        return self.ui.conventionCombo.currentText.strip() or "auto"

    def _browse(self, edit) -> None:
        folder = qt.QFileDialog.getExistingDirectory(self.widget, _("Choose a folder"), edit.text)
        if folder:
            edit.text = folder

    def remember(self, folder: str) -> None:
        """Show the folder that was opened, or its manifest, and put it on top of the recent ones."""
        folder = str(Path(folder).expanduser().absolute())
        self.ui.folderEdit.text, self.ui.workspaceEdit.text = folder, str(self.session.workspace.root)
        recent = [folder, *(other for other in _recent() if other != folder)][:RECENT_KEPT]
        slicer.app.userSettings().setValue(RECENT, recent)

    def _recentLinks(self) -> str:
        links = "<br>".join(f'<a href="{escape(path)}">{escape(path)}</a>' for path in _recent())
        return _("Recent:") + f"<br>{links}" if links else ""


def _levelCell(problem: overview.ProblemRow) -> Cell:
    """Whether something was skipped, makes the numbers doubtful, or is only worth knowing."""
    if problem.isError:
        return Cell(_("skipped"), colour=colours.BAD)
    return Cell(_("doubt"), colour=colours.DOUBTFUL) if problem.isSuspicion else Cell(_("note"))


def _recent() -> list[str]:
    stored = slicer.app.userSettings().value(RECENT)
    return [stored] if isinstance(stored, str) else [str(path) for path in stored or ()]
