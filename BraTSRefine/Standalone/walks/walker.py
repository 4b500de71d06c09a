"""Somebody at the window: real key and mouse events, counted, and a clock for how long the machine takes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QWidget

from ..host import Host, HostError
from ..review import fileName

PATIENCE_S = 300.0
DRAG_STEPS = 8


@dataclass(frozen=True)
class Step:
    """What was done up to a picture: keys pressed, clicks made, seconds that the machine took for them."""

    words: str
    keys: int
    clicks: int
    seconds: float
    picture: Path

    def __str__(self) -> str:
        return f"{self.words}: {self.keys} keys, {self.clicks} clicks, {self.seconds:.1f} s"


class Walker:
    """Does what a person does, and nothing that a person could not do.

    >>> walker = Walker(host, "pictures", "clinician")
    >>> walker.key("F")
    >>> walker.step("The first flagged region")
    """

    def __init__(self, host: Host, folder: str | Path, person: str) -> None:
        self.host, self.folder, self.person = host, Path(folder), person
        self.steps: list[Step] = []
        self._keys = self._clicks = 0
        self._seconds = 0.0

    @property
    def workbench(self):
        return self.host.widget.workbench

    def key(self, keys: str) -> None:
        """Press a key, written as in the help sheet: ``N``, ``Shift+F``, ``Backspace``."""
        self._keys += 1
        self.host.window.activateWindow()
        self.host.settle(20)
        with self._machine():
            QTest.keySequence(self.host.window.windowHandle(), QKeySequence(keys))

    def write(self, field: QWidget, text: str) -> None:
        """Click into a field and type."""
        self.click(field)
        self._keys += len(text)
        with self._machine():
            QTest.keyClicks(field, text)

    def leave(self, field: QWidget) -> None:
        """End typing with the return key."""
        self._keys += 1
        with self._machine():
            QTest.keyClick(field, Qt.Key_Return)

    def click(self, widget: QWidget, place: QPoint | None = None) -> None:
        """Click a widget in its middle or at a place; it must be there to be clicked.

        :raises HostError: if it is hidden or disabled.
        """
        if not widget.isVisible() or not widget.isEnabled():
            state = "hidden" if not widget.isVisible() else f"disabled ({widget.toolTip()})"
            raise HostError(f"The {self.person} cannot click {widget.objectName()}: it is {state}")
        self._clicks += 1
        with self._machine():
            QTest.mouseClick(widget, Qt.LeftButton, Qt.NoModifier, place or widget.rect().center())

    def sliceView(self) -> QWidget:
        """The first slice view of the layout."""
        manager = self.host.layoutManager
        return manager.sliceWidget(manager.sliceViewNames()[0]).sliceView()

    def drag(self, widget: QWidget, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press, move and release the mouse between two places, as shares of the widget's width and height."""
        size = widget.size()
        first, last = (QPoint(round(x * size.width()), round(y * size.height())) for x, y in (start, end))
        self._clicks += 1
        with self._machine():
            QTest.mouseMove(widget, first)
            QTest.mousePress(widget, Qt.LeftButton, Qt.NoModifier, first)
            for share in range(1, DRAG_STEPS + 1):
                QTest.mouseMove(widget, first + (last - first) * share / DRAG_STEPS)
                self.host.settle()
            QTest.mouseRelease(widget, Qt.LeftButton, Qt.NoModifier, last)

    def row(self, table: QAbstractItemView, row: int, column: int = 0) -> None:
        """Click a row of a table."""
        index = table.model().index(row, column)
        table.scrollTo(index)
        self.click(table.viewport(), table.visualRect(index).center())

    def tab(self, name: str) -> None:
        """Bring a panel to the front by clicking its tab."""
        bar = self.workbench.ui.tabs.tabBar()
        index = next((i for i in range(bar.count()) if bar.tabText(i) == name), None)
        if index is None:
            raise HostError(f"There is no tab '{name}'")
        self.click(bar, bar.tabRect(index).center())

    def choose(self, combo: QComboBox, text: str) -> None:
        """Choose an entry with the keyboard: from the first entry down to the one that is wanted."""
        index = combo.findText(text)
        if index < 0:
            entries = ", ".join(combo.itemText(i) for i in range(combo.count()))
            raise HostError(f"'{text}' is not in {combo.objectName()}: {entries}")
        self._clicks += 1
        self._keys += abs(index - combo.currentIndex())
        combo.setFocus()
        with self._machine():
            while combo.currentIndex() != index:
                QTest.keyClick(combo, Qt.Key_Down if combo.currentIndex() < index else Qt.Key_Up)

    def introduce(self, name: str) -> None:
        """Say who one is, in *Review*, where that is asked: once, and known the next time."""
        ui = self.workbench.panelNamed("Review").ui
        if ui.nameFrame.isVisible():
            self.write(ui.readerEdit, name)
            self.leave(ui.readerEdit)

    def see(self, condition: bool, what: str) -> None:
        """What the person expects to see after what was done.

        :raises HostError: if it is not so.
        """
        if not condition:
            raise HostError(f"The {self.person} did not see {what}")

    def waitFor(self, condition: Callable[[], bool], what: str) -> None:
        """Be patient; the machine works.

        :raises HostError: if it did not happen in five minutes.
        """
        with self._machine():
            started = time.monotonic()
            while not condition():
                if time.monotonic() - started > PATIENCE_S:
                    raise HostError(f"The {self.person} waited for {what} in vain")
                self.host.settle(20)

    def step(self, words: str) -> Step:
        """Take a picture of what is there now, and begin to count anew."""
        self.host.settle(300)
        path = self.folder / f"{self.person}-{len(self.steps) + 1:02d}-{fileName(words)}.png"
        done = Step(words, self._keys, self._clicks, self._seconds, self.host.screenshot(path))
        self.steps.append(done)
        self._keys = self._clicks = 0
        self._seconds = 0.0
        return done

    @contextmanager
    def _machine(self) -> Iterator[None]:
        """What a person waits for: until the window has done all that the event asked of it."""
        started = time.perf_counter()
        yield
        self.host.settle()
        self._seconds += time.perf_counter() - started
        if self.host.failures:
            raise HostError(f"The module failed: {self.host.failures[0]}")
