"""Table and plots on real cases: brats2020 with references, tcga-lgg against the consensus of its models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from driving import press, wait_until
from plot_driving import click_point, lonely_case, plot_view, shown_in_chart
from PySide6.QtCore import Qt


@pytest.fixture(scope="module", params=["brats2020", "tcga-lgg"])
def scored(request, real_data, tmp_path_factory) -> tuple[Path, Path]:
    """The folder of a data set and a workspace in which it is scored."""
    from BraTSRefineLib.cohort import Workspace, discover, save_cohort
    from BraTSRefineLib.scoring import score_cohort, write_scores

    folder = real_data / request.param
    workspace = Workspace.open(tmp_path_factory.mktemp("real") / "workspace", folder)
    cohort = discover(folder)
    save_cohort(cohort, workspace)
    write_scores(score_cohort(cohort, workers=1), workspace)
    yield folder, workspace.root
    shutil.rmtree(workspace.root)


@pytest.mark.slow
def test_points_show_real_cases_and_the_filter_finds_them(window, scored):
    window.widget.openWorkspace(*scored)
    window.widget.showPanel("Worst cases")
    bench = window.widget.workbench
    bench.setRegion("WT")
    if not bench.plots.isShown:
        press(window, Qt.Key_J)
    window.settle()
    points = bench.plots.nodes.picture.places
    assert set(points) == set(bench.worstCases.shownCases)
    case = lonely_case(window, bench, bench.plots)
    click_point(window, bench.plots, case)
    wait_until(window, lambda: bench.session.case == case)
    assert shown_in_chart(bench.plots)[-1] == case

    bench.plots.setKind("centre")
    known = any(bench.worstCases.columns.texts(_center()))
    assert known or "manifest" in plot_view(window).chart().GetTitle()
    bench.plots.setKind("region")
    assert [name.split()[0] for _place, name in bench.plots.nodes.picture.ticks][:3] == ["WT", "TC", "ET"]
    bench.plots.setKind("scatter")

    panel = bench.worstCases
    worst = panel.shownCases[0]
    value = float(panel.columns.numbers(_dice())[panel.columns.cases.index(worst)])
    panel.ui.filterEdit.setText(f"dice<{value + 1e-6:.9f}")
    assert panel.shownCases[0] == worst
    assert set(bench.plots.nodes.picture.places) == set(panel.shownCases)
    panel.ui.filterEdit.setText("")
    assert not window.failures


def _center():
    from BraTSRefineUI.casecolumns import CENTER, Key

    return Key(CENTER)


def _dice():
    from BraTSRefineUI.casecolumns import Key

    return Key("dice", "WT")
