"""Stand-ins for the CTK widgets that the module uses, with the real names of properties, signals and slots.

Each offers a part of the real widget and nothing beside it; a test compares them with CTK's own surface.
"""

from pathlib import Path

from PySide6.QtCore import Property, QDir, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSlider,
    QStyle,
    QStyleOption,
    QToolButton,
    QWidget,
)

from .strict import StrictAttributes

__all__ = [
    "ctkCollapsibleButton",
    "ctkComboBox",
    "ctkDirectoryButton",
    "ctkDoubleSpinBox",
    "ctkPathLineEdit",
    "ctkSearchBox",
    "ctkSliderWidget",
]


def _row(widget: QWidget, *parts: QWidget) -> None:
    layout = QHBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    for part in parts:
        layout.addWidget(part)


def _ofSpinBox(kind, getter: str, setter: str) -> Property:
    return Property(
        kind, lambda self: getattr(self._spinBox, getter)(), lambda self, v: getattr(self._spinBox, setter)(v)
    )


class ctkCollapsibleButton(StrictAttributes, QAbstractButton):
    """A header that shows and hides what is in the widget's layout."""

    contentsCollapsed = Signal(bool)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._collapsed = False
        self.setCheckable(True)
        self.setChecked(True)
        self.setContentsMargins(0, self._headerHeight(), 0, 0)
        self.toggled.connect(lambda checked: self._collapse(not checked))

    @Property(bool)
    def collapsed(self):
        return self._collapsed

    @collapsed.setter
    def collapsed(self, collapsed):
        self.setChecked(not collapsed)

    def _headerHeight(self) -> int:
        return self.fontMetrics().height() + 8

    def _collapse(self, collapsed: bool) -> None:
        self._collapsed = collapsed
        for child in self.findChildren(QWidget, options=Qt.FindDirectChildrenOnly):
            child.setVisible(not collapsed)
        self.setMaximumHeight(self._headerHeight() if collapsed else 16777215)
        self.updateGeometry()
        self.contentsCollapsed.emit(collapsed)

    def hitButton(self, position) -> bool:
        return position.y() < self._headerHeight()

    def sizeHint(self) -> QSize:
        header = QSize(self.fontMetrics().horizontalAdvance(self.text()) + 32, self._headerHeight())
        return header if self._collapsed or not self.layout() else self.layout().totalSizeHint().expandedTo(header)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        header = QRect(0, 0, self.width(), self._headerHeight())
        painter.fillRect(header, self.palette().color(QPalette.Button))
        option = QStyleOption()
        option.initFrom(self)
        option.rect = QRect(4, 4, header.height() - 8, header.height() - 8)
        arrow = QStyle.PE_IndicatorArrowRight if self._collapsed else QStyle.PE_IndicatorArrowDown
        self.style().drawPrimitive(arrow, option, painter, self)
        painter.setPen(self.palette().color(QPalette.ButtonText))
        painter.drawText(header.adjusted(header.height(), 0, 0, 0), Qt.AlignVCenter | Qt.AlignLeft, self.text())


class ctkDoubleSpinBox(StrictAttributes, QWidget):
    """A number with its unit."""

    valueChanged = Signal(float)
    editingFinished = Signal()
    decimalsChanged = Signal(int)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._spinBox = QDoubleSpinBox(self)
        _row(self, self._spinBox)
        self._spinBox.valueChanged.connect(self.valueChanged)
        self._spinBox.editingFinished.connect(self.editingFinished)

    value = _ofSpinBox(float, "value", "setValue")
    minimum = _ofSpinBox(float, "minimum", "setMinimum")
    maximum = _ofSpinBox(float, "maximum", "setMaximum")
    singleStep = _ofSpinBox(float, "singleStep", "setSingleStep")
    decimals = _ofSpinBox(int, "decimals", "setDecimals")
    prefix = _ofSpinBox(str, "prefix", "setPrefix")
    suffix = _ofSpinBox(str, "suffix", "setSuffix")
    readOnly = _ofSpinBox(bool, "isReadOnly", "setReadOnly")

    @Slot()
    def stepUp(self):
        self._spinBox.stepUp()

    @Slot()
    def stepDown(self):
        self._spinBox.stepDown()


