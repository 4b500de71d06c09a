"""What is seen of a correction: the segment editor in the place of the tabs, and the row of versions in the card."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from .panel import say

UNDO_STATES = 10
HIDDEN_PARTS = (
    "segmentationNodeSelectorVisible",
    "sourceVolumeNodeSelectorVisible",
    "switchToSegmentationsButtonVisible",
    "addRemoveSegmentButtonsVisible",
    "specifyGeometryButtonVisible",
    "maskingSectionVisible",
    "autoShowSourceVolumeNode",
)
"""Of Slicer's editor: what would change the labels' meaning, their grid, or the views."""


class CorrectPanel:
    """The widgets; ``desk`` is told what was pressed."""

    def __init__(self, workbench, desk) -> None:
        self.workbench, self.desk = workbench, desk
        self.widget = slicer.util.loadUI(workbench.resourcePath("UI/Correct.ui"))
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self.editor = None
        work = workbench.ui
        work.workPage.layout().insertWidget(0, self.widget)
        work.caseCard.layout().addWidget(self.ui.versionFrame)
        self.widget.visible = False
        self._connect()

    def _connect(self) -> None:
        ui, desk = self.ui, self.desk
        ui.correctButton.clicked.connect(lambda checked=False: desk.toggle())
        ui.leaveCorrectionButton.clicked.connect(lambda checked=False: desk.toggle())
        ui.saveCorrectionButton.clicked.connect(lambda checked=False: desk.save())
        ui.discardCorrectionButton.clicked.connect(lambda checked=False: desk.discard())
        ui.olderVersionButton.clicked.connect(lambda checked=False: desk.stepVersion(1))
        ui.newerVersionButton.clicked.connect(lambda checked=False: desk.stepVersion(-1))
        ui.nearFlagCheck.toggled.connect(lambda on=False: desk.keepToFlag(on))

    # The editor

    def begin(self, paint, volume, current: str, title: str) -> None:
        """Put the editor in the place of the tabs, painting with the segment ``current``."""
        editor = self._editor()
        editor.setMRMLScene(slicer.mrmlScene)
        editor.setMRMLSegmentEditorNode(paint.editorNode)
        editor.setSegmentationNode(paint.segmentation)
        editor.setSourceVolumeNode(volume)
        editor.setupViewObservations()
        editor.installKeyboardShortcuts()
        editor.setCurrentSegmentID(current)
        editor.setActiveEffectByName("Paint")
        say(self.ui.correctTitleLabel, title)
        self._show(True)

    def end(self) -> None:
        """Give views and keys back and show the tabs again."""
        if self.editor is not None:
            self.editor.setActiveEffect(None)
            self.editor.uninstallKeyboardShortcuts()
            self.editor.removeViewObservations()
            self.editor.setSegmentationNode(None)
            self.editor.setSourceVolumeNode(None)
            self.editor.setMRMLSegmentEditorNode(None)
        self._show(False)

    def cleanup(self) -> None:
        if self.editor is not None:
            self.editor.setMRMLScene(None)
            self.editor.deleteLater()
            self.editor = None

    def _show(self, isCorrecting: bool) -> None:
        former, following = self.workbench.ui.tabs, self.widget
        if not isCorrecting:
            former, following = following, former
        former.visible = False  # first, since the window grows with both and does not shrink again
        following.visible = True
        for frame in (self.ui.versionFrame, self.workbench.ui.decisionFrame):
            frame.visible = not isCorrecting

    def _editor(self):
        if self.editor is None:
            self.editor = slicer.qMRMLSegmentEditorWidget()
            self.editor.maximumNumberOfUndoStates = UNDO_STATES
            for part in HIDDEN_PARTS:
                setattr(self.editor, part, False)
            self.ui.editorFrame.layout().addWidget(self.editor)
        return self.editor

    # Words

    def tellState(self, words: str) -> None:
        """How much is changed and what is kept of it."""
        self.ui.editStateLabel.text = words

    def tellFlag(self, words: str, isOn: bool, isThere: bool) -> None:
        """Which flag the edit can be kept to."""
        check = self.ui.nearFlagCheck
        check.blockSignals(True)
        check.text, check.enabled, check.checked = words, isThere or isOn, isOn
        check.blockSignals(False)
        tip = _("Effects act near the flag that is looked at; what is painted elsewhere is not saved")
        check.toolTip = tip if check.enabled else _("No flag is looked at: choose one first")

    def tellVersion(self, words: str, canGoOlder: bool, canGoNewer: bool, refusal: str) -> None:
        """Which version is shown, in the card; ``refusal`` says why nothing can be corrected."""
        ui = self.ui
        ui.versionLabel.text = words
        ui.olderVersionButton.enabled, ui.newerVersionButton.enabled = canGoOlder, canGoNewer
        for button in (ui.olderVersionButton, ui.newerVersionButton):
            button.visible = canGoOlder or canGoNewer
        ui.correctButton.enabled = not refusal
        ui.correctButton.toolTip = refusal or _("Edit the shown labels in the segment editor (C)")


class CloseWatch(qt.QObject):
    """Tells that the window is about to be closed, while it can still be asked about what is not saved."""

    def __init__(self, parent, onClose) -> None:
        qt.QObject.__init__(self, parent)
        self._onClose = onClose

    def eventFilter(self, watched, event) -> bool:
        if event.type() == qt.QEvent.Close:
            self._onClose()
        return False
