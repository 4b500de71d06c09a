"""What every panel is made of: its .ui file, tables that are filled in one go, and words for its state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import qt
import slicer

WIDEST_COLUMN = 112
ROW_AIR = 6


@dataclass(frozen=True)
class Cell:
    """One cell of a table: its text, what it says on hover, its colour, whether it is a number, its ground."""

    text: str
    tip: str = ""
    colour: str = ""
    isNumber: bool = False
    ground: str = ""


class Panel:
    """A tab. It asks the workbench's session what to show and tells the workbench what was pressed."""

    name = ""
    uiFile = ""

    def __init__(self, workbench) -> None:
        self.workbench = workbench
        self.widget = slicer.util.loadUI(workbench.resourcePath(f"UI/{self.uiFile}"))
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self.build()

    @property
    def session(self):
        return self.workbench.session

    def build(self) -> None:
        """Connect the widgets once."""

    def refresh(self) -> None:
        """Show what the session knows now."""

    def showSelected(self) -> None:
        """Mark what is looked at now, where the panel lists it."""

    def stepCase(self, step: int) -> None:
        """Go on in the list that leads while this panel is in front: that of the worst cases."""
        self.workbench.showCaseFromPanel(self._caseAfter(step))

    def neighbours(self) -> list[str]:
        """The cases to which ``stepCase`` will probably lead: the next one, then the previous one."""
        return [self._caseAfter(1), self._caseAfter(-1)]

    def _caseAfter(self, step: int) -> str:
        bench = self.workbench
        return self.session.neighbour(bench.worstCases.walkedCases, step, bench.reading.currentCase)

    def stepFlag(self, step: int) -> None:
        """Go on among the flags that this panel steps through: those of the chosen region."""
        self.workbench.lookAtFlag(self.session.stepFlag(step))

    def flagCount(self) -> int:
        return len(self.session.flags())

    def showRecords(self) -> None:
        """Somebody decided, marked or corrected something."""

    def showJob(self) -> None:
        """The running job said something."""

    def showCase(self) -> None:
        """Another case is shown, the tables are the same."""
        self.showSelected()


def painted(words: str, colour: str) -> str:
    """Words in a colour, for a label of rich text."""
    return f'<span style="color:{colour}">{escape(words)}</span>'


def say(label, words: str) -> None:
    """Words in a label that takes no room when there are none."""
    label.text = words
    label.visible = bool(words)


def fillTable(table, headings: Sequence[str], rows: Sequence[Sequence[Cell]], stretched: int = -1) -> None:
    """Replace a table's content. Columns are as wide as what they hold, the ``stretched`` one takes the rest.

    None of the others takes more than WIDEST_COLUMN pixels.
    """
    table.blockSignals(True)
    try:
        table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.Interactive)  # else each cell measures them all
        table.clearContents()
        table.columnCount, table.rowCount = len(headings), len(rows)
        table.setHorizontalHeaderLabels(list(headings))
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                table.setItem(row, column, _item(cell))
        _fitColumns(table, stretched % len(headings))
    finally:
        table.blockSignals(False)


def _item(cell: Cell):
    item = qt.QTableWidgetItem(cell.text)
    item.setToolTip(cell.tip or cell.text)
    if cell.colour:
        item.setForeground(qt.QBrush(qt.QColor(cell.colour)))
    if cell.isNumber:
        item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
    return item


def _fitColumns(table, stretched: int) -> None:
    """Columns as wide as what they hold now and no wider than leaves room for the stretched one."""
    header = table.horizontalHeader()
    table.resizeColumnsToContents()
    for column in range(table.columnCount):
        header.resizeSection(column, min(header.sectionSize(column), WIDEST_COLUMN))
    header.setSectionResizeMode(stretched, qt.QHeaderView.Stretch)


def keepRowsFitted(table) -> None:
    """Fit the rows again once a column has got another width, as when a scroll bar comes or goes.

    A column that tells of its new width still has the old one, hence the timer; it goes with the table.
    """
    timer = qt.QTimer(table)
    timer.interval = 0

    def fit() -> None:
        timer.stop()
        fitRows(table)

    timer.timeout.connect(fit)
    table.horizontalHeader().sectionResized.connect(lambda column=0, old=0, new=0: timer.start())


def fitRows(table) -> None:
    """Rows as high as their wrapped words and some air, of which Qt's own measure has none."""
    table.resizeRowsToContents()
    for row in range(table.rowCount):
        table.setRowHeight(row, table.rowHeight(row) + ROW_AIR)


def selectRow(table, row: int) -> None:
    """Mark a row without telling anybody; none where ``row`` is negative."""
    table.blockSignals(True)
    try:
        if row < 0:
            table.clearSelection()
        else:
            table.selectRow(row)
            table.scrollToItem(table.item(row, 0))
    finally:
        table.blockSignals(False)


def fillCombo(combo, texts: Sequence[str], chosen: str) -> None:
    """Replace a combo box's texts and choose one without telling anybody."""
    combo.blockSignals(True)
    try:
        combo.clear()
        for text in texts:
            combo.addItem(text)
        combo.currentIndex = list(texts).index(chosen) if chosen in texts else -1 if not texts else 0
    finally:
        combo.blockSignals(False)
