"""The ranking of one model and region; choosing a row shows the case."""

from __future__ import annotations

import math

from slicer.i18n import tr as _

from .. import overview, tables
from ..panel import Cell, Panel, fillTable, say, selectRow
from ..stripplot import StripPlot
from ..tables import CaseRow

WORST_COLOUR = "#F2836B"
MIDDLE_COLOUR = "#F0C674"


class WorstCasesPanel(Panel):
    name = "Worst cases"
    uiFile = "WorstCases.ui"

    def build(self) -> None:
        self._sortedBy, self._descending = -1, False
        self._shown: list[CaseRow] = []
        self.strip = StripPlot()
        self.ui.stripPlace.layout().addWidget(self.strip)
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
        self._shown = self._sorted(self._filtered(self.session.rows()))
        short = overview.shortNames([row.case for row in self.session.rows()])
        self._columns = _columns(any(row.center for row in self._shown))
        worst, middle = tables.thirds(tables.spread(self.session.rows(), "dice"))
        rows = [[column.cell(row, short, worst, middle) for column in self._columns] for row in self._shown]
        fillTable(self.ui.casesTable, [column.heading for column in self._columns], rows)
        self.showSelected()
        say(self.ui.worstStateLabel, self._state())

    def showSelected(self) -> None:
        """Mark the shown case in the table and in the strip."""
        names = self.shownCases
        selectRow(self.ui.casesTable, names.index(self.session.case) if self.session.case in names else -1)
        values = tables.spread(self.session.rows(), "dice")
        chosen = next((row for row in self._shown if row.case == self.session.case), None)
        dice = chosen.values.get("dice", math.nan) if chosen else math.nan
        self.ui.stripPlace.visible = bool(values)
        self.strip.plot(values, dice if math.isfinite(dice) else None)

    def _filtered(self, rows: list[CaseRow]) -> list[CaseRow]:
        wanted = self.ui.filterEdit.text.strip().lower()
        if not wanted:
            return [row for row in rows if not row.isUnpredicted] or rows
        return [row for row in rows if wanted in f"{row.case} {row.center} {row.words}".lower()]

    def _sorted(self, rows: list[CaseRow]) -> list[CaseRow]:
        columns = _columns(any(row.center for row in rows))
        if not 0 <= self._sortedBy < len(columns):
            return rows
        known = [row for row in rows if columns[self._sortedBy].key(row) is not None]
        unknown = [row for row in rows if columns[self._sortedBy].key(row) is None]
        return sorted(known, key=columns[self._sortedBy].key, reverse=self._descending) + unknown

    def _onHeading(self, column: int) -> None:
        self._descending = column == self._sortedBy and not self._descending
        self._sortedBy = column
        self.refresh()

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
        words = _("{count} cases, worst Dice of {region} first, against {versus}.")
        words = words.format(count=len(self._shown), region=session.region, versus=versus)
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


def _columns(withCenter: bool) -> list[Column]:
    columns = [
        Column(
            _("Case"),
            lambda row: row.case,
            lambda row, short, *_t: Cell(overview.cutInside(short[row.case], 11), row.case),
        ),
        Column(_("Dice"), lambda row: _finite(row.values.get("dice")), _diceCell),
        Column(_("HD95\nmm"), lambda row: _finite(row.values.get("hd95_mm")), _distanceCell),
        Column(_("Size\nml"), lambda row: _finite(row.milliliters), _volumeCell),
        Column(
            _("Centre"), lambda row: row.center, lambda row, *_t: Cell(overview.cutInside(row.center, 8), row.center)
        ),
        Column(_("What is wrong"), lambda row: row.words, lambda row, *_t: Cell(row.words, colour=_errorColour(row))),
    ]
    return columns if withCenter else [column for column in columns if column.heading != _("Centre")]


def _finite(value) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _distanceCell(row: CaseRow, *_thirds) -> Cell:
    text = tables.number(row.values.get("hd95_mm", math.nan), 1)
    return Cell(text, row.tipOf(text), isNumber=True)


def _diceCell(row: CaseRow, short, worst: float, middle: float) -> Cell:
    value = row.values.get("dice", math.nan)
    colour = WORST_COLOUR if value <= worst else MIDDLE_COLOUR if value <= middle else ""
    text = tables.number(value) + ("*" if row.versus else "")
    return Cell(text, row.tipOf(text), colour, isNumber=True)


def _volumeCell(row: CaseRow, *_thirds) -> Cell:
    text = tables.milliliters(row.milliliters)
    return Cell(text, _("{text} ml in the {versus}").format(text=text, versus=row.versus or _("reference")), "", True)


def _errorColour(row: CaseRow) -> str:
    return WORST_COLOUR if row.isBroken else ""
