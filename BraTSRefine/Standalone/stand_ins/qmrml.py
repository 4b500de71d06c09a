"""The qMRML and qSlicer widgets that the module's .ui files use as containers."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from .strict import StrictAttributes

__all__ = ["qMRMLWidget", "qSlicerWidget"]


class qMRMLWidget(StrictAttributes, QWidget):
    """A widget that knows a MRML scene and tells when it gets another."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene = None

    def setMRMLScene(self, scene) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self):
        return self._scene


class qSlicerWidget(qMRMLWidget):
    """Slicer's older container with the same interface."""
