"""Where a person points and what the wheel does there; the tests of the module use it too."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication


def turn_wheel(pane, notches: int = 1, modifiers=Qt.NoModifier) -> None:
    """In the middle of a view."""
    middle = QPointF(pane.rect().center())
    turn = (QPoint(), QPoint(0, 120 * notches), Qt.NoButton, modifiers, Qt.NoScrollPhase, False)
    QApplication.sendEvent(pane, QWheelEvent(middle, pane.mapToGlobal(middle), *turn))


def place_in_chart(view, x: float, y: float) -> QPoint:
    """Where a point of a plot view's chart lies in the widget."""
    chart = view.chart()
    (left, bottom), (right, top) = chart.GetPoint1(), chart.GetPoint2()
    across, up = chart.GetAxis(1), chart.GetAxis(0)
    column = left + (x - across.GetMinimum()) / (across.GetMaximum() - across.GetMinimum()) * (right - left)
    row = bottom + (y - up.GetMinimum()) / (up.GetMaximum() - up.GetMinimum()) * (top - bottom)
    return QPoint(round(column), view.height() - 1 - round(row))
