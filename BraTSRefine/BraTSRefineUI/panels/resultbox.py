"""What a run was worth: Dice before and after, case by case, and what its worker wrote."""

from __future__ import annotations

from slicer.i18n import tr as _

from .. import colours, tables
from ..panel import Cell, fillCombo, fillTable, say
from ..runs import Change, ComparedRun

CLEARLY = 0.0005


class ResultBox:
    """The widgets of the result, in the panel's own .ui file."""

    def __init__(self, workbench, ui) -> None:
        self.workbench, self.ui = workbench, ui
        self._runs: list[ComparedRun] = []
        ui.runCombo.currentIndexChanged.connect(lambda index=0: self._show())
        ui.logButton.toggled.connect(lambda checked=False: self._showLog(checked))

    @property
    def session(self):
        return self.workbench.session

    @property
    def hasChanges(self) -> bool:
        """Whether the run that ended last is shown with a before and after."""
        chosen = self._chosen()
        return chosen is not None and chosen.name == self.workbench.jobs.lastRun and self.ui.resultTable.rowCount > 0

    def refresh(self) -> None:
        """The run that ended last is shown; else the one that was."""
        ui, last = self.ui, self.workbench.jobs.lastRun
        kept = self._chosen()
        self._runs = self.session.comparedRuns()
        wanted = next((run for run in self._runs if run.name == last), kept)
        words = self._words()
        fillCombo(ui.runCombo, words, words[self._runs.index(wanted)] if wanted in self._runs else "")
        ui.logButton.visible = self.workbench.jobs.runner.runFolder is not None
        self._show()
        self._showLog(ui.logButton.checked)

    def _words(self) -> list[str]:
        """The model that a run made; of several that made the same one, the older ones with their own names."""
        newest = {run.model: run for run in reversed(self._runs)}
        return [run.model if newest[run.model] == run else f"{run.model} · {run.name}" for run in self._runs]

    def _chosen(self) -> ComparedRun | None:
        index = self.ui.runCombo.currentIndex
        return self._runs[index] if 0 <= index < len(self._runs) else None

    def _show(self) -> None:
        run = self._chosen()
        for widget in (self.ui.resultTitle, self.ui.runCombo):
            widget.visible = run is not None
        changes = self.session.beforeAfter(run.name) if run else []
        self.ui.resultTable.visible = bool(changes)
        say(self.ui.resultLabel, _summary(run, changes, self.session.region))
        rows = [[Cell(c.case), _n(c.before), _n(c.after), _changeCell(c.change)] for c in changes]
        fillTable(self.ui.resultTable, [_("Case"), _("Before"), _("After"), _("Change")], rows, stretched=0)

    def _showLog(self, shown: bool) -> None:
        self.ui.logText.visible = shown
        if shown:
            self.ui.logText.plainText = self.workbench.jobs.log() or _("Nothing was skipped and nothing was written.")


def _summary(run: ComparedRun | None, changes: list[Change], region: str) -> str:
    if run is None:
        return _("Nothing was refined yet. The result is a new model; your files stay as they are.")
    if not changes:
        words = _("No before and after of {region}: no other model, or no reference. <b>Worst cases</b> ranks it.")
        return words.format(region=region)
    better = sum(c.change > CLEARLY for c in changes)
    worse = sum(c.change < -CLEARLY for c in changes)
    known = [c for c in changes if c.isKnown]
    before, after = (sum(getattr(c, name) for c in known) / max(len(known), 1) for name in ("before", "after"))
    words = _("Mean Dice {region} <b>{before:.3f} → {after:.3f}</b>; {better} better, {worse} worse of {count} cases.")
    told = words.format(region=region, before=before, after=after, better=better, worse=worse, count=len(changes))
    return told + (" " + _("Before: {model}.").format(model=run.before) if run.before else "")


def _n(value: float) -> Cell:
    return Cell(tables.number(value, 3), isNumber=True)


def _changeCell(change: float) -> Cell:
    colour = colours.BETTER if change > CLEARLY else colours.BAD if change < -CLEARLY else ""
    text = tables.number(change, 3)
    return Cell(text if text.startswith("-") else f"+{text}", "", colour, isNumber=True)
