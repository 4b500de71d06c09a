"""Ties it together: what is pressed in a panel changes the session, the scene, the views, and every panel."""

from __future__ import annotations

from collections.abc import Callable

import slicer
from slicer.i18n import tr as _

from . import casecard
from .correctdesk import CorrectDesk
from .desk import Action
from .failures import reported
from .helpsheet import HelpSheet
from .jobdesk import JobDesk
from .openingdesk import OpeningDesk
from .panel import say
from .panels.annotate import AnnotatePanel
from .panels.cohort import CohortPanel
from .panels.refine import RefinePanel
from .panels.review import ReviewPanel
from .panels.uncertainty import UncertaintyPanel
from .panels.worstcases import WorstCasesPanel
from .plotdesk import PlotDesk
from .reading import REGIONS
from .readingdesk import ReadingDesk
from .reviewdesk import ReviewDesk
from .scene import CaseScene
from .session import Session
from .shortcuts import Shortcuts
from .viewdesk import ViewDesk

TABS = (WorstCasesPanel, ReviewPanel, UncertaintyPanel, RefinePanel, AnnotatePanel)
START_PAGE, WORK_PAGE = 0, 1
RESEARCH_ONLY = _("For research use only")
NO_FLAGS = _("nothing is flagged here, or the uncertainty maps are not computed yet")


