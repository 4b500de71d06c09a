"""Finds what a person could not read: cut words, widgets outside of their parent, bars that scroll sideways."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QLabel,
    QLayout,
    QSizePolicy,
    QStackedWidget,
    QStyle,
    QStyleOptionButton,
    QTabBar,
    QWidget,
)

BUTTON_AIR = 2
"""Pixels that a button's words need beside them on either side."""


def faults(root: QWidget) -> list[str]:
    """One line for each fault of what is visible below ``root``, ``root`` included."""
    found = []
    for widget in (root, *root.findChildren(QWidget)):
        if widget.isVisible():
            found += [f"{_name(widget)}: {fault}" for fault in _faults(widget)]
    return found


def _faults(widget: QWidget) -> Iterator[str]:
    if isinstance(widget, QLabel):
        yield from _of_label(widget)
    elif isinstance(widget, QAbstractButton):
        yield from _of_button(widget)
    elif isinstance(widget, QTabBar):
        yield from _of_tabs(widget)
    elif isinstance(widget, QAbstractScrollArea) and widget.horizontalScrollBar().isVisible():
        yield "scrolls sideways"
    yield from _outside(widget)


def _of_label(label: QLabel) -> Iterator[str]:
    """A label whose width is nobody's concern (``Ignored``) is cut knowingly: its tool tip has the words."""
    if not label.text():
        return
    if label.wordWrap():
        needed = label.heightForWidth(label.width())
        if needed > label.height() + 1:
            yield f"{needed} pixels high, has {label.height()}: '{label.text()[:60]}'"
    elif label.sizePolicy().horizontalPolicy() == QSizePolicy.Ignored:
        if label.sizeHint().width() > label.width() and not label.toolTip():
            yield f"cut and without a tool tip: '{label.text()[:60]}'"
    elif label.sizeHint().width() > label.width():
        yield f"{label.sizeHint().width()} pixels wide, has {label.width()}: '{label.text()[:60]}'"


def _of_button(button: QAbstractButton) -> Iterator[str]:
    """Also of the state that it is not in now: words that are bold while it is checked need more."""
    words = button.text().replace("&", "")
    needed, room = _words_width(button, words), button.width() - 2 * BUTTON_AIR
    if button.inherits("QCheckBox") or button.inherits("QRadioButton"):
        needed, room = button.sizeHint().width(), button.width()
    elif button.inherits("QPushButton") and button.styleSheet():
        option = QStyleOptionButton()
        option.initFrom(button)
        room = min(room, button.style().subElementRect(QStyle.SE_PushButtonContents, option, button).width())
    if words and needed > room:
        yield f"{needed} pixels wide, has {room}: '{words}'"


def _words_width(button: QAbstractButton, words: str) -> int:
    font = button.font()
    if button.isCheckable() and "font-weight: bold" in button.styleSheet():
        font.setBold(True)
    return QFontMetrics(font).horizontalAdvance(words)


def _of_tabs(bar: QTabBar) -> Iterator[str]:
    for number in range(bar.count()):
        needed, rect = bar.fontMetrics().horizontalAdvance(bar.tabText(number)), bar.tabRect(number)
        if needed > rect.width() or rect.right() > bar.width():
            yield f"tab '{bar.tabText(number)}' needs {needed} pixels, has {rect.width()} up to {rect.right()}"


def _outside(widget: QWidget) -> Iterator[str]:
    """Of what a layout placed; scroll areas and views place their contents themselves."""
    parent = widget.parentWidget()
    if parent is None or widget.isWindow() or not isinstance(parent.layout(), QLayout):
        return
    if parent.layout().indexOf(widget) < 0 and not _is_inside(parent.layout(), widget):
        return
    if not parent.rect().adjusted(-1, -1, 1, 1).contains(widget.geometry()):
        place, whole = widget.geometry(), parent.rect()
        yield f"at {place.getRect()}, outside of its parent of {whole.width()} x {whole.height()}"


def _is_inside(layout: QLayout, widget: QWidget) -> bool:
    inner = (layout.itemAt(number).layout() for number in range(layout.count()))
    return any(part is not None and (part.indexOf(widget) >= 0 or _is_inside(part, widget)) for part in inner)


def _name(widget: QWidget) -> str:
    while widget is not None and not widget.objectName():
        widget = widget.parentWidget()
    return widget.objectName() if widget is not None else "?"


def untold(root: QWidget) -> list[str]:
    """Visible buttons without a tool tip; those that Qt's own widgets make have none."""
    buttons = [button for button in root.findChildren(QAbstractButton) if button.isVisible() and not button.toolTip()]
    return [button.objectName() for button in buttons if button.objectName() and button.objectName()[:3] != "qt_"]


def pages(panel: QWidget) -> Iterator[str]:
    """Every page of the panel's stacks in front once, by its name; as it was afterwards."""
    yield ""
    for stack in panel.findChildren(QStackedWidget):
        if not stack.isVisible() or stack.count() < 2:
            continue
        former = stack.currentIndex()
        for number in range(stack.count()):
            if number != former:
                stack.setCurrentIndex(number)
                yield stack.widget(number).objectName()
        stack.setCurrentIndex(former)
