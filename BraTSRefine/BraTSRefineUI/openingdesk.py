"""A cohort is opened while the window goes on: another process looks at its folder, imports come one by one.

A folder on a network share takes minutes, and the packages that a cohort needs a second or two to import. Until all of
it is there the former cohort stays; the row below the panels says how far it is and has the button that gives it up.
"""

from __future__ import annotations

import sys
from importlib import import_module

import qt
from slicer.i18n import tr as _

from .dependencies import ensure
from .desk import Desk
from .failures import reported
from .jobrow import JobRow
from .jobs import LAST_EVENTS, JobRunner
from .session import Session

HEAVY = (
    *("pyarrow", "pandas", "pyarrow.parquet", "SimpleITK", "scipy.ndimage", "scipy.spatial"),
    *("sqlalchemy", "alembic.command"),
    *(f"BraTSRefineLib.{part}" for part in ("cohort", "scoring", "analysis", "review.store")),
)
"""What an opened cohort needs, in pieces that each take less than half a second."""


class OpeningDesk(Desk):
    """One opening at a time; ``isRunning`` until the cohort is there, or it is known why not."""

    def __init__(self, workbench) -> None:
        super().__init__(workbench)
        self.runner, self.row = JobRunner(self._onEvent), JobRow(workbench.ui)
        self._imports: list[str] = []
        self._folder = self._workspace = ""
        self._read: Session | None = None
        self._timer = qt.QTimer()
        self._timer.interval = 0
        self._timer.timeout.connect(lambda: self._onTime())

    @property
    def isRunning(self) -> bool:
        return self.runner.isRunning or self._timer.active

    def start(self, folder: str, workspace: str, labels: str = "auto", again: bool = False) -> None:
        """Look at the folder and open what it holds. Raises MissingPackages."""
        ensure(self.workbench.resourcePath("requirements.txt"))
        self.workbench.leaving()
        self._folder, self._workspace, self._read = folder, "", None
        self._imports = [name for name in HEAVY if name not in sys.modules]
        self.row.begin(_("opening"))
        arguments = [folder, workspace, labels, *(["again"] if again else [])]
        self.runner.startModule("BraTSRefineLib.jobs.look", *arguments)
        self._timer.start()
        self.workbench.failure = ""
        self.workbench.refresh()

    def openAtOnce(self, folder: str, workspace: str = "", labels: str = "auto", again: bool = False) -> None:
        """Open a cohort and show its first case before coming back, for scripts: the window waits.

        Raises CohortError, WorkspaceError or MissingPackages.
        """
        ensure(self.workbench.resourcePath("requirements.txt"))
        if self.isRunning:
            self.cancel()
        self.workbench.leaving()
        self.session.open(folder, workspace, labels, again)
        self.workbench.showCase(self._begin(folder))

    def cancel(self) -> None:
        """Give it up; what was open stays open."""
        self._timer.stop()
        self.row.cancelling()
        if self.runner.isRunning:
            self.runner.cancel()
        else:
            self._conclude({"event": "cancelled"})

    def cleanup(self) -> None:
        self._timer.stop()
        self.runner.cleanup()

    def _onTime(self) -> None:
        self._timer.stop()
        with reported(_("Not opened:"), self.workbench.tellFailure):
            self._nextPiece()
            return
        self.row.hide()
        self.runner.cancel()
        self.workbench.refresh()

    def _nextPiece(self) -> None:
        if self._imports:
            import_module(self._imports.pop(0))
            self._timer.start()
        elif self._workspace and self._read is None:
            self._read = self.session.kept(self._workspace)
            self._timer.start()
        elif self._read is not None:
            read, self._read = self._read, None
            self.row.hide()
            self.workbench.leaving()
            self.session.become(read)
            self.workbench.reading.showSoon(self._begin(self._folder))

    def _onEvent(self, event: dict) -> None:
        if event["event"] not in LAST_EVENTS:
            self.row.tell(event)
        elif event["event"] == "finished" and not self.runner.wasCancelled:
            self._workspace = event["summary"]["workspace"]
            self._timer.start()
        else:
            self._timer.stop()
            self._conclude(event)

    def _begin(self, folder: str) -> str:
        """Tell everybody of the cohort that was opened, and find the case to begin with."""
        bench, session = self.workbench, self.session
        bench.jobs.forget()
        bench.failure = ""
        bench.cohortPanel.remember(folder)
        bench.worstCases.forgetChoices()
        for desk in bench.desks:
            desk.opened()
        session.preferScoredRegion()
        stoppedAt = bench.review.reviewing.lastCase()
        isToBeScored = bool(session.models) and not session.hasScores
        bench.showPanel("Review" if stoppedAt else "Cohort" if isToBeScored else "Worst cases")
        bench.refresh()
        return stoppedAt or session.worstCase()

    def _conclude(self, event: dict) -> None:
        """It was given up or is not possible."""
        self.row.hide()
        if event["event"] == "failed":
            self.workbench.tellFailure(_("Not opened: {why}").format(why=event["message"]))
        else:
            self.workbench.tellStatus(_("opening cancelled"))
        self.workbench.refresh()
