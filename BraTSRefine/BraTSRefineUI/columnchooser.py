"""The menu in which a person ticks the columns of the table: every metric of every region, ranks, and what is known."""

from __future__ import annotations

from collections.abc import Callable

import qt
from slicer.i18n import tr as _

from .casecolumns import CENTER, DECISION, MEAN_RANK, PATTERN, RANK_SUM, SIZE, CaseColumns, Key
from .measures import measure
from .tablecolumns import Chosen, wordsOf

MOST_HEIGHT = 420
ROOM_FOR_SCROLL_BAR = 24


class ColumnChooser:
    """Fills a tool button's menu when it opens; ``onChosen`` hears of every tick at once."""

    def __init__(self, button, onChosen: Callable[[Chosen], None]) -> None:
        self._onChosen = onChosen
        self._columns, self.chosen = CaseColumns([]), Chosen()
        self._menu = qt.QMenu(button)
        self._scroll = qt.QScrollArea()
        self._scroll.widgetResizable = True
        self._scroll.frameShape = qt.QFrame.NoFrame
        self._action = qt.QWidgetAction(self._menu)
        self._action.setDefaultWidget(self._scroll)
        self._menu.addAction(self._action)
        self._menu.aboutToShow.connect(lambda: self.fill())
        button.setMenu(self._menu)

    def offer(self, columns: CaseColumns, chosen: Chosen) -> None:
        """What can be ticked, and what is."""
        self._columns, self.chosen = columns, chosen

    def fill(self) -> None:
        """Make the ticks anew."""
        content = qt.QWidget()
        grid = qt.QGridLayout(content)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        self._boxes: list = []
        row = self._fillOptional(grid)
        row = self._fillMetrics(grid, row)
        button = qt.QPushButton(_("As at the beginning"))
        button.toolTip = _("The ranked metric, Dice or HD95, size, centre, decision, what is wrong")
        button.clicked.connect(lambda checked=False: self._reset())
        grid.addWidget(button, row, 0, 1, -1)
        self._boxes.append(button)
        self._scroll.setWidget(content)
        size = content.sizeHint
        self._scroll.minimumWidth = size.width() + ROOM_FOR_SCROLL_BAR
        self._scroll.minimumHeight = min(size.height() + 4, MOST_HEIGHT)

    def _fillOptional(self, grid) -> int:
        """What belongs to no region: a tick each, two in a row."""
        words = {SIZE: _("Size"), CENTER: _("Centre"), DECISION: _("Decision"), PATTERN: _("What is wrong")}
        boxes = [
            self._box(
                *(name, text, name not in self.chosen.leftOut),
                lambda on, name=name: self._tell(self.chosen.toggled(name, on)),
            )
            for name, text in words.items()
        ]
        boxes += [self._keyBox(Key(MEAN_RANK), _("Mean rank")), self._keyBox(Key(RANK_SUM), _("Rank sum"))]
        for place, box in enumerate(boxes):
            grid.addWidget(box, place // 2, place % 2, 1, -1 if place % 2 else 1, qt.Qt.AlignLeft)
        return len(boxes) // 2

    def _fillMetrics(self, grid, row: int) -> int:
        """A row a metric, a column a region."""
        regions = self._columns.regions()
        for place, region in enumerate(regions):
            grid.addWidget(qt.QLabel(region), row, place + 1, 1, 1, qt.Qt.AlignHCenter)
        for metric in self._columns.metrics():
            row += 1
            words = _("size in the reference") if metric == SIZE else measure(metric).words
            grid.addWidget(qt.QLabel(words), row, 0)
            for place, region in enumerate(regions):
                grid.addWidget(self._keyBox(Key(metric, region), ""), row, place + 1, 1, 1, qt.Qt.AlignHCenter)
        return row + 1

    def _keyBox(self, key: Key, text: str):
        def change(on: bool) -> None:
            self._tell(self.chosen.having(key) if on else self.chosen.without(key))

        box = self._box(str(key), text, key in self.chosen.added, change)
        box.toolTip = wordsOf(key)
        return box

    def _box(self, name: str, text: str, isTicked: bool, change: Callable[[bool], None]):
        box = qt.QCheckBox(text)
        box.objectName = f"column {name}"
        box.checked = isTicked
        box.toggled.connect(lambda on=True: change(on))
        self._boxes.append(box)
        return box

    def _reset(self) -> None:
        self._tell(Chosen())
        self._menu.hide()

    def _tell(self, chosen: Chosen) -> None:
        self.chosen = chosen
        self._onChosen(chosen)
