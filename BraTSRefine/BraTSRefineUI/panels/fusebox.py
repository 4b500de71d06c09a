"""Fuse what several models have predicted, and post-process one: each makes a new model in the background."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

METHODS = (
    ("mean", _("mean of probabilities")),
    ("majority", _("majority of labels")),
    ("staple", _("STAPLE of labels")),
    ("simple", _("SIMPLE of labels")),
)
MAJORITY = 1
DEFAULT_MINIMUM = {"WT": 0, "TC": 0, "ET": 50}


class FuseBox:
    """The widgets of both, in the panel's own .ui file."""

    def __init__(self, workbench, ui) -> None:
        self.workbench, self.ui = workbench, ui
        self._spins = {"WT": ui.minimumWT, "TC": ui.minimumTC, "ET": ui.minimumET}
        for region, spin in self._spins.items():
            spin.value = DEFAULT_MINIMUM[region]
        for _name, words in METHODS:
            ui.methodCombo.addItem(words)
        ui.fuseButton.clicked.connect(lambda checked=False: self._fuse())
        ui.postprocessButton.clicked.connect(lambda checked=False: self._postprocess())
        ui.membersList.itemChanged.connect(lambda item=None: self._refreshButtons())
        self._listed: list[str] = []

    @property
    def session(self):
        return self.workbench.session

    def refresh(self) -> None:
        self._listMembers()
        self.ui.sourceLabel.text = self.session.model or _("no model")
        self.ui.sourceLabel.toolTip = self.session.model
        self._refreshButtons()

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
        made = set(self.session.madeModels)
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
            self.ui.methodCombo.currentIndex = MAJORITY

    def _refreshButtons(self) -> None:
        ui, isBusy = self.ui, self.workbench.isBusy
        members = len(self.chosenMembers())
        ui.fuseButton.enabled = members > 1 and not isBusy
        ui.fuseButton.toolTip = _whyNot(isBusy, members > 1, _("Tick at least two models"), _("Fuse the ticked models"))
        ui.postprocessButton.enabled = bool(self.session.model) and not isBusy
        ui.postprocessButton.toolTip = _whyNot(
            isBusy, bool(self.session.model), _("Choose a model above"), _("Post-process the model chosen above")
        )

    def _fuse(self) -> None:
        self.workbench.startJob("fuse", {"models": self.chosenMembers(), "method": self.chosenMethod()})

    def _postprocess(self) -> None:
        minimum = {region: spin.value for region, spin in self._spins.items()}
        hierarchy = self.ui.hierarchyCheck.checked
        parameters = {"model": self.session.model, "hierarchy": hierarchy, "minimum_voxels": minimum}
        self.workbench.startJob("postprocess", parameters)


def _whyNot(isBusy: bool, possible: bool, why: str, what: str) -> str:
    """What a button does, or why it cannot."""
    return _("A job is running") if isBusy else what if possible else why
