"""A splitter whose handle is a plain gap, without the style's row of dots."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import QSplitter, QSplitterHandle

GAP = 3


class PlainSplitter(QSplitter):
    """Children side by side or below each other; none can be pushed away altogether."""

    def __init__(self, direction: Qt.Orientation):
        super().__init__(direction)
        self.setHandleWidth(GAP)
        self.setChildrenCollapsible(False)

    def createHandle(self) -> QSplitterHandle:
        return _PlainHandle(self.orientation(), self)


class _PlainHandle(QSplitterHandle):
    def paintEvent(self, event) -> None:
        QPainter(self).fillRect(self.rect(), self.palette().color(QPalette.Window))
