"""Cases are read while one looks at another: next and previous ahead, any other without stopping the window.

A case that was not read ahead takes a second or more. Meanwhile everything goes on, the bottom line says how far it is,
and choosing another case (or the shown one) is enough to give it up.
"""

from __future__ import annotations

from collections.abc import Callable

import qt
from slicer.i18n import tr as _

from .desk import Desk
from .prefetch import Prefetcher
from .reading import CaseRead, Reading

PAUSE_MS = 150
SMALL_BYTES = 48 * 2**20
"""What takes less time to read than to ask another process for it."""


class ReadingDesk(Desk):
    """Between the session, which asks for a case, and the process that reads it (``prefetcher``)."""

    def __init__(self, workbench) -> None:
        super().__init__(workbench)
        self.smallBytes = SMALL_BYTES
        self.prefetcher = Prefetcher(workbench.tellFailure)
        self.wantedCase = ""
        self._sizes: dict[tuple, int] = {}
        self._timer = qt.QTimer()
        self._timer.interval = PAUSE_MS
        self._timer.timeout.connect(self._readAhead)

    def whenRead(self, name: str, then: Callable[[], None]) -> None:
        """Call ``then`` when showing that case no longer takes reading: at once, or later unless it is given up."""
        self.giveUp()
        if not name:
            return
        reading = self.session.reading(name)
        if name == self.session.case or self.prefetcher.isBroken or self._isSmall(reading) or self._has(reading):
            then()
            return
        self.wantedCase = name
        self._tell(_("starting"))
        self.prefetcher.read(reading, lambda: self._arrived(then), lambda part: self._tell(_(part)))

    def giveUp(self) -> None:
        """Whatever is waited for is not shown when it comes."""
        if self.wantedCase:
            self.wantedCase = ""
            self.prefetcher.cancel()
            self.workbench.tellStatus("")

    @property
    def currentCase(self) -> str:
        """The case that is shown or about to be: from there next and previous are counted."""
        return self.wantedCase or self.session.case

    @property
    def isIdle(self) -> bool:
        """Whether all that is worth reading ahead has been read."""
        return not self._timer.active and self.prefetcher.isIdle

    def take(self, reading: Reading) -> CaseRead | None:
        """What was read ahead, for the session."""
        return self.prefetcher.take(reading)

    def _has(self, reading: Reading) -> bool:
        return self.prefetcher.has(reading)

    def _arrived(self, then: Callable[[], None]) -> None:
        self.wantedCase = ""
        self.workbench.tellStatus("")
        then()

    def _tell(self, part: str) -> None:
        words = _("Reading {case}: {part} (choose another case to give it up)")
        self.workbench.tellStatus(words.format(case=self.wantedCase, part=part))

    # Ahead

    def _readAhead(self) -> None:
        self._timer.stop()
        session = self.session
        if not session.isOpen or not session.case:
            return
        names = dict.fromkeys(name for name in self.workbench.panelInFront().neighbours() if name != session.case)
        readings = [session.reading(name) for name in names if name]
        self.prefetcher.want([reading for reading in readings if not self._isSmall(reading)])

    def _isSmall(self, reading: Reading) -> bool:
        key = reading.case.case, reading.model, reading.stamp()
        if key not in self._sizes:
            self._sizes[key] = reading.voxelBytes()
        return self._sizes[key] <= self.smallBytes

    # What happens

    def opened(self) -> None:
        self.giveUp()
        self._sizes.clear()
        self.prefetcher.stop()

    def showCase(self) -> None:
        self.giveUp()
        self.refresh()

    def refresh(self) -> None:
        """Another case, region or model: in a moment, when the window has drawn it."""
        self._timer.start()

    def sceneClosed(self) -> None:
        self.cleanup()

    def cleanup(self) -> None:
        self._timer.stop()
        self.giveUp()
        self.prefetcher.stop()
