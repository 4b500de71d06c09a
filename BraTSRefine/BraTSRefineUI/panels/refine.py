"""Fuse models or post-process one, in the background, and see what it was worth case by case."""

from __future__ import annotations

from html import escape

import qt
from slicer.i18n import tr as _

from .. import tables
from ..panel import Cell, Panel, fillCombo, fillTable, say

BETTER_COLOUR, WORSE_COLOUR = "#7BC8A4", "#F2836B"
METHODS = (("mean", "mean of probabilities"), ("majority", "majority of labels"))
DEFAULT_MINIMUM = {"WT": 0, "TC": 0, "ET": 50}


class RefinePanel(Panel):
    name = "Refine"
    uiFile = "Refine.ui"

    def build(self) -> None:
        ui = self.ui
        self._spins = {"WT": ui.minimumWT, "TC": ui.minimumTC, "ET": ui.minimumET}
        for region, spin in self._spins.items():
            spin.value = DEFAULT_MINIMUM[region]
        for _name, words in METHODS:
            ui.methodCombo.addItem(words)
        ui.fuseButton.clicked.connect(lambda checked=False: self._fuse())
        ui.postprocessButton.clicked.connect(lambda checked=False: self._postprocess())
        ui.membersList.itemChanged.connect(lambda item=None: self._refreshButtons())
        ui.runCombo.currentIndexChanged.connect(lambda index=0: self._refreshResult())
        ui.logButton.toggled.connect(lambda checked=False: self._showLog(checked))
        self._listed: list[str] = []

    def refresh(self) -> None:
        self._listMembers()
        self.ui.sourceLabel.text = self.session.model or _("no model")
        self.ui.sourceLabel.toolTip = self.session.model
        runs = self.session.comparedRuns()
        chosen = self.workbench.lastRun if self.workbench.lastRun in runs else self.ui.runCombo.currentText
        fillCombo(self.ui.runCombo, runs, chosen)
        self._refreshButtons()
        self._refreshResult()
        self.ui.logButton.visible = self.workbench.runner.runFolder is not None
        self._showLog(self.ui.logButton.checked)

    def chosenMembers(self) -> list[str]:
        """The models that are ticked."""
        return [name for row, name in enumerate(self._listed) if self._isTicked(row)]

    def chosenMethod(self) -> str:
        return METHODS[max(self.ui.methodCombo.currentIndex, 0)][0]

    def _isTicked(self, row: int) -> bool:
        return self.ui.membersList.item(row).checkState() == qt.Qt.Checked

    def _listMembers(self) -> None:
        """List the cohort's models, those of the data ticked, what was made here not; ticks are kept."""
        models = self.session.models
        if models == self._listed:
            return
        ticked = {name: self._isTicked(row) for row, name in enumerate(self._listed)}
        made = set(self.session.comparedRuns())
        self.ui.membersList.blockSignals(True)
        self.ui.membersList.clear()
        for name in models:
            item = qt.QListWidgetItem(name)
            item.setFlags(qt.Qt.ItemIsUserCheckable | qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable)
            isTicked = ticked.get(name, name not in made)
            item.setCheckState(qt.Qt.Checked if isTicked else qt.Qt.Unchecked)
            self.ui.membersList.addItem(item)
        self.ui.membersList.blockSignals(False)
        self._listed = list(models)
        if not self.session.hasProbabilities():
            self.ui.methodCombo.currentIndex = 1

    def _refreshButtons(self) -> None:
        ui, isBusy = self.ui, self.workbench.isBusy
        members = len(self.chosenMembers())
        ui.fuseButton.enabled = members > 1 and not isBusy
        ui.fuseButton.toolTip = _whyNot(isBusy, members > 1, _("Tick at least two models"), _("Fuse the ticked models"))
        ui.postprocessButton.enabled = bool(self.session.model) and not isBusy
        ui.postprocessButton.toolTip = _whyNot(
            isBusy, bool(self.session.model), _("Choose a model above"), _("Post-process the model chosen above")
        )
        say(ui.refineStateLabel, self._state(isBusy))

    def _state(self, isBusy: bool) -> str:
        if isBusy:
            return _("A job is running; its progress is shown below.")
        if not self.session.isOpen:
            return _("No cohort is open.")
        if not self.session.models:
            return _("No prediction was found: there is nothing to refine.")
        if self.workbench.lastMessage:
            return escape(self.workbench.lastMessage)
        if self.session.comparedRuns():
            return ""
        return _("Nothing was refined yet. The result is a new model; your files stay as they are.")

    def _fuse(self) -> None:
        self.workbench.startJob("fuse", {"models": self.chosenMembers(), "method": self.chosenMethod()})

    def _postprocess(self) -> None:
        minimum = {region: spin.value for region, spin in self._spins.items()}
        hierarchy = self.ui.hierarchyCheck.checked
        parameters = {"model": self.session.model, "hierarchy": hierarchy, "minimum_voxels": minimum}
        self.workbench.startJob("postprocess", parameters)

    def _refreshResult(self) -> None:
        run = self.ui.runCombo.currentText
        for widget in (self.ui.resultTitle, self.ui.runCombo):
            widget.visible = bool(run)
        changes = self.session.beforeAfter(run) if run else []
        self.ui.resultTable.visible = bool(changes)
        say(self.ui.resultLabel, _summary(changes, self.session.region))
        rows = [[Cell(c.case), _n(c.before), _n(c.after), _changeCell(c.change)] for c in changes]
        fillTable(self.ui.resultTable, [_("Case"), _("Before"), _("After"), _("Change")], rows, stretched=0)

    def _showLog(self, shown: bool) -> None:
        self.ui.logText.visible = shown
        if shown:
            self.ui.logText.plainText = self.workbench.jobLog() or _("Nothing was skipped and nothing was written.")


def _whyNot(isBusy: bool, possible: bool, why: str, what: str) -> str:
    """What a button does, or why it cannot."""
    return _("A job is running") if isBusy else what if possible else why


def _summary(changes: list, region: str) -> str:
    if not changes:
        return ""
    better = sum(c.change > 0.0005 for c in changes)
    worse = sum(c.change < -0.0005 for c in changes)
    known = [c for c in changes if c.isKnown]
    before, after = (sum(getattr(c, name) for c in known) / max(len(known), 1) for name in ("before", "after"))
    words = _("Mean Dice {region} <b>{before:.3f} → {after:.3f}</b>; {better} better, {worse} worse of {count} cases.")
    return words.format(region=region, before=before, after=after, better=better, worse=worse, count=len(changes))


def _n(value: float) -> Cell:
    return Cell(tables.number(value, 3), isNumber=True)


def _changeCell(change: float) -> Cell:
    colour = BETTER_COLOUR if change > 0.0005 else WORSE_COLOUR if change < -0.0005 else ""
    text = tables.number(change, 3)
    return Cell(text if text.startswith("-") else f"+{text}", "", colour, isNumber=True)
