"""Correcting as a person does it: C, paint with the mouse, undo, save, and step through what was saved."""

from __future__ import annotations

import correct_driving
import numpy as np
import pytest
from correct_driving import (
    AXIAL,
    MODEL,
    button,
    changed,
    prediction_of,
    saved,
    stroke,
)
from driving import click, press, wait_until
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

host, desk = correct_driving.host, correct_driving.desk


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
    assert inside > 0
    click(check)
    stroke(host, (-120, -150), (-100, -150))
    outside = changed(desk) - inside
    assert outside > 0
    click(check)
    assert f"{outside} of them too far" in desk.panel.ui.editStateLabel.text()
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
    wait_until(host, lambda: bench.session.model == "deepscan")
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
