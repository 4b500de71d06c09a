"""Slicer's segment editor in the host: threshold, paint, erase, islands, with undo.

A part of qMRMLSegmentEditorWidget under the same names; trame-slicer does the editing (``segmentediting``).
"""

from PySide6.QtCore import Property, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QKeySequence, QPixmap, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QHBoxLayout,
    QHeaderView,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from .effectoptions import BrushOptions, IslandOptions, NoOptions, ThresholdOptions
from .qmrml import qMRMLWidget

__all__ = ["qMRMLSegmentEditorWidget"]

EFFECT_NAMES = ("Threshold", "Paint", "Erase", "Islands")
TIPS = {
    "Threshold": "Everything between two grey levels",
    "Paint": "Paint with the left button; Shift+wheel changes the size of the brush",
    "Erase": "Erase with the left button; Shift+wheel changes the size of the brush",
    "Islands": "Keep or remove connected parts",
}
ROW_HEIGHT = 24
BUTTON_STYLE = (
    "QToolButton { padding: 4px 6px; border: 1px solid palette(light); border-radius: 3px; }"
    "QToolButton { background: palette(button); }"
    "QToolButton:checked { background: palette(highlight); color: palette(highlighted-text); }"
    "QToolButton:disabled { color: palette(mid); }"
)
VISIBLE, NAME = 0, 1


