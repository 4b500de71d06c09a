"""The plot below the views in the window: a point shows its case, a row marks its point, words where there is none."""

from __future__ import annotations

import shutil

import pytest
from driving import click, click_row, press, wait_until
from plot_driving import click_point, lonely_case, plot_view, shown_in_chart
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest


@pytest.fixture
def plots(host, bench):
    """The plot desk with the plot shown as a scatter of Dice against size."""
    from BraTSRefineUI import views
    from BraTSRefineUI.plotpicture import SCATTER

    host.widget.showPanel("Worst cases")
    desk = bench.plots
    desk.setKind(SCATTER)
    bench.setRegion("WT")
    if not desk.isShown:
        click(desk.ui.plotButton)
    host.settle()
    yield desk
    bench.worstCases.forgetChoices()
    if desk.isShown:
        bench.views.setLayout(views.REVIEW_LAYOUT)
    host.settle()


def test_the_plot_stands_below_the_views_with_words_and_units_on_its_axes(host, bench, plots):
    import slicer

    assert host.layoutManager.plotViewCount == 1
    assert host.layoutManager.sliceViewNames() == ["BraTSRefineT1c", "BraTSRefineFLAIR", "BraTSRefineT2"]
    chart = slicer.mrmlScene.GetNodeByID(plots.nodes.chartID)
    assert chart.GetXAxisTitle() == "Size in the reference, WT (ml)"
    assert chart.GetYAxisTitle() == "Dice, WT"
    assert chart.GetLegendVisibility()
    centers = {bench.session.cohort[case].center for case in plots.nodes.picture.places}
    assert {name.partition(" (")[0] for name in shown_in_chart(plots)} >= centers


def test_a_click_on_a_point_shows_that_case_and_marks_its_row(host, bench, plots):
    case = lonely_case(host, bench, plots)
    click_point(host, plots, case)
    wait_until(host, lambda: bench.session.case == case)
    table = bench.worstCases.ui.casesTable
    assert bench.worstCases.shownCases[table.currentIndex().row()] == case
    assert case in shown_in_chart(plots)


def test_choosing_a_row_marks_its_point(host, bench, plots):
    names = [case for case in bench.worstCases.shownCases if case in plots.nodes.picture.places]
    case = next(name for name in names if name != bench.session.case)
    click_row(bench.worstCases.ui.casesTable, bench.worstCases.shownCases.index(case))
    wait_until(host, lambda: bench.session.case == case)
    assert shown_in_chart(plots)[-1] == case
    assert plots.nodes.caseAt(plots.nodes._chart.GetNthPlotSeriesNodeID(len(shown_in_chart(plots)) - 1), 0) == case


def test_chosen_rows_are_marked_and_a_frame_around_points_chooses_rows(host, bench, plots):
    click_row(bench.worstCases.ui.casesTable, 0)
    click_row(bench.worstCases.ui.casesTable, 2, Qt.ControlModifier)
    host.settle()
    assert "chosen" in shown_in_chart(plots)
    view = plot_view(host)
    chart = view.chart()
    (left, bottom), (right, top) = chart.GetPoint1(), chart.GetPoint2()
    first, last = QPoint(left + 2, view.height() - top + 2), QPoint(right - 2, view.height() - bottom - 2)
    QTest.mousePress(view, Qt.LeftButton, pos=first)
    QTest.mouseMove(view, (first + last) / 2)
    QTest.mouseMove(view, last)
    QTest.mouseRelease(view, Qt.LeftButton, pos=last)
    host.settle()
    assert set(bench.worstCases.chosenCases) == set(plots.nodes.picture.places) & set(bench.worstCases.shownCases)


def test_the_filter_of_the_table_filters_the_plot(host, bench, plots):
    everybody = set(plots.nodes.picture.places)
    bench.worstCases.ui.filterEdit.setText("dice<0.9")
    host.settle()
    assert set(plots.nodes.picture.places) == set(bench.worstCases.shownCases)
    assert set(plots.nodes.picture.places) < everybody
    bench.worstCases.ui.filterEdit.setText("nothing like it")
    assert plots.nodes.picture is None
    assert "filter" in plots.ui.plotStateLabel.text()


@pytest.mark.parametrize(("kind", "words"), [("region", "WT"), ("size", "ml"), ("centre", "center")])
def test_strips_name_their_groups_and_a_click_shows_a_case(host, bench, plots, kind, words):
    plots.setKind(kind)
    host.settle()
    axis = plot_view(host).chart().GetAxis(1)
    names = [axis.GetTickLabels().GetValue(i) for i in range(axis.GetTickLabels().GetNumberOfValues())]
    assert any(words in name for name in names), names
    case = lonely_case(host, bench, plots)
    click_point(host, plots, case)
    wait_until(host, lambda: bench.session.case == case)


