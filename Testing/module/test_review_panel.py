"""The review as a clinician does it: the flags of a case, one key a decision, and the name of who decides."""

from __future__ import annotations

import re

import pytest
import review_driving
from driving import cells, click, click_row, press, wait_until
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from review_driving import open_as, records, show_flagged_case

host, panel = review_driving.host, review_driving.panel


def test_every_flag_is_listed_with_region_figures_and_why(host, bench, panel):
    show_flagged_case(host, bench)
    view, flags = panel.ui.flagsOfCaseView, bench.review.reviewing.flags()
    wait_until(host, lambda: bench.review.reviewing.extents.isRead)
    assert cells(view, 1) == [flag.region for flag in flags]
    assert len(set(cells(view, 1))) > 1
    assert all(re.fullmatch(r"\d+(\.\d+)?", text) for column in (3, 4, 5) for text in cells(view, column))
    assert any("false positive" in why or "false negative" in why or "boundary" in why for why in cells(view, 2))
    click_row(view, 1)
    host.settle()
    assert f"2 · {flags[1].region}" in panel.ui.flagFiguresLabel.text()
    assert "reference:" in panel.ui.flagFiguresLabel.text()
    tip = view.model().data(view.model().index(1, 2), Qt.ToolTipRole)
    assert flags[1].why[1:] in tip
    QTest.mouseMove(view.viewport(), view.visualRect(view.model().index(0, 2)).center())
    wait_until(host, lambda: panel.ui.flagFiguresLabel.text().startswith("1 · "))


def test_f_steps_through_the_flags_of_all_regions_and_moves_every_view(host, bench, panel, row):
    import slicer
    from BraTSRefineUI import views

    show_flagged_case(host, bench)
    flags = bench.review.reviewing.flags()
    for flag in flags:
        press(host, Qt.Key_F)
        x, y, z = flag.center
        assert bench.session.region == flag.region
        for view, node, _composite in views.shownSliceNodes(slicer.mrmlScene):
            matrix = node.GetSliceToRAS()
            centre = tuple(matrix.GetElement(axis, 3) for axis in range(3))
            assert centre == pytest.approx((-x, -y, z), abs=1e-3), view.tag
    number = len(flags)
    assert row.decisionTargetLabel.text().startswith(f"<b>Flag {number} of {number}</b>")
    assert f"{number} of {number}" in panel.ui.flagsOfCaseLabel.text()
    assert bench.session.flagWords == f"flag {number} of {number}"
    press(host, Qt.Key_F)
    press(host, Qt.Key_F, Qt.ShiftModifier)
    assert bench.review.reviewing.flagNumber() == number - 1


def test_the_flag_that_is_looked_at_is_outlined_in_the_views_and_hidden_with_the_overlays(host, bench):
    import slicer

    show_flagged_case(host, bench)
    press(host, Qt.Key_F)
    flag = bench.review.reviewing.flag()
    node = slicer.util.getNode(f"flag {flag.id}")
    bounds = [0.0] * 6
    node.GetRASBounds(bounds)
    for axis, (low, high) in enumerate(zip(flag.box[:3], flag.box[3:], strict=True)):
        sides = (low, high) if axis == 2 else (-high, -low)
        assert bounds[2 * axis : 2 * axis + 2] == pytest.approx(sides, abs=3.1)
    QTest.keyPress(host.window, Qt.Key_H)
    assert not node.GetDisplayNode().GetVisibility()
    QTest.keyRelease(host.window, Qt.Key_H)
    press(host, Qt.Key_0)
    assert not slicer.mrmlScene.IsNodePresent(node)


