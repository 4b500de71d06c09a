"""Keys of the module: alive between ``install`` and ``remove``, silent in text fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import qt


class HeldKey(qt.QObject):
    """Tells when a key goes down and when it comes up again; repeated presses of a held key are passed over.

    A text field takes the press and lets the release through, which tells nothing then.
    """

    def __init__(self, parent, key, onHold: Callable[[bool], None]) -> None:
        qt.QObject.__init__(self, parent)
        self._key, self._onHold = key, onHold
        self._isDown = False

    def eventFilter(self, watched, event) -> bool:
        if event.type() == qt.QEvent.KeyPress or event.type() == qt.QEvent.KeyRelease:
            return self._onKey(event)
        return False

    def _onKey(self, event) -> bool:
        if event.key() != self._key or event.modifiers() != qt.Qt.NoModifier:
            return False
        isPress = event.type() == qt.QEvent.KeyPress
        if not event.isAutoRepeat() and isPress != self._isDown:
            self._isDown = isPress
            self._onHold(isPress)
        return True


class Shortcuts:
    """Keys on the main window.

    A line edit takes letters for itself before a shortcut sees them, so nothing fires while a person types.
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
            shortcut.activated.connect(action)
            self._shortcuts.append(shortcut)
        self._held = HeldKey(window, qt.Qt.Key_H, self._onHoldH)
        window.installEventFilter(self._held)

    def remove(self) -> None:
        """Give the keys back."""
        if self._window is None:
            return
        self._window.removeEventFilter(self._held)
        self._held.setParent(None)
        for shortcut in self._shortcuts:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts, self._held, self._window = [], None, None
