"""Cases read ahead in the window: what the person sees, how it is given up, what is left behind."""

from __future__ import annotations

import sys

import pytest
from driving import press, wait_until
from PySide6.QtCore import Qt


@pytest.fixture
def reading(bench):
    """Every case counts as large, as real ones are."""
    desk = bench.reading
    bench.setModel("fold_1")
    desk.smallBytes = 0
    yield desk
    desk.smallBytes = sys.maxsize
    desk.cleanup()


def test_the_next_case_is_ready_before_the_key_is_pressed(host, bench, reading):
    wait_until(host, lambda: reading.isIdle)
    following = bench.panelInFront().neighbours()[0]
    assert reading.prefetcher.has(bench.session.reading(following))
    press(host, Qt.Key_N)
    assert bench.session.case == following


def test_a_case_that_was_not_read_ahead_is_read_while_the_window_goes_on(host, bench, reading):
    wait_until(host, lambda: reading.isIdle)
    reading.prefetcher.want([])
    before, wanted = bench.session.case, bench.panelInFront().neighbours()[0]
    bench.stepCase(1)
    assert bench.session.case == before
    assert wanted in bench.ui.statusLabel.text()
    wait_until(host, lambda: bench.session.case == wanted)
    assert wanted not in bench.ui.statusLabel.text()


def test_choosing_another_case_gives_the_first_one_up(host, bench, reading):
    wait_until(host, lambda: reading.isIdle)
    reading.prefetcher.want([])
    first, second = [name for name in bench.session.caseNames if name != bench.session.case][:2]
    bench.showCaseFromPanel(first)
    bench.showCaseFromPanel(second)
    shown = []
    wait_until(host, lambda: shown.append(bench.session.case) or bench.session.case == second)
    assert first not in shown


def test_choosing_the_shown_case_gives_up_as_well(host, bench, reading):
    wait_until(host, lambda: reading.isIdle)
    reading.prefetcher.want([])
    before = bench.session.case
    bench.stepCase(1)
    bench.showCaseFromPanel(before)
    host.settle(200)
    assert bench.session.case == before
    assert not reading.wantedCase


def test_two_steps_while_a_case_is_read_lead_two_cases_on(host, bench, reading):
    wait_until(host, lambda: reading.isIdle)
    reading.prefetcher.want([])
    walked = bench.worstCases.walkedCases
    place = walked.index(bench.session.case)
    bench.stepCase(1)
    bench.stepCase(1)
    wait_until(host, lambda: not reading.wantedCase)
    assert bench.session.case == walked[(place + 2) % len(walked)]


def test_closing_the_scene_and_leaving_the_module_leave_no_process_and_no_file(host, bench, reading):
    import slicer

    for leave in (slicer.mrmlScene.Clear, host.widget.cleanup):
        bench.showCase(bench.session.caseNames[0])
        wait_until(host, lambda: reading.isIdle)
        folder = reading.prefetcher.folder
        assert folder.is_dir()
        leave()
        host.settle()
        assert not folder.exists()
        assert reading.prefetcher.folder is None


def test_opening_a_second_cohort_drops_what_was_read_of_the_first(host, bench, reading, phantom_cohort, workspace):
    wait_until(host, lambda: reading.isIdle)
    folder = reading.prefetcher.folder
    host.widget.openWorkspace(phantom_cohort, workspace)
    assert not folder.exists()


def test_another_model_is_read_while_the_window_goes_on_and_the_former_one_is_shown(host, bench, reading):
    wait_until(host, lambda: reading.isIdle)
    former = bench.session.data
    bench.tellStatus("saved")
    choose_model(bench, "fold_2")
    assert bench.session.model == "fold_1"
    assert bench.session.data is former
    assert former.case in bench.ui.statusLabel.text()
    wait_until(host, lambda: not reading.wantedCase)
    assert bench.session.model == bench.ui.modelCombo.currentText() == "fold_2"
    assert bench.session.data.prediction.name == "fold_2"
    assert bench.session.data.reference is former.reference
    assert bench.ui.statusLabel.text().endswith("saved")


def test_what_was_read_of_a_model_says_the_same_as_what_the_window_reads(host, bench, reading):
    from BraTSRefineUI import tables

    bench.setModel("fold_2")
    wait_until(host, lambda: not reading.wantedCase)
    for region in ("TC", "WT", "ET"):
        bench.setRegion(region)
        assert bench.session.verdict() == tables.verdict(bench.session.data, region)
        assert bench.uncertainty.region == region


def test_choosing_the_shown_model_gives_the_other_one_up(host, bench, reading):
    choose_model(bench, "fold_2")
    choose_model(bench, "fold_1")
    assert not reading.wantedCase
    host.settle(300)
    assert bench.session.model == bench.ui.modelCombo.currentText() == "fold_1"


def test_another_region_meanwhile_is_shown_with_the_model_that_is_read(host, bench, reading):
    choose_model(bench, "fold_2")
    bench.setRegion("TC")
    wait_until(host, lambda: not reading.wantedCase)
    assert (bench.session.model, bench.session.region, bench.uncertainty.region) == ("fold_2", "TC", "TC")


def test_the_next_case_meanwhile_is_shown_with_the_model_that_was_chosen(host, bench, reading):
    before = bench.session.case
    choose_model(bench, "fold_2")
    bench.stepCase(1)
    wait_until(host, lambda: bench.session.case != before)
    assert bench.session.data.prediction is None or bench.session.data.prediction.name == "fold_2"
    assert bench.session.model == bench.ui.modelCombo.currentText() == "fold_2"


def test_what_is_said_meanwhile_stays_said(host, bench, reading):
    choose_model(bench, "fold_2")
    bench.tellStatus("saved")
    wait_until(host, lambda: not reading.wantedCase)
    assert bench.ui.statusLabel.text().endswith("saved")


def test_who_begins_to_correct_meanwhile_corrects_what_is_shown(host, bench, reading):
    bench.review.reviewing.reader = "Ada"
    choose_model(bench, "fold_2")
    bench.correcting.begin()
    assert bench.correcting.edit.start.model == bench.ui.modelCombo.currentText() == "fold_1"
    host.settle(300)
    assert bench.session.model == "fold_1"
    bench.correcting.toggle()
    assert not bench.correcting.isCorrecting


def choose_model(bench, model: str) -> None:
    bench.ui.modelCombo.setCurrentText(model)
