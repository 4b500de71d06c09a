"""Nothing painted is ever lost: a case, a window or a workspace that goes, another window, a kill, bad input."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import correct_driving
import numpy as np
import pytest
from correct_driving import MODEL, changed, saved, stroke
from driving import click, press
from own_process import run_apart
from PySide6.QtCore import Qt

host, desk = correct_driving.host, correct_driving.desk


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


PAINT_AND_DIE = """
import os, signal, sys
from BraTSRefine.Standalone.host import start
host = start("BraTSRefine", offscreen=True, size=(1280, 800))
import correct_driving as steps
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
    died = run_apart(PAINT_AND_DIE, phantom_cohort, workspace)
    assert died.returncode == -signal.SIGKILL, died.stderr
    bench.showAgain()
    host.settle()
    assert "was not saved" in desk.panel.ui.versionLabel.text()
    press(host, Qt.Key_C)
    assert changed(desk) == int(died.stdout.split()[-1]) > 0


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
