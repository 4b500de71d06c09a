"""Which version of the labels stands for the case, said in the card, and what of it is in the store."""

from __future__ import annotations

from datetime import datetime

from slicer.i18n import tr as _

from .correctpanel import CorrectPanel
from .failures import reported


class VersionRow:
    """The row of the card: who corrected the shown labels, older, newer, and what was not saved the last time."""

    def __init__(self, workbench, panel: CorrectPanel) -> None:
        self.workbench, self.panel = workbench, panel
        self._compared: tuple[tuple, bool] = ((), False)

    @property
    def _reviewing(self):
        return self.workbench.review.reviewing

    @property
    def _session(self):
        return self.workbench.session

    def opened(self) -> None:
        """Another cohort: corrections that were saved while no store could be written are recorded."""
        reviewing, versions = self._reviewing, self._session.versions
        versions.events = lambda case: reviewing.followed.events(case) if reviewing.followed else ()
        versions.isSeen = self._isSeen
        if reviewing.followed is not None:
            with reported(_("Saved corrections are not recorded yet:"), self.workbench.tellFailure):
                self._recordMissing()

    def _recordMissing(self) -> None:
        from BraTSRefineLib.review import saved_versions

        followed = self._reviewing.followed
        known = {event.uid for event in followed.events()}
        for version in saved_versions(self._session.workspace.root):
            if version.event.uid not in known:
                followed.record(version.event)

    def _isSeen(self, version) -> bool:
        """Everybody's, but where independent reads are going on, which are blind to each other."""
        reviewing = self._reviewing
        if version.event.who == reviewing.reader or not reviewing.isBlind or reviewing.adjudicates:
            return True
        state = reviewing.followed.state(version.event.case) if reviewing.followed else None
        return reviewing.queue.order != "blind" and not (state and state.second_reader)

    def record(self, version) -> None:
        """Put a saved correction into the store; where that cannot be, it is recorded at the next opening."""
        reviewing, review = self._reviewing, self.workbench.review
        if reviewing.followed is None:
            self.workbench.tellFailure(_("The correction is saved, but no store is open: it is recorded later"))
            return
        with reported(_("The correction is saved, but not recorded yet:"), self.workbench.tellFailure):
            reviewing.followed.record(version.event)
            reviewing.savedAt = datetime.now()
            review.panel.caseChanged(reviewing.queue.updateRow(version.event.case))
            review.tellRecords()

    def draft(self):
        """The newest edit of the shown case that this reader did not save; None where there is none."""
        from BraTSRefineLib.review import drafts

        session = self._session
        if not session.case:
            return None
        found = drafts(session.workspace.root, session.case, self._reviewing.reader, session.model)
        return found[0] if found else None

    def refresh(self, isCorrecting: bool, refusal: str) -> None:
        """Say in the card which version is shown; ``refusal`` says why it cannot be corrected."""
        session = self._session
        place, count = session.versions.place(session.case, session.model)
        parts = [self._versionWords(place, count), "" if isCorrecting else self._draftWords()]
        words = " · ".join(part for part in parts if part)
        canGoOlder, canGoNewer = place != 0 and not isCorrecting, place != 1 and count > 0 and not isCorrecting
        self.panel.tellVersion(f"{words[:1].upper()}{words[1:]}", canGoOlder, canGoNewer, refusal)

    def _versionWords(self, place: int, count: int) -> str:
        session = self._session
        words = session.versions.words(session.case, session.model)
        if words:
            version = session.versions.shown(session.case, session.model)
            words += f" ({count + 1 - place}/{count})" if count > 1 else ""
            return words + (" · " + _("of another prediction than this one") if self._isOfAnother(version) else "")
        return _("the prediction; {count} corrections").format(count=count) if count else ""

    def _isOfAnother(self, version) -> bool:
        """Whether the model has predicted anew since."""
        from BraTSRefineLib.review import ReviewError, is_of_another_prediction

        path = self._session.cohort[version.event.case].predictions.get(version.event.model)
        try:
            asked = version.event.uid, path.stat().st_mtime_ns if path else 0
            if self._compared[0] != asked:
                self._compared = asked, is_of_another_prediction(version, path)
        except (OSError, ReviewError):
            return False  # a prediction that cannot be read is told where it is shown
        return self._compared[1]

    def _draftWords(self) -> str:
        draft = self.draft()
        when = f"{draft.when.astimezone():%H:%M}" if draft else ""
        return _("an edit of {when} was not saved: C takes it up").format(when=when) if draft else ""
