"""A recipe from top to bottom: predict again, fuse, post-process; then what it was worth."""

from __future__ import annotations

from html import escape

from slicer.i18n import tr as _

from ..panel import Panel, say
from .fusebox import FuseBox
from .predictbox import PredictBox
from .resultbox import ResultBox

STEPS = ("predict", "fuse", "postprocess", "result")
NEEDS_MODELS = ("fuse", "postprocess")
PROBLEMS_SHOWN = 2


class RefinePanel(Panel):
    name = "Refine"
    uiFile = "Refine.ui"

    def build(self) -> None:
        ui = self.ui
        self.predictBox = PredictBox(self.workbench)
        ui.predictContents.layout().addWidget(self.predictBox.widget)
        self.fuseBox, self.resultBox = FuseBox(self.workbench, ui), ResultBox(self.workbench, ui)
        for step in STEPS:
            self._button(step).clicked.connect(lambda checked=False, step=step: self.showStep(step))
        self._shownRun = ""
        self.showStep(STEPS[0])

    def showStep(self, step: str) -> None:
        """Bring one of the steps to the front."""
        self._button(step).checked = True
        self.ui.refineSteps.currentIndex = STEPS.index(step)
        say(self.ui.refineStateLabel, self._state())

    def refresh(self) -> None:
        for box in (self.predictBox, self.fuseBox, self.resultBox):
            box.refresh()
        self._goToResult()
        say(self.ui.refineStateLabel, self._state())

    def showCase(self) -> None:
        self.predictBox.showCase()

    def showJob(self) -> None:
        self.predictBox.showJob()

    def _goToResult(self) -> None:
        """A run that has just ended shows its before and after, if it has one."""
        last = self.workbench.jobs.lastRun
        if last != self._shownRun and self.resultBox.hasChanges:
            self.showStep("result")
        self._shownRun = last

    def _button(self, step: str):
        return getattr(self.ui, f"{step}StepButton")

    def _state(self) -> str:
        if self.workbench.isBusy:
            return _("A job is running; its progress is shown below.")
        if not self.session.isOpen:
            return _("No cohort is open: Open… comes first.")
        if not self.session.models and STEPS[self.ui.refineSteps.currentIndex] in NEEDS_MODELS:
            return _("No prediction was found: predict first.")
        jobs = self.workbench.jobs
        if not jobs.lastMessage:
            return ""
        skipped = [escape(problem) for problem in jobs.row.problemsInShort(PROBLEMS_SHOWN)]
        made = _("{model} is a model of the cohort now.").format(model=jobs.summary.get("model", ""))
        words = escape(f"{jobs.lastMessage}. {made}" if "model" in jobs.summary else jobs.lastMessage)
        return "<br>".join([words, *skipped])
