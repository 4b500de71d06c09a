"""What can be set of each effect of the host's segment editor."""

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QSpinBox,
    QWidget,
)
from vtkmodules.util.numpy_support import vtk_to_numpy

SLIDER_STEPS = 200
SAMPLE_STEP, BRIGHT_PERCENTILE = 11, 95
WIDEST_BRUSH_MM = 60


class EffectOptions(QWidget):
    """Options that act on the editor's editing, which may not be there yet."""

    def __init__(self, editor):
        super().__init__(editor)
        self.editor = editor

    @property
    def editing(self):
        return self.editor._editing

    def refresh(self) -> None:
        """Show what is set now."""


class NoOptions(EffectOptions):
    def __init__(self, editor):
        super().__init__(editor)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        words = QLabel("Choose an effect; without one the mouse moves through the slices.")
        words.setWordWrap(True)
        layout.addWidget(words)


class BrushOptions(EffectOptions):
    """Diameter of the brush, and whether it is a disc in the slice or a ball."""

    def __init__(self, editor):
        super().__init__(editor)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.diameter = QSlider(Qt.Horizontal, self)
        self.diameter.setObjectName("BrushSlider")
        self.diameter.setRange(1, WIDEST_BRUSH_MM)
        self.diameter.setToolTip("Diameter of the brush in mm (Shift+wheel)")
        self.words = QLabel(self)
        self.ball = QCheckBox("Ball", self)
        self.ball.setObjectName("SphereBrush")
        self.ball.setToolTip("Paint through the neighbouring slices too")
        layout.addWidget(QLabel("Brush", self), 0, 0)
        layout.addWidget(self.diameter, 0, 1)
        layout.addWidget(self.words, 0, 2)
        layout.addWidget(self.ball, 0, 3)
        self.diameter.valueChanged.connect(lambda _: self._changed())
        self.ball.toggled.connect(lambda _: self._changed())

    def refresh(self) -> None:
        if self.editing is None:
            return
        diameter, isBall = self.editing.brush
        for widget, setter, value in ((self.diameter, "setValue", round(diameter)), (self.ball, "setChecked", isBall)):
            widget.blockSignals(True)
            getattr(widget, setter)(value)
            widget.blockSignals(False)
        self.words.setText(f"{diameter:.0f} mm")

    def _changed(self) -> None:
        if self.editing is not None:
            self.editing.setBrush(float(self.diameter.value()), self.ball.isChecked())
            self.words.setText(f"{self.diameter.value()} mm")


class ThresholdOptions(EffectOptions):
    """Two grey levels with a preview in the slices."""

    def __init__(self, editor):
        super().__init__(editor)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.low, self.high = QDoubleSpinBox(self), QDoubleSpinBox(self)
        self.low.setObjectName("ThresholdLow")
        self.high.setObjectName("ThresholdHigh")
        self.apply = QPushButton("Apply", self)
        self.apply.setObjectName("ThresholdApply")
        self.apply.setToolTip("Add what lies between the two grey levels to the chosen segment")
        for words, widget in (("From", self.low), ("to", self.high)):
            layout.addWidget(QLabel(words, self))
            layout.addWidget(widget, 1)
            widget.valueChanged.connect(lambda _: self._changed())
        layout.addWidget(self.apply)
        self.apply.clicked.connect(lambda checked=False: self._apply())

    def setImage(self, image) -> None:
        """Begin with the brightest few percent of what is not 0."""
        low, high = image.GetScalarRange()
        sample = vtk_to_numpy(image.GetPointData().GetScalars())[::SAMPLE_STEP]
        bright = sample[sample != 0]
        start = float(np.percentile(bright, BRIGHT_PERCENTILE)) if bright.size else high
        for widget, value in ((self.low, start), (self.high, high)):
            widget.blockSignals(True)
            widget.setDecimals(0 if high - low > SLIDER_STEPS else 3)
            widget.setRange(low, high)
            widget.setSingleStep((high - low) / SLIDER_STEPS)
            widget.setValue(value)
            widget.blockSignals(False)

    def refresh(self) -> None:
        self._changed()

    def _changed(self) -> None:
        if self.editing is not None:
            self.editing.previewThreshold(self.low.value(), self.high.value())

    def _apply(self) -> None:
        if self.editing is not None:
            self.editing.applyThreshold(self.low.value(), self.high.value())


class IslandOptions(EffectOptions):
    """Connected parts of the chosen segment: the largest alone, without the small ones, or by a click."""

    def __init__(self, editor):
        super().__init__(editor)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.least = QSpinBox(self)
        self.least.setObjectName("IslandSize")
        self.least.setRange(1, 100000)
        self.least.setValue(50)
        self.least.setSuffix(" voxels")
        self.removes = QCheckBox("A click removes an island, else it keeps that one alone", self)
        self.removes.setObjectName("IslandClick")
        self.removes.setChecked(True)
        self.largest = self._button("Keep largest", "Remove every connected part but the largest", self._keepLargest)
        self.small = self._button("Remove smaller", "Remove connected parts smaller than this", self._removeSmall)
        layout.addWidget(self.largest, 0, 0)
        layout.addWidget(self.small, 0, 1)
        layout.addWidget(self.least, 0, 2)
        layout.addWidget(self.removes, 1, 0, 1, 3)
        self.removes.toggled.connect(lambda _: self.refresh())

    def refresh(self) -> None:
        if self.editing is not None:
            self.editing.clickOnIsland(self.removes.isChecked())

    def _button(self, text: str, tip: str, action) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName("Island" + text.replace(" ", ""))
        button.setToolTip(tip)
        button.clicked.connect(lambda checked=False: action())
        return button

    def _keepLargest(self) -> None:
        if self.editing is not None:
            self.editing.keepLargestIsland()

    def _removeSmall(self) -> None:
        if self.editing is not None:
            self.editing.removeSmallIslands(self.least.value())
