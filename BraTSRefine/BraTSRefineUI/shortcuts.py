"""Keys of the module: alive between ``install`` and ``remove``, silent in text fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import qt
import slicer

TEXT_FIELDS = ("QLineEdit", "QTextEdit", "QPlainTextEdit", "QAbstractSpinBox")


def isTyping(widget) -> bool:
    """Whether a widget with the focus takes text; one that only shows some does not."""
    if widget is None:
        return False
    if widget.inherits("QComboBox"):
        return widget.editable
    return any(widget.inherits(kind) for kind in TEXT_FIELDS) and not widget.readOnly


class HeldKey(qt.QObject):
    """Tells when a key goes down and when it comes up again, in whichever view or table the focus is.

    A shortcut hears the press, and not while a text field has the focus. The release is looked for among all events of
    the application, for as long as the key is down; a window that is left counts as a release.
    """

    def __init__(self, window, key: str, onHold: Callable[[bool], None]) -> None:
        qt.QObject.__init__(self, window)
        self._key, self._onHold = qt.QKeySequence(key), onHold
        self._isDown = False
        self._shortcut = qt.QShortcut(self._key, window)
        self._shortcut.autoRepeat = False
        self._shortcut.activated.connect(self._press)

    def remove(self) -> None:
        """Give the key back, released."""
        self.release()
        for each in (self._shortcut, self):
            each.setParent(None)
            each.deleteLater()

    def release(self) -> None:
        if self._isDown:
            self._isDown = False
            slicer.app.removeEventFilter(self)
            self._onHold(False)

    def eventFilter(self, watched, event) -> bool:
        kind = event.type()
        isLeft = kind == qt.QEvent.WindowDeactivate or kind == qt.QEvent.ApplicationDeactivate
        if isLeft or (kind == qt.QEvent.KeyRelease and self._isOurs(event)):
            self.release()
        return False

    def _press(self) -> None:
        if not self._isDown:
            self._isDown = True
            slicer.app.installEventFilter(self)
            self._onHold(True)

    def _isOurs(self, event) -> bool:
        return qt.QKeySequence(event.key()) == self._key and not event.isAutoRepeat()


class Shortcuts:
    """Keys on the main window.

    A text field takes letters for itself before a shortcut sees them; what it leaves, as Ctrl+E, is passed over here.
    """

    def __init__(self, actions: Mapping[str, Callable[[], None]], onHoldH: Callable[[bool], None]) -> None:
        self._actions, self._onHoldH = actions, onHoldH
        self._shortcuts: list = []
        self._window = None
        self._held = None

    def install(self, window) -> None:
        """Make the keys; without a main window there are none."""
        if window is None or self._window is not None:
            return
        self._window = window
        for key, action in self._actions.items():
            shortcut = qt.QShortcut(qt.QKeySequence(key), window)
            shortcut.activated.connect(lambda *_, action=action: self._do(action))
            self._shortcuts.append(shortcut)
        self._held = HeldKey(window, "H", self._onHoldH)

    def _do(self, action: Callable[[], None]) -> None:
        if not isTyping(self._window.focusWidget()):
            action()

    def remove(self) -> None:
        """Give the keys back."""
        if self._window is None:
            return
        self._held.remove()
        for shortcut in self._shortcuts:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts, self._held, self._window = [], None, None
