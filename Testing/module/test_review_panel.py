"""The review as a clinician does it: the queue, the flags, one key a decision, and nothing lost."""

from __future__ import annotations

import re
import shutil
import sqlite3

import pytest
from driving import click, press, wait_until
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from BraTSRefineLib.review import Event, open_store
from BraTSRefineLib.review.store_places import STORE_FILE


@pytest.fixture
def folder(scored_workspace, tmp_path):
    """A workspace of its own for each test: what was decided in one is not there in the next."""
    return shutil.copytree(scored_workspace, tmp_path / "workspace")


@pytest.fixture
def host(window, phantom_cohort, folder):
    """The window with the phantom cohort, the Review tab in front, read by Ann."""
    open_as(window, phantom_cohort, folder, "Ann")
    yield window
    window.widget.workbench.review.reviewing.close()
    assert not window.failures


def open_as(window, cohort, folder, reader: str) -> None:
    import slicer

    slicer.app.applicationLogic().GetUserInformation().SetName(reader)
    window.widget.openWorkspace(cohort, folder)
    window.widget.showPanel("Review")
    window.settle()


@pytest.fixture
def panel(bench):
    return bench.panelNamed("Review")


@pytest.fixture
def row(host):
    """The widgets under the case card."""
    return host.widget.ui


def records(bench) -> list[tuple[str, str]]:
    events = bench.review.reviewing.followed.store.events()
    return [(event.kind, event.decision) for event in events if event.kind != "opened"]


def click_line(view, row: int) -> None:
    place = view.visualRect(view.model().index(row, 0)).center()
    QTest.mouseClick(view.viewport(), Qt.LeftButton, pos=place)


def texts(view, column: int) -> list[str]:
    model = view.model()
    return [model.data(model.index(row, column)) for row in range(model.rowCount())]


def show_flagged_case(host, bench, flags: int = 3) -> None:
    queue = bench.review.reviewing.queue
    case = next(row.case for row in queue.rows if row.flags >= flags and row.case not in queue.failed)
    bench.showCase(case)
    host.settle()


def test_every_flag_is_listed_with_region_figures_and_why(host, bench, panel):
    show_flagged_case(host, bench)
    view, flags = panel.ui.flagsOfCaseView, bench.review.reviewing.flags()
    wait_until(host, lambda: bench.review.reviewing.extents.isRead)
    assert texts(view, 1) == [flag.region for flag in flags]
    assert len(set(texts(view, 1))) > 1
    assert all(re.fullmatch(r"\d+(\.\d+)?", text) for column in (3, 4, 5) for text in texts(view, column))
    assert any("false positive" in why or "false negative" in why or "boundary" in why for why in texts(view, 2))
    click_line(view, 1)
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
    assert texts(panel.ui.flagsOfCaseView, 6)[0] == "minor"
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
    assert texts(panel.ui.queueView, 2)[panel.shownCases.index(case)] == "major"
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


def test_the_queue_leads_next_and_previous_and_is_filtered(host, bench, panel):
    shown = panel.shownCases
    bench.showCase(shown[0])
    press(host, Qt.Key_N)
    assert bench.session.case == shown[1]
    press(host, Qt.Key_P)
    press(host, Qt.Key_P)
    assert bench.session.case == shown[-1]
    click_line(panel.ui.queueView, 1)
    host.settle()
    assert bench.session.case == shown[1]
    press(host, Qt.Key_1)
    panel.ui.stateCombo.setCurrentIndex(panel.ui.stateCombo.findText("decided"))
    assert panel.shownCases == [shown[1]]
    panel.ui.stateCombo.setCurrentIndex(panel.ui.stateCombo.findText("open"))
    assert panel.shownCases == [case for case in shown if case != shown[1]]
    press(host, Qt.Key_N)
    assert bench.session.case == shown[0]
    panel.ui.stateCombo.setCurrentIndex(0)
    panel.ui.orderCombo.setCurrentIndex(2)
    assert panel.ui.queueView.model().columnCount() == 3
    assert sorted(panel.shownCases) == sorted(shown)


