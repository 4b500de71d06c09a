"""Jobs as the window sees them: one at a time, its progress in the bottom row, its last words, what it came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from slicer.i18n import tr as _

from .jobrow import JobRow
from .jobs import LAST_EVENTS, JobRunner


class JobDesk:
    """Starts a job, shows how far it is, and tells ``onEnd`` of its last event.

    ``lastRun`` is the run that left results last, ``kind``, ``parameters`` and ``summary`` are of the last job.
    """

    def __init__(self, ui, onProgress: Callable[[], None], onEnd: Callable[[dict], None]) -> None:
        self.runner, self.row = JobRunner(self._onEvent), JobRow(ui)
        self._onProgress, self._onEnd = onProgress, onEnd
        self.forget()

    def forget(self) -> None:
        """Another cohort is open: nothing was done here yet."""
        self.kind = self.lastRun = self.lastMessage = ""
        self.parameters: Mapping[str, object] = {}
        self.summary: Mapping[str, object] = {}

    @property
    def isBusy(self) -> bool:
        return self.runner.isRunning

    @property
    def isEstimate(self) -> bool:
        """Whether the last job only asked what another one would cost."""
        return bool(self.parameters.get("dry_run"))

    @property
    def _words(self) -> str:
        return _("estimate") if self.isEstimate else self.kind

    def start(self, workspace, kind: str, parameters: Mapping[str, object], count: int = 0) -> None:
        """Describe a job and start its worker; ``count``: of the cases that it is about. Raises JobError."""
        from BraTSRefineLib import jobs

        self.runner.start(jobs.create(workspace, kind, parameters))
        self.kind, self.parameters, self.summary = kind, dict(parameters), {}
        self.row.begin(self._words, count, keepsCases=kind == "predict" and not self.isEstimate)

    def cancel(self) -> None:
        self.row.cancelling()
        self.runner.cancel()

    def log(self) -> str:
        """What the last job said and skipped, and what its worker wrote."""
        return "\n".join([*self.row.notes, *self.row.problems, self.runner.log()]).strip()

    def _onEvent(self, event: dict) -> None:
        self.row.tell(event)
        if event["event"] in LAST_EVENTS:
            self._conclude(event)
        elif event["event"] in ("note", "problem"):
            self._onProgress()

    def _conclude(self, event: dict) -> None:
        self.lastMessage = self.row.lastWords(self._words, event)
        self.row.hide()
        if event["event"] == "finished":
            self.summary = event.get("summary", {})
            if not self.isEstimate:
                self.lastRun = Path(self.runner.runFolder).name
        self._onEnd(event)
