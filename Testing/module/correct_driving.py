"""Correcting driven as a person does it: the case that can be corrected, strokes with the mouse, what came of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

MODEL = "fold_1"
AXIAL = "BraTSRefineT1c"


class Answers:
    """What a person answers when asked whether to save; the questions are kept."""

    def __init__(self, monkeypatch) -> None:
        import slicer

        self.save = False
        self.questions: list[str] = []
        monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", self._ask)

    def _ask(self, text, *_, **__) -> bool:
        self.questions.append(text)
        return self.save


@pytest.fixture
def host(window, phantom_cohort, workspace) -> Iterator:
    """The window with the cohort, opened once for all tests of a file; nothing may fail in a slot."""
    session = window.widget.workbench.session
    if session.workspace is None or session.workspace.root != workspace:
        window.widget.openWorkspace(phantom_cohort, workspace)
    yield window
    assert not window.failures


@pytest.fixture
def desk(host, bench, workspace, answers) -> Iterator:
    """The desk with a case shown whose prediction can be corrected, by Ann, and which nobody corrected."""
    case, uncorrected = first_predicted(bench), getattr(bench, "uncorrected", None)
    shutil.rmtree(workspace / "corrections", ignore_errors=True)
    bench.review.setReader("Ann")
    bench.failure = ""
    bench.setModel(MODEL)
    if bench.session.case != case or bench.session.data.prediction.tissues is not uncorrected:
        bench.session.versions.lookAgain(case)
        bench.showCase(case)
        bench.uncorrected = bench.session.data.prediction.tissues
    host.window.setFocus()
    host.settle()
    yield bench.correcting
    if bench.correcting.isCorrecting:
        bench.correcting.end()


def first_predicted(bench) -> str:
    for case in bench.session.cohort.cases:
        if MODEL in case.usable_models():
            return case.case
    raise AssertionError("no case of the phantom can be corrected")


def pane(name=AXIAL):
    import slicer

    return slicer.app.layoutManager().sliceWidget(name).sliceView()


def stroke(host, start=(40, 50), end=(60, 50), name=AXIAL) -> None:
    """Paint from one place to another, in pixels from the middle of a view."""
    view = pane(name)
    middle = QPoint(view.width() // 2, view.height() // 2)
    first, last = middle + QPoint(*start), middle + QPoint(*end)
    QTest.mouseMove(view, first)
    host.settle(20)
    QTest.mousePress(view, Qt.LeftButton, Qt.NoModifier, first)
    QTest.mouseMove(view, last)
    QTest.mouseRelease(view, Qt.LeftButton, Qt.NoModifier, last)
    host.settle()


def changed(desk) -> int:
    return int(np.count_nonzero(desk.labels() != desk.edit.start.labels))


def prediction_of(bench):
    from BraTSRefineLib.cohort import read_label_map

    return read_label_map(bench.session.cohort[bench.session.case].predictions[MODEL])


def saved(bench):
    from BraTSRefineLib.review import versions

    return versions(bench.session.workspace.root, bench.session.case)


def button(desk, name):
    return desk.panel.editor.findChild(QToolButton, f"{name}Button")
