"""The ranking of one model and region; choosing a row shows the case."""

from __future__ import annotations

import math

from slicer.i18n import tr as _

from .. import colours, overview, tables
from ..measures import DICE, HD95, measure
from ..panel import Cell, Panel, fillCombo, fillTable, say, selectRow
from ..stripplot import StripPlot
from ..tables import CaseRow


class WorstCasesPanel(Panel):
    name = "Worst cases"
    uiFile = "WorstCases.ui"

    def build(self) -> None:
        self._sortedBy, self._descending = -1, False
        self._shown: list[CaseRow] = []
        self._metrics: list[str] = []
        self.strip = StripPlot()
        self.ui.stripPlace.layout().addWidget(self.strip)
        self.ui.metricCombo.currentIndexChanged.connect(lambda index=0: self._onMetric())
        self.ui.filterEdit.textChanged.connect(lambda text="": self.refresh())
        self.ui.filterEdit.returnPressed.connect(lambda: self.ui.casesTable.setFocus())
        self.ui.casesTable.itemSelectionChanged.connect(self._onRow)
        self.ui.casesTable.horizontalHeader().sectionClicked.connect(self._onHeading)

    @property
    def shownCases(self) -> list[str]:
        """The cases in the order in which they stand, which is the order of next and previous."""
        return [row.case for row in self._shown]

    def forgetChoices(self) -> None:
        """Another cohort: no filter, the worst first."""
        self._sortedBy, self._descending = -1, False
        self.ui.filterEdit.text = ""
        self.ui.casesTable.setFocus()

    def refresh(self) -> None:
        session = self.session
        self._fillMetrics()
        self._shown = self._sorted(self._filtered(session.rows()))
        short = overview.shortNames([row.case for row in session.rows()])
        self._columns = _columns(session.metric, any(row.center for row in self._shown))
        known = measure(session.metric)
        worst, middle = tables.thirds([known.goodness(v) for v in tables.spread(session.rows(), session.metric)])
        rows = [[column.cell(row, short, worst, middle) for column in self._columns] for row in self._shown]
        fillTable(self.ui.casesTable, [column.heading for column in self._columns], rows)
        self.showSelected()
        say(self.ui.worstStateLabel, self._state())

    def _fillMetrics(self) -> None:
        self._metrics = self.session.metrics()
        words = [measure(metric).words for metric in self._metrics]
        fillCombo(self.ui.metricCombo, words, measure(self.session.metric).words)
        self.ui.metricCombo.enabled = len(words) > 1

    def showSelected(self) -> None:
        """Mark the shown case in the table and in the strip."""
        names = self.shownCases
        selectRow(self.ui.casesTable, names.index(self.session.case) if self.session.case in names else -1)
        metric = self.session.metric
        values = [abs(value) for value in tables.spread(self.session.rows(), metric)]
        chosen = next((row for row in self._shown if row.case == self.session.case), None)
        value = abs(chosen.values.get(metric, math.nan)) if chosen else math.nan
        self.ui.stripPlace.visible = bool(values)
        self.strip.plot(values, value if math.isfinite(value) else None, _top(metric, values))

    def _filtered(self, rows: list[CaseRow]) -> list[CaseRow]:
        wanted = self.ui.filterEdit.text.strip().lower()
        if not wanted:
            return [row for row in rows if not row.isUnpredicted] or rows
        return [row for row in rows if wanted in f"{row.case} {row.center} {row.words}".lower()]

    def _sorted(self, rows: list[CaseRow]) -> list[CaseRow]:
        columns = _columns(self.session.metric, any(row.center for row in rows))
        if not 0 <= self._sortedBy < len(columns):
            return rows
        known = [row for row in rows if columns[self._sortedBy].key(row) is not None]
        unknown = [row for row in rows if columns[self._sortedBy].key(row) is None]
        return sorted(known, key=columns[self._sortedBy].key, reverse=self._descending) + unknown

    def _onHeading(self, column: int) -> None:
        self._descending = column == self._sortedBy and not self._descending
        self._sortedBy = column
        self.refresh()

    def _onMetric(self) -> None:
        index = self.ui.metricCombo.currentIndex
        if 0 <= index < len(self._metrics):
            self._sortedBy, self._descending = -1, False
            self.workbench.setMetric(self._metrics[index])

    def _onRow(self) -> None:
        row = self.ui.casesTable.currentRow()
        if 0 <= row < len(self._shown):
            self.workbench.showCaseFromPanel(self._shown[row].case)

    def _state(self) -> str:
        session = self.session
        if not session.isOpen:
            return _("No cohort is open.")
        if not session.models:
            return _("No prediction was found: choose a case to look at its images and its reference.")
        if not session.hasScores:
            return _("Not scored yet: <b>Open…</b>, then <b>Score</b>.")
        if self.ui.filterEdit.text and not self._shown:
            return _("No case contains this.")
        versus = next((row.versus for row in self._shown if row.versus), _("the reference"))
        one = len(self._shown) == 1
        words = (
            _("One case, by {metric} of {region}, against {versus}.")
            if one
            else _("{count} cases, worst {metric} of {region} first, against {versus}.")
        )
        ranked = measure(session.metric).words
        words = words.format(count=len(self._shown), metric=ranked, region=session.region, versus=versus)
        return f"{words} {self._leftOut()}".strip()

    def _leftOut(self) -> str:
        hidden = sum(row.isUnpredicted for row in self.session.rows())
        if not hidden or len(self._shown) == len(self.session.rows()):
            return ""
        return _("{count} more have no prediction of this model; the filter finds them.").format(count=hidden)