class Workbench:
    """The module's panel side, built around one session and one scene.

    ``layoutManager`` may be None (Slicer without a main window); everything but the views works then.
    """

    def __init__(self, ui, resourcePath: Callable[[str], str], scene, layoutManager) -> None:
        self.ui, self.resourcePath, self.layoutManager = ui, resourcePath, layoutManager
        self.opening, self.reading = OpeningDesk(self), ReadingDesk(self)
        self.session = Session(self.reading.take)
        self.caseScene = CaseScene(scene)
        self.jobs = JobDesk(ui, self._afterJobNote, self._afterJob)
        self.uncertainty = None
        self.thresholdShare = 0.5
        self.failure = self.status = self._modelAtStart = ""
        self._build()
        self.shortcuts = Shortcuts({action.key: action.do for action in self.actions()}, self.views.hideOverlays)

    # Panels

    def _build(self) -> None:
        self.cohortPanel = CohortPanel(self)
        self.ui.startPage.layout().addWidget(self.cohortPanel.widget)
        self.tabs = [panel(self) for panel in TABS]
        self.worstCases = self.panelNamed(WorstCasesPanel.name)
        self.uncertaintyPanel = self.panelNamed(UncertaintyPanel.name)
        for panel in self.tabs:
            self.ui.tabs.addTab(panel.widget, _(panel.name))
        self.review = ReviewDesk(self)
        self.views = ViewDesk(self)
        self.correcting = CorrectDesk(self)
        self.plots = PlotDesk(self)
        self.desks = [self.opening, self.reading, self.review, self.views, self.correcting, self.plots, HelpSheet(self)]
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        ui = self.ui
        self._flagTips = {name: getattr(ui, name).toolTip for name in ("previousFlagButton", "nextFlagButton")}
        ui.openButton.clicked.connect(lambda checked=False: self.showPanel("Cohort"))
        ui.modelCombo.currentIndexChanged.connect(lambda index=0: self.setModel(ui.modelCombo.currentText))
        ui.cancelJobButton.clicked.connect(lambda checked=False: self.cancelJob())
        for region in REGIONS:
            self._regionButton(region).clicked.connect(lambda checked=False, region=region: self.setRegion(region))
        ui.previousCaseButton.clicked.connect(lambda checked=False: self.stepCase(-1))
        ui.nextCaseButton.clicked.connect(lambda checked=False: self.stepCase(1))
        ui.previousFlagButton.clicked.connect(lambda checked=False: self.stepFlag(-1))
        ui.nextFlagButton.clicked.connect(lambda checked=False: self.stepFlag(1))
        ui.worstSliceButton.clicked.connect(lambda checked=False: self.worstSlice())

    def actions(self) -> list[Action]:
        """Everything that has a key, in the order of the help sheet."""
        own = [
            Action("N", _("Next case of the list"), lambda: self.stepCase(1)),
            Action("P", _("Previous case of the list"), lambda: self.stepCase(-1)),
            Action("F", _("Next flagged region"), lambda: self.stepFlag(1)),
            Action("Shift+F", _("Previous flagged region"), lambda: self.stepFlag(-1)),
            Action("G", _("The slice with the most wrong voxels"), self.worstSlice),
            Action("/", _("Filter the list of cases"), self._goToFilter),
        ]
        return own + [action for desk in self.desks for action in desk.actions()]

    def panelNamed(self, name: str):
        """The panel of that name; one of ``panelNames()``."""
        return next(panel for panel in (self.cohortPanel, *self.tabs) if panel.name == name)

    def panelInFront(self):
        """The tab that is seen, or was before the start page."""
        return self.tabs[max(self.ui.tabs.currentIndex, 0)]

    def panelNames(self) -> list[str]:
        return [self.cohortPanel.name, *(panel.name for panel in self.tabs)]

    def showPanel(self, name: str) -> None:
        """Bring a panel to the front. Raises ValueError for a name that none has."""
        if name not in self.panelNames():
            raise ValueError(f"there is no panel '{name}'; there are {', '.join(self.panelNames())}")
        self.ui.pages.currentIndex = START_PAGE if name == self.cohortPanel.name else WORK_PAGE
        if name != self.cohortPanel.name:
            self.ui.tabs.currentIndex = [panel.name for panel in self.tabs].index(name)

    def refresh(self) -> None:
        """Show the session in every panel."""
        session, ui = self.session, self.ui
        ui.cohortLabel.text = session.headline() if session.isOpen else _("No cohort is open")
        ui.cohortLabel.toolTip = str(session.cohort.root) if session.isOpen else ""
        self.reading.tellModel()
        ui.modelCombo.enabled = bool(session.models)
        for region in REGIONS:
            self._regionButton(region).checked = region == session.region
        for panel in (self.cohortPanel, *self.tabs):
            panel.refresh()
        self.refreshCase()

    def refreshCase(self) -> None:
        """Every desk, then the card, which says what they know, and the flags' buttons."""
        for desk in self.desks:
            desk.refresh()
        self.ui.caseCard.visible = bool(self.session.case)
        if self.session.case:
            say(self.ui.caseTitleLabel, casecard.title(self.session))
            self.ui.caseTitleLabel.toolTip = casecard.titleTip(self.session)
            say(self.ui.caseSentenceLabel, casecard.sentence(self.session))
            words, tip = casecard.problems(self.session)
            say(self.ui.caseProblemsLabel, words)
            self.ui.caseProblemsLabel.toolTip = tip
        hasFlags = bool(self.panelInFront().flagCount())
        for button, tip in self._flagTips.items():
            getattr(self.ui, button).enabled = hasFlags
            getattr(self.ui, button).toolTip = tip if hasFlags else f"{tip}: {NO_FLAGS}"

    def tellFailure(self, words: str) -> None:
        """Say why something was not done: in the bottom line and on the start page."""
        self.failure = words
        self.tellStatus(words)
        self.cohortPanel.refresh()

    def tellStatus(self, words: str) -> None:
        """Say in the bottom line what was done last."""
        self.status = words
        self.ui.statusLabel.text = f"{RESEARCH_ONLY} · {words}" if words else RESEARCH_ONLY
        self.ui.statusLabel.toolTip = words

    # Choosing

    def showCase(self, name: str) -> None:
        """Read a case and show it in the scene, the views and the panels."""
        if not name:
            return
        if name != self.session.case:
            self.leaving()
        with slicer.util.RenderBlocker():
            self.caseScene.showAnother(self.session.loadCase(name), self._loadUncertainty(), self.session.region)
        self._afterCase()

    def leaving(self) -> None:
        """The case, or its model, is about to be left: what is not saved can still be."""
        for desk in self.desks:
            desk.leaving()

    def showCaseFromPanel(self, name: str, then: Callable[[], None] | None = None) -> None:
        """As ``showCase``, once it was read, and go on; what goes wrong is shown, since nobody catches it in a slot."""
        with reported(_("The case was not shown:"), self.tellFailure):
            self.reading.whenRead(name, lambda: self._showOther(name, then))

    def _showOther(self, name: str, then: Callable[[], None] | None) -> None:
        with reported(_("The case was not shown:"), self.tellFailure):
            if name != self.session.case:
                self.showCase(name)
            if then is not None:
                then()

    def _afterCase(self) -> None:
        for part in (*self.tabs, *self.desks):
            part.showCase()
        self.refreshCase()

    def setModel(self, model: str) -> None:
        """Rank and show another model, once its labels of the shown case were read; the case stays."""
        self.reading.chooseModel(model)

    def showModel(self, model: str) -> None:
        """The same at once; what was read of it is taken."""
        session = self.session
        if model != session.model:
            session.setModel(model)
        if session.case:
            with reported(_("The case was not shown:"), self.tellFailure):
                self.caseScene.show(session.loadCase(session.case), self._loadUncertainty(), session.region)
        self.refresh()

    def setMetric(self, metric: str) -> None:
        """Rank by another metric; the case stays."""
        if metric != self.session.metric:
            self.session.setMetric(metric)
            self.refresh()

    def setRegion(self, region: str) -> None:
        """One press changes table, outlines, error map, map and flags together."""
        self.session.setRegion(region)
        if self.session.case:
            with reported(_("The region was not shown:"), self.tellFailure):
                self.caseScene.setRegion(region, self._loadUncertainty())
        self.refresh()
        self.reading.askAgain()

    def showAgain(self) -> None:
        """Read the case's labels again, and then show it and every panel as the session says."""
        self.reading.readLabels(self.reading.wantedModel or self.session.model)

    def stepCase(self, step: int) -> None:
        self.panelInFront().stepCase(step)

    def stepFlag(self, step: int) -> None:
        """Jump to the next flagged region in all slice views."""
        self.panelInFront().stepFlag(step)

    def goToFlag(self, index: int) -> None:
        flags = self.session.flags()
        if 0 <= index < len(flags):
            self.session.flagIndex = index
            self.lookAtFlag(flags[index])

    def leaveFlag(self) -> None:
        """No flag is looked at any more; the views stay where they are."""
        self.session.flagIndex = -1
        self._tellSelected()

    def lookAtFlag(self, flag) -> None:
        """Bring a flag of the session, if there is one, to the middle of all slice views."""
        if flag is not None:
            self.caseScene.jump(flag.center)
            self._tellSelected()

    def _tellSelected(self) -> None:
        for part in (*self.tabs, *self.desks):
            part.showSelected()

    def worstSlice(self) -> None:
        self.caseScene.lookAtWorstSlice()

    # Uncertainty and overlays

    def _loadUncertainty(self):
        self.uncertainty = self.session.loadUncertainty()
        self.caseScene.threshold = self.threshold
        return self.uncertainty

    @property
    def threshold(self) -> float:
        """The value below which the shown map is transparent."""
        if self.uncertainty is None:
            return 0.0
        return self.uncertainty.low + self.thresholdShare * (self.uncertainty.high - self.uncertainty.low)

    def setMap(self, chosen) -> None:
        """Lay another of the session's maps over the views."""
        self.session.chooseMap(chosen)
        with reported(_("The map was not shown:"), self.tellFailure):
            self.caseScene.showUncertainty(self._loadUncertainty())
        self.uncertaintyPanel.refresh()
        self.views.writeCaptions()

    def setThresholdShare(self, share: float) -> None:
        self.thresholdShare = share
        self.caseScene.setThreshold(self.threshold)
        self.views.writeCaptions()

    def _regionButton(self, region: str):
        return getattr(self.ui, f"region{region}Button")

    def _goToFilter(self) -> None:
        self.showPanel("Worst cases")
        self.worstCases.ui.filterEdit.setFocus()

    # Jobs

    @property
    def isBusy(self) -> bool:
        """Whether a job runs or a cohort is being opened."""
        return self.jobs.isBusy or self.opening.isRunning

    def cancelJob(self) -> None:
        """Stop the one that runs."""
        (self.opening if self.opening.isRunning else self.jobs).cancel()

    def startJob(self, kind: str, parameters: dict, count: int = 0) -> None:
        """Describe a job about ``count`` cases and start its worker; the panels say so."""
        with reported(_("The job was not started:"), self.tellFailure):
            self.jobs.start(self.session.workspace, kind, parameters, count)
            self._modelAtStart = self.session.model
            self.refresh()

    def _afterJobNote(self) -> None:
        for panel in self.tabs:
            panel.showJob()

    def _afterJob(self, event: dict) -> None:
        self.tellStatus(self.jobs.lastMessage)
        if self.jobs.kind == "predict" and not self.jobs.isEstimate:
            self._takePredicted()
        elif event["event"] == "finished" and not self.jobs.isEstimate:
            self._takeResults()
        self.refresh()

    def _takeResults(self) -> None:
        """Read what the job wrote; a first score leads to the worst cases."""
        wasScored = self.session.hasScores
        self.session.reload()
        if self.jobs.kind == "score" and not wasScored:
            self.session.preferScoredRegion()
            self.showPanel("Worst cases")
            self.showCase(self.session.worstCase())
        elif self.jobs.kind == "uncertainty" and self.session.case:
            self.caseScene.showUncertainty(self._loadUncertainty())

    def _takePredicted(self) -> None:
        """Whatever the end, cases may be there; the new model is shown unless another was chosen meanwhile."""
        self.session.reload()
        model = self.jobs.summary.get("model", self.session.model)
        isFree = self.session.model == self._modelAtStart and model in self.session.models
        self.reading.readLabels(model if isFree else self.session.model)

    # Life

    def enter(self) -> None:
        """Take the views and the keys."""
        for desk in self.desks:
            desk.enter()
        self.shortcuts.install(slicer.util.mainWindow())

    def exit(self) -> None:
        """Give the views and the keys back."""
        self.shortcuts.remove()
        for desk in self.desks:
            desk.exit()

    def cleanup(self) -> None:
        """Stop the worker and leave no node behind."""
        self.shortcuts.remove()
        self.jobs.runner.cleanup()
        for desk in self.desks:
            desk.cleanup()
        self.caseScene.clear()
        self.session.forgetCase()

    def onSceneClosed(self) -> None:
        """Somebody closed the scene: its nodes are gone, the cohort stays open."""
        self.caseScene.forget()
        self.session.forgetCase()
        for desk in self.desks:
            desk.sceneClosed()
        self.refresh()