class ctkSliderWidget(StrictAttributes, QWidget):
    """A slider and a number that follow each other."""

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._tracking = True
        self._slider = QSlider(Qt.Horizontal, self)
        self._spinBox = QDoubleSpinBox(self)
        _row(self, self._slider, self._spinBox)
        self._spinBox.setMaximum(100.0)
        self._spinBox.valueChanged.connect(self._numberChanged)
        self._slider.valueChanged.connect(self._sliderMoved)
        self._slider.sliderReleased.connect(lambda: self.valueChanged.emit(self._spinBox.value()))
        self._fitSlider()

    def _changeNumber(setter: str):
        def change(self, value):
            getattr(self._spinBox, setter)(value)
            self._fitSlider()

        return change

    value = _ofSpinBox(float, "value", "setValue")
    prefix = _ofSpinBox(str, "prefix", "setPrefix")
    suffix = _ofSpinBox(str, "suffix", "setSuffix")
    minimum = Property(float, lambda self: self._spinBox.minimum(), _changeNumber("setMinimum"))
    maximum = Property(float, lambda self: self._spinBox.maximum(), _changeNumber("setMaximum"))
    singleStep = Property(float, lambda self: self._spinBox.singleStep(), _changeNumber("setSingleStep"))
    decimals = Property(int, lambda self: self._spinBox.decimals(), _changeNumber("setDecimals"))
    tracking = Property(bool, lambda self: self._tracking, lambda self, on: setattr(self, "_tracking", on))
    spinBoxVisible = Property(
        bool, lambda self: not self._spinBox.isHidden(), lambda self, on: self._spinBox.setVisible(on)
    )
    del _changeNumber

    def _fitSlider(self) -> None:
        low, high, step = self._spinBox.minimum(), self._spinBox.maximum(), self._spinBox.singleStep()
        self._slider.blockSignals(True)
        self._slider.setRange(0, max(1, round((high - low) / step)) if step > 0 else 1)
        self._slider.setValue(round((self._spinBox.value() - low) / step) if step > 0 else 0)
        self._slider.blockSignals(False)

    def _sliderMoved(self, position: int) -> None:
        self._spinBox.setValue(self._spinBox.minimum() + position * self._spinBox.singleStep())

    def _numberChanged(self, value: float) -> None:
        self._fitSlider()
        self.valueIsChanging.emit(value)
        if self._tracking or not self._slider.isSliderDown():
            self.valueChanged.emit(value)


class ctkComboBox(StrictAttributes, QComboBox):
    """A choice that shows a text while nothing is chosen."""

    defaultText = Property(str, lambda self: self.placeholderText(), lambda self, text: self.setPlaceholderText(text))


class ctkSearchBox(StrictAttributes, QLineEdit):
    """A line to search with; ``placeholderText`` says in what."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._showSearchIcon = False
        self.setClearButtonEnabled(True)

    showSearchIcon = Property(
        bool, lambda self: self._showSearchIcon, lambda self, on: setattr(self, "_showSearchIcon", on)
    )


class ctkPathLineEdit(StrictAttributes, QWidget):
    """A path with a button that opens a file dialog. ``filters`` are QDir's, as in CTK."""

    validInputChanged = Signal(bool)
    currentPathChanged = Signal(str)
    Files = QDir.Files
    Dirs = QDir.Dirs

    def __init__(self, parent=None):
        super().__init__(parent)
        self._filters, self._nameFilters, self._settingKey = QDir.AllEntries, [], ""
        self._line, self._button = QLineEdit(self), QToolButton(self)
        self._button.setText("…")
        _row(self, self._line, self._button)
        self._line.textChanged.connect(self.currentPathChanged)
        self._line.textChanged.connect(lambda text: self.validInputChanged.emit(Path(text).exists()))
        self._button.clicked.connect(lambda *_: self.browse())

    currentPath = Property(str, lambda self: self._line.text(), lambda self, path: self._line.setText(path))
    filters = Property(object, lambda self: self._filters, lambda self, value: setattr(self, "_filters", value))
    nameFilters = Property(list, lambda self: self._nameFilters, lambda self, v: setattr(self, "_nameFilters", list(v)))
    settingKey = Property(str, lambda self: self._settingKey, lambda self, key: setattr(self, "_settingKey", key))
    showBrowseButton = Property(
        bool, lambda self: not self._button.isHidden(), lambda self, on: self._button.setVisible(on)
    )

    @Slot(str)
    def setCurrentPath(self, path):
        self._line.setText(path)

    @Slot()
    def browse(self):
        folderOnly = bool(self._filters & QDir.Dirs) and not self._filters & QDir.Files
        if folderOnly:
            chosen = QFileDialog.getExistingDirectory(self, "", self._line.text())
        else:
            chosen, _ = QFileDialog.getOpenFileName(self, "", self._line.text(), ";;".join(self._nameFilters))
        if chosen:
            self._line.setText(chosen)

    @Slot()
    def addCurrentPathToHistory(self):
        """The host keeps no history of paths."""


class ctkDirectoryButton(StrictAttributes, QWidget):
    """A button that shows a folder and lets another be chosen."""

    directoryChanged = Signal(str)
    directorySelected = Signal(str)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._directory, self._caption = "", ""
        self._button = QPushButton(self)
        self._button.setIcon(self.style().standardIcon(QStyle.SP_DirIcon))
        _row(self, self._button)
        self._button.clicked.connect(lambda *_: self.browse())

    def _setDirectory(self, directory: str) -> None:
        if directory != self._directory:
            self._directory = directory
            self._button.setText(directory)
            self.directoryChanged.emit(directory)

    directory = Property(str, lambda self: self._directory, _setDirectory)
    caption = Property(str, lambda self: self._caption, lambda self, text: setattr(self, "_caption", text))
    text = Property(str, lambda self: self._button.text(), lambda self, text: self._button.setText(text))

    @Slot()
    def browse(self):
        chosen = QFileDialog.getExistingDirectory(self, self._caption, self._directory)
        if chosen:
            self._setDirectory(chosen)
            self.directorySelected.emit(chosen)
