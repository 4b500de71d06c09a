"""Which view renders next: the one that is worked in first, every other one as soon as there is time.

One view a turn of the event loop, so that wheel and keys get through between two pictures. While pictures follow each
other they are drawn without multisampling, which takes most of the time in software; at rest once more with it.
"""

from PySide6.QtCore import QObject, QTimer

REST_MS = 200
TURNS_OF_FRONT = 2


class RenderQueue(QObject):
    """The views that have to be drawn, and those that were drawn in a hurry.

    A view has ``renderNow(isFine)``, ``canRender``, ``hasFine``.
    """

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self._waiting: list = []
        self._rough: list = []
        self._inFront = None
        self._turnsOfFront = 0
        self._next = self._timer(self._renderOne)
        self._rest = self._timer(self._refineOne)

    def _timer(self, slot) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(slot)
        return timer

    def add(self, view) -> None:
        """Draw the view when its turn comes, once for all requests until then."""
        if view not in self._waiting:
            self._waiting.append(view)
        self._rest.stop()
        if not self._next.isActive():
            self._next.start(0)

    def bringToFront(self, view) -> None:
        """The view that is worked in is drawn before the others, though at most twice while another one waits."""
        self._inFront = view

    def isWaiting(self, view) -> bool:
        return view in self._waiting

    def remove(self, view) -> None:
        """Forget a view: it is drawn already, or gone."""
        for views in (self._waiting, self._rough):
            if view in views:
                views.remove(view)

    def forget(self, view) -> None:
        self.remove(view)
        if self._inFront is view:
            self._inFront = None

    def refineAll(self) -> None:
        """Draw everything that was drawn in a hurry as it will look at rest."""
        while self._rough:
            self._rough.pop(0).renderNow(True)

    def _renderOne(self) -> None:
        view = self._takeNext()
        if view is not None:
            self._turnsOfFront = self._turnsOfFront + 1 if view is self._inFront else 0
            view.renderNow(False)
            if view.hasFine and view not in self._rough:
                self._rough.append(view)
        if self._waiting:
            self._next.start(0)
        elif self._rough:
            self._rest.start(REST_MS)

    def _takeNext(self):
        self._waiting = [view for view in self._waiting if view.canRender]
        hasTurn = self._turnsOfFront < TURNS_OF_FRONT or len(self._waiting) == 1
        isTurnOfFront = self._inFront in self._waiting and hasTurn
        view = self._inFront if isTurnOfFront else next((v for v in self._waiting if v is not self._inFront), None)
        if view is not None:
            self._waiting.remove(view)
        return view

    def _refineOne(self) -> None:
        view = self._rough.pop(0) if self._rough else None
        if view is not None and view.canRender:
            view.renderNow(True)
        if self._rough:
            self._rest.start(0)