class Column:
    """A column of the ranking: its heading, the key to sort by, the cell."""

    def __init__(self, heading: str, key, cell) -> None:
        self.heading, self.key, self.cell = heading, key, cell


def _columns(metric: str, withCenter: bool) -> list[Column]:
    """Case, the metric, Dice or (beside Dice) HD95, size, centre, words."""
    columns = [
        Column(
            _("Case"),
            lambda row: row.case,
            lambda row, short, *_t: Cell(overview.cutInside(short[row.case], 11), row.case),
        ),
        _metricColumn(metric, isTinted=True),
        _metricColumn(HD95 if metric == DICE else DICE),
        Column(_("Size\nml"), lambda row: _finite(row.milliliters), _volumeCell),
        Column(
            _("Centre"), lambda row: row.center, lambda row, *_t: Cell(overview.cutInside(row.center, 8), row.center)
        ),
        Column(_("What is wrong"), lambda row: row.words, lambda row, *_t: Cell(row.words, colour=_errorColour(row))),
    ]
    return columns if withCenter else [column for column in columns if column.heading != _("Centre")]


def _finite(value) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _metricColumn(metric: str, isTinted: bool = False) -> Column:
    """The numbers of one metric; the worst third and the middle one tinted where it is the one ranked by."""
    known = measure(metric)

    def cell(row: CaseRow, short, worst: float, middle: float) -> Cell:
        value = row.values.get(metric, math.nan)
        good = known.goodness(value)
        colour = colours.BAD if good <= worst else colours.DOUBTFUL if good <= middle else ""
        text = tables.number(value, known.decimals) + ("*" if row.versus and metric == DICE else "")
        return Cell(text, row.tipOf(text), colour if isTinted else "", isNumber=True)

    return Column(_(known.heading), lambda row: _finite(row.values.get(metric)), cell)


def _top(metric: str, values: list[float]) -> float:
    """Where the strip ends: at 1, or behind the largest distance or volume."""
    return 1.0 if measure(metric).isShare else max(1.0, *values)


def _volumeCell(row: CaseRow, *_thirds) -> Cell:
    text = tables.milliliters(row.milliliters)
    return Cell(text, _("{text} ml in the {versus}").format(text=text, versus=row.versus or _("reference")), "", True)


def _errorColour(row: CaseRow) -> str:
    return colours.BAD if row.isBroken else ""
