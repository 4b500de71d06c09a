"""The real module in the standalone host, driven as a person drives it: clicks, keys, choices."""

from __future__ import annotations

import time

import cut_text
import pytest
from driving import click, click_row, press, refine_step, wait_until
from pointing import turn_wheel
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest


def slice_centres(scene) -> dict[str, tuple[float, ...]]:
    from BraTSRefineUI import views

    centres = {}
    for view, node, _composite in views.sliceNodes(scene):
        matrix = node.GetSliceToRAS()
        centres[view.tag] = tuple(matrix.GetElement(i, 3) for i in range(3))
    return centres


def test_opens_with_the_worst_case_of_the_first_model_shown(bench):
    rows = bench.session.rows()
    assert bench.session.model == bench.session.models[0]
    assert bench.session.case == rows[0].case
    scored = [row.values["dice"] for row in rows if "dice" in row.values]
    assert scored == sorted(scored)
    assert bench.caseScene.hasErrors


def test_choosing_a_row_shows_that_case(host, bench):
    import slicer

    table = bench.worstCases.ui.casesTable
    click_row(table, 1)
    host.settle()
    assert bench.session.case == bench.worstCases.shownCases[1]
    names = {node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")}
    assert names == {"reference", bench.session.model}
    assert bench.session.case in host.widget.ui.caseTitleLabel.text()


def test_n_and_p_go_through_the_list_and_the_ends_meet(host, bench):
    shown = bench.worstCases.shownCases
    press(host, Qt.Key_N)
    assert bench.session.case == shown[1]
    press(host, Qt.Key_P)
    press(host, Qt.Key_P)
    assert bench.session.case == shown[-1]


def test_buttons_for_next_and_previous_case(host, bench):
    click(host.widget.ui.nextCaseButton)
    assert bench.session.case == bench.worstCases.shownCases[1]
    click(host.widget.ui.previousCaseButton)
    assert bench.session.case == bench.worstCases.shownCases[0]


def test_one_press_on_a_region_changes_table_errors_map_and_flags(host, bench):
    before = [row.values.get("dice") for row in bench.session.rows()]
    click(host.widget.ui.regionWTButton)
    host.settle()
    assert bench.session.region == "WT"
    assert [row.values.get("dice") for row in bench.session.rows()] != before
    assert bench.caseScene.region == "WT"
    assert bench.uncertainty.region == "WT"
    assert "WT" in host.widget.ui.caseSentenceLabel.text()


def test_another_model_is_ranked_and_shown(host, bench):
    import slicer

    combo = host.widget.ui.modelCombo
    combo.setCurrentIndex(combo.findText("fold_2"))
    host.settle()
    assert bench.session.model == "fold_2"
    assert slicer.util.getNode("fold_2").IsA("vtkMRMLSegmentationNode")


def test_choosing_a_metric_ranks_by_it_and_keeps_the_case(host, bench):
    panel, case = bench.worstCases, bench.session.case
    combo = panel.ui.metricCombo
    combo.setCurrentIndex(combo.findText("lesion-wise HD95"))
    host.settle()
    assert bench.session.case == case
    assert panel.ui.casesTable.model().headerData(1, Qt.Horizontal) == "Lesion\nHD95"
    shown = [row.values["lesionwise_hd95_mm"] for row in bench.session.rows() if row.values]
    assert shown == sorted(shown, reverse=True)
    assert "lesion-wise HD95" in panel.ui.worstStateLabel.text()


def test_sorting_by_a_column_sets_the_order_of_next(host, bench):
    header = bench.worstCases.ui.casesTable.horizontalHeader()
    QTest.mouseClick(header.viewport(), Qt.LeftButton, pos=header.rect().topLeft() + header.rect().center() / 8)
    shown = bench.worstCases.shownCases
    assert shown == sorted(shown)
    following = shown[(shown.index(bench.session.case) + 1) % len(shown)]
    press(host, Qt.Key_N)
    assert bench.session.case == following


def test_filter_keeps_what_contains_it_and_letters_there_are_no_keys(host, bench):
    edit = bench.worstCases.ui.filterEdit
    case = bench.session.case
    edit.setFocus()
    QTest.keyClicks(edit, "n")
    host.settle()
    assert edit.text() == "n"
    assert bench.session.case == case
    QTest.keyClicks(edit, "o such case")
    assert bench.worstCases.shownCases == []
    edit.clear()
    assert bench.worstCases.shownCases


def case_with_flags(bench):
    for name in bench.worstCases.shownCases:
        bench.showCase(name)
        if bench.session.flags():
            return bench.session.flags()
    raise AssertionError("the phantom has no flag")


def test_next_flag_moves_every_slice_view_to_it(host, bench):
    import slicer

    flags = case_with_flags(bench)
    press(host, Qt.Key_F)
    x, y, z = flags[0].center
    for tag, centre in slice_centres(slicer.mrmlScene).items():
        assert centre == pytest.approx((-x, -y, z), abs=1e-3), tag
    assert bench.session.flagIndex == 0
    press(host, Qt.Key_F, Qt.ShiftModifier)
    assert bench.session.flagIndex == len(flags) - 1


def test_choosing_a_flag_in_the_list_jumps_to_it(host, bench):
    import slicer

    host.widget.showPanel("Uncertainty")
    flags = case_with_flags(bench)
    host.settle()
    click_row(bench.panelNamed("Uncertainty").ui.flagsTable, 0)
    x, y, z = flags[0].center
    assert slice_centres(slicer.mrmlScene)["BraTSRefineCoronal"] == pytest.approx((-x, -y, z), abs=1e-3)


def test_threshold_slider_changes_the_overlay_at_once(host, bench):
    slider = bench.panelNamed("Uncertainty").ui.thresholdSlider
    slider.setValue(80)
    expected = bench.uncertainty.low + 0.8 * (bench.uncertainty.high - bench.uncertainty.low)
    node = bench.caseScene._volumes("uncertainty")[0]
    assert node.GetDisplayNode().GetLowerThreshold() == pytest.approx(expected)


@pytest.mark.parametrize(("key", "overlay"), [("R", "reference"), ("D", "prediction"), ("E", "errors")])
def test_keys_toggle_overlays(host, bench, key, overlay):
    press(host, getattr(Qt, f"Key_{key}"))
    assert not bench.caseScene.isVisible(overlay)
    press(host, getattr(Qt, f"Key_{key}"))
    assert bench.caseScene.isVisible(overlay)


def test_the_wheel_scrolls_the_axial_views_together(host, bench):
    import slicer

    before = slice_centres(slicer.mrmlScene)
    turn_wheel(host.layoutManager.sliceWidget("BraTSRefineT1c").sliceView())
    host.settle()
    after = slice_centres(slicer.mrmlScene)
    assert after["BraTSRefineT1c"][2] != before["BraTSRefineT1c"][2]
    assert after["BraTSRefineFLAIR"][2] == pytest.approx(after["BraTSRefineT1c"][2])
    assert after["BraTSRefineCoronal"] == before["BraTSRefineCoronal"]


def test_layout_key_goes_through_the_layouts_and_back(host, bench):
    from BraTSRefineUI import views

    for layout in list(views.LAYOUTS)[1:]:
        press(host, Qt.Key_V)
        assert host.layoutManager.layout == layout
    press(host, Qt.Key_V)
    assert host.layoutManager.layout == views.REVIEW_LAYOUT


def test_the_channels_layout_shows_four_modalities(host, bench):
    import slicer
    from BraTSRefineUI import views

    bench.views.setLayout(views.CHANNELS_LAYOUT)
    tags = {tag for row in views.CHANNELS_ROWS for tag in row}
    backgrounds = {
        slicer.mrmlScene.GetNodeByID(composite.GetBackgroundVolumeID()).GetName()
        for view, _node, composite in views.sliceNodes(slicer.mrmlScene)
        if view.tag in tags
    }
    assert len(backgrounds) == 4
    assert set(host.layoutManager.sliceViewNames()) == tags
    bench.views.setLayout(views.REVIEW_LAYOUT)


def test_fuse_button_makes_a_new_model_with_before_and_after(host, bench):
    refine = refine_step(host, "fuse")
    refine.ui.methodCombo.setCurrentIndex(1)
    click(refine.ui.fuseButton)
    assert bench.isBusy
    assert not refine.ui.fuseButton.isEnabled()
    wait_until(host, lambda: not bench.isBusy)
    assert bench.jobs.lastRun in bench.session.models
    assert host.widget.ui.modelCombo.findText(bench.jobs.lastRun) >= 0
    assert refine.ui.resultTable.isVisible()
    assert refine.ui.resultTable.rowCount() > 0
    assert "→" in refine.ui.resultLabel.text()


def test_postprocess_button_makes_a_new_model(host, bench):
    refine = refine_step(host, "postprocess")
    click(refine.ui.postprocessButton)
    wait_until(host, lambda: not bench.isBusy)
    assert bench.jobs.lastRun.startswith("postprocess")
    assert bench.jobs.lastRun in bench.session.models


def test_cancel_stops_the_job_within_two_seconds_and_leaves_nothing(host, bench):
    refine = refine_step(host, "fuse")
    models = bench.session.models
    click(refine.ui.fuseButton)
    host.settle(300)
    started = time.monotonic()
    click(host.widget.ui.cancelJobButton)
    wait_until(host, lambda: not bench.isBusy)
    assert time.monotonic() - started < 2.5
    assert "cancelled" in host.widget.ui.statusLabel.text()
    assert bench.session.models == models
    assert not (bench.jobs.runner.runFolder / "outputs").exists()
    assert not (bench.jobs.runner.runFolder / "outputs.partial").exists()


def test_choose_button_lists_cases_with_reasons(host, bench):
    annotate = bench.panelNamed("Annotate")
    host.widget.showPanel("Annotate")
    annotate.ui.countSpin.setValue(2)
    click(annotate.ui.chooseButton)
    wait_until(host, lambda: not bench.isBusy)
    assert annotate.ui.chosenTable.rowCount() == 2
    click_row(annotate.ui.chosenTable, 1)
    shown = bench.session.cohort[bench.session.case]
    assert annotate.tasks[1].case == shown.case
    assert annotate.ui.chosenTable.item(1, 1).toolTip() == f"{shown.case}, {shown.center}"


def test_score_button_scores_an_unscored_cohort_and_leads_to_the_worst_case(host, bench, phantom_cohort, tmp_path):
    host.widget.openWorkspace(phantom_cohort, tmp_path / "unscored")
    cohort = bench.cohortPanel
    assert cohort.widget.isVisible()
    assert "Score" in cohort.ui.cohortStateLabel.text()
    assert bench.session.case
    click(cohort.ui.scoreButton)
    wait_until(host, lambda: not bench.isBusy)
    assert bench.session.hasScores
    assert bench.worstCases.widget.isVisible()
    assert bench.session.case == bench.session.rows()[0].case


def test_a_worker_that_is_killed_is_told_as_failed(host, bench):
    import os
    import signal

    refine = refine_step(host, "fuse")
    click(refine.ui.fuseButton)
    host.settle(500)
    os.kill(bench.jobs.runner._process.processId(), signal.SIGKILL)
    wait_until(host, lambda: not bench.isBusy)
    assert "failed" in host.widget.ui.statusLabel.text()
    assert refine.ui.fuseButton.isEnabled()


def test_broken_files_are_listed_with_what_to_do(host, bench):
    host.widget.showPanel("Cohort")
    table = bench.cohortPanel.ui.problemsTable
    words = " ".join(table.item(row, 2).text() for row in range(table.rowCount()))
    assert "grid" in words
    assert "again" in words


def test_rows_of_wrapped_words_fit_them_again_when_their_column_gets_another_width(host, bench):
    from BraTSRefineUI.panel import ROW_AIR

    host.widget.showPanel("Cohort")
    table = bench.cohortPanel.ui.problemsTable
    rows = range(table.rowCount())
    assert len(rows) > 0
    for width in (40, 200):
        table.horizontalHeader().resizeSection(1, width)
        wait_until(host, lambda: all(table.rowHeight(r) == table.sizeHintForRow(r) + ROW_AIR for r in rows))


def test_a_filled_table_measures_no_column_at_each_cell_of_the_next_filling(bench):
    from PySide6.QtWidgets import QHeaderView

    header = bench.worstCases.ui.casesTable.horizontalHeader()
    modes = {header.sectionResizeMode(column) for column in range(header.count())}
    assert modes == {QHeaderView.Interactive, QHeaderView.Stretch}


def assert_nothing_is_cut(host, where: str) -> None:
    host.settle()
    assert cut_text.faults(host.window) == [], where


def test_nothing_is_cut_in_a_window_of_1280_by_800(host, bench):
    from BraTSRefineUI.panels import refine, uncertainty

    for name in host.widget.panelNames():
        host.widget.showPanel(name)
        assert_nothing_is_cut(host, name)
    for name, steps in (("Refine", refine.STEPS), ("Uncertainty", uncertainty.STEPS)):
        host.widget.showPanel(name)
        panel = next(one for one in bench.tabs if one.name == name)
        for step in steps:
            panel.showStep(step)
            assert_nothing_is_cut(host, f"{name}, {step}")
        panel.showStep(steps[0])
    assert host.window.panel.width() <= 480