def test_the_flag_under_the_mouse_in_a_view_stands_out_in_the_table(host, bench, panel):
    import slicer

    show_flagged_case(host, bench)
    press(host, Qt.Key_F)
    wait_until(host, lambda: bench.review.reviewing.extents.isRead)
    view = host.layoutManager.sliceWidget("BraTSRefineT1c").sliceView()
    QTest.mouseMove(view, QPoint(view.width() // 2 + 1, view.height() // 2 + 1))
    QTest.mouseMove(view, QPoint(view.width() // 2, view.height() // 2))
    wait_until(host, lambda: bench.review.hovered >= 0)
    model = panel.ui.flagsOfCaseView.model()
    grounds = [model.data(model.index(row, 2), Qt.BackgroundRole) for row in range(model.rowCount())]
    assert [number for number, ground in enumerate(grounds) if ground] == [bench.review.hovered]
    assert panel.ui.flagFiguresLabel.text().startswith(f"{bench.review.hovered + 1} · ")
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    node.SetCursorPositionRAS([900.0, 900.0, 900.0])
    wait_until(host, lambda: bench.review.hovered == -1)


def test_one_key_decides_a_flag_goes_on_to_the_next_undecided_one_and_then_to_the_case(host, bench, panel, row):
    show_flagged_case(host, bench)
    flags = bench.review.reviewing.flags()
    press(host, Qt.Key_F)
    press(host, Qt.Key_2)
    assert bench.review.reviewing.flagNumber() == 1
    assert cells(panel.ui.flagsOfCaseView, 6)[0] == "minor"
    assert re.search(rf"saved \d\d:\d\d:\d\d · flag 1 of {len(flags)} · minor", row.statusLabel.text())
    assert row.statusLabel.text().startswith("For research use only")
    press(host, Qt.Key_F)
    click(row.badImageButton)
    assert bench.review.reviewing.flagNumber() == (3 if len(flags) > 3 else 1)
    press(host, Qt.Key_F, Qt.ShiftModifier)
    press(host, Qt.Key_F, Qt.ShiftModifier)
    assert row.minorButton.isChecked() == (bench.review.reviewing.flagNumber() == 0)
    while bench.review.reviewing.flag() is not None:
        press(host, Qt.Key_1)
        if len(records(bench)) > len(flags) + 2:
            raise AssertionError("the case is never reached")
    assert row.decisionTargetLabel.text().startswith("<b>Whole case</b>")
    press(host, Qt.Key_3)
    case = bench.session.case
    assert records(bench)[-1] == ("decision", "major")
    assert cells(panel.ui.queueView, 2)[panel.shownCases.index(case)] == "major"
    assert "major" in row.caseTitleLabel.text()
    assert bench.session.caseWords == "major"
    assert row.decisionTargetLabel.text().endswith(f"1 of {len(panel.shownCases)} decided")


def test_the_corner_captions_tell_flag_and_decision(host, bench, monkeypatch):
    from BraTSRefineUI.corners import Corners

    written: list[str] = []
    monkeypatch.setattr(Corners, "show", lambda self, tag, title, *rest, **more: written.extend(w for w, _c in title))
    show_flagged_case(host, bench)
    press(host, Qt.Key_F)
    press(host, Qt.Key_2)
    press(host, Qt.Key_F, Qt.ShiftModifier)
    count = len(bench.review.reviewing.flags())
    assert f"flag 1 of {count} · minor" in written
    press(host, Qt.Key_0)
    press(host, Qt.Key_4)
    assert "unacceptable" in written


def test_backspace_takes_the_last_decision_back_as_a_record_of_its_own(host, bench, row):
    show_flagged_case(host, bench)
    case = bench.session.case
    press(host, Qt.Key_2)
    press(host, Qt.Key_N)
    assert bench.session.case != case
    press(host, Qt.Key_Backspace)
    assert bench.session.case == case
    assert bench.review.reviewing.decisionOf(None) is None
    assert not row.minorButton.isChecked()
    assert records(bench) == [("decision", "minor"), ("undo", "")]
    assert "taken back: minor" in row.statusLabel.text()
    press(host, Qt.Key_Backspace)
    assert "nothing to undo" in row.statusLabel.text()


def test_approve_second_reader_and_done_have_keys_and_show(host, bench, row):
    show_flagged_case(host, bench)
    for key, button in ((Qt.Key_A, row.approveButton), (Qt.Key_S, row.secondReaderButton), (Qt.Key_M, row.doneButton)):
        press(host, key)
        assert button.isChecked()
    assert [kind for kind, _decision in records(bench)] == ["approve", "second reader", "done"]
    assert bench.session.caseWords == "approved · second reader · done"


def test_the_next_case_tells_its_own_decision_and_its_flags_from_the_first(host, bench, panel, row):
    show_flagged_case(host, bench)
    for _flag in bench.review.reviewing.flags():
        press(host, Qt.Key_F)
    press(host, Qt.Key_0)
    press(host, Qt.Key_3)
    assert "major" in row.caseTitleLabel.text()
    decided = bench.session.case
    press(host, Qt.Key_N)
    wait_until(host, lambda: bench.session.case != decided)
    assert bench.session.caseWords == ""
    assert "major" not in row.caseTitleLabel.text()
    assert panel.ui.flagsOfCaseView.verticalScrollBar().value() == 0


def test_a_note_goes_with_the_decision_and_digits_in_it_decide_nothing(host, bench, row):
    show_flagged_case(host, bench)
    press(host, Qt.Key_T)
    assert row.noteEdit.hasFocus()
    QTest.keyClicks(row.noteEdit, "12 \"quoted\", 'so'")
    row.noteEdit.insert(" and 🧠")
    assert records(bench) == []
    click(row.minorButton)
    (event,) = [event for event in bench.review.reviewing.followed.store.events() if event.kind == "decision"]
    assert event.note == "12 \"quoted\", 'so' and 🧠"
    assert row.noteEdit.text() == ""
    row.noteEdit.setText("line\nbreak")
    QTest.keyClick(row.noteEdit, Qt.Key_Return)
    notes = [event.note for event in bench.review.reviewing.followed.store.events() if event.kind == "note"]
    assert notes == ["line\nbreak"]
    press(host, Qt.Key_3)
    assert records(bench)[-1] == ("decision", "major")


def test_the_buttons_are_whole_name_their_keys_and_say_why_they_are_off(host, bench, row):
    for name, key in (("accept", 1), ("minor", 2), ("major", 3), ("unacceptable", 4), ("badImage", 5)):
        button = getattr(row, f"{name}Button")
        assert button.isVisible()
        assert button.fontMetrics().horizontalAdvance(button.text()) + 6 <= button.width(), name
        assert f"({key})" in button.toolTip()
    bench.review.setReader("Ann")
    bench.review.reviewing.reader = ""
    bench.review.row.refresh()
    assert not row.minorButton.isEnabled()
    assert "the reviewer's name is missing" in row.minorButton.toolTip()


def test_the_name_is_asked_for_once_in_the_panel_and_kept_in_the_user_information(
    host, bench, panel, row, phantom_cohort, folder
):
    import slicer

    open_as(host, phantom_cohort, folder, "")
    assert panel.ui.nameFrame.isVisible()
    press(host, Qt.Key_2)
    assert records(bench) == []
    assert "name is missing" in row.statusLabel.text()
    assert panel.ui.readerEdit.hasFocus()
    QTest.keyClicks(panel.ui.readerEdit, "Dr. Bea Öz")
    QTest.keyClick(panel.ui.readerEdit, Qt.Key_Return)
    assert not panel.ui.nameFrame.isVisible()
    assert slicer.app.applicationLogic().GetUserInformation().GetName() == "Dr. Bea Öz"
    assert "%C3%96z" in str(slicer.app.userSettings().value("UserInformation")) or "Dr. Bea Öz" in str(
        slicer.app.userSettings().value("UserInformation")
    )
    press(host, Qt.Key_2)
    assert records(bench) == [("decision", "minor")]
    host.widget.openWorkspace(phantom_cohort, folder)
    assert not panel.ui.nameFrame.isVisible()


@pytest.mark.slow
def test_a_real_case_is_reviewed_flag_by_flag(window, real_data, tmp_path):
    from BraTSRefineLib import jobs
    from BraTSRefineLib.cohort import Workspace, discover, save_cohort

    data = real_data / "brats2020"
    opened = Workspace.open(tmp_path / "workspace", data)
    cohort = discover(data)
    save_cohort(cohort, opened)
    case = cohort.cases[0].case
    jobs.run(jobs.create(opened, "uncertainty", {"cases": [case]}))
    open_as(window, data, opened.root, "Ann")
    bench = window.widget.workbench
    panel, reviewing = bench.panelNamed("Review"), bench.review.reviewing
    assert panel.shownCases[0] == case
    bench.showCase(case)
    wait_until(window, lambda: reviewing.extents.isRead)
    assert all(reviewing.extents.of(flag) is not None for flag in reviewing.flags())
    press(window, Qt.Key_F)
    for _flag in reviewing.flags():
        press(window, Qt.Key_1)
    assert reviewing.flag() is None
    press(window, Qt.Key_2)
    assert len(records(bench)) == len(reviewing.flags()) + 1
    events = [event for event in reviewing.followed.store.events() if event.kind != "opened"]
    assert {len(event.prediction_hash) for event in events} == {64}
    press(window, Qt.Key_N)
    assert bench.session.case == panel.shownCases[1]
    reviewing.close()
    assert not window.failures
