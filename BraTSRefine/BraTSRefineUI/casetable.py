"""The table of cases: thousands of rows, sorted by any column, several chosen at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

import numpy as np
import qt

from .casecolumns import PATTERN, CaseColumns, Key
from .panel import WIDEST_COLUMN
from .rowtable import RowsModel
from .tablecolumns import TableColumn

NARROWEST_WORDS = 90
SORTED_BOTH_WAYS = {False: qt.Qt.AscendingOrder, True: qt.Qt.DescendingOrder}


class CaseTable:
    """A QTableView of cases. ``onCase`` hears of the one row that a person chose, ``onChosen`` of any change.

    ``onSorted`` is to show the rows again after somebody pressed a heading.

    ``rows`` are the numbers of the rows of the ``CaseColumns`` that are shown, in their order; ``shownCases`` their
    cases.
    """

    def __init__(
        self, view, onCase: Callable[[str], None], onChosen: Callable[[], None], onSorted: Callable[[], None]
    ) -> None:
        self.view = view
        self.rows: list[int] = []
        self.shownCases: list[str] = []
        self.sortedBy: Key | None = None
        self.isDescending = False
        self._onCase, self._onChosen, self._onSorted = onCase, onChosen, onSorted
        self._columns = CaseColumns([])
        self._shown: list[TableColumn] = []
        self._chosen: set[str] = set()
        self._marked = ""
        self._isMarking = False
        self._model = RowsModel(view, self._cells)
        view.setModel(self._model)
        header = view.horizontalHeader()
        header.setResizeContentsPrecision(0)
        header.sectionClicked.connect(self._onHeading)
        self._selection = view.selectionModel()
        self._selection.selectionChanged.connect(lambda *_: self._onSelection())

    @property
    def chosenCases(self) -> list[str]:
        """The cases whose rows are chosen, in the order in which they stand."""
        return [case for case in self.shownCases if case in self._chosen] if self._chosen else []

    @property
    def keys(self) -> list[Key]:
        return [column.key for column in self._shown]

    def setColumns(self, columns: CaseColumns, shown: Sequence[TableColumn]) -> None:
        """Other numbers or other columns; ``show`` follows."""
        self._columns, self._shown = columns, list(shown)
        self._chosen &= set(columns.cases)
        if self.sortedBy not in self.keys:
            self.sortBy(None)

    def sortBy(self, key: Key | None, isDescending: bool = False) -> None:
        """By a column, or (None) in the order in which the rows came."""
        self.sortedBy, self.isDescending = key, isDescending

    def show(self, isKept: np.ndarray) -> None:
        """Show the rows that are kept, sorted; what was chosen and is still there stays chosen."""
        order = np.arange(len(self._columns))
        if self.sortedBy is not None:
            order = self._columns.order(self.sortedBy, self.isDescending)
        self.rows = order[isKept[order]].tolist()
        self.shownCases = [self._columns.cases[row] for row in self.rows]
        self._isMarking = True
        try:
            self._model.setRows([column.heading for column in self._shown], self.rows, [c.tip for c in self._shown])
            self._showOrder()
            self._choose(self._chosen)
        finally:
            self._isMarking = False

    def mark(self, case: str) -> None:
        """Show a case as the one that is looked at.

        Several that are chosen stay chosen until another case is looked at that is none of them.
        """
        isAnother, self._marked = case != self._marked, case
        row = self.shownCases.index(case) if case in self.shownCases else -1
        self._isMarking = True
        try:
            if len(self._chosen) < 2 or (isAnother and case not in self._chosen):
                self._chosen = {case} if row >= 0 else set()
                self._choose(self._chosen)
            if row >= 0:
                index = self._model.index(row, 0)
                self._selection.setCurrentIndex(index, qt.QItemSelectionModel.NoUpdate)
                self.view.scrollTo(index)
        finally:
            self._isMarking = False

    def choose(self, cases: Sequence[str]) -> None:
        """Choose these rows, as somebody would with Ctrl."""
        self._chosen = set(cases) & set(self.shownCases)
        self._isMarking = True
        try:
            self._choose(self._chosen)
        finally:
            self._isMarking = False
        self._onChosen()

    def fitColumns(self) -> None:
        """Columns as wide as what is seen of them; the words take the rest, or the table scrolls sideways."""
        header, count = self.view.horizontalHeader(), len(self._shown)
        header.setSectionResizeMode(qt.QHeaderView.Interactive)
        self.view.resizeColumnsToContents()
        for column in range(count):
            header.resizeSection(column, min(header.sectionSize(column), WIDEST_COLUMN))
        widths = [header.sectionSize(column) for column in range(count)]
        last = count - 1
        if last >= 0 and self._shown[last].key.name == PATTERN:
            doesFit = sum(widths[:last]) + NARROWEST_WORDS <= self.view.viewport().width
            header.setSectionResizeMode(last, qt.QHeaderView.Stretch if doesFit else qt.QHeaderView.Interactive)

    def _cells(self, row: int) -> list:
        return [column.cell(row) for column in self._shown]

    def _choose(self, cases: set[str]) -> None:
        """Choose rows, a run of neighbours at a time."""
        selection = qt.QItemSelection()
        rows = [row for row, case in enumerate(self.shownCases) if case in cases]
        for _start, run in groupby(enumerate(rows), lambda pair: pair[1] - pair[0]):
            numbers = [row for _place, row in run]
            selection.select(self._model.index(numbers[0], 0), self._model.index(numbers[-1], len(self._shown) - 1))
        self._selection.select(selection, qt.QItemSelectionModel.ClearAndSelect)

    def _showOrder(self) -> None:
        header = self.view.horizontalHeader()
        header.setSortIndicatorShown(self.sortedBy is not None)
        if self.sortedBy is not None:
            header.setSortIndicator(self.keys.index(self.sortedBy), SORTED_BOTH_WAYS[self.isDescending])

    def _onHeading(self, column: int) -> None:
        key = self._shown[column].key
        self.sortBy(key, key == self.sortedBy and not self.isDescending)
        self._onSorted()

    def _onSelection(self) -> None:
        if self._isMarking:
            return
        rows = [index.row() for index in list(self._selection.selectedRows(0))]
        self._chosen = {self._columns.cases[self.rows[row]] for row in rows}
        self._onChosen()
        if len(rows) == 1:
            self._onCase(self._columns.cases[self.rows[rows[0]]])
