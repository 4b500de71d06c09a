"""Correcting as a person does it: C, paint with the mouse, undo, save; and nothing painted is ever lost."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from driving import click, press, wait_until
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

MODEL = "fold_1"
AXIAL = "BraTSRefineT1c"


@pytest.fixture
def host(window, phantom_cohort, workspace):
    """The window with the phantom cohort, opened once for all tests; nothing may fail in a slot."""
    session = window.widget.workbench.session
    if session.workspace is None or session.workspace.root != workspace:
        window.widget.openWorkspace(phantom_cohort, workspace)
    yield window
    assert not window.failures


@pytest.fixture
def desk(host, bench, workspace, answers):
    """The desk with a case shown whose prediction can be corrected, by Ann, and which nobody corrected."""
    case = first_predicted(bench)
    shutil.rmtree(workspace / "corrections", ignore_errors=True)
    bench.review.setReader("Ann")
    bench.failure = ""
    bench.setModel(MODEL)
    if bench.session.case != case or bench.session.data.prediction.tissues is not bench.uncorrected:
        bench.session.versions.lookAgain(case)
        bench.showCase(case)
        bench.uncorrected = bench.session.data.prediction.tissues
    host.window.setFocus()
    host.settle()
    yield bench.correcting
    if bench.correcting.isCorrecting:
        bench.correcting.end()


def first_predicted(bench) -> str:
    bench.uncorrected = getattr(bench, "uncorrected", None)
    for case in bench.session.cohort.cases:
        if MODEL in case.usable_models():
            return case.case
    raise AssertionError("no case of the phantom can be corrected")


@pytest.fixture
def answers(monkeypatch):
    """What a person answers when asked whether to save; the questions are kept."""
    import slicer

    class Answers:
        save = False
        questions: list = []

    given = Answers()
    given.questions = []

    def ask(text, *_, **__):
        given.questions.append(text)
        return given.save

    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", ask)
    return given


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


def words_in_corners(bench) -> str:
    from BraTSRefineUI import captions, views

    view = views.viewOf(AXIAL)
    pieces = captions._outlines(bench.session, bench.caseScene, bench.views.comparing, view)
    return " ".join(words for words, _colour in pieces)


def test_c_opens_the_editor_with_a_segment_a_tissue(host, bench, desk):
    press(host, Qt.Key_C)
    assert desk.isCorrecting
    assert desk.panel.widget.isVisible()
    assert not host.widget.ui.tabs.isVisible()
    segmentation = desk.paint.segmentation.GetSegmentation()
    names = [segmentation.GetSegment(name).GetName() for name in segmentation.GetSegmentIDs()]
    assert names == ["ED oedema", "NCR necrosis", "ET enhancing tumour"]
    assert desk.panel.editor.activeEffect() is not None
    assert np.array_equal(desk.labels(), prediction_of(bench))
    assert "being corrected" in words_in_corners(bench)


def test_c_on_the_start_page_brings_the_editor_to_the_front(host, bench, desk):
    host.widget.showPanel("Cohort")
    press(host, Qt.Key_C)
    assert desk.panel.widget.isVisible()


def test_the_editors_keys_are_alive_and_ours_are_not(host, bench, desk):
    case = bench.session.case
    press(host, Qt.Key_C)
    press(host, Qt.Key_N)
    press(host, Qt.Key_5)
    assert bench.session.case == case
    assert bench.review.reviewing.state(case).decision is None
    press(host, Qt.Key_3)
    assert button(desk, "Erase").isChecked()
    display = desk.paint.segmentation.GetDisplayNode()
    QTest.keyPress(host.window.windowHandle(), Qt.Key_H)
    host.settle()
    assert not display.GetVisibility()
    QTest.keyRelease(host.window.windowHandle(), Qt.Key_H)
    host.settle()
    assert display.GetVisibility()
    press(host, Qt.Key_Escape)
    assert desk.panel.editor.activeEffect() is None
    press(host, Qt.Key_Space)
    assert button(desk, "Erase").isChecked()
    current = desk.panel.editor.currentSegmentID()
    press(host, Qt.Key_W)
    assert desk.panel.editor.currentSegmentID() != current
    press(host, Qt.Key_C)
    assert not desk.isCorrecting
    press(host, Qt.Key_N)
    assert bench.session.case != case


def test_painting_undo_redo_save_and_what_is_shown_then(host, bench, desk, answers):
    from BraTSRefineLib.cohort import read_label_map

    before = prediction_of(bench)
    press(host, Qt.Key_C)
    stroke(host)
    count = changed(desk)
    assert count > 3
    press(host, Qt.Key_Z)
    assert changed(desk) == 0
    press(host, Qt.Key_Y)
    assert changed(desk) == count
    painted = desk.labels()
    press(host, Qt.Key_S)
    assert not desk.isCorrecting
    assert not answers.questions
    (version,) = saved(bench)
    assert np.array_equal(read_label_map(version.path), painted)
    assert np.count_nonzero(painted != before) == count
    assert version.event.who == "Ann"
    assert version.event.payload["voxels"] == count
    assert np.array_equal(prediction_of(bench), before)
    state = bench.review.reviewing.state(bench.session.case)
    assert state.correction == version.event
    assert np.array_equal(bench.session.data.prediction.tissues, painted)
    assert "corrected by Ann, " in words_in_corners(bench)
    assert desk.panel.ui.versionLabel.text().startswith("Corrected by Ann, ")
    assert "corrected" in host.widget.ui.statusLabel.text()


def test_what_a_stroke_changed_is_counted_at_once(host, bench, desk):
    press(host, Qt.Key_C)
    desk.draft.timer.stop()
    stroke(host)
    wait_until(host, lambda: desk.panel.ui.editStateLabel.text() == f"{changed(desk)} voxels changed")
    assert changed(desk) > 0


def test_the_next_reader_sees_the_newest_and_can_step_back(host, bench, desk, phantom_cohort, workspace):
    original, case = prediction_of(bench), bench.session.case
    shown = []
    for start, end in (((40, 50), (60, 50)), ((-60, -50), (-40, -50))):
        press(host, Qt.Key_C)
        stroke(host, start, end)
        press(host, Qt.Key_S)
        shown.append(bench.session.data.prediction.tissues)
    host.widget.openWorkspace(phantom_cohort, workspace)
    bench.review.setReader("Ben")
    bench.setModel(MODEL)
    bench.showCase(case)
    host.settle()
    assert np.array_equal(bench.session.data.prediction.tissues, shown[1])
    assert "2/2" in desk.panel.ui.versionLabel.text()
    press(host, Qt.Key_O)
    assert np.array_equal(bench.session.data.prediction.tissues, shown[0])
    click(desk.panel.ui.olderVersionButton)
    host.settle()
    assert np.array_equal(bench.session.data.prediction.tissues, original)
    assert "The prediction; 2 corrections" in desk.panel.ui.versionLabel.text()
    assert not desk.panel.ui.olderVersionButton.isEnabled()
    press(host, Qt.Key_O, Qt.ShiftModifier)
    assert np.array_equal(bench.session.data.prediction.tissues, shown[0])
    press(host, Qt.Key_C)
    assert np.array_equal(desk.labels(), shown[0]), "a correction starts from what is shown"


def test_readers_who_are_asked_to_read_independently_are_blind(host, bench, desk):
    press(host, Qt.Key_C)
    stroke(host)
    press(host, Qt.Key_S)
    bench.review.mark("second reader")
    bench.review.setReader("Ben")
    assert bench.review.reviewing.isBlind
    assert bench.session.versions.shown(bench.session.case, MODEL) is None
    bench.review.setBlind(False)
    assert bench.session.versions.shown(bench.session.case, MODEL) is not None
    bench.review.setBlind(True)
    bench.review.setReader("Ann")
    bench.review.undo()


def test_a_correction_that_is_taken_back_is_no_longer_shown(host, bench, desk):
    press(host, Qt.Key_C)
    stroke(host)
    press(host, Qt.Key_S)
    bench.review.undo()
    host.settle()
    bench.showAgain()
    assert bench.session.versions.shown(bench.session.case, MODEL) is None
    assert np.array_equal(bench.session.data.prediction.tissues, prediction_of(bench))


def test_hiding_and_renaming_in_the_window_changes_no_label(host, bench, desk):
    press(host, Qt.Key_C)
    table = desk.panel.editor._table
    table.item(1, 0).setCheckState(Qt.Unchecked)
    desk.paint.segmentation.GetSegmentation().GetSegment("label-2").SetName("something else")
    host.settle()
    before = prediction_of(bench)
    stroke(host)
    press(host, Qt.Key_Z)
    assert table.item(1, 0).checkState() == Qt.Unchecked, "undo shows what was hidden"
    press(host, Qt.Key_Y)
    press(host, Qt.Key_S)
    after = bench.session.data.prediction.tissues
    assert set(np.unique(after)) <= {0, 1, 2, 3}
    for label in (1, 3):
        if label != np.unique(after[after != before]).item():
            assert np.array_equal((after == label) | (after != before), (before == label) | (after != before))


# Nothing is lost


def test_leaving_the_case_asks_once_and_the_edit_is_offered_again(host, bench, desk, answers):
    case = bench.session.case
    press(host, Qt.Key_C)
    stroke(host)
    painted = desk.labels()
    click(host.widget.ui.nextCaseButton)
    host.settle(200)
    assert len(answers.questions) == 1
    assert case in answers.questions[0]
    assert bench.session.case != case
    assert not saved(bench)
    bench.showCase(case)
    host.settle()
    assert "was not saved" in desk.panel.ui.versionLabel.text()
    press(host, Qt.Key_C)
    assert np.array_equal(desk.labels(), painted)
    press(host, Qt.Key_S)
    assert len(saved(bench)) == 1
    assert "was not saved" not in desk.panel.ui.versionLabel.text()


def test_leaving_can_save(host, bench, desk, answers):
    answers.save = True
    case = bench.session.case
    press(host, Qt.Key_C)
    stroke(host)
    bench.setModel("fold_2")
    host.settle()
    assert not desk.isCorrecting
    bench.setModel(MODEL)
    assert bench.session.case == case
    assert len(saved(bench)) == 1


def test_leaving_without_an_edit_asks_nothing(host, bench, desk, answers):
    press(host, Qt.Key_C)
    click(host.widget.ui.nextCaseButton)
    host.settle(200)
    assert not desk.isCorrecting
    assert not answers.questions


def test_leaving_the_module_asks_and_keeps(host, bench, desk, answers):
    from BraTSRefineLib.review import drafts

    press(host, Qt.Key_C)
    stroke(host)
    host.widget.exit()
    host.settle()
    assert len(answers.questions) == 1
    assert not desk.isCorrecting
    assert len(drafts(bench.session.workspace.root, bench.session.case, "Ann", MODEL)) == 1
    host.widget.enter()
    host.settle()
    press(host, Qt.Key_C)
    assert changed(desk)
    click(desk.panel.ui.discardCorrectionButton)
    assert desk.isCorrecting, "a first press drops nothing"
    click(desk.panel.ui.discardCorrectionButton)
    assert not desk.isCorrecting
    assert not drafts(bench.session.workspace.root, bench.session.case)


def test_closing_the_window_asks_once(host, bench, desk, answers):
    from PySide6.QtCore import QCoreApplication, QEvent

    press(host, Qt.Key_C)
    stroke(host)
    QCoreApplication.sendEvent(host.window, QEvent(QEvent.Close))
    assert len(answers.questions) == 1
    assert not desk.isCorrecting


def test_closing_the_scene_keeps_the_edit(host, bench, desk):
    import slicer

    from BraTSRefineLib.review import drafts

    case = bench.session.case
    press(host, Qt.Key_C)
    stroke(host)
    slicer.mrmlScene.Clear(0)
    host.settle()
    assert not desk.isCorrecting
    assert len(drafts(bench.session.workspace.root, case, "Ann", MODEL)) == 1


def test_the_timer_keeps_what_is_painted(host, bench, desk):
    press(host, Qt.Key_C)
    stroke(host)
    assert not desk.edit.keeper.is_kept
    desk.draft.timer.setInterval(50)
    host.settle(400)
    desk.draft.timer.setInterval(3000)
    assert desk.edit.keeper.is_kept
    assert "kept " in desk.panel.ui.editStateLabel.text()
    assert np.array_equal(desk.labels(), desk.edit._kept)


def test_a_changed_source_is_told_and_can_be_saved_all_the_same(host, bench, desk):
    path = bench.session.cohort[bench.session.case].predictions[MODEL]
    content = path.read_bytes()
    press(host, Qt.Key_C)
    stroke(host)
    painted = desk.labels()
    try:
        path.write_bytes(content + b"\0")
        press(host, Qt.Key_S)
        assert desk.isCorrecting
        assert "changed since it was opened" in bench.failure
        assert not saved(bench)
        assert desk.edit.keeper.is_kept
        press(host, Qt.Key_S)
    finally:
        path.write_bytes(content)
    assert np.array_equal(bench.session.data.prediction.tissues, painted)
    assert saved(bench)[0].event.payload["source_changed"]


def test_a_workspace_that_vanished_keeps_the_edit_in_the_window(host, bench, desk, workspace):
    press(host, Qt.Key_C)
    stroke(host)
    count = changed(desk)
    away = workspace.with_name("away")
    workspace.rename(away)
    try:
        press(host, Qt.Key_S)
        assert desk.isCorrecting
        assert "no longer there" in bench.failure or "not kept" in bench.failure
        assert changed(desk) == count
    finally:
        shutil.rmtree(workspace, ignore_errors=True)
        away.rename(workspace)
    press(host, Qt.Key_S)
    assert not desk.isCorrecting
    assert len(saved(bench)) == 1


def test_leaving_while_the_workspace_is_gone_rescues_the_edit(host, bench, desk, workspace):
    from pathlib import Path

    from BraTSRefineLib.cohort import read_label_map

    press(host, Qt.Key_C)
    stroke(host)
    painted = desk.labels()
    root = workspace / "corrections"
    shutil.rmtree(root, ignore_errors=True)
    root.write_text("a file where a folder should be")
    try:
        press(host, Qt.Key_C)
    finally:
        root.unlink()
    assert not desk.isCorrecting
    rescued = Path(bench.failure.rpartition("the edit is in ")[2])
    assert np.array_equal(read_label_map(rescued), painted)
    rescued.unlink()


def test_a_second_window_on_the_case_loses_nothing(host, bench, desk):
    from BraTSRefineLib.review import save_correction, start_from_prediction

    press(host, Qt.Key_C)
    stroke(host)
    start = start_from_prediction(bench.session.cohort[bench.session.case], MODEL)
    other = start.labels.copy()
    other[0, 0, :5] = 2
    save_correction(bench.session.workspace.root, start, other, "Ben")
    press(host, Qt.Key_S)
    assert [version.event.who for version in saved(bench)] == ["Ann", "Ben"]
    assert "2/2" in desk.panel.ui.versionLabel.text()


def test_what_could_not_be_recorded_is_recorded_at_the_next_opening(host, bench, desk, phantom_cohort, workspace):
    reviewing = bench.review.reviewing
    press(host, Qt.Key_C)
    stroke(host)
    followed, reviewing.followed = reviewing.followed, None
    press(host, Qt.Key_S)
    assert "recorded later" in bench.failure
    (version,) = saved(bench)
    reviewing.followed = followed
    assert version.event not in followed.events(version.event.case)
    host.widget.openWorkspace(phantom_cohort, workspace)
    assert version.event in reviewing.followed.events(version.event.case)


# Bad input


def test_without_a_prediction_one_is_drawn(host, bench, desk):
    case = next(c for c in bench.session.cohort.cases if MODEL not in c.predictions or c.case == bench.session.case)
    predictions = case.predictions
    kept = predictions.pop(MODEL)
    try:
        bench.showAgain()
        bench.showCase(case.case)
        press(host, Qt.Key_C)
        assert desk.isCorrecting
        assert desk.edit.start.drawn
        assert "from nothing" in desk.panel.ui.correctTitleLabel.text()
        stroke(host)
        press(host, Qt.Key_S)
        assert saved(bench)[0].event.payload["drawn"]
        assert bench.session.data.prediction.tissues.any()
    finally:
        predictions[MODEL] = kept


def test_without_a_name_nothing_is_begun(host, bench, desk):
    bench.review.reviewing.reader = ""
    press(host, Qt.Key_C)
    assert not desk.isCorrecting
    assert "who you are" in bench.failure
    bench.review.setReader("Ann")


def test_a_segment_that_belongs_to_no_label_is_told(host, bench, desk):
    press(host, Qt.Key_C)
    stroke(host)
    desk.paint.segmentation.GetSegmentation().AddEmptySegment("S_9", "Segment_9")
    press(host, Qt.Key_S)
    assert desk.isCorrecting
    assert "Segment_9" in bench.failure
    desk.paint.segmentation.GetSegmentation().RemoveSegment("S_9")
    press(host, Qt.Key_S)
    assert not desk.isCorrecting


def test_saving_without_an_edit_says_so(host, bench, desk):
    press(host, Qt.Key_C)
    press(host, Qt.Key_S)
    assert desk.isCorrecting
    assert "no voxel is changed" in bench.failure


# The flag


def test_near_the_flag_effects_act_there_alone_and_saving_keeps_to_it(host, bench, desk):
    bench.showCase(next(name for name in bench.session.caseNames if _flags(bench, name)))
    host.settle()
    press(host, Qt.Key_F)
    press(host, Qt.Key_C)
    check = desk.panel.ui.nearFlagCheck
    assert check.isEnabled()
    click(check)
    assert desk.edit.inside is not None
    stroke(host, (-120, -150), (-100, -150))
    assert changed(desk) == 0, "an effect does not reach what lies outside"
    stroke(host, (-3, 0), (3, 0))
    inside = changed(desk)
    click(check)
    stroke(host, (-120, -150), (-100, -150))
    outside = changed(desk) - inside
    assert outside > 0
    click(check)
    assert f"{outside} of them too far" in desk.panel.ui.editStateLabel.text()
    if inside:
        press(host, Qt.Key_S)
        (version,) = saved(bench)
        assert version.event.payload["left_out"] == outside
        assert version.event.payload["voxels"] == inside
        assert version.event.flag


def _flags(bench, name) -> bool:
    case = bench.session.cohort[name]
    bench.showCase(name)
    return bool(MODEL in case.usable_models() and bench.session.flags())


# The host's editor


def test_threshold_and_islands(host, bench, desk):
    from PySide6.QtWidgets import QDoubleSpinBox, QPushButton

    press(host, Qt.Key_C)
    editor = desk.panel.editor
    click(button(desk, "Threshold"))
    low = editor.findChild(QDoubleSpinBox, "ThresholdLow")
    low.setValue(low.maximum() * 0.8)
    click(editor.findChild(QPushButton, "ThresholdApply"))
    host.settle()
    many = changed(desk)
    assert many
    editor.setCurrentSegmentID("label-3")
    click(button(desk, "Islands"))
    before = int(np.count_nonzero(desk.labels() == 3))
    click(editor.findChild(QPushButton, "IslandKeeplargest"))
    host.settle()
    from scipy.ndimage import label

    assert label(desk.labels() == 3)[1] <= 1
    assert np.count_nonzero(desk.labels() == 3) <= before
    press(host, Qt.Key_Z)
    press(host, Qt.Key_Z)
    assert changed(desk) == 0


def test_erasing(host, bench, desk):
    press(host, Qt.Key_C)
    editor = desk.panel.editor
    for segment in ("label-2", "label-1", "label-3"):
        editor.setCurrentSegmentID(segment)
        editor.setActiveEffectByName("Erase")
        stroke(host, (-30, 0), (30, 0))
    painted, before = desk.labels(), desk.edit.start.labels
    assert np.count_nonzero(painted != before)
    assert not painted[painted != before].any()


def test_nothing_is_left_behind(host, bench, desk):
    import slicer

    press(host, Qt.Key_C)
    press(host, Qt.Key_C)
    count = slicer.mrmlScene.GetNumberOfNodes()
    for _ in range(3):
        press(host, Qt.Key_C)
        stroke(host)
        click(desk.panel.ui.discardCorrectionButton)
        click(desk.panel.ui.discardCorrectionButton)
        host.settle()
    assert slicer.mrmlScene.GetNumberOfNodes() == count


@pytest.mark.slow
def test_a_real_case_is_corrected(host, bench, answers, real_data, tmp_path):
    """BraTS 2020 at full size: exactly the painted voxels differ."""
    from BraTSRefineLib.cohort import read_label_map

    host.widget.openWorkspace(real_data / "brats2020", tmp_path / "workspace")
    bench.review.setReader("Ann")
    bench.setModel("deepscan")
    bench.showCase("BraTS20_Training_001")
    host.settle()
    desk, source = bench.correcting, bench.session.cohort["BraTS20_Training_001"].predictions["deepscan"]
    host.window.setFocus()
    press(host, Qt.Key_C)
    assert desk.isCorrecting, bench.failure
    stroke(host)
    painted = desk.labels()
    press(host, Qt.Key_S)
    version = saved(bench)[0]
    differs = read_label_map(version.path) != read_label_map(source)
    assert np.array_equal(differs, painted != read_label_map(source))
    assert version.event.payload["voxels"] == np.count_nonzero(differs) > 0


PAINT_AND_DIE = """
import os, signal, sys
from BraTSRefine.Standalone.host import start
host = start("BraTSRefine", offscreen=True, size=(1280, 800))
import test_correcting as steps
from driving import press
from PySide6.QtCore import Qt
host.widget.openWorkspace(sys.argv[1], sys.argv[2])
bench = host.widget.workbench
bench.review.setReader("Ann")
bench.setModel(steps.MODEL)
bench.showCase(steps.first_predicted(bench))
host.window.setFocus()
press(host, Qt.Key_C)
steps.stroke(host)
bench.correcting.draft.timer.setInterval(50)
host.settle(500)
print(steps.changed(bench.correcting), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_after_a_kill_the_edit_is_offered(host, bench, desk, phantom_cohort, workspace):
    import os
    import subprocess
    import sys
    from pathlib import Path

    folders = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(folders)}
    command = [sys.executable, "-c", PAINT_AND_DIE, str(phantom_cohort), str(workspace)]
    died = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert died.returncode == -9, died.stderr
    bench.showAgain()
    host.settle()
    assert "was not saved" in desk.panel.ui.versionLabel.text()
    press(host, Qt.Key_C)
    assert changed(desk) == int(died.stdout.split()[-1]) > 0
