"""The row below the panels: how far the running job is, what it said last, and the button that stops it."""

from __future__ import annotations

import time

from slicer.i18n import tr as _

from .overview import cutInside

PER_CASE = 100
LONGEST_CASE = 14


class JobRow:
    """Shows the events of one job after the other: by case and, where a job tells, by forward pass."""

    def __init__(self, ui) -> None:
        self._ui = ui
        self._started = 0.0
        self._count = self._step = self._first = 0
        self._share = 0.0
        self._keepsCases = False
        self._problems: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self.hide()

    def hide(self) -> None:
        for widget in (self._ui.jobProgress, self._ui.jobLabel, self._ui.cancelJobButton):
            widget.visible = False

    def begin(self, kind: str, count: int = 0, keepsCases: bool = False) -> None:
        """A job of that kind was started; ``count``: of its cases, if known. Cancelled, it may keep what is done."""
        self._started, self._problems, self.notes = time.monotonic(), [], []
        self._count, self._step, self._first, self._share = count, 0, 0, 0.0
        self._keepsCases = keepsCases
        ui = self._ui
        ui.jobProgress.maximum, ui.jobProgress.value = PER_CASE * count, 0
        ui.jobLabel.text = ui.jobLabel.toolTip = kind
        ui.cancelJobButton.enabled = True
        ui.cancelJobButton.toolTip = (
            _("Stop the job; the cases that are done are kept, and starting it again goes on with the rest")
            if keepsCases
            else _("Stop the job; what it made so far is removed")
        )
        for widget in (ui.jobProgress, ui.jobLabel, ui.cancelJobButton):
            widget.visible = True

    def cancelling(self) -> None:
        self._ui.cancelJobButton.enabled = False
        self._ui.jobLabel.text = _("cancelling …")

    def tell(self, event: dict) -> None:
        """Show a progress, pass, note or problem event."""
        if event["event"] == "progress":
            self._onProgress(int(event["step"]), max(int(event["of"]), 1), event.get("case", ""))
        elif event["event"] == "pass":
            self._onPass(int(event["done"]), max(int(event["of"]), 1), event.get("case", ""), event.get("words", ""))
        elif event["event"] == "note":
            self.notes.append(event["message"])
        elif event["event"] == "problem":
            self._problems.append((event.get("case", ""), event["message"]))

    def _onProgress(self, step: int, count: int, case: str) -> None:
        if not case:  # what was done before this job
            self._first = step
        self._step, self._count, self._share = step, count, 0.0
        self._show(cutInside(case, LONGEST_CASE), case)

    def _onPass(self, done: int, of: int, case: str, words: str) -> None:
        self._share = done / of
        self._show(_("· pass {done}/{of}").format(done=done, of=of), f"{case}: {words}")

    def _show(self, words: str, tip: str) -> None:
        bar, label = self._ui.jobProgress, self._ui.jobLabel
        bar.maximum = PER_CASE * self._count
        bar.value = round(PER_CASE * (self._step + self._share))
        if self._ui.cancelJobButton.enabled:
            label.text = f"{self._step}/{self._count} {words}{self._remaining()}"
            label.toolTip = tip

    def lastWords(self, kind: str, event: dict) -> str:
        """How the job ended, in one line."""
        took = _seconds(time.monotonic() - self._started)
        if event["event"] == "finished":
            skipped = _(", {count} skipped").format(count=len(self._problems)) if self._problems else ""
            return _("{kind} finished in {took}{skipped}").format(kind=kind, took=took, skipped=skipped)
        if event["event"] == "cancelled":
            return _("{kind} cancelled; {kept}").format(kind=kind, kept=self._kept())
        why = event.get("message", "").removeprefix(f"{kind}: ")
        return _("{kind} failed: {why}").format(kind=kind, why=why) + (f"; {self._kept()}" if self._done else "")

    @property
    def problems(self) -> list[str]:
        """What was said of each case that was skipped."""
        return [_inWords(case, message) for case, message in self._problems]

    def problemsInShort(self, most: int) -> list[str]:
        """Each message once with its case, or how many cases it is about; the commonest first."""
        alike: dict[str, list[str]] = {}
        for case, message in self._problems:
            alike.setdefault(message, []).append(case)
        ranked = sorted(alike.items(), key=lambda item: -len(item[1]))
        many = _("{count} cases: {message}")
        return [
            many.format(count=len(cases), message=message) if len(cases) > 1 else _inWords(cases[0], message)
            for message, cases in ranked[:most]
        ]

    @property
    def _done(self) -> int:
        """Cases of this job that stay whatever happens to it."""
        return max(self._step - self._first - len(self._problems), 0) if self._keepsCases else 0

    def _kept(self) -> str:
        if not self._keepsCases:
            return _("nothing was left behind")
        if not self._done:
            return _("no case was finished")
        kept = _("1 finished case is kept") if self._done == 1 else _("{count} finished cases are kept")
        return kept.format(count=self._done) + _(", starting again goes on with the rest")

    def _remaining(self) -> str:
        passed = time.monotonic() - self._started
        done, count = self._step - self._first + self._share, self._count - self._first
        if done <= 0 or done >= count or passed < 2:
            return ""
        return _(" · {left} left").format(left=_seconds(passed / done * (count - done)))


def _inWords(case: str, message: str) -> str:
    return f"{case}: {message}" if case else message


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
