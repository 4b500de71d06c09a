"""Predict again: trained models, their folds and augmentations, on which cases; what it costs, then the start."""

from __future__ import annotations

from html import escape

import qt
import slicer
from slicer.i18n import tr as _

from .. import colours
from ..failures import reported
from ..panel import Panel, fillCombo, painted, say
from ..predicting import CaseChoice, Choice, Trained, caseChoices, trainedAt

TTA = (
    ("none", _("none")),
    ("flips", _("flips (8)")),
    ("rotations", _("rotations, scalings (9)")),
    ("full", _("full (20)")),
)
MODES = (
    ("exact", _("exact")),
    ("fast-window", _("fast window")),
    ("fast-roi", _("fast region")),
)
ADAPTATIONS = (
    ("", _("none")),
    ("tent", _("entropy (TENT)")),
    ("information-geometric", _("information-geometric")),
    ("uncertainty-guided", _("uncertainty-guided")),
)
DEVICES = ("auto", "cpu", "cuda")
LAST_PATH = "BraTSRefine/models"


class PredictBox(Panel):
    """The part of *Refine* that predicts; ``choice()`` is what is set up now."""

    name = "Predict"
    uiFile = "Predict.ui"

    def build(self) -> None:
        ui = self.ui
        self._trained: list[Trained] = []
        self._cases: list[CaseChoice] = []
        self._searchProblem = self._chosenCases = ""
        self._fillChoices()
        ui.modelsEdit.text = slicer.util.settingsValue(LAST_PATH, "")
        ui.modelsButton.clicked.connect(lambda checked=False: self._browse())
        ui.lookButton.clicked.connect(lambda checked=False: self.look())
        ui.modelsEdit.returnPressed.connect(lambda: self.look())
        ui.estimateButton.clicked.connect(lambda checked=False: self._start(isEstimate=True))
        ui.predictButton.clicked.connect(lambda checked=False: self._start(isEstimate=False))
        ui.trainedList.itemChanged.connect(lambda item=None: self._refreshState())
        ui.predictCasesCombo.currentIndexChanged.connect(lambda index=0: self._onCases())
        for combo in (ui.ttaCombo, ui.modeCombo, ui.adaptCombo, ui.deviceCombo):
            combo.currentIndexChanged.connect(lambda index=0: self._refreshState())
        for edit in (ui.foldsEdit, ui.predictNameEdit, ui.schedulerEdit):
            edit.textChanged.connect(lambda text="": self._refreshState())

    def _fillChoices(self) -> None:
        ui = self.ui
        fillCombo(ui.ttaCombo, [words for _name, words in TTA], "")
        fillCombo(ui.modeCombo, [words for _name, words in MODES], "")
        fillCombo(ui.adaptCombo, [words for _name, words in ADAPTATIONS], "")
        fillCombo(ui.deviceCombo, DEVICES, "")

    def choice(self) -> Choice:
        """What is ticked, chosen and typed."""
        ui, index = self.ui, self.ui.predictCasesCombo.currentIndex
        return Choice(
            tuple(one for row, one in enumerate(self._trained) if self._isTicked(row)),
            self._cases[index].cases if 0 <= index < len(self._cases) else (),
            ui.foldsEdit.text,
            TTA[max(ui.ttaCombo.currentIndex, 0)][0],
            MODES[max(ui.modeCombo.currentIndex, 0)][0],
            ui.predictNameEdit.text.strip(),
            DEVICES[max(ui.deviceCombo.currentIndex, 0)],
            ui.schedulerEdit.text.strip(),
            ADAPTATIONS[max(ui.adaptCombo.currentIndex, 0)][0],
        )

    def look(self) -> None:
        """List the models at the path; those that are ticked stay."""
        from BraTSRefineLib.inference import InferenceError

        path = self.ui.modelsEdit.text.strip()
        self._searchProblem, found = "", []
        with reported(_("The trained models were not listed:"), self.workbench.tellFailure):
            try:
                found = trainedAt(path) if path else []
            except InferenceError as error:
                self._searchProblem = str(error)
        if found:
            slicer.app.userSettings().setValue(LAST_PATH, path)
        self._list(found)
        self._refreshState()

    def refresh(self) -> None:
        if self.ui.modelsEdit.text and not self._trained and not self._searchProblem and self.session.isOpen:
            self.look()
        self._listCases()
        self._refreshState()

    def showCase(self) -> None:
        self.refresh()

    def showJob(self) -> None:
        self._refreshState()

    def _browse(self) -> None:
        title = _("Choose a folder with trained models")
        folder = qt.QFileDialog.getExistingDirectory(self.widget, title, self.ui.modelsEdit.text)
        if folder:
            self.ui.modelsEdit.text = folder
            self.look()

    def _isTicked(self, row: int) -> bool:
        return self.ui.trainedList.item(row).checkState() == qt.Qt.Checked

    def _list(self, found: list[Trained]) -> None:
        """A single model is ticked at once; one with a problem cannot be."""
        ticked = [one for row, one in enumerate(self._trained) if self._isTicked(row)]
        paths = {one.path for one in found}
        kept = [one for one in ticked if one.path not in paths]
        usable = [one for one in found if not one.problem]
        chosen = {one.path for one in ticked} | ({usable[0].path} if len(usable) == 1 and not kept else set())
        trained = self.ui.trainedList
        trained.blockSignals(True)
        try:
            trained.clear()
            self._trained = [*kept, *found]
            for one in self._trained:
                trained.addItem(_item(one, one.path in chosen))
        finally:
            trained.blockSignals(False)

    def _listCases(self) -> None:
        """The kind of choice that somebody made stays, whatever its number of cases is now; else this case."""
        kept = self._chosenCases
        table = self.workbench.worstCases
        self._cases = caseChoices(self.session, table.shownCases, table.chosenCases)
        words = [one.words for one in self._cases]
        fillCombo(self.ui.predictCasesCombo, words, next((one for one in words if one.partition(" (")[0] == kept), ""))

    def _onCases(self) -> None:
        self._chosenCases = self.ui.predictCasesCombo.currentText.partition(" (")[0]
        self._refreshState()

    def _start(self, isEstimate: bool) -> None:
        choice = self.choice()
        self.workbench.startJob("predict", choice.parameters(self.session, isEstimate), len(choice.cases))

    def _refreshState(self) -> None:
        ui, choice = self.ui, self.choice()
        why = self._whyNot(choice)
        for button in (ui.estimateButton, ui.predictButton):
            button.enabled = not why
        ui.estimateButton.toolTip = why or _("Time a few forward passes of one case, and say what all would take")
        ui.predictButton.toolTip = why or _("Predict the chosen cases, in the background")
        ui.predictNameEdit.placeholderText = choice.modelName if choice.models and not choice.problemOfFolds() else ""
        say(ui.modeLossLabel, self._loss(choice))
        say(ui.predictStateLabel, self._state(choice, why))

    def _loss(self, choice: Choice) -> str:
        """What the fast mode was found to lose, or that nobody knows yet; nothing in the exact mode."""
        words = choice.lossInWords(self.session) if self.session.isOpen else ""
        return _warning(words) if words else ""

    def _whyNot(self, choice: Choice) -> str:
        if self.workbench.isBusy:
            return _("A job is running")
        if not self.session.isOpen:
            return _("No cohort is open: Open… comes first")
        return choice.problem(self.session)

    def _state(self, choice: Choice, why: str) -> str:
        """What to do next; else what is known of what was chosen, a line each."""
        if self.workbench.isBusy:
            return "<br>".join(escape(f"{note[:1].upper()}{note[1:]}.") for note in self.workbench.jobs.row.notes)
        if self._searchProblem:
            return _warning(self._searchProblem)
        if not self._trained:
            return _("Choose a folder with trained models: nnU-Net results, a MONAI bundle or a YAML description.")
        if why:
            return escape(why) + "."
        return "<br>".join(self._known(choice))

    def _known(self, choice: Choice) -> list[str]:
        lines, lacking = [], choice.lacking(self.session)
        if lacking:
            lines.append(_warning(_missing(lacking, len(choice.cases))))
        if done := choice.done(self.session.workspace):
            words = _("{done} of {count} cases are there as {name}: Predict goes on with the rest.")
            lines.append(escape(words.format(done=done, count=len(choice.cases), name=choice.modelName)))
        lines.append(self._cost(choice))
        return lines

    def _cost(self, choice: Choice) -> str:
        jobs = self.workbench.jobs
        if jobs.isEstimate and jobs.parameters == choice.parameters(self.session, isEstimate=True):
            if "cost" in jobs.summary:
                warning = jobs.summary["warning"]
                words = escape(_("{cost}, on {device}").format(**jobs.summary))
                return f"{words}<br>{_warning(f'{warning[:1].upper()}{warning[1:]}.')}" if warning else words
            return _warning(jobs.lastMessage)
        return _("Estimate tells time, memory and disk before you start.")


def _item(one: Trained, isTicked: bool):
    item = qt.QListWidgetItem(one.words)
    item.setToolTip(one.tip)
    if one.problem:
        item.setFlags(qt.Qt.NoItemFlags)
        item.setCheckState(qt.Qt.Unchecked)
        return item
    item.setFlags(qt.Qt.ItemIsUserCheckable | qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable)
    item.setCheckState(qt.Qt.Checked if isTicked else qt.Qt.Unchecked)
    return item


def _missing(lacking: dict[str, list[str]], count: int) -> str:
    """How many cases lack an image, and which of them which, as an example."""
    case, channels = next(iter(lacking.items()))
    words = _("{count} of {all} cases lack an image that the models need and are skipped, as {case}: {missing}.")
    return words.format(count=len(lacking), all=count, case=case, missing=", ".join(channels))


def _warning(words: str) -> str:
    return painted(words, colours.DOUBTFUL)
