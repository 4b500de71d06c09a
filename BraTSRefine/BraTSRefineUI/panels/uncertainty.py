"""Where the models are unsure: which map, from which value on, and the places to look at."""

from __future__ import annotations

import math
from html import escape

from slicer.i18n import tr as _

from .. import tables
from ..maps import MapFile
from ..panel import Cell, Panel, fillCombo, fillTable, say, selectRow
from .worthbox import WorthBox

STEPS = ("flags", "worth")
PROBLEMS_TOLD = 12


class UncertaintyPanel(Panel):
    name = "Uncertainty"
    uiFile = "Uncertainty.ui"

    def build(self) -> None:
        ui = self.ui
        self._maps: list[MapFile] = []
        ui.thresholdSlider.value = round(100 * self.workbench.thresholdShare)
        ui.mapCombo.currentIndexChanged.connect(lambda index=0: self._onMap())
        ui.thresholdSlider.valueChanged.connect(self._onThreshold)
        ui.computeButton.clicked.connect(lambda checked=False: self._compute(self._acrossModels()))
        ui.ownFlagsButton.clicked.connect(lambda checked=False: self._compute([self.session.model]))
        ui.budgetEdit.textChanged.connect(lambda text="": self._refreshButtons())
        ui.flagsTable.itemSelectionChanged.connect(self._onFlag)
        self.worthBox = WorthBox(self.workbench, ui)
        for step, name in enumerate(STEPS):
            self._button(name).clicked.connect(lambda checked=False, step=step: self._onStep(step))

    def refresh(self) -> None:
        ui, session = self.ui, self.session
        uncertainty = self.workbench.uncertainty
        self._maps = session.maps()
        shown = next((_mapWords(one) for one in self._maps if _isOf(one, uncertainty)), "")
        fillCombo(ui.mapCombo, [_mapWords(one) for one in self._maps], shown)
        for widget in (ui.mapCombo, ui.thresholdSlider):
            widget.enabled = uncertainty is not None
        self._refreshButtons()
        self._showThreshold()
        say(ui.legendLabel, _legend(uncertainty) if uncertainty else "")
        flags = session.flags()
        rows = [[_number(f"{number}"), *_cells(f)] for number, f in enumerate(flags, start=1)]
        fillTable(ui.flagsTable, ["#", _("Why"), "ml", _("Mean"), _("Max")], rows, stretched=1)
        ui.flagsLabel.text = self._count(len(flags))
        self.showSelected()
        self.worthBox.refresh()
        self._tellState()

    def showStep(self, name: str) -> None:
        """Bring the flags or their worth to the front."""
        self._button(name).checked = True
        self._onStep(STEPS.index(name))

    def _onStep(self, step: int) -> None:
        self.ui.uncertaintySteps.currentIndex = step
        self._tellState()

    def _tellState(self) -> None:
        """Of the evaluation only how it ended: what it skipped is said on hovering."""
        label, row = self.ui.uncertaintyStateLabel, self.workbench.jobs.row
        say(label, self._state(self.session.flags()))
        label.toolTip = "\n".join(row.problemsInShort(PROBLEMS_TOLD))

    def _button(self, name: str):
        return getattr(self.ui, f"{name}StepButton")

    def showSelected(self) -> None:
        """Mark the flag that the views look at."""
        selectRow(self.ui.flagsTable, self.session.flagIndex)
        self.ui.flagsLabel.text = self._count(len(self.session.flags()))

    def showCase(self) -> None:
        self.refresh()

    def _count(self, count: int) -> str:
        uncertainty = self.workbench.uncertainty
        isOwn = uncertainty is not None and bool(uncertainty.model)
        isAcross = isOwn and not self._isFlagged
        words = (
            _("Flagged across the models in {region}") if isAcross else _("Flagged regions of {region} in this case")
        )
        words = words.format(region=self.session.region)
        if self.session.flagIndex < 0:
            return f"{words}: {count}"
        return f"{words}: {self.session.flagIndex + 1} " + _("of") + f" {count}"

    def _acrossModels(self) -> list[str]:
        """Nothing for the models that came with the data; all where these are fewer than two."""
        made = self.session.madeModels
        return [] if len(self.session.models) - len(made) > 1 else self.session.models

    def _compute(self, models: list[str]) -> None:
        """Maps and flags across the models, or flags of a single one's own maps, within the budget that was typed."""
        parameters = {"models": models} if models else {}
        budget = self._budget()
        self.workbench.startJob("uncertainty", parameters if budget is None else {**parameters, "budget_ml": budget})

    def _budget(self) -> float | None:
        """The ml that were typed, None for none. Raises ValueError for what is no number above 0."""
        text = self.ui.budgetEdit.text.strip().replace(",", ".")
        if not text:
            return None
        if not 0 < float(text) < math.inf:
            raise ValueError(text)
        return float(text)

    def _refreshButtons(self) -> None:
        across, own = self.ui.computeButton, self.ui.ownFlagsButton
        isThere = any(not one.model for one in self._maps)
        across.text = _("Compute again") if isThere else _("Compute maps")
        enough = len(self.session.models) > 1
        lack = "" if enough else _("Uncertainty from the models at hand needs at least two of them")
        self._allow(across, lack, _("Maps and flagged regions of every case, in the background"))
        lack = "" if any(one.model for one in self._maps) else _("The chosen model has no maps of its own in this case")
        words = _("Flag regions of every case by the own maps of {model}, in the background")
        self._allow(own, lack, words.format(model=self.session.model))

    def _allow(self, button, lack: str, words: str) -> None:
        why = _("A job is running") if self.workbench.isBusy else lack or self._budgetProblem()
        button.enabled, button.toolTip = not why, why or words

    def _budgetProblem(self) -> str:
        try:
            self._budget()
        except ValueError:
            return _("At most how many ml a case: a number above 0, or nothing")
        return ""

    def _onMap(self) -> None:
        index = self.ui.mapCombo.currentIndex
        if 0 <= index < len(self._maps):
            self.workbench.setMap(self._maps[index])

    def _onThreshold(self, value: int) -> None:
        self.workbench.setThresholdShare(value / 100)
        self._showThreshold()

    def _showThreshold(self) -> None:
        self.ui.thresholdValue.text = tables.number(self.workbench.threshold) if self.workbench.uncertainty else "-"

    def _onFlag(self) -> None:
        row = self.ui.flagsTable.currentRow()
        if row >= 0:
            self.workbench.goToFlag(row)

    def _state(self, flags: list) -> str:
        if self.workbench.isBusy:
            return _("A job is running; its progress is shown below.")
        if not self.session.isOpen:
            return _("No cohort is open: Open… comes first.")
        if self.ui.uncertaintySteps.currentIndex == STEPS.index("worth"):
            return self._stateOfWorth()
        if len(self.session.models) < 2 and not self._maps:
            return _("Uncertainty needs at least two models of one case; this cohort has fewer.")
        if not self._maps:
            return _("No map of this case yet: press <b>Compute maps</b>.")
        if not flags and any(one.model for one in self._maps) and not self._isFlagged:
            words = _("<b>Flag own maps</b> flags the regions to look at by the maps of {model} alone.")
            return words.format(model=escape(self.session.model))
        if not self.session.hasUncertainties and not self._isFlagged:
            return _("<b>Compute maps</b> compares the cohort's models and flags the regions to look at.")
        return "" if flags else _("Nothing in this region is flagged.")

    @property
    def _isFlagged(self) -> bool:
        """Whether the chosen model's own maps were flagged, in whichever case."""
        flags = self.session.flagsOfModel()
        return flags is not None and bool((flags["model"] == self.session.model).any())

    def _stateOfWorth(self) -> str:
        """What the evaluation said last, or why there can be none."""
        jobs, button = self.workbench.jobs, self.ui.evaluateButton
        if jobs.kind == "evaluate" and jobs.lastMessage:
            return escape(jobs.lastMessage)
        return "" if button.enabled else escape(button.toolTip) + "."


