"""The sheet of keys, and when keys work: while the module is in front and nobody types."""

from __future__ import annotations

from collections import Counter

import pytest
from driving import click, press
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPlainTextEdit, QSpinBox, QTextEdit

QUESTION = (Qt.Key_Question,)


@pytest.fixture
def sheet(bench):
    from BraTSRefineUI.helpsheet import HelpSheet

    return next(desk for desk in bench.desks if isinstance(desk, HelpSheet))


@pytest.fixture
def focused(host, bench):
    """A text field of a kind in the module's panel, with the focus; gone afterwards."""
    made = []

    def make(kind):
        field = kind(bench.worstCases.widget)
        if kind is QComboBox:
            field.setEditable(True)
        field.setGeometry(10, 10, 120, 30)
        field.show()
        host.window.activateWindow()
        field.setFocus()
        host.settle(50)
        made.append(field)
        assert QApplication.focusWidget() is not None
        return field

    yield make
    for field in made:
        field.deleteLater()
    host.window.setFocus()
    host.settle()


def press_into(host, field, key, modifiers=Qt.NoModifier) -> None:
    """As ``press``, without taking the focus away."""
    assert field.hasFocus() or field.isAncestorOf(QApplication.focusWidget())
    QTest.keyClick(host.window.windowHandle(), key, modifiers)
    host.settle()


def test_each_key_is_used_once(bench):
    keys = [QKeySequence(action.key).toString() for action in bench.actions()]
    assert all(keys)
    assert [key for key, count in Counter(keys).items() if count > 1] == []
    assert "H" not in keys


def test_the_question_mark_opens_and_closes_it(host, sheet):
    host.widget.showPanel("Worst cases")
    for is_open in (True, False):
        press(host, *QUESTION)
        assert sheet.isOpen == is_open
    assert host.widget.ui.workPage.isVisible()


def test_so_does_its_button_and_esc_closes_it(host, bench, sheet):
    click(bench.ui.helpButton)
    assert sheet.widget.isVisible()
    press(host, Qt.Key_Escape)
    assert not sheet.isOpen
    click(bench.ui.helpButton)
    click(sheet.ui.closeHelpButton)
    assert not sheet.isOpen


def test_it_goes_back_to_the_page_that_was_in_front(host, bench, sheet):
    host.widget.showPanel("Cohort")
    press(host, *QUESTION)
    press(host, Qt.Key_Escape)
    assert bench.cohortPanel.widget.isVisible()


def test_another_panel_takes_its_place_and_esc_is_given_back(host, sheet):
    press(host, *QUESTION)
    host.widget.showPanel("Refine")
    assert not sheet.isOpen
    assert sheet._escape is None


def test_it_lists_every_action_with_its_key_and_words_under_headings(host, bench, sheet):
    press(host, *QUESTION)
    shown = sheet.ui.keysLabel.text()
    groups = sheet.groups()
    assert {action.key for _, actions in groups for action in actions} == {action.key for action in bench.actions()}
    for _, actions in groups:
        for action in actions:
            assert f"<b>{action.key}</b>" in shown, action.key
            assert action.words
    assert next(title for title, _ in groups) == "Cases"
    assert "Segment Editor" in shown
    assert ">H</b>" in shown
    assert "research use only" in shown
    press(host, Qt.Key_Escape)


def test_the_window_is_not_blocked_keys_go_on_working_under_it(host, bench, sheet):
    first = bench.session.case
    press(host, *QUESTION)
    press(host, Qt.Key_N)
    assert bench.session.case != first
    press(host, Qt.Key_Escape)


@pytest.mark.parametrize("kind", [QLineEdit, QTextEdit, QPlainTextEdit, QSpinBox, QComboBox])
def test_no_key_acts_while_text_is_typed(host, bench, sheet, focused, kind, monkeypatch):
    field = focused(kind)
    done = []
    monkeypatch.setattr(bench.caseScene, "hideOverlays", lambda hidden: done.append("H"))
    case, visible = bench.session.case, host.widget.ui.referenceToggle.isChecked()
    for action in bench.actions():
        combination = QKeySequence(action.key)[0]
        press_into(host, field, combination.key(), combination.keyboardModifiers())
        assert field.hasFocus() or field.isAncestorOf(QApplication.focusWidget()), action.key
    press_into(host, field, Qt.Key_H)
    assert (bench.session.case, host.widget.ui.referenceToggle.isChecked(), done) == (case, visible, [])
    assert not sheet.isOpen


def test_no_key_acts_once_the_module_is_left(host, bench, sheet):
    case = bench.session.case
    host.widget.exit()
    for action in bench.actions():
        combination = QKeySequence(action.key)[0]
        press(host, combination.key(), combination.keyboardModifiers())
    assert bench.session.case == case
    assert not sheet.isOpen
    host.widget.enter()
    press(host, Qt.Key_N)
    assert bench.session.case != case


def test_leaving_the_module_closes_it(host, sheet):
    press(host, *QUESTION)
    host.widget.exit()
    assert not sheet.isOpen
    host.widget.enter()


@pytest.mark.parametrize("light", [False, True])
def test_it_is_readable_in_both_themes(host, sheet, light):
    """No colour of its own: the label paints with the palette, and stays as wide as the panel."""
    from BraTSRefine.Standalone.window import applyStyle

    applyStyle(host.app, light)
    press(host, *QUESTION)
    host.settle(50)
    assert "color" not in sheet.ui.keysLabel.text()
    label = sheet.ui.keysLabel
    ink, ground = label.palette().windowText().color(), label.palette().window().color()
    assert abs(ink.lightness() - ground.lightness()) > 120
    assert label.width() <= sheet.widget.width()
    press(host, Qt.Key_Escape)
    applyStyle(host.app, light=False)
