"""The table of cases: ranked, sorted by any column, filtered as one types, several chosen; choosing one shows it."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape

import numpy as np
import qt
import slicer
from slicer.i18n import tr as _

from .. import files
from ..casecolumns import CaseColumns, Key
from ..casefilter import filtered
from ..casetable import CaseTable
from ..columnchooser import ColumnChooser
from ..failures import reported
from ..measures import measure
from ..panel import Panel, fillCombo, say
from ..stripplot import StripPlot
from ..tablecolumns import Chosen, tableColumns

COLUMNS_SETTING = "BraTSRefine/columns"
EXPORT_FILE = "cases.csv"


class WorstCasesPanel(Panel):
    name = "Worst cases"
    uiFile = "WorstCases.ui"

    def build(self) -> None:
        ui = self.ui
        self._metrics: list[str] = []
        self.columns = CaseColumns([])
        self._known: tuple = ()
        self._asked: tuple = ()
        self._isFitted = False
        self._problem = ""
        self._hearers: list[Callable[[], None]] = []
        self.strip = StripPlot()
        ui.stripPlace.layout().addWidget(self.strip)
        self.table = CaseTable(ui.casesTable, self.workbench.showCaseFromPanel, self._onChosen, self._show)
        self.chooser = ColumnChooser(ui.columnsButton, self._onColumns)
        kept = slicer.util.settingsValue(COLUMNS_SETTING, "")
        self.chooser.chosen = Chosen.read([word for word in str(kept).split("|") if word])
        ui.metricCombo.currentIndexChanged.connect(lambda index=0: self._onMetric())
        ui.filterEdit.textChanged.connect(lambda text="": self._show())
        self._whenSeen = _WhenSeen(ui.casesTable, self._fitColumns)
        ui.casesTable.installEventFilter(self._whenSeen)
        self._escape = _ClearOnEscape(ui.filterEdit)
        ui.filterEdit.installEventFilter(self._escape)
        ui.filterEdit.returnPressed.connect(lambda: ui.casesTable.setFocus())
        ui.exportButton.clicked.connect(lambda checked=False: self.export())

    @property
    def shownCases(self) -> list[str]:
        """The cases in the order in which they stand, which is the order of next and previous."""
        return self.table.shownCases

    @property
    def chosenCases(self) -> list[str]:
        """Those that somebody chose of them, more than one."""
        chosen = self.table.chosenCases
        return chosen if len(chosen) > 1 else []

    @property
    def walkedCases(self) -> list[str]:
        """Through which next and previous go: the chosen ones, else all that are shown."""
        return self.chosenCases or self.shownCases

    def whenListChanged(self, call: Callable[[], None]) -> None:
        """``call`` is told when other rows are shown or chosen."""
        self._hearers.append(call)

    def forgetChoices(self) -> None:
        """Another cohort: no filter, nothing chosen, the worst first."""
        self.table.sortBy(None)
        self.table.choose([])
        self.ui.filterEdit.text = ""
        self.ui.casesTable.setFocus()

    def refresh(self) -> None:
        self._fillMetrics()
        self._takeColumns()
        self._show()

    def showDecisions(self) -> None:
        """Somebody decided something: the column of decisions may be another."""
        if self._known and self._known[2] != self._decisions():
            self._takeColumns()
            self._show()

    def showSelected(self) -> None:
        """Mark the shown case in the table and in the strip."""
        self.table.mark(self.session.case)
        key = Key(self.session.metric, self.session.region)
        numbers = np.abs(self.columns.numbers(key))
        values = numbers[np.isfinite(numbers)].tolist()
        shown = self.session.case in self.shownCases
        value = float(numbers[self.columns.cases.index(self.session.case)]) if shown else math.nan
        self.ui.stripPlace.visible = bool(values)
        self.strip.plot(values, value if math.isfinite(value) else None, _top(key.name, values))

    def export(self) -> None:
        """Ask for a file and write what is chosen, or else shown, into it."""
        folder = self.session.workspace.root if self.session.workspace else ""
        title = _("Export the table of cases")
        path = files.askSavePath(self.widget, title, f"{folder}/{EXPORT_FILE}", _("Tables (*.csv)"))
        if path:
            self.exportTo(path)

    def exportTo(self, path: str) -> None:
        """Write the chosen rows, or all that are shown, as CSV."""
        chosen = set(self.chosenCases)
        rows = [row for row in self.table.rows if not chosen or self.columns.cases[row] in chosen]
        with reported(_("The table was not exported:"), self.workbench.tellFailure):
            count = files.writeCases(path, self.columns, self.table.keys, rows)
            self.workbench.tellStatus(_("{count} cases written to {path}").format(count=count, path=path))

    def _fillMetrics(self) -> None:
        self._metrics = self.session.metrics()
        words = [measure(metric).words for metric in self._metrics]
        fillCombo(self.ui.metricCombo, words, measure(self.session.metric).words)
        self.ui.metricCombo.enabled = len(words) > 1

    def _takeColumns(self) -> None:
        """The columns anew where the session shows other numbers or somebody chose other columns."""
        session, decisions = self.session, self._decisions()
        known = (session.rows(), session.scores, decisions)
        if len(self._known) != len(known) or any(a is not b for a, b in zip(self._known[:2], known[:2], strict=True)):
            self.columns = CaseColumns(*known[:2], session.model, session.region, decisions, session.how)
        elif self._known[2] != decisions:
            self.columns = self.columns.withDecisions(decisions)
        elif self._asked == (session.metric, self.chooser.chosen):
            return
        self._known, self._asked = known, (session.metric, self.chooser.chosen)
        self.table.setColumns(self.columns, tableColumns(self.columns, session.metric, self.chooser.chosen))
        self.chooser.offer(self.columns, self.chooser.chosen)
        self._isFitted = False

    def _decisions(self) -> dict[str, str]:
        """What the review decided, by case."""
        review = getattr(self.workbench, "review", None)
        return review.reviewing.decisions() if review is not None else {}

    def _show(self) -> None:
        """Filter, sort, and mark again."""
        text = self.ui.filterEdit.text.strip()
        found = filtered(self.columns, text)
        self._problem = found.problem[:1].upper() + found.problem[1:]
        self.ui.filterProblemLabel.toolTip = found.known
        kept = found.rows
        if not text and not self.columns.isUnpredicted.all():
            kept = ~self.columns.isUnpredicted
        self.table.show(kept)
        self._fitColumns()
        self.showSelected()
        self._tellState()
        self._tellHearers()

    def _fitColumns(self) -> None:
        """Once after each refill, when the table is seen: of a hidden one Qt would measure thousands of rows."""
        if self.ui.casesTable.visible and not self._isFitted:
            self.table.fitColumns()
            self._isFitted = True

    def _tellState(self) -> None:
        say(self.ui.filterProblemLabel, escape(self._problem))
        say(self.ui.worstStateLabel, self._state())
        count = len(self.chosenCases) or len(self.shownCases)
        self.ui.exportButton.enabled = bool(count)
        self.ui.exportButton.toolTip = self._exportTip(count)

    def _exportTip(self, count: int) -> str:
        if not count:
            return _("There is no case to export")
        which = _("chosen") if self.chosenCases else _("shown")
        words = _("Write the {count} {which} cases with these columns into a CSV file (Ctrl+E)")
        return words.format(count=count, which=which)

    def _onColumns(self, chosen: Chosen) -> None:
        slicer.app.userSettings().setValue(COLUMNS_SETTING, "|".join(chosen.words()))
        self._takeColumns()
        self._show()

    def _onMetric(self) -> None:
        index = self.ui.metricCombo.currentIndex
        if 0 <= index < len(self._metrics):
            self.table.sortBy(None)
            self.workbench.setMetric(self._metrics[index])

    def _onChosen(self) -> None:
        self._tellState()
        self._tellHearers()

    def _tellHearers(self) -> None:
        for call in self._hearers:
            call()

    def _state(self) -> str:
        session, shown = self.session, self.shownCases
        if not session.isOpen:
            return _("No cohort is open: Open… comes first.")
        if not session.models:
            return _("No prediction was found: choose a case to look at its images and its reference.")
        if not session.hasScores:
            return _("Not scored yet: <b>Open…</b>, then <b>Score</b>.")
        if self.ui.filterEdit.text and not shown:
            return _("No case holds this: <b>Esc</b> clears the filter.")
        if self.chosenCases:
            words = _("{count} of {all} cases chosen: N and P go through them, Export… writes them.")
            return words.format(count=len(self.chosenCases), all=len(shown))
        return f"{self._ranking()} {self._leftOut()}".strip()

    def _ranking(self) -> str:
        session, shown = self.session, self.table.rows
        versus = next((row.versus for row in self.columns.rows if row.versus), _("the reference"))
        words = (
            _("One case, by {metric} of {region}, against {versus}.")
            if len(shown) == 1
            else _("{count} cases, worst {metric} of {region} first, against {versus}.")
        )
        if len(shown) > 1 and self.table.sortedBy is not None:
            words = _("{count} cases, sorted by a column; {metric} of {region} against {versus}.")
        ranked = measure(session.metric).words
        told = words.format(count=len(shown), metric=ranked, region=session.region, versus=versus)
        how = self.columns.how.words(self.columns.convention(Key(session.metric, session.region)))
        return f"{told[:-1]}, {escape(how)}." if how else told

    def _leftOut(self) -> str:
        hidden = int(self.columns.isUnpredicted.sum())
        if not hidden or len(self.table.rows) == len(self.columns):
            return ""
        return _("{count} more have no prediction of this model; the filter finds them.").format(count=hidden)


class _ClearOnEscape(qt.QObject):
    """Esc empties a text field."""

    def __init__(self, edit) -> None:
        qt.QObject.__init__(self, edit)
        self._edit = edit

    def eventFilter(self, watched, event) -> bool:
        isEscape = event.type() == qt.QEvent.KeyPress and event.key() == qt.Qt.Key_Escape
        if isEscape and self._edit.text:
            self._edit.text = ""
            return True
        return False


class _WhenSeen(qt.QObject):
    """Calls when a widget is seen and has got its size."""

    def __init__(self, widget, call: Callable[[], None]) -> None:
        qt.QObject.__init__(self, widget)
        self._call = call

    def eventFilter(self, watched, event) -> bool:
        if event.type() == qt.QEvent.Show:
            qt.QTimer.singleShot(0, lambda: self._call())
        return False


def _top(metric: str, values: list[float]) -> float:
    """Where the strip ends: at 1, or behind the largest distance or volume."""
    return 1.0 if measure(metric).isShare else max(1.0, *values)