class qMRMLSegmentEditorWidget(qMRMLWidget):
    """The segments of one segmentation, effects for them, undo and redo."""

    currentSegmentIDChanged = Signal(str)
    sourceVolumeNodeChanged = Signal(object)
    segmentationNodeChanged = Signal(object)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._node = self._segmentation = self._source = self._editing = None
        self._undoLimit, self._lastEffect, self._flags = 10, "Paint", {}
        self._shortcuts, self._observed = [], []
        self._buttons = {name: self._effectButton(name, i + 1) for i, name in enumerate(EFFECT_NAMES)}
        self._undoButton = self._plainButton("Undo", "Take the last edit back (Z)", self.undo)
        self._redoButton = self._plainButton("Redo", "Do it again (Y)", self.redo)
        self._table = self._segmentTable()
        self._options = {"": NoOptions(self), "Threshold": ThresholdOptions(self), "Islands": IslandOptions(self)}
        self._options["Paint"] = self._options["Erase"] = BrushOptions(self)
        self._stack = QStackedWidget(self)
        for options in dict.fromkeys(self._options.values()):
            self._stack.addWidget(options)
        self._arrange()
        self._showState()

    # The node, the segmentation, the volume

    @Slot(object)
    def setMRMLSegmentEditorNode(self, node) -> None:
        self._stop()
        self._node = node

    def mrmlSegmentEditorNode(self):
        return self._node

    @Slot(object)
    def setSegmentationNode(self, node) -> None:
        self._stop()
        self._segmentation = node
        self._begin()
        self.segmentationNodeChanged.emit(node)

    def segmentationNode(self):
        return self._segmentation

    @Slot(object)
    def setSourceVolumeNode(self, node) -> None:
        self._stop()
        self._source = node
        self._begin()
        self.sourceVolumeNodeChanged.emit(node)

    def sourceVolumeNode(self):
        return self._source

    def _begin(self) -> None:
        if None not in (self._node, self._segmentation, self._source):
            from vtkmodules.vtkCommonCore import vtkCommand

            from .segmentediting import Editing

            self._editing = Editing(self.mrmlScene(), self._node, self._undoLimit)
            self._editing.set_active_segmentation(self._segmentation, self._source)
            self._editing.undo_stack.index_changed.connect(self._onUndoStack)
            tag = self._segmentation.AddObserver(vtkCommand.ModifiedEvent, lambda *_: self._fillTable())
            self._observed = [(self._segmentation, tag)]
            self._options["Threshold"].setImage(self._source.GetImageData())
        self._fillTable()
        self._showState()

    def _stop(self) -> None:
        for node, tag in self._observed:
            node.RemoveObserver(tag)
        self._observed = []
        if self._editing is not None:
            self._editing.undo_stack.index_changed.disconnect(self._onUndoStack)
            self._editing.close()
            self._editing = None

    # Segments

    def currentSegmentID(self) -> str:
        return self._editing.get_active_segment_id() if self._editing else ""

    @Slot(str)
    def setCurrentSegmentID(self, segmentID: str) -> None:
        if self._editing and segmentID in self._ids():
            self._editing.set_active_segment_id(segmentID)
            self._node.SetSelectedSegmentID(segmentID)
            self._fillTable()
            self._stack.currentWidget().refresh()
            self.currentSegmentIDChanged.emit(segmentID)

    @Slot()
    def selectNextSegment(self) -> None:
        self.selectSegmentAtOffset(1)

    @Slot()
    def selectPreviousSegment(self) -> None:
        self.selectSegmentAtOffset(-1)

    @Slot(int)
    def selectSegmentAtOffset(self, offset: int) -> None:
        ids = self._ids()
        if ids:
            here = ids.index(self.currentSegmentID()) if self.currentSegmentID() in ids else 0
            self.setCurrentSegmentID(ids[(here + offset) % len(ids)])

    def _ids(self) -> list[str]:
        return list(self._segmentation.GetSegmentation().GetSegmentIDs()) if self._segmentation else []

    # Effects

    def availableEffectNames(self) -> list[str]:
        return list(EFFECT_NAMES)

    def activeEffect(self):
        """The effect's object, None without one."""
        name = self._activeName()
        return self._editing.effectNamed(name) if name else None

    @Slot(str)
    def setActiveEffectByName(self, name: str) -> None:
        if self._editing and name in ("", *EFFECT_NAMES):
            self._lastEffect = self._activeName() or self._lastEffect
            self._editing.activate(name)
            self._showState()

    def setActiveEffect(self, effect) -> None:
        """None ends the effect that is active."""
        from .segmentediting import nameOf

        self.setActiveEffectByName(nameOf(effect))

    def _activeName(self) -> str:
        from .segmentediting import nameOf

        return nameOf(self._editing.active_effect) if self._editing else ""

    # Undo

    @Slot()
    def undo(self) -> None:
        self._undoOrRedo(undoes=True)

    @Slot()
    def redo(self) -> None:
        self._undoOrRedo(undoes=False)

    def _undoOrRedo(self, undoes: bool) -> None:
        if self._editing:
            self._editing.undoOrRedo(undoes)
            self._fillTable()

    def _setUndoLimit(self, count: int) -> None:
        self._undoLimit = count

    maximumNumberOfUndoStates = Property(int, lambda self: self._undoLimit, _setUndoLimit)

    def _flag(name: str) -> Property:
        """A part of Slicer's widget that this one does not have; it remembers what it was told."""
        return Property(bool, lambda self: self._flags.get(name, True), lambda self, on: self._flags.update({name: on}))

    segmentationNodeSelectorVisible = _flag("segmentation")
    sourceVolumeNodeSelectorVisible = _flag("source")
    switchToSegmentationsButtonVisible = _flag("switch")
    addRemoveSegmentButtonsVisible = _flag("addRemove")
    specifyGeometryButtonVisible = _flag("geometry")
    maskingSectionVisible = _flag("masking")
    autoShowSourceVolumeNode = _flag("autoShow")
    show3DButtonVisible = _flag("show3D")
    del _flag

    # Keys

    def installKeyboardShortcuts(self, parent=None) -> None:
        """Slicer's keys: 1 to 4 effects, Esc none, Space the last one again, Z and Y undo, Q and W segments."""
        from . import slicer_util

        window = parent or slicer_util.mainWindow()
        if window is None or self._shortcuts:
            return
        keys = {str(i + 1): lambda name=name: self._press(name) for i, name in enumerate(EFFECT_NAMES)}
        keys |= {"Esc": lambda: self.setActiveEffectByName(""), "Space": self._toggle, "Z": self.undo, "Y": self.redo}
        keys |= {"Q": self.selectPreviousSegment, "W": self.selectNextSegment}
        for key, action in keys.items():
            shortcut = QShortcut(QKeySequence(key), window)
            shortcut.activated.connect(action)
            self._shortcuts.append(shortcut)

    def uninstallKeyboardShortcuts(self) -> None:
        for shortcut in self._shortcuts:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts = []

    def setupViewObservations(self) -> None:
        """Nothing to do: trame-slicer's effects listen to the views by themselves."""

    def removeViewObservations(self) -> None:
        """The effect stops listening to the views."""
        self.setActiveEffectByName("")

    @Slot()
    def updateWidgetFromMRML(self) -> None:
        self._fillTable()
        self._showState()

    def _press(self, name: str) -> None:
        self.setActiveEffectByName("" if name == self._activeName() else name)

    def _toggle(self) -> None:
        self.setActiveEffectByName("" if self._activeName() else self._lastEffect)

    # What is seen

    def _effectButton(self, name: str, number: int) -> QToolButton:
        button = self._plainButton(name, f"{TIPS[name]} ({number})", lambda: self._press(name))
        button.setCheckable(True)
        return button

    def _plainButton(self, text: str, tip: str, action) -> QToolButton:
        button = QToolButton(self)
        button.setStyleSheet(BUTTON_STYLE)
        button.setText(text)
        button.setToolTip(tip)
        button.setObjectName(f"{text}Button")
        button.clicked.connect(lambda checked=False: action())
        return button

    def _segmentTable(self) -> QTableWidget:
        table = QTableWidget(0, 2, self)
        table.setObjectName("SegmentsTable")
        table.horizontalHeader().hide()
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        table.horizontalHeader().setSectionResizeMode(VISIBLE, QHeaderView.ResizeToContents)
        table.horizontalHeader().setSectionResizeMode(NAME, QHeaderView.Stretch)
        table.setEditTriggers(QAbstractItemView.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectRows)
        table.setSelectionMode(QAbstractItemView.SingleSelection)
        table.setShowGrid(False)
        table.itemSelectionChanged.connect(self._onRow)
        table.itemChanged.connect(self._onItem)
        return table

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._table)
        layout.addWidget(self._effectRow())
        layout.addWidget(self._stack)

    def _effectRow(self) -> QWidget:
        row = QWidget(self)
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        group = QButtonGroup(self)
        group.setExclusive(False)
        for button in self._buttons.values():
            group.addButton(button)
            layout.addWidget(button)
        layout.addStretch(1)
        layout.addWidget(self._undoButton)
        layout.addWidget(self._redoButton)
        return row

    def _fillTable(self) -> None:
        ids, current = self._ids(), self.currentSegmentID()
        self._table.blockSignals(True)
        self._table.setRowCount(len(ids))
        for row, segmentID in enumerate(ids):
            self._fillRow(row, segmentID)
        if current in ids:
            self._table.selectRow(ids.index(current))
        self._table.setFixedHeight(max(2, len(ids)) * ROW_HEIGHT + 2 * self._table.frameWidth())
        self._table.blockSignals(False)

    def _fillRow(self, row: int, segmentID: str) -> None:
        segment = self._segmentation.GetSegmentation().GetSegment(segmentID)
        display = self._segmentation.GetDisplayNode()
        shown = QTableWidgetItem()
        shown.setFlags(Qt.ItemIsUserCheckable | Qt.ItemIsEnabled | Qt.ItemIsSelectable)
        isVisible = display is None or display.GetSegmentVisibility(segmentID)
        shown.setCheckState(Qt.Checked if isVisible else Qt.Unchecked)
        shown.setToolTip("Show or hide; what is hidden is saved all the same")
        name = QTableWidgetItem(_square(segment.GetColor()), segment.GetName())
        self._table.setItem(row, VISIBLE, shown)
        self._table.setItem(row, NAME, name)

    def _onRow(self) -> None:
        rows = [index.row() for index in self._table.selectionModel().selectedRows()]
        if rows and rows[0] < len(self._ids()):
            self.setCurrentSegmentID(self._ids()[rows[0]])

    def _onItem(self, item) -> None:
        if item.column() == VISIBLE and self._segmentation is not None and self._segmentation.GetDisplayNode():
            segmentID = self._ids()[item.row()]
            self._segmentation.GetDisplayNode().SetSegmentVisibility(segmentID, item.checkState() == Qt.Checked)

    def _onUndoStack(self, *_) -> None:
        self._showState()

    def _showState(self) -> None:
        name = self._activeName()
        for each, button in self._buttons.items():
            button.setChecked(each == name)
            button.setEnabled(self._editing is not None)
        stack = self._editing.undo_stack if self._editing else None
        self._undoButton.setEnabled(bool(stack) and stack.can_undo())
        self._redoButton.setEnabled(bool(stack) and stack.can_redo())
        options = self._options[name]
        self._stack.setCurrentWidget(options)
        options.refresh()


def _square(colour) -> QIcon:
    pixmap = QPixmap(QSize(12, 12))
    pixmap.fill(QColor.fromRgbF(*colour))
    return QIcon(pixmap)
