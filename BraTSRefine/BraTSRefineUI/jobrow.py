"""The row below the panels: how far the running job is, what it said last, and the button that stops it."""

from __future__ import annotations

import time

from slicer.i18n import tr as _


class JobRow:
    """Shows the events of one job after the other."""

    def __init__(self, ui) -> None:
        self._ui = ui
        self._started = 0.0
        self.problems: list[str] = []
        self.hide()

    def hide(self) -> None:
        for widget in (self._ui.jobProgress, self._ui.jobLabel, self._ui.cancelJobButton):
            widget.visible = False

    def begin(self, kind: str) -> None:
        """A job of that kind was started."""
        self._started, self.problems = time.monotonic(), []
        ui = self._ui
        ui.jobProgress.maximum, ui.jobProgress.value = 0, 0
        ui.jobLabel.text = kind
        ui.cancelJobButton.enabled = True
        for widget in (ui.jobProgress, ui.jobLabel, ui.cancelJobButton):
            widget.visible = True

    def cancelling(self) -> None:
        self._ui.cancelJobButton.enabled = False
        self._ui.jobLabel.text = _("cancelling …")

    def tell(self, event: dict) -> None:
        """Show a progress or problem event."""
        if event["event"] == "progress":
            step, count = int(event["step"]), max(int(event["of"]), 1)
            self._ui.jobProgress.maximum, self._ui.jobProgress.value = count, step
            self._ui.jobLabel.text = f"{step}/{count} {event.get('case', '')}{self._remaining(step, count)}"
        elif event["event"] == "problem":
            self.problems.append(": ".join(part for part in (event.get("case", ""), event["message"]) if part))

    def lastWords(self, kind: str, event: dict) -> str:
        """How the job ended, in one line."""
        took = _seconds(time.monotonic() - self._started)
        if event["event"] == "finished":
            skipped = _(", {count} skipped").format(count=len(self.problems)) if self.problems else ""
            return _("{kind} finished in {took}{skipped}").format(kind=kind, took=took, skipped=skipped)
        if event["event"] == "cancelled":
            return _("{kind} cancelled; nothing was left behind").format(kind=kind)
        return _("{kind} failed: {why}").format(kind=kind, why=event.get("message", ""))

    def _remaining(self, step: int, count: int) -> str:
        passed = time.monotonic() - self._started
        if step < 1 or step >= count or passed < 2:
            return ""
        return _(" · {left} left").format(left=_seconds(passed / step * (count - step)))


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
