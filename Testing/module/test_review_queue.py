"""The queue of the review and its records: what leads on, who read what, where it is kept, what stands in the way."""

from __future__ import annotations

import sqlite3

import pytest
import review_driving
from driving import cells, click, click_row, press, wait_until
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from review_driving import open_as, records, show_flagged_case

from BraTSRefineLib.review import Event, open_store
from BraTSRefineLib.review.store_places import STORE_FILE

host, panel = review_driving.host, review_driving.panel


def test_the_queue_leads_next_and_previous_and_is_filtered(host, bench, panel):
    shown = panel.shownCases
    bench.showCase(shown[0])
    press(host, Qt.Key_N)
    assert bench.session.case == shown[1]
    press(host, Qt.Key_P)
    press(host, Qt.Key_P)
    assert bench.session.case == shown[-1]
    click_row(panel.ui.queueView, 1)
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
    assert cells(panel.ui.queueView, 2)[panel.shownCases.index(case)] == "major"
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
    click_row(panel.ui.disputesView, 0)
    host.settle()
    assert bench.session.case == case
    assert cells(panel.ui.disputesView, 2) == ["Ann: accept, Ben: unacceptable"]
    assert "Last word on whole case: accept / unacceptable" in row.decisionTargetLabel.text()
    press(host, Qt.Key_3)
    assert records(bench)[-1] == ("adjudication", "major")
    assert cells(panel.ui.disputesView, 3) == ["major (Cleo)"]
    click(panel.ui.agreementButton)
    wait_until(host, lambda: "same decision" in panel.ui.agreementLabel.text())
    click(panel.ui.casesStepButton)
    press(host, Qt.Key_2)
    assert records(bench)[-1] == ("decision", "minor")


@pytest.mark.parametrize("from_elsewhere", [True, False], ids=["from another case", "from the same case"])
def test_a_flag_to_adjudicate_is_looked_at_once_its_case_and_model_were_read(
    host, bench, panel, monkeypatch, from_elsewhere
):
    show_flagged_case(host, bench)
    session, review = bench.session, bench.review
    case, model, flag = session.case, session.model, review.reviewing.flags()[1].id
    for who, decision in (("Ben", "accept"), ("Cleo", "major")):
        event = Event("flag decision", case, who, decision=decision, model=model, flag=flag)
        review.reviewing.followed.record(event)
    if from_elsewhere:
        press(host, Qt.Key_N)
    bench.setModel(next(name for name in reversed(session.models) if name != model))
    monkeypatch.setattr(bench.reading, "smallBytes", 0)  # every case counts as large, as real ones are
    click(panel.ui.readersStepButton)
    click_row(panel.ui.disputesView, 0)
    assert bench.reading.wantedCase == case
    wait_until(host, lambda: not bench.reading.wantedCase)
    assert (session.case, session.model) == (case, model)
    assert review.reviewing.flag().id == flag


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
