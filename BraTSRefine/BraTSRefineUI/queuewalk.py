"""From case to case of the review's queue, past those that cannot be shown."""

from __future__ import annotations

from slicer.i18n import tr as _

from .failures import isRefusal, reported


class QueueWalk:
    """Steps through the queue of the review desk."""

    def __init__(self, desk) -> None:
        self._desk, self._workbench = desk, desk.workbench
        self._queue = desk.reviewing.queue

    def step(self, step: int) -> None:
        """The next case of the queue that can be shown; what cannot is marked and passed over."""
        self._showFirst(self._queue.following(step, self._workbench.reading.currentCase), [])

    def _showFirst(self, names: list[str], passed: list[str]) -> None:
        """The first of these that can be shown; each may take a while to be read."""
        if names:
            with reported(_("The case was not shown:"), self._workbench.tellFailure):
                self._workbench.reading.whenRead(names[0], lambda: self._onRead(names, passed))
        elif passed:
            self._tellPassed(passed)

    def _onRead(self, names: list[str], passed: list[str]) -> None:
        why = self._tryToShow(names[0])
        if why:
            self._queue.failed[names[0]] = why
            self._showFirst(names[1:], [*passed, names[0]])
        elif passed:
            self._tellPassed(passed)

    def _tryToShow(self, case: str) -> str:
        """Why the case cannot be shown; empty where it is."""
        try:
            self._workbench.showCase(case)
        except Exception as error:
            if not isRefusal(error):
                raise
            return str(error)
        return self._workbench.session.unreadable()

    def _tellPassed(self, cases: list[str]) -> None:
        for case in cases:
            self._desk.panel.caseChanged(self._queue.updateRow(case))
        words = _("Passed over, not readable: {cases}").format(cases=", ".join(cases))
        self._workbench.tellFailure(words)
