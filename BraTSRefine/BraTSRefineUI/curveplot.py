"""Curves in a square: shares against shares, a colour a curve."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import qt

LEFT, RIGHT, TOP, BOTTOM = 44, 8, 18, 22
LINE_WIDTH = 2


class CurvePlot(qt.QWidget):
    """Curves of points between 0 and 1 along x and 0 and ``top`` along y, with a title and words below."""

    def __init__(self, title: str, words: str, hasDiagonal: bool = False, parent=None) -> None:
        qt.QWidget.__init__(self, parent)
        self._title, self._words, self._hasDiagonal = title, words, hasDiagonal
        self._curves: Sequence[tuple[str, Sequence[tuple[float, float]]]] = ()
        self._top = 1.0

    def plot(self, curves: Sequence[tuple[str, Sequence[tuple[float, float]]]], top: float = 1.0) -> None:
        """Pairs of a colour and the points of its curve."""
        self._curves, self._top = curves, top or 1.0
        self.update()

    def paintEvent(self, event) -> None:
        painter = qt.QPainter(self)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        self._frame(painter)
        for colour, points in self._curves:
            pen = qt.QPen(qt.QColor(colour))
            pen.setWidth(LINE_WIDTH)
            painter.setPen(pen)
            self._line(painter, points)
        painter.end()

    def _frame(self, painter) -> None:
        quiet = self.palette.color(qt.QPalette.Disabled, qt.QPalette.Text)
        painter.setPen(qt.QPen(quiet))
        left, right, top, bottom = LEFT, self.width - RIGHT, TOP, self.height - BOTTOM
        painter.drawRect(left, top, right - left, bottom - top)
        if self._hasDiagonal:
            self._line(painter, ((0.0, 0.0), (1.0, self._top)))
        painter.setPen(qt.QPen(self.palette.color(qt.QPalette.WindowText)))
        self._write(painter, qt.QRect(0, 0, self.width, TOP), self._title, qt.Qt.AlignHCenter)
        self._write(painter, qt.QRect(0, top - 4, LEFT - 4, 16), f"{self._top:.2g}", qt.Qt.AlignRight)
        self._write(painter, qt.QRect(0, bottom - 12, LEFT - 4, 16), "0", qt.Qt.AlignRight)
        below = qt.QRect(left, bottom + 2, right - left, BOTTOM - 4)
        self._write(painter, below, "0", qt.Qt.AlignLeft)
        self._write(painter, below, self._words, qt.Qt.AlignHCenter)
        self._write(painter, below, "1", qt.Qt.AlignRight)

    def _write(self, painter, place, words: str, alignment) -> None:
        painter.drawText(place, int(alignment), words)

    def _line(self, painter, points: Sequence[tuple[float, float]]) -> None:
        places = [self._place(*point) for point in points]
        for (x, y), (nextX, nextY) in pairwise(places):
            painter.drawLine(x, y, nextX, nextY)

    def _place(self, x: float, y: float) -> tuple[int, int]:
        width, height = self.width - LEFT - RIGHT, self.height - TOP - BOTTOM
        up = min(max(y / self._top, 0.0), 1.0)
        return round(LEFT + width * min(max(x, 0.0), 1.0)), round(TOP + height * (1.0 - up))
