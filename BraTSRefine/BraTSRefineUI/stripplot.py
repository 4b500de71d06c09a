"""Where the selected case lies in the cohort: a dot a case along one metric."""

from __future__ import annotations

from collections.abc import Sequence

import qt

from . import colours

MARGIN = 26
RADIUS = 4
MANY = 400


class StripPlot(qt.QWidget):
    """Dots between 0 and the top of the scale; the selected one is filled in the prediction's colour."""

    def __init__(self, parent=None) -> None:
        qt.QWidget.__init__(self, parent)
        self._values: Sequence[float] = ()
        self._selected: float | None = None
        self._top = 1.0

    def plot(self, values: Sequence[float], selected: float | None, top: float = 1.0) -> None:
        """Many values are thinned to as many as can be told apart."""
        many = len(values) > MANY
        self._values = sorted({round(value / top * MANY) / MANY * top for value in values}) if many else values
        self._selected, self._top = selected, top
        self.update()

    def paintEvent(self, event) -> None:
        painter = qt.QPainter(self)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        middle = self.height // 2 - 6
        self._axis(painter, middle)
        self._dots(painter, middle)
        painter.end()

    def _axis(self, painter, middle: int) -> None:
        pen = qt.QPen(self.palette.color(qt.QPalette.Disabled, qt.QPalette.Text))
        painter.setPen(pen)
        painter.drawLine(MARGIN, middle, self.width - MARGIN, middle)
        for value in (0.0, self._top / 2, self._top):
            x = round(self._x(value))
            painter.drawLine(x, middle - 3, x, middle + 3)
            text = f"{value:.1f}" if self._top < 10 else f"{value:.0f}"
            painter.drawText(qt.QRect(x - 25, middle + 5, 50, 16), int(qt.Qt.AlignHCenter), text)

    def _dots(self, painter, middle: int) -> None:
        quiet = qt.QColor(colours.REFERENCE)
        quiet.setAlpha(110)
        painter.setPen(qt.QPen(qt.Qt.NoPen))
        painter.setBrush(qt.QBrush(quiet))
        for value in self._values:
            painter.drawEllipse(qt.QPointF(self._x(value), middle), RADIUS, RADIUS)
        if self._selected is not None:
            painter.setBrush(qt.QBrush(qt.QColor(colours.PREDICTION)))
            painter.drawEllipse(qt.QPointF(self._x(self._selected), middle), RADIUS + 2, RADIUS + 2)

    def _x(self, value: float) -> float:
        return MARGIN + (self.width - 2 * MARGIN) * min(max(value / self._top, 0.0), 1.0)