def test_while_another_tab_is_in_front_its_own_list_leads(host, bench, panel):
    host.widget.showPanel("Worst cases")
    shown = bench.worstCases.shownCases
    bench.showCase(shown[0])
    press(host, Qt.Key_N)
    assert bench.session.case == shown[1]


def test_the_review_goes_on_where_it_stopped_though_the_program_was_killed(host, bench, panel, phantom_cohort, folder):
    model = next(model for model in reversed(bench.session.models) if model != bench.session.model)
    bench.setModel(model)
    press(host, Qt.Key_N)
    case = bench.session.case
    press(host, Qt.Key_2)
    bench.review.reviewing.followed = None  # nothing is written at the end
    host.widget.openWorkspace(phantom_cohort, folder)
    host.settle()
    assert (bench.session.case, bench.session.model) == (case, model)
    assert bench.panelInFront() is panel
    assert bench.review.reviewing.decisionOf(None).decision == "minor"


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


def test_a_case_that_fails_in_the_middle_of_the_queue_is_passed_over_in_red(host, bench, panel, row, monkeypatch):
    from BraTSRefineUI import colours

    shown = panel.shownCases
    bench.showCase(shown[0])
    whole = type(bench.session).unreadable
    broken = lambda session: "cut short" if session.case == shown[1] else whole(session)  # noqa: E731
    monkeypatch.setattr(type(bench.session), "unreadable", broken)
    press(host, Qt.Key_N)
    assert bench.session.case == shown[2]
    assert shown[1] in row.statusLabel.text()
    model = panel.ui.queueView.model()
    assert model.data(model.index(1, 2)) == "not readable"
    assert model.data(model.index(1, 1), Qt.ForegroundRole).color().name() == colours.BAD.lower()
    assert "cut short" in model.data(model.index(1, 1), Qt.ToolTipRole)
    press(host, Qt.Key_P)
    assert bench.session.case == shown[0]


def test_another_window_s_decision_appears_by_itself(host, bench, panel, folder):
    case = bench.session.case
    with open_store(folder) as other:
        other.record(Event("decision", case, "Ann", decision="major", model=bench.session.model))
    bench.review.lookForNews()
    assert texts(panel.ui.queueView, 2)[panel.shownCases.index(case)] == "major"
    assert "major" in host.widget.ui.caseTitleLabel.text()


def test_two_readers_disagree_and_a_third_has_the_last_word(host, bench, panel, row, folder):
    show_flagged_case(host, bench)
    case = bench.session.case
    press(host, Qt.Key_1)
    bench.review.setReader("Ben")
    assert bench.review.reviewing.decisionOf(None) is None
    press(host, Qt.Key_4)
    assert panel.ui.readersStepButton.text() == "Readers"
    bench.review.setReader("Cleo")
    assert panel.ui.readersStepButton.text() == "Readers (1)"
    press(host, Qt.Key_N)
    click(panel.ui.readersStepButton)
    click_line(panel.ui.disputesView, 0)
    host.settle()
    assert bench.session.case == case
    assert texts(panel.ui.disputesView, 2) == ["Ann: accept, Ben: unacceptable"]
    assert "Last word on whole case: accept / unacceptable" in row.decisionTargetLabel.text()
    press(host, Qt.Key_3)
    assert records(bench)[-1] == ("adjudication", "major")
    assert texts(panel.ui.disputesView, 3) == ["major (Cleo)"]
    click(panel.ui.agreementButton)
    wait_until(host, lambda: "same decision" in panel.ui.agreementLabel.text())
    click(panel.ui.casesStepButton)
    press(host, Qt.Key_2)
    assert records(bench)[-1] == ("decision", "minor")


def test_agreement_in_words():
    from BraTSRefineUI.agreement import agreementWords

    pair = {"reader_1": "Ann", "reader_2": "Ben", "of": "cases", "items": 4, "agree": 0.75, "status": "ok"}
    pair |= {"kappa": 0.5, "low": 0.1, "high": 0.9, "linear_kappa": None}
    corrections = [{"reader_1": "Ann", "reader_2": "Ben", "region": "ET", "dice": dice} for dice in (0.8, 0.9, None)]
    words = agreementWords({"pairs": [pair], "corrections": corrections})
    assert "4 cases, same decision in 75%, kappa 0.50 (0.10 to 0.90)" in words
    assert "ET 0.85 (n=2)" in words
    assert "No two readers" in agreementWords({"pairs": []})