def test_going_back_to_a_scatter_brings_the_numbers_back(host, bench, plots):
    from BraTSRefineUI.plotpicture import BY_CENTER, SCATTER

    plots.setKind(BY_CENTER)
    plots.setKind(SCATTER)
    host.settle()
    axis = plot_view(host).chart().GetAxis(1)
    labels = [axis.GetTickLabels().GetValue(i) for i in range(axis.GetTickLabels().GetNumberOfValues())]
    assert labels
    assert all(label.replace(".", "").lstrip("-").isdigit() for label in labels)


def test_any_number_stands_against_any_other(host, bench, plots):
    import slicer

    up, across = plots.ui.plotUpCombo, plots.ui.plotAcrossCombo
    up.setCurrentIndex(up.findText("sensitivity, TC"))
    across.setCurrentIndex(across.findText("HD95, ET (mm)"))
    host.settle()
    chart = slicer.mrmlScene.GetNodeByID(plots.nodes.chartID)
    assert chart.GetXAxisTitle() == "HD95, ET (mm)"
    assert chart.GetYAxisTitle().lower() == "sensitivity, tc"
    up.setCurrentIndex(0)
    host.settle()
    assert chart.GetYAxisTitle() == "Dice, WT"


def test_before_and_after_says_what_to_do_where_there_is_no_run(host, bench, plots):
    from BraTSRefineUI.plotpicture import BEFORE_AFTER

    plots.setKind(BEFORE_AFTER)
    host.settle()
    assert not bench.session.comparedRuns()
    assert "Refine" in plots.ui.plotStateLabel.text()
    assert "Refine" in plot_view(host).chart().GetTitle()
    assert plots.nodes.picture is None


def test_a_key_shows_and_hides_the_plot_and_the_button_follows(host, bench, plots):
    press(host, Qt.Key_J)
    assert not plots.isShown
    assert not plots.ui.plotButton.isChecked()
    assert not plots.ui.plotAxesPlace.isVisible()
    press(host, Qt.Key_J)
    assert plots.isShown
    assert plots.ui.plotButton.isChecked()


def test_before_and_after_of_a_run_shows_a_case_by_its_point(host, bench, plots, workspace):
    from BraTSRefineUI.plotpicture import BEFORE_AFTER

    outputs = workspace / "runs" / "fuse-by-hand" / "outputs"
    outputs.mkdir(parents=True)
    changes = {case: (0.2 + 0.1 * n, 0.9 - 0.12 * n) for n, case in enumerate(bench.worstCases.shownCases[:4])}
    lines = [f"{case},WT,dice,{a},{b},{b - a}" for case, (a, b) in changes.items()]
    (outputs / "before_after.csv").write_text("\n".join(["case,region,metric,before,after,change", *lines]))
    bench.refresh()
    plots.setKind(BEFORE_AFTER)
    host.settle()
    assert plots.ui.plotRunCombo.currentText() == "fuse-by-hand"
    assert set(plots.nodes.picture.places) == set(changes)
    assert "no change" in shown_in_chart(plots)
    case = lonely_case(host, bench, plots)
    click_point(host, plots, case)
    wait_until(host, lambda: bench.session.case == case)
    shutil.rmtree(outputs.parent)


def test_choosing_a_kind_of_plot_shows_it(host, bench, plots):
    click(plots.ui.plotButton)
    assert not plots.isShown
    plots.setKind("centre")
    assert plots.isShown


def test_across_follows_the_chosen_region_and_what_was_picked_of_another_stays(host, bench, plots):
    across = plots.ui.plotAcrossCombo
    bench.setRegion("TC")
    assert across.currentText() == "size in the reference, TC (ml)"
    across.setCurrentIndex(across.findText("Dice, ET"))
    bench.setRegion("WT")
    assert across.currentText() == "Dice, ET"


def test_a_plot_of_an_unscored_cohort_says_what_comes_first(host, bench, plots, phantom_cohort, tmp_path):
    host.widget.openWorkspace(phantom_cohort, tmp_path / "unscored")
    host.settle()
    assert "Score" in plots.ui.plotStateLabel.text()
    assert plots.nodes.picture is None


def plot_nodes() -> int:
    import slicer

    names = ("vtkMRMLPlotChartNode", "vtkMRMLPlotSeriesNode", "vtkMRMLTableNode")
    return sum(slicer.mrmlScene.GetNumberOfNodesByClass(name) for name in names)


def test_nothing_is_left_behind_by_another_cohort_a_closed_scene_or_the_end(
    host, bench, plots, phantom_cohort, workspace
):
    import slicer

    before = plot_nodes()
    host.widget.openWorkspace(phantom_cohort, workspace)
    bench.setRegion("WT")
    host.settle()
    assert plot_nodes() == before
    slicer.mrmlScene.Clear()
    host.settle()
    press(host, Qt.Key_N)
    host.settle()
    assert plot_nodes() > 0
    case = lonely_case(host, bench, plots)
    click_point(host, plots, case)
    wait_until(host, lambda: bench.session.case == case)
    host.widget.cleanup()
    assert plot_nodes() == 0
