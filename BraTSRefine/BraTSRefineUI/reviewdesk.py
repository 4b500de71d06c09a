"""The review over all panels: the store of the opened workspace, the keys of decisions, the way through the queue."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from time import monotonic

import qt
import slicer
from slicer.i18n import tr as _

from . import person, reviewwords
from .cursor import CursorWatch
from .decisionrow import DecisionRow, decisionKeys
from .desk import Action, Desk
from .failures import reported
from .queuewalk import QueueWalk
from .reviewing import Reviewing
from .stores import rememberStore, storeOf

PANEL = "Review"
LOOK_EVERY_MS, LOOK_RARELY_MS = 3000, 30_000
"""Rarely while a server does not answer: each look would make the window wait."""

MAP_EVERY_MS = 250


class ReviewDesk(Desk):
    """Owns the store of the opened workspace; ``reviewing`` knows, the panel and the row show, this joins them.

    ``url``: where the records are kept, if not in the workspace. ``hovered``: the flag under the mouse, -1 for none.
    """

    def __init__(self, workbench) -> None:
        super().__init__(workbench)
        self.reviewing = Reviewing(workbench.session)
        self.row = DecisionRow(workbench.ui, self)
        self._walk = QueueWalk(self)
        self.cursor = CursorWatch(self._onCursor)
        self.hovered = -1
        self.url = self._askedUrl = ""
        self._asked: tuple = ()
        self._trouble, self._nextTry = "", 0.0
        self._timer = qt.QTimer()
        self._timer.interval = LOOK_EVERY_MS
        self._timer.timeout.connect(lambda: self.lookForNews())
        self._mapTimer = qt.QTimer()
        self._mapTimer.interval = MAP_EVERY_MS
        self._mapTimer.timeout.connect(lambda: self._readMap())
        workbench.ui.tabs.currentChanged.connect(lambda index=0: self._onTab())

    @property
    def panel(self):
        return self.workbench.panelNamed(PANEL)

    @property
    def isInFront(self) -> bool:
        """Whether the queue leads: next and previous follow it, flags are those of all regions."""
        return self.workbench.panelInFront() is self.panel

    def title(self) -> str:
        return _("Review")

    def actions(self) -> list[Action]:
        return [*decisionKeys(self), Action("T", _("Write a note"), self.workbench.ui.noteEdit.setFocus)]

    # The store

    def keepIn(self, url: str) -> None:
        """Open the store of the next cohort at this URL; empty for what the settings say, or the workspace."""
        self._askedUrl = url

    def opened(self) -> None:
        """Another cohort: close the former store, open this one's, come back to where this reader stopped."""
        self._closeStore()
        self.reviewing.reader = person.name()
        self.url = self._askedUrl or storeOf(self.session.workspace.root)
        self.reviewing.open(self.url)
        self._askedUrl, self._asked, self._trouble, self.hovered = "", (), "", -1
        self._nextTry = monotonic() + LOOK_EVERY_MS / 1000
        self.reviewing.resumeModel()
        self.panel.forgetChoices()
        if self.reviewing.problem:
            self.workbench.tellFailure(_("Nothing can be recorded: {why}").format(why=self.reviewing.problem))

    def changeStore(self, url: str) -> None:
        """Keep this workspace's decisions at another place from now on, and look at what is there."""
        url = url.strip()
        with reported(_("The store was not opened:"), self.workbench.tellFailure):
            self._closeStore()
            rememberStore(self.session.workspace.root, url)
            self.url = url
            self.reviewing.open(url)
            self._showAll()

    def setReader(self, name: str) -> None:
        """This person reviews from now on."""
        if name.strip():
            person.setName(name)
            self.reviewing.reader = person.name()
            self._noteOpened()
            self._showAll()

    def setBlind(self, isBlind: bool) -> None:
        """See one's own decisions alone, or everybody's."""
        self.reviewing.isBlind = isBlind
        self._showAll()

    def setAdjudicating(self, on: bool) -> None:
        """While the readers' page is in front, a decision of what readers decided differently is the last word."""
        self.reviewing.adjudicates = on
        self._showWords()

    def lookForNews(self) -> None:
        """What others recorded meanwhile; a store that cannot be read is told once, and once it is back."""
        if self.reviewing.followed is None:
            self._tryAgain()
            return
        from BraTSRefineLib.review import ReviewError

        try:
            touched = self.reviewing.catchUp()
        except ReviewError as error:
            if not self._trouble:
                self.workbench.tellFailure(_("The records cannot be read: {why}").format(why=error))
            self._trouble, self._timer.interval = str(error), LOOK_RARELY_MS
            return
        if self._trouble:
            self.workbench.tellStatus(_("the records can be read again"))
        self._trouble, self._timer.interval = "", LOOK_EVERY_MS
        if touched:
            for case in touched:
                self.panel.caseChanged(self.reviewing.queue.updateRow(case))
            self.panel.readers.refresh()
            self.tellRecords()
            self._showWords()

    def tellRecords(self) -> None:
        """Something was recorded: states on other panels may be others now."""
        for panel in self.workbench.tabs:
            panel.showRecords()

    def _tryAgain(self, isWished: bool = False) -> None:
        """A store that could not be opened, as one that was locked, may be free by now; each try may take a moment."""
        if not self.reviewing.problem or (monotonic() < self._nextTry and not isWished):
            return
        self.reviewing.tryToOpen(self.url)
        self._nextTry = monotonic() + LOOK_RARELY_MS / 1000
        if not self.reviewing.problem:
            self.workbench.tellStatus(_("decisions can be recorded now"))
            self._showAll()

    def _closeStore(self) -> None:
        with reported(_("The last good export was not written:"), self.workbench.tellFailure):
            self.reviewing.close()

    # Decisions

    def decide(self, decision: str) -> None:
        """Record the decision and go on: to the next flag without one, then to the case."""
        with self._saving():
            event = self.reviewing.decide(decision, self.row.note())
            number = self.reviewing.flagNumber()
            self._saved(self.flagWords() if event.flag else _("case: {decision}").format(decision=decision))
            if event.flag:
                self._goOnAfter(number)
        self.row.refresh()

    def mark(self, kind: str) -> None:
        """Record that the case is approved, done, or wants a second reader."""
        with self._saving():
            self.reviewing.mark(kind, self.row.note())
            self._saved(_("case: {mark}").format(mark=kind))
        self.row.refresh()

    def writeNote(self) -> None:
        """Record the note by itself; an empty one only gives the keys back."""
        if self.row.note():
            with self._saving():
                self.reviewing.writeNote(self.row.note())
                self._saved(_("a note"))
        self.panel.widget.setFocus()

    def undo(self) -> None:
        """Take back the last record, and show what it was about."""
        with self._saving():
            undone = self.reviewing.undo()
            words = _("taken back: {words} of {case}")
            self._tellSaved(words.format(words=undone.decision or undone.kind, case=undone.case), undone.case)
            if undone.case in self.session.caseNames:
                self.workbench.showCaseFromPanel(undone.case, lambda: self._lookAtFlagOf(undone))
        self.row.refresh()

    def _lookAtFlagOf(self, event) -> None:
        if event.flag:
            self.lookAt(event.flag)

    def wholeCase(self) -> None:
        """Leave the flag: what is decided next is the case."""
        self.workbench.leaveFlag()

    @contextmanager
    def _saving(self):
        """Say what went wrong; a missing name is asked for."""
        self._tryAgain(isWished=True)
        if self.reviewing.followed is not None and not self.reviewing.reader:
            self.workbench.showPanel(PANEL)
            self.panel.askName()
        with reported(_("Not saved:"), self.workbench.tellFailure):
            yield

    def _saved(self, words: str) -> None:
        self.row.clearNote()
        self._tellSaved(words, self.session.case)

    def _tellSaved(self, words: str, case: str) -> None:
        self.panel.caseChanged(self.reviewing.queue.updateRow(case))
        self.tellRecords()
        self._showWords()
        when = f"{self.reviewing.savedAt:%H:%M:%S}"
        self.workbench.tellStatus(_("saved {when} · {words}").format(when=when, words=words))

    def _goOnAfter(self, number: int) -> None:
        following = self.reviewing.undecidedAfter(number)
        if following >= 0:
            self.goToFlag(following)
        else:
            self.wholeCase()

    # The way through

    def stepCase(self, step: int) -> None:
        self._walk.step(step)

    def stepFlag(self, step: int) -> None:
        """The next flag of the case in any region, at first one without a decision; the ends meet."""
        count, number = len(self.reviewing.flags()), self.reviewing.flagNumber()
        if count and number < 0 and step > 0:
            self.goToFlag(max(self.reviewing.undecidedAfter(-1), 0))
        elif count:
            self.goToFlag((max(number, 0) + step) % count)

    def goToFlag(self, number: int) -> None:
        """Look at a flag of the case, its region put forward."""
        flag = self.reviewing.flags()[number]
        if flag.region != self.session.region:
            self.workbench.setRegion(flag.region)
        ids = [one.id for one in self.session.flags()]
        if flag.id in ids:
            self.workbench.goToFlag(ids.index(flag.id))

    def lookAt(self, flagID: str) -> None:
        """Look at the flag of the shown case that has this name, if it still has it; empty for the whole case."""
        ids = [flag.id for flag in self.reviewing.flags()]
        if flagID in ids:
            self.goToFlag(ids.index(flagID))
        elif not flagID:
            self.wholeCase()

    # What happens

    def showCase(self) -> None:
        failed = self.reviewing.queue.failed
        failed.pop(self.session.case, None)
        if self.session.unreadable():
            failed[self.session.case] = self.session.unreadable()
        qt.QTimer.singleShot(0, lambda: self._afterShown())
        self.hovered = -1
        if not self.bringUpToDate():
            self.reviewing.queue.narrow()
        self.panel.showQueue()
        self._mapTimer.start()

    def showSelected(self) -> None:
        flag, scene = self.reviewing.flag(), self.workbench.caseScene
        scene.flagMarker.show(flag, self.reviewing.extents.of(flag) if flag else None, scene.look.hidden)
        self._showWords()

    def refresh(self) -> None:
        if self.reviewing.flag() is None:
            self.workbench.caseScene.flagMarker.show(None, None)
        self._writeWords()
        self.row.refresh()

    def bringUpToDate(self) -> bool:
        """Order the queue anew where anything that it depends on changed; whether it did."""
        reviewing, session = self.reviewing, self.session
        flags = None if session.flagsOfModel() is None else len(session.flagsOfModel())
        queue = reviewing.queue
        wish = queue.order, queue.center, queue.region
        asked = (session.model, flags, *wish, reviewing.reader, reviewing.isBlind, reviewing.place)
        if not session.isOpen or asked == self._asked:
            return False
        self._asked = asked
        with reported(_("The queue was not ordered:"), self.workbench.tellFailure):
            queue.refresh()
        return True

    def enter(self) -> None:
        self.reviewing.reader = person.name() or self.reviewing.reader
        self.cursor.attach(slicer.mrmlScene)
        self._timer.start()
        self._mapTimer.start()  # what was left unread at the exit

    def exit(self) -> None:
        self.cursor.detach()
        self._timer.stop()
        self._mapTimer.stop()

    def sceneClosed(self) -> None:
        self.cursor.attach(slicer.mrmlScene)

    def cleanup(self) -> None:
        self.exit()
        self._closeStore()

    # Words

    def flagWords(self) -> str:
        """Which flag is looked at and what was decided of it; empty where none is."""
        if self.isInFront:
            return reviewwords.ofFlag(self.reviewing, self.reviewing.flagNumber(), len(self.reviewing.flags()))
        return reviewwords.ofFlag(self.reviewing, self.session.flagIndex, len(self.session.flags()))

    def _writeWords(self) -> None:
        self.session.flagWords, self.session.caseWords = self.flagWords(), reviewwords.ofCase(self.reviewing)

    def _showWords(self) -> None:
        """Everything that tells a decision: the row, the card, the corners, the panel."""
        self._writeWords()
        self.panel.showDecisions()
        self.workbench.refreshCase()

    def _showAll(self) -> None:
        self._asked = ()
        self.bringUpToDate()
        self.panel.refresh()
        self._showWords()

    def _onTab(self) -> None:
        self._noteOpened()
        self.panel.onFront()
        self._showWords()

    def _readMap(self) -> None:
        """One map of flags a turn, so that the window goes on; then the table says what is wrong in each."""
        if not self.session.case or self.reviewing.extents.isRead:
            self._mapTimer.stop()
            return
        self.reviewing.extents.readNext()
        if self.reviewing.extents.isRead:
            self.panel.showDecisions()

    def _onCursor(self, position: tuple[float, float, float] | None) -> None:
        if not self.isInFront:
            return
        number = -1 if position is None else self.reviewing.flagAt(position)
        if number != self.hovered:
            self.hovered = number
            self.panel.showHovered(number)

    def _noteOpened(self) -> None:
        if self.isInFront and self.session.case and not self._trouble and not self.session.unreadable():
            with reported(_("Not recorded that the case was opened:"), self.workbench.tellFailure):
                self.reviewing.noteOpened()

    def _afterShown(self) -> None:
        """What may take a moment, once the case is seen."""
        if not self._trouble:
            self.lookForNews()
        self._noteOpened()
        self._takeHashes()

    def _takeHashes(self) -> None:
        """Right after the files were read, so that records name what was shown; what fails is told at the decision."""
        from BraTSRefineLib.review import ReviewError

        with suppress(ReviewError):
            if self.session.case and self.session.isOpen:
                self.reviewing.hashes()
