"""Correcting the shown labels: from the key that begins it to the version that is saved; nothing painted is lost."""

from __future__ import annotations

import qt
import slicer
import vtk
from slicer.i18n import tr as _

from .correctdrafts import DraftKeeping
from .correcting import Edit
from .correctpanel import CloseWatch, CorrectPanel
from .correctscene import CorrectScene, segmentID
from .correctversions import VersionRow
from .desk import Action, Desk
from .failures import reported
from .shortcuts import Shortcuts

CHANNELS = {"WT": ("t2f", "t2w", "t1c", "t1n")}
OTHER_CHANNELS = ("t1c", "t1n", "t2f", "t2w")
"""By region, whose grey levels the threshold goes by: the first that there is."""

COUNT_AFTER_MS = 100
"""How long after the last change what is painted is counted: not in the middle of a stroke."""


class CorrectDesk(Desk):
    """``edit`` is the correction that is going on, None in between."""

    def __init__(self, workbench) -> None:
        super().__init__(workbench)
        self.edit: Edit | None = None
        self.paint = CorrectScene(slicer.mrmlScene)
        self.panel = CorrectPanel(workbench, self)
        self._keys = Shortcuts(self._ownKeys(), self._hideAll)
        self.row = VersionRow(workbench, self.panel)
        self.draft = DraftKeeping(self.labels, self._tellState, workbench.tellFailure, workbench.tellStatus)
        self._counting = qt.QTimer()
        self._counting.interval = COUNT_AFTER_MS
        self._counting.timeout.connect(lambda: self._countPainted())
        self._isEntered = self._asksToDiscard = False
        self._flag = None
        self._watch = self._closing = None
        self._observed: list = []

    def title(self) -> str:
        return _("Correcting")

    def actions(self) -> list[Action]:
        return [
            Action("C", _("Correct the shown labels; again: back to the review"), self.toggle),
            Action("O", _("An older version of the labels, at last the prediction"), lambda: self.stepVersion(1)),
            Action("Shift+O", _("A newer version of the labels"), lambda: self.stepVersion(-1)),
        ]

    def _ownKeys(self) -> dict:
        """Alive while Slicer's editor has installed its keys, and none of them."""
        bench = self.workbench
        return {
            "S": self.save,
            "C": self.toggle,
            "F": lambda: bench.stepFlag(1),
            "Shift+F": lambda: bench.stepFlag(-1),
            "V": lambda: bench.views.nextLayout(),
            "R": lambda: bench.ui.referenceToggle.toggle(),
        }

    def _hideAll(self, hidden: bool) -> None:
        """All overlays off while H is held, what is edited too."""
        self.workbench.views.hideOverlays(hidden)
        if self.isCorrecting:
            self.paint.segmentation.GetDisplayNode().SetVisibility(not hidden)

    # Beginning and ending

    @property
    def isCorrecting(self) -> bool:
        return self.edit is not None

    def toggle(self) -> None:
        """Begin to correct, or go back to the review; an edit that is not saved is asked about."""
        if self.isCorrecting:
            self.leaving()
            self.workbench.showAgain()
        else:
            self.begin()

    def begin(self) -> None:
        """Open the shown version in the segment editor, or what was not saved the last time."""
        if self._refusal():
            self.workbench.tellFailure(self._refusal())
            return
        if not self._reader():
            self._askName()
            return
        with reported(_("Nothing can be corrected:"), self.workbench.tellFailure):
            self.workbench.reading.giveUp()
            self.workbench.views.goToMember(0)
            edit = self._newEdit()
            self.workbench.showPanel(self.workbench.panelInFront().name)
            self._open(edit)

    def _newEdit(self) -> Edit:
        from BraTSRefineLib.review import start_from_prediction, start_from_version

        session, root = self.session, self.session.workspace.root
        case, draft = session.cohort[session.case], self.row.draft()
        version = session.versions.shown(session.case, session.model)
        if draft is not None:
            start = draft.start()
        else:
            start = start_from_version(version) if version else start_from_prediction(case, session.model)
        return Edit(root, start, case, self._reader(), draft)

    def _open(self, edit: Edit) -> None:
        geometry = edit.start.template.geometry
        with slicer.util.RenderBlocker():
            channels = CHANNELS.get(self.session.region, OTHER_CHANNELS)
            volume = self.paint.sourceVolume(geometry, edit.labels.shape, channels)
            self.paint.begin(_("correction"), edit.labels, edit.tissues, geometry, volume)
            self.edit, self._flag = edit, None
            self.workbench.shortcuts.remove()
            self.panel.begin(self.paint, volume, self._firstSegment(), self._title())
            if self._isEntered:
                self._keys.install(slicer.util.mainWindow())
            self._hideShown(True)
        self._asksToDiscard = False
        self._keepTo(next((flag for flag in self.session.caseFlags() if edit.flag == flag.id), None))
        self._observe()
        self.draft.begin(edit)
        self.refresh()
        self._tellState(edit.labels)

    def _firstSegment(self) -> str:
        """The chosen region's own tissue: the innermost of WT is oedema, of TC the core, of ET enhancing tumour."""
        tissues = [tissue for tissue in self.edit.tissues if tissue.known] or self.edit.tissues
        place = {"WT": 0, "TC": len(tissues) // 2, "ET": -1}.get(self.session.region, -1)
        return segmentID(tissues[place].label)

    def _title(self) -> str:
        start, name = self.edit.start, f"<b>{self.edit.case.case}</b>"
        version = self.session.versions.words(start.case, start.model)
        what = _("from nothing, on the image's grid") if start.drawn else version or start.model
        words = _("Correcting {case} · {what}").format(case=name, what=what)
        if self.edit.isChanged(self.edit.labels):
            words += "<br>" + _("This edit was not saved the last time; <i>Discard</i> drops it.")
        return words

    def end(self) -> None:
        """Back to the review, without asking and without keeping anything."""
        self.draft.end()
        self._counting.stop()
        self._unobserve()
        self.panel.end()
        self._keys.remove()
        self.paint.end()
        self.edit = self._flag = None
        self._hideShown(False)
        if self._isEntered:
            self.workbench.shortcuts.install(slicer.util.mainWindow())

    def _hideShown(self, isCorrecting: bool) -> None:
        """What is edited stands in the place of the prediction, and errors are no longer those that are shown."""
        ui, scene = self.workbench.ui, self.workbench.caseScene
        for overlay, toggle in (("prediction", ui.predictionToggle), ("errors", ui.errorsToggle)):
            toggle.enabled = not isCorrecting
            scene.setVisible(overlay, bool(toggle.checked) and not isCorrecting)
        self.session.isCorrecting = isCorrecting
        self.workbench.views.writeCaptions()

    # Saving

    def labels(self):
        """The label map ``(z, y, x)`` as it is painted now."""
        return self.edit.joined(self.paint.masks(self.edit.tissues))

    def save(self) -> bool:
        """Save a new version, record it, and go back to the review; whether it was saved."""
        if not self.isCorrecting:
            return False
        strangers = self.paint.strangers(self.edit.tissues)
        if strangers:
            words = _("Not saved: segment {names} belongs to no label; move it into another one and delete it")
            self.workbench.tellFailure(words.format(names=", ".join(strangers)))
            return False
        version = None
        with reported(_("Not saved:"), self.workbench.tellFailure):
            version = self.edit.save(self.labels())
        if version is None:
            self.draft.keep()
            return False
        self._takeSaved(version)
        return True

    def _takeSaved(self, version) -> None:
        case, keeper = self.edit.case.case, self.edit.keeper
        self.end()
        with reported(_("The draft of what was saved is still there:"), self.workbench.tellFailure):
            keeper.discard()
        self.session.versions.lookAgain(case)
        facts, when = version.event.payload, f"{version.event.when.astimezone():%H:%M:%S}"
        words = _("saved {when} · corrected {count} voxels").format(when=when, count=facts["voxels"])
        if facts["left_out"]:
            outside = _("{count} too far from the flag were not taken")
            words += " · " + outside.format(count=facts["left_out"])
        self.workbench.showAgain()
        self.workbench.tellStatus(words)
        self.row.record(version)

    def discard(self) -> None:
        """Drop the edit; where anything is changed only at the second press."""
        self._counting.stop()
        changed = self._changedVoxels(self.labels())
        if changed and not self._asksToDiscard:
            self._asksToDiscard = True
            words = _("Press Discard once more to drop {count} changed voxels.")
            self.panel.tellState(words.format(count=changed))
            return
        self.draft.drop()
        self.end()
        self.workbench.showAgain()

    def leaving(self) -> None:
        """The case, the module or the window is left: an edit is saved or kept for the next time, as is wished."""
        if not self.isCorrecting:
            return
        labels = self.labels()
        if not self.edit.isChanged(labels):
            self.draft.drop()
            self.end()
        elif not (self._wantsToSave(labels) and self.save()):
            self.draft.keepForNextTime(labels)
            self.end()

    def _wantsToSave(self, labels) -> bool:
        question = _("Save the correction of {case} ({count} changed voxels)?")
        question = question.format(case=self.edit.case.case, count=self._changedVoxels(labels))
        rest = _("Otherwise it is kept and offered next time.")
        return slicer.util.confirmYesNoDisplay(f"{question}\n\n{rest}")

    # Versions

    def stepVersion(self, older: int) -> None:
        """Show an older or a newer version in the place of the prediction."""
        if not self.isCorrecting and self.session.versions.step(self.session.case, self.session.model, older):
            self.workbench.showAgain()

    # The flag

    def keepToFlag(self, on: bool) -> None:
        """Keep the edit to the neighbourhood of the flag that is looked at, or to nothing."""
        if not self.isCorrecting:
            return
        self._keepTo(self.session.currentFlag() if on else None)
        self.refresh()
        self._tellState(self.labels())

    def _keepTo(self, flag) -> None:
        self._flag = flag
        self.edit.keepTo(flag)
        self.paint.keepTo(self.edit.inside)

    # What happens

    def opened(self) -> None:
        self.row.opened()

    def refresh(self) -> None:
        session, correcting = self.session, self.isCorrecting
        if session.case:
            self.row.refresh(correcting, _("This case is being corrected") if correcting else self._refusal())
        flag = self._flag or session.currentFlag()
        words = _("Only within 10 mm of flag {rank} ({region})") if flag else _("Only within 10 mm of the flag")
        words = words.format(rank=flag.rank, region=flag.region) if flag else words
        self.panel.tellFlag(words, correcting and self.edit.inside is not None, flag is not None)

    showCase = showSelected = refresh

    def _refusal(self) -> str:
        """Why nothing can be corrected; empty where it can."""
        session = self.session
        if not session.case:
            return _("No case is shown: open a cohort and choose one")
        case = session.cohort[session.case]
        if session.model not in case.predictions and not case.images:
            return _("There is neither a prediction nor an image of this case")
        return ""

    def enter(self) -> None:
        self._isEntered = True
        window = slicer.util.mainWindow()
        if window is not None and self._watch is None:
            self._closing = window
            self._watch = CloseWatch(window, self.leaving)
            window.installEventFilter(self._watch)

    def exit(self) -> None:
        self._isEntered = False
        self.leaving()
        self._stopWatching()

    def _stopWatching(self) -> None:
        if self._watch is not None:
            self._closing.removeEventFilter(self._watch)
            self._watch.setParent(None)
            self._watch = self._closing = None

    def sceneClosed(self) -> None:
        """What was painted was kept before the scene went."""
        if self.isCorrecting:
            self.paint.forget()
            self.end()

    def cleanup(self) -> None:
        self._isEntered = False
        self.leaving()
        self._stopWatching()
        self.panel.cleanup()

    # Observing

    def _observe(self) -> None:
        scene, segmentation = slicer.mrmlScene, self.paint.segmentation.GetSegmentation()
        before = scene.AddObserver(slicer.vtkMRMLScene.StartCloseEvent, lambda *_args: self._beforeSceneGoes())
        changed = [segmentation.AddObserver(event, lambda *_args: self._onPainted()) for event in _CHANGES]
        self._observed = [(scene, before), *((segmentation, tag) for tag in changed)]

    def _unobserve(self) -> None:
        for watched, tag in self._observed:
            watched.RemoveObserver(tag)
        self._observed = []

    def _beforeSceneGoes(self) -> None:
        labels = self.labels()
        if self.edit.isChanged(labels):
            self.draft.keepForNextTime(labels)

    def _onPainted(self) -> None:
        self._asksToDiscard = False
        self.draft.noteChange()
        self._counting.start()

    def _countPainted(self) -> None:
        self._counting.stop()
        self._tellState(self.labels())

    # Words

    def _changedVoxels(self, labels) -> int:
        return int((labels != self.edit.start.labels).sum())

    def _tellState(self, labels) -> None:
        inside, changed = self.edit.inside, labels != self.edit.start.labels
        words = _("{count} voxels changed").format(count=int(changed.sum()))
        outside = int((changed & ~inside).sum()) if inside is not None else 0
        if outside:
            words += " · " + _("{count} of them too far from the flag, which will not be saved").format(count=outside)
        if self.draft.keptAt:
            words += " · " + _("kept {when}").format(when=self.draft.keptAt)
        self.panel.tellState(words)

    def _reader(self) -> str:
        return self.workbench.review.reviewing.reader

    def _askName(self) -> None:
        self.workbench.showPanel("Review")
        self.workbench.review.panel.askName()
        self.workbench.tellFailure(_("Say who you are first: a correction has a name"))


_CHANGES = (vtk.vtkCommand.ModifiedEvent, slicer.vtkSegmentation.SourceRepresentationModified)