def test_a_store_that_cannot_be_used_is_told_and_switches_the_buttons_off(
    host, bench, panel, row, phantom_cohort, folder
):
    press(host, Qt.Key_2)
    bench.review.reviewing.close()
    (folder / STORE_FILE).write_bytes(b"no database" * 500)
    open_as(host, phantom_cohort, folder, "Ann")
    assert "last good export" in panel.ui.reviewStateLabel.text()
    assert not row.minorButton.isEnabled()
    assert "damaged" in row.minorButton.toolTip()
    press(host, Qt.Key_2)
    assert "Not saved:" in row.statusLabel.text()


def test_a_workspace_that_vanishes_is_told_and_so_is_its_return(host, bench, row, folder):
    away = folder.with_name("away")
    folder.rename(away)
    press(host, Qt.Key_2)
    assert "Not saved:" in row.statusLabel.text()
    assert bench.review.reviewing.decisionOf(None) is None
    bench.review.lookForNews()
    assert "The records cannot be read" in row.statusLabel.text()
    away.rename(folder)
    bench.review.lookForNews()
    assert "can be read again" in row.statusLabel.text()
    press(host, Qt.Key_2)
    assert records(bench) == [("decision", "minor")]


def test_a_locked_store_is_told_and_the_note_is_not_lost(host, bench, row, folder):
    row.noteEdit.setText("near the ventricle")
    other = sqlite3.connect(folder / STORE_FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    click(row.minorButton)
    assert "locked by another program" in row.statusLabel.text()
    assert row.noteEdit.text() == "near the ventricle"
    other.execute("ROLLBACK")
    other.close()
    click(row.minorButton)
    assert records(bench) == [("decision", "minor")]


def test_cases_that_the_cohort_lost_are_told(host, bench, panel):
    bench.review.reviewing.followed.record(
        Event("decision", "lost", "Ann", decision="minor", model=bench.session.model)
    )
    panel.refresh()
    assert "no longer in the cohort: lost" in panel.ui.reviewStateLabel.text()


def test_the_decisions_can_be_kept_elsewhere_and_the_place_is_remembered(
    host, bench, panel, phantom_cohort, folder, tmp_path
):
    press(host, Qt.Key_2)
    click(panel.ui.readersStepButton)
    QTest.keyClicks(panel.ui.storeEdit, f"sqlite:///{tmp_path / 'team.sqlite'}")
    click(panel.ui.storeButton)
    assert "team.sqlite" in panel.ui.placeLabel.text()
    assert "begun from the last good export" in panel.ui.reviewStateLabel.text()
    assert bench.review.reviewing.decisionOf(None).decision == "minor"
    open_as(host, phantom_cohort, folder, "Ann")
    assert bench.review.reviewing.place == str(tmp_path / "team.sqlite")
    bench.review.changeStore("")
    assert bench.review.reviewing.place == str(folder / STORE_FILE)


def test_no_key_means_two_things(bench):
    keys = [action.key for action in bench.actions()]
    assert sorted(set(keys)) == sorted(keys)


def test_thousands_of_cases_are_in_the_queue_at_once(host, bench, panel):
    from dataclasses import replace

    wait_until(host, lambda: bench.reading.isIdle)  # what it reads ahead are cases of the cohort, which these are not
    queue = bench.review.reviewing.queue
    first = queue.rows[0]
    queue.rows = [replace(first, place=i + 1, case=f"{first.case}-{i}") for i in range(5000)]
    panel.showQueue()
    host.settle()
    assert panel.ui.queueView.model().rowCount() == 5000
    assert len(panel.queue.model._made) < 200
    panel.queue.mark(4990)
    assert panel.ui.queueView.visualRect(panel.ui.queueView.model().index(4990, 1)).isValid()


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
