"""Cases are read while one looks at another: next and previous ahead, any other without stopping the window.

A case that was not read ahead takes a second or more. Meanwhile everything goes on, the bottom line says how far it is,
and choosing another case (or the shown one) is enough to give it up.
"""

from __future__ import annotations

from collections.abc import Callable

import qt
from slicer.i18n import tr as _

from .desk import Desk
from .failures import reported
from .panel import fillCombo
from .prefetch import Prefetcher
from .reading import CaseRead, Reading

PAUSE_MS = 150
SMALL_BYTES = 8 * 2**20
"""What takes less time to read than to ask another process for it."""


class ReadingDesk(Desk):
    """Between the session, which asks for a case, and the process that reads it (``prefetcher``)."""

    def __init__(self, workbench) -> None:
        super().__init__(workbench)
        self.smallBytes = SMALL_BYTES
        self.prefetcher = Prefetcher(workbench.tellFailure)
        self.wantedCase = self.wantedModel = ""
        self._former = self._told = ""
        self._waiting: list[Callable[[], None]] = []
        self._sizes: dict[tuple, int] = {}
        self._timer = qt.QTimer()
        self._timer.interval = PAUSE_MS
        self._timer.timeout.connect(self._readAhead)

    def whenRead(self, name: str, then: Callable[[], None]) -> None:
        """Call ``then`` when showing that case no longer takes reading: at once, or later unless it is given up."""
        if name == self.session.case and self.wantedModel:
            self._waiting.append(then)
            return
        model = self.wantedModel
        self.giveUp()
        if name == self.session.case:
            then()
        elif name:
            self._goOnWith(model)
            self._whenRead(self.session.reading(name), then)

    def _goOnWith(self, model: str) -> None:
        """Another case is shown with the model that was chosen last, though its labels of this one were not read."""
        if model and model != self.session.model:
            self.session.setModel(model)
            self.workbench.refresh()

    def chooseModel(self, model: str) -> None:
        """Show another model of the shown case when its labels were read; until then the former one is shown."""
        if model == self.session.model:
            self.giveUp()
        elif model and model != self.wantedModel:
            self.workbench.leaving()
            self.readLabels(model)

    def readLabels(self, model: str) -> None:
        """Read the labels of the shown case, and then show that model."""
        bench, case = self.workbench, self.session.case
        self.giveUp()
        with reported(_("The case was not shown:"), bench.tellFailure):
            if not case:
                bench.showModel(model)
                return
            reading, self.wantedModel = self.session.reading(case, model), model
            self._whenRead(reading, lambda: bench.showModel(model))

    def askAgain(self) -> None:
        """Another region is chosen, so that another map belongs to the labels that are waited for."""
        if self.wantedModel:
            self.readLabels(self.wantedModel)

    def tellModel(self) -> None:
        """The model that is shown or about to be."""
        fillCombo(self.workbench.ui.modelCombo, self.session.models, self.wantedModel or self.session.model)

    def _whenRead(self, reading: Reading, then: Callable[[], None]) -> None:
        if self.prefetcher.isBroken or self._isSmall(reading) or self.prefetcher.has(reading):
            self.wantedModel = ""
            then()
            return
        self._want(reading.case.case)
        self._waiting = [then]
        self.prefetcher.read(reading, self._arrived, lambda part: self._tell(_(part)))

    def showSoon(self, name: str) -> None:
        """Show that case once the window has drawn what it shows now, unless another one is chosen first."""
        if name:
            self._want(name)
            qt.QTimer.singleShot(0, lambda: self._showIfWanted(name))

    def _showIfWanted(self, name: str) -> None:
        if self.wantedCase == name and not self._waiting:
            convention = self.session.cohort[name].convention_of(self.session.model)
            self.workbench.caseScene.prepare(list(convention.regions) if convention else ["WT"])
            self.workbench.showCaseFromPanel(name)

    def _want(self, name: str) -> None:
        self.wantedCase, self._former = name, self.workbench.status
        self._tell(_("starting"))

    def giveUp(self) -> None:
        """Whatever is waited for is not shown when it comes."""
        if self.wantedCase:
            self._forget()
            self.prefetcher.cancel()
            self.tellModel()

    def _forget(self) -> None:
        """Nothing is waited for; the bottom line says what it said before, unless it says something new."""
        self.wantedCase = self.wantedModel = ""
        self._waiting = []
        if self.workbench.status == self._told:
            self.workbench.tellStatus(self._former)

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

    def _arrived(self) -> None:
        waiting = self._waiting
        self._forget()
        for then in waiting:
            then()

    def _tell(self, part: str) -> None:
        words = _("Reading {case}: {part} (choose another case to give it up)")
        if self.workbench.status != self._told:
            self._former = self.workbench.status  # said meanwhile, and said again afterwards
        self._told = words.format(case=self.wantedCase, part=part)
        self.workbench.tellStatus(self._told)

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
        key = reading.case.case, reading.model, reading.stamp()  # labels alone belong to a large case as well
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
