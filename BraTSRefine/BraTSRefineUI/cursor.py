"""Where the mouse is in the views, told by the scene's crosshair and not more often than a table can follow."""

from __future__ import annotations

from collections.abc import Callable

import qt
import slicer

INTERVAL_MS = 60


class CursorWatch:
    """``onMove`` hears the position (LPS, mm) under the mouse in a slice view, None once it has left the views."""

    def __init__(self, onMove: Callable[[tuple[float, float, float] | None], None]) -> None:
        self._onMove = onMove
        self._node, self._tag = None, 0
        self._timer = qt.QTimer()
        self._timer.interval = INTERVAL_MS
        self._timer.timeout.connect(self._tell)

    def attach(self, scene) -> None:
        """Listen to the scene's crosshair; without one nothing is heard."""
        self.detach()
        self._node = scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if self._node is not None:
            event = slicer.vtkMRMLCrosshairNode.CursorPositionModifiedEvent
            self._tag = self._node.AddObserver(event, lambda caller, event: self._timer.start())

    def detach(self) -> None:
        self._timer.stop()
        if self._node is not None:
            self._node.RemoveObserver(self._tag)
            self._node = None

    def _tell(self) -> None:
        self._timer.stop()
        position = [0.0, 0.0, 0.0]
        isInside = self._node is not None and self._node.GetCursorPositionRAS(position)
        right, anterior, superior = position
        self._onMove((-right, -anterior, superior) if isInside else None)
