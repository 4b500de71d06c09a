"""A table of thousands of rows: a model makes only the cells that are seen, and one row changes without the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import qt

from .panel import Cell

VISIBLE_ROWS = 60


class RowsModel(qt.QAbstractTableModel):
    """Rows of any kind; ``cellsOf`` makes the cells of one when it is looked at."""

    def __init__(self, parent, cellsOf: Callable[[object], Sequence[Cell]]) -> None:
        qt.QAbstractTableModel.__init__(self, parent)
        self._cellsOf = cellsOf
        self._headings: list[str] = []
        self._tips: list[str] = []
        self._rows: list = []
        self._made: dict[int, Sequence[Cell]] = {}

    @property
    def rows(self) -> list:
        return self._rows

    def setRows(self, headings: Sequence[str], rows: Sequence, tips: Sequence[str] = ()) -> None:
        """Replace everything; ``tips`` is what the headings say on hover."""
        self.beginResetModel()
        self._headings, self._rows, self._made, self._tips = list(headings), list(rows), {}, list(tips)
        self.endResetModel()

    def setRow(self, number: int, row) -> None:
        """Replace one row."""
        self._rows[number] = row
        self.changed(number)

    def changed(self, first: int, last: int | None = None) -> None:
        """The cells of a row, or of those up to another, look different now; both are told at once."""
        last = first if last is None else last
        for number in [number for number in self._made if first <= number <= last]:
            del self._made[number]
        self.dataChanged.emit(self.index(first, 0), self.index(last, len(self._headings) - 1))

    def rowCount(self, parent=None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent=None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._headings)

    def headerData(self, section, orientation, role=qt.Qt.DisplayRole):
        if role == qt.Qt.DisplayRole and orientation == qt.Qt.Horizontal and section < len(self._headings):
            return self._headings[section]
        if role == qt.Qt.ToolTipRole and orientation == qt.Qt.Horizontal and section < len(self._tips):
            return self._tips[section]
        return None

    def data(self, index, role=qt.Qt.DisplayRole):
        if not index.isValid():
            return None
        cell = self._cell(index.row(), index.column())
        if role == qt.Qt.DisplayRole:
            return cell.text
        if role == qt.Qt.ToolTipRole:
            return cell.tip or cell.text
        return self._look(cell, role)

    def _look(self, cell: Cell, role):
        if role == qt.Qt.ForegroundRole and cell.colour:
            return qt.QBrush(qt.QColor(cell.colour))
        if role == qt.Qt.BackgroundRole and cell.ground:
            return qt.QBrush(qt.QColor(cell.ground))
        if role == qt.Qt.TextAlignmentRole and cell.isNumber:
            return qt.Qt.AlignRight | qt.Qt.AlignVCenter
        return None

    def _cell(self, row: int, column: int) -> Cell:
        if row not in self._made:
            self._made[row] = self._cellsOf(self._rows[row])
        return self._made[row][column]


class RowTable:
    """A QTableView with such a model. ``onChosen`` hears of the row that a person chose, not of what is marked."""

    def __init__(self, view, cellsOf: Callable[[object], Sequence[Cell]], onChosen: Callable[[int], None]) -> None:
        self.view = view
        self.model = RowsModel(view, cellsOf)
        self._onChosen = onChosen
        self._isMarking = False
        view.setModel(self.model)
        view.horizontalHeader().setResizeContentsPrecision(VISIBLE_ROWS)
        view.selectionModel().selectionChanged.connect(lambda selected=None, deselected=None: self._onSelection())

    @property
    def rows(self) -> list:
        return self.model.rows

    def fill(self, headings: Sequence[str], rows: Sequence, widths: Sequence[int]) -> None:
        """Replace everything; a column of width 0 takes what the others leave."""
        self._isMarking = True
        try:
            self.model.setRows(headings, rows)
            header = self.view.horizontalHeader()
            for column, width in enumerate(widths):
                header.setSectionResizeMode(column, qt.QHeaderView.Interactive if width else qt.QHeaderView.Stretch)
                if width:
                    header.resizeSection(column, width)
        finally:
            self._isMarking = False

    def mark(self, row: int) -> None:
        """Show a row as the chosen one, or none where it is negative."""
        self._isMarking = True
        try:
            if row < 0:
                self.view.clearSelection()
                self.view.selectionModel().clearCurrentIndex()
            else:
                self.view.selectRow(row)
                self.view.scrollTo(self.model.index(row, 0))
        finally:
            self._isMarking = False

    def _onSelection(self) -> None:
        """A table that gets the focus has a current row at once, but chooses none."""
        rows = [] if self._isMarking else list(self.view.selectionModel().selectedRows())
        if rows:
            self._onChosen(rows[0].row())
