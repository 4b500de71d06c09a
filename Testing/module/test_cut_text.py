"""At the smallest window nothing is cut in any room, every button explains itself, an empty room says what to do."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import cut_text
import pytest
from own_process import run_apart
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

REPOSITORY = Path(__file__).resolve().parents[2]
UI_FILES = sorted((REPOSITORY / "BraTSRefine" / "Resources" / "UI").glob("*.ui"))
ROOMS = ("Cohort", "Worst cases", "Review", "Uncertainty", "Refine", "Annotate")
WITHOUT_A_BUTTON = {"Shift+X", "[", "]", "Shift+E", "B", "K", "T", "I", "L", "Shift+O", "O"}
"""Keys of what is a check box, a slider or a menu, or is there only now and then; the help sheet has them all."""


def tips_of_the_files() -> dict[str, str]:
    found = {}
    for path in UI_FILES:
        for widget in ElementTree.parse(path).iter("widget"):
            tips = [p.findtext("string") for p in widget.findall("property") if p.get("name") == "toolTip"]
            found[widget.get("name")] = tips[0] if tips else ""
    return found


def words_of(room) -> str:
    return " ".join(label.text() for label in room.findChildren(QLabel) if label.isVisible())


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_without_a_cohort_says_what_comes_first(window, name):
    """The first test of this file: no cohort was opened in this window yet."""
    bench = window.widget.workbench
    assert not bench.session.isOpen
    window.widget.showPanel(name)
    window.settle(50)
    words = words_of(bench.panelNamed(name).widget)
    assert "Choose a data folder" in words if name == "Cohort" else "Open… comes first" in words
    assert cut_text.faults(window.window.panel) == []


def test_every_room_is_looked_at(host):
    assert set(host.widget.panelNames()) == set(ROOMS)


@pytest.mark.parametrize("width", [400, 480])
@pytest.mark.parametrize("name", ROOMS)
def test_nothing_is_cut_in_a_room_and_every_button_has_a_tool_tip(host, bench, name, width):
    panel = host.window.panel
    panel.setFixedWidth(width)
    try:
        host.widget.showPanel(name)
        for page in cut_text.pages(bench.panelNamed(name).widget):
            host.settle(50)
            assert host.window.size() == QSize(1280, 800)
            assert cut_text.faults(panel) == [], page
            assert cut_text.untold(panel) == [], page
    finally:
        panel.setMinimumWidth(400)
        panel.setMaximumWidth(480)


def test_nothing_is_cut_in_the_sheet_of_keys(host, bench):
    bench.ui.helpButton.click()
    host.settle(50)
    assert cut_text.faults(host.window.panel) == []
    bench.ui.helpButton.click()


def test_nothing_is_cut_while_labels_are_corrected(host, bench):
    bench.review.setReader("Ann")
    case = next(case for case in bench.session.cohort.cases if not case.error_of(bench.session.model))
    host.widget.showCase(case.case)
    bench.correcting.begin()
    host.settle(50)
    assert bench.correcting.isCorrecting
    assert cut_text.faults(host.window.panel) == []
    assert cut_text.untold(host.window.panel) == []
    bench.correcting.end()
    bench.showAgain()


def test_a_disabled_button_says_why(host, bench):
    """Its tool tip is another than the one that says what it does."""
    enabled, disabled = tips_of_the_files(), []
    for name in ROOMS:
        host.widget.showPanel(name)
        for page in cut_text.pages(bench.panelNamed(name).widget):
            host.settle(20)
            for button in host.window.panel.findChildren(QPushButton):
                if button.isVisible() and not button.isEnabled():
                    disabled.append(button.objectName())
                    assert button.toolTip() != enabled.get(button.objectName()), f"{name} {page} {button.objectName()}"
    assert len(disabled) > 0


def test_each_key_stands_in_the_tool_tip_of_a_button(bench, host):
    tips = " ".join(widget.toolTip() for widget in host.window.panel.findChildren(QWidget))
    tips += " ".join(tips_of_the_files().values())
    untold = [action.key for action in bench.actions() if f"({action.key})" not in tips]
    assert set(untold) <= WITHOUT_A_BUTTON


DENSE = """
import sys
from BraTSRefine.Standalone.host import start
import cut_text
import vtk

host = start("BraTSRefine", offscreen=True, size=(1280, 800))
host.widget.openWorkspace(sys.argv[1], sys.argv[2])
host.settle(200)
bench = host.widget.workbench
found = []
for name in host.widget.panelNames():
    host.widget.showPanel(name)
    for page in cut_text.pages(bench.panelNamed(name).widget):
        host.settle(50)
        found += cut_text.faults(host.window.panel)
for tag, actors in bench.views.corners._actors.items():
    renderer = bench.views.corners._view(tag).renderWindow().GetRenderers().GetItemAsObject(0)
    rows = {}
    for actor in actors:
        if isinstance(actor, vtk.vtkTextActor) and not actor.GetPositionCoordinate().GetReferenceCoordinate():
            size = [0.0, 0.0]
            actor.GetSize(renderer, size)
            rows[actor.GetPosition()[1]] = size[1]
    ends = sorted((low, low + height) for low, height in rows.items())
    found += [f"{tag}: lines lie over each other" for one, other in zip(ends, ends[1:]) if other[0] < one[1] - 1]
print("rows", len(found), host.window.devicePixelRatio())
print("\\n".join(found))
host.close()
"""


@pytest.mark.slow
@pytest.mark.parametrize("factor", ["1.5", "2"])
def test_nothing_is_cut_and_no_line_lies_over_another_on_a_dense_screen(phantom_cohort, workspace, factor):
    run = run_apart(DENSE, phantom_cohort, workspace, QT_SCALE_FACTOR=factor)
    assert run.returncode == 0, run.stderr
    assert f"rows 0 {float(factor)}" in run.stdout, run.stdout


class TestTheCheckItself:
    """It finds what it is for."""

    def test_cut_words_and_what_lies_outside(self, window):
        place = QWidget(window.window)
        layout = QHBoxLayout(place)
        label, button = QLabel("a long text that has no room"), QPushButton("a button of many words")
        for widget in (label, button):
            widget.setFixedWidth(30)
            layout.addWidget(widget)
        place.setGeometry(0, 0, 100, 40)
        place.show()
        window.settle()
        button.setGeometry(90, 5, 30, 20)
        found = " ".join(cut_text.faults(place))
        assert "a long text" in found
        assert "a button of many words" in found
        assert "outside of its parent" in found
        assert len(cut_text.untold(place)) == 0
        button.setObjectName("silent")
        assert cut_text.untold(place) == ["silent"]
        place.deleteLater()

    def test_words_that_are_cut_only_while_the_button_is_checked(self, window):
        button = QPushButton("Second reader", window.window)
        button.setCheckable(True)
        button.setStyleSheet("QPushButton { padding: 4px 6px; } QPushButton:checked { font-weight: bold; }")
        button.setGeometry(0, 0, button.sizeHint().width(), 24)
        button.show()
        assert any("Second reader" in fault for fault in cut_text.faults(button))
        button.setFixedWidth(200)
        assert cut_text.faults(button) == []
        button.deleteLater()