def _mapWords(one: MapFile) -> str:
    """The quantity and whose it is."""
    quantity = one.quantity.replace("_", " ")
    return _("{quantity} of {model}").format(quantity=quantity, model=one.model) if one.model else quantity


def _isOf(one: MapFile, uncertainty) -> bool:
    return uncertainty is not None and (one.quantity, one.model) == (uncertainty.quantity, uncertainty.model)


def _legend(uncertainty) -> str:
    """What the map is, its range, and what it is not."""
    unit = f" {uncertainty.unit}" if uncertainty.unit else ""
    words = uncertainty.what or uncertainty.quantity
    if uncertainty.model:
        words = _("{model}: {what}").format(model=uncertainty.model, what=words)
    caution = "" if "calibrated" in words else "; " + _("not a calibrated probability")
    return escape(f"{words}{caution}. " + _("Range") + f" {uncertainty.low:g} – {uncertainty.high:.3g}{unit}.")


def _cells(flag) -> list[Cell]:
    of = f", {flag.model}" if flag.model else ""
    return [
        Cell(_shortly(flag), f"{flag.why} ({flag.quantity}{of})"),
        _number(tables.milliliters(flag.milliliters)),
        _number(tables.number(flag.mean)),
        _number(tables.number(flag.maximum)),
    ]


def _shortly(flag) -> str:
    """What it is about, and where it was found in the shown model's own maps."""
    words = flag.why.rpartition(": ")[2].rpartition(", ")[2]
    return _("{words} (own maps)").format(words=words) if flag.model else words


def _number(text: str) -> Cell:
    return Cell(text, isNumber=True)
