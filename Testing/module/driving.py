"""The module driven as a person drives it: clicks, keys, choices, patience."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

LONG_ENOUGH_S = 120


def click(button) -> None:
    QTest.mouseClick(button, Qt.LeftButton)


def press(host, key, modifiers=Qt.NoModifier) -> None:
    host.window.activateWindow()
    host.settle(50)
    QTest.keyClick(host.window.windowHandle(), key, modifiers)
    host.settle()


def wait_until(host, condition) -> None:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < LONG_ENOUGH_S, "it did not happen in time"
        host.settle(50)


def click_row(table, row: int, modifiers=Qt.NoModifier) -> None:
    """Of a table with a model or with items."""
    QTest.mouseClick(table.viewport(), Qt.LeftButton, modifiers, place_of_row(table, row))


def place_of_row(table, row: int):
    return table.visualRect(table.model().index(row, 0)).center()


def cells(view, column: int, role=Qt.DisplayRole) -> list:
    """What a column of a table says, from the first row to the last."""
    model = view.model()
    return [model.data(model.index(row, column), role) for row in range(model.rowCount())]


def refine_step(host, step: str):
    """The Refine tab with one of its steps in front, as its button brings it there."""
    host.widget.showPanel("Refine")
    refine = host.widget.workbench.panelNamed("Refine")
    click(getattr(refine.ui, f"{step}StepButton"))
    return refine
