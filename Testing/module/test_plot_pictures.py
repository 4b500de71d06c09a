"""What the plots show, and their nodes on a plain scene: points, marks, nothing left behind."""

from __future__ import annotations

import math

import numpy as np
import pytest
from case_rows import cohort_of

ET = "ET"


@pytest.fixture
def columns():
    names = "abcdefgh"
    return cohort_of(
        dice={case: 0.1 * i for i, case in enumerate(names)} | {"x": None},
        size={case: float(2**i) for i, case in enumerate(names)} | {"x": 5.0},
        centers=dict.fromkeys("abc", "Aachen") | dict.fromkeys("defg", "Bonn"),
    )


@pytest.fixture
def axes():
    from BraTSRefineUI.casecolumns import SIZE, Key
    from BraTSRefineUI.plotpicture import Axis

    return Axis(Key(SIZE, ET), "Size (ml)"), Axis(Key("dice", ET), "Dice", isShare=True)


def everything(columns) -> range:
    return range(len(columns))


@pytest.fixture
def picture(columns, axes):
    from BraTSRefineUI.plotpicture import scatter

    return scatter(columns, *axes, everything(columns))


def test_a_scatter_has_a_series_a_centre_and_the_unknown_ones_last(picture):
    assert [one.name for one in picture.series] == ["Aachen (3)", "Bonn (4)", "unknown (1)"]
    assert picture.series[0].cases == ("a", "b", "c")
    assert picture.series[0].xs == (1.0, 2.0, 4.0)
    assert len({one.colour for one in picture.series}) == 3
    assert (picture.xTitle, picture.yTitle) == ("Size (ml)", "Dice")


def test_every_point_lies_inside_of_the_axes_with_some_room(picture):
    for places in picture.places.values():
        for x, y in places:
            assert picture.xRange[0] < x < picture.xRange[1]
            assert picture.yRange[0] < y < picture.yRange[1]
    assert picture.yRange == pytest.approx((-0.06, 1.06))


def test_a_case_without_both_numbers_has_no_point_and_no_case_no_picture(columns, axes, picture):
    from BraTSRefineUI.plotpicture import scatter

    assert "x" not in picture.places
    assert scatter(columns, *axes, [columns.cases.index("x")]) is None
    assert scatter(columns, *axes, []) is None


def test_many_centres_are_told_apart_by_colour_and_marker():
    from BraTSRefineUI.casecolumns import SIZE, Key
    from BraTSRefineUI.plotpicture import Axis, scatter

    names = [f"c{i:02d}" for i in range(20)]
    many = cohort_of(dict.fromkeys(names, 0.5), dict.fromkeys(names, 3.0), {name: name for name in names})
    made = scatter(many, Axis(Key(SIZE, ET), "x"), Axis(Key("dice", ET), "y", True), range(20))
    assert len({(one.colour, one.marker) for one in made.series}) == 20


def test_strips_by_thirds_of_size_hold_every_known_case_once(columns, axes):
    from BraTSRefineUI.plotpicture import bySizeThirds, strips

    groups = bySizeThirds(columns, everything(columns), ET)
    assert sum(len(rows) for _name, rows in groups) == len(columns)
    assert groups[0][0].startswith("to ")
    picture = strips(columns, axes[1], groups, "Size")
    assert [place for place, _name in picture.ticks] == [0.0, 1.0, 2.0]
    for place, one in enumerate(picture.series):
        assert max(abs(x - place) for x in one.xs) < 0.5
    assert bySizeThirds(columns, [0, 1], ET) == []


def test_strips_by_region_show_a_case_once_a_region(columns, axes):
    from BraTSRefineUI.plotpicture import stripsByRegion

    picture = stripsByRegion(columns, [axes[1], axes[1]], everything(columns), "Dice")
    assert len(picture.places["a"]) == 2
    assert picture.yTitle == "Dice"


@pytest.mark.parametrize("values", [[], [0.5], [0.5] * 7, list(np.linspace(0, 1, 300)), [0.0, 1.0]])
def test_what_lies_close_together_is_spread_sideways_and_stays_in_its_strip(values):
    from BraTSRefineUI.plotpicture import spread

    offsets = spread(np.array(values), 1.1)
    assert len(offsets) == len(values)
    assert np.all(np.abs(offsets) <= 1.0)
    assert len({*zip(values, offsets.tolist(), strict=True)}) == len(values)


def test_before_and_after_tells_better_from_worse_and_leaves_out_what_is_unknown():
    from BraTSRefineUI.plotpicture import beforeAfter
    from BraTSRefineUI.runs import Change

    rows = [("a", 0.5, 0.7), ("b", 0.5, 0.4), ("c", 0.5, 0.5), ("d", 0.5, math.nan), ("e", 0.1, 0.2)]
    changes = [Change(case, before, after, after - before) for case, before, after in rows]
    axes, groups = ("before", "after"), ("better", "worse", "same")
    picture = beforeAfter(changes, set("abcd"), axes, groups)
    assert [(one.name, one.cases) for one in picture.series] == [
        ("better (1)", ("a",)),
        ("worse (1)", ("b",)),
        ("same (1)", ("c",)),
    ]
    assert picture.hasDiagonal
    assert beforeAfter(changes, {"d"}, axes, groups) is None


# Nodes


@pytest.fixture
def plot():
    import slicer
    from BraTSRefineUI.plotnodes import PlotNodes

    scene = slicer.vtkMRMLScene()
    yield PlotNodes(scene)
    scene.Clear(1)


def counts(scene) -> dict[str, int]:
    names = ("vtkMRMLPlotChartNode", "vtkMRMLPlotSeriesNode", "vtkMRMLTableNode")
    return {name: scene.GetNumberOfNodesByClass(name) for name in names}


def test_a_picture_becomes_a_chart_with_a_series_and_a_table_each(plot, picture):
    plot.show(picture)
    chart = plot.scene.GetNodeByID(plot.chartID)
    assert counts(plot.scene) == {"vtkMRMLPlotChartNode": 1, "vtkMRMLPlotSeriesNode": 3, "vtkMRMLTableNode": 3}
    assert chart.GetNumberOfPlotSeriesNodes() == 3
    assert (chart.GetXAxisTitle(), chart.GetYAxisTitle()) == ("Size (ml)", "Dice")
    bonn = chart.GetNthPlotSeriesNode(1)
    assert bonn.GetName() == "Bonn (4)"
    table = bonn.GetTableNode().GetTable()
    assert [table.GetColumnByName("case").GetValue(row) for row in range(4)] == list("defg")
    assert plot.caseAt(bonn.GetID(), 2) == "f"


def test_a_series_of_one_point_has_it_twice_since_slicer_draws_a_line_through_it(plot, picture):
    plot.show(picture)
    alone = plot.scene.GetNodeByID(plot.chartID).GetNthPlotSeriesNode(2)
    assert alone.GetTableNode().GetTable().GetNumberOfRows() == 2
    assert plot.caseAt(alone.GetID(), 1) == "h"


def test_marks_follow_the_shown_and_the_chosen_cases_and_pile_up_nowhere(plot, picture):
    plot.show(picture)
    chart = plot.scene.GetNodeByID(plot.chartID)
    for case in "abcab":
        plot.mark(case, ["a", "d", case])
    assert chart.GetNumberOfPlotSeriesNodes() == 5
    assert chart.GetNthPlotSeriesNode(4).GetName() == "b"
    assert plot.caseAt(chart.GetNthPlotSeriesNodeID(4), 0) == "b"
    plot.mark("", [])
    assert chart.GetNumberOfPlotSeriesNodes() == 3
    assert counts(plot.scene)["vtkMRMLTableNode"] == 3
    plot.mark("not in the picture")
    assert chart.GetNumberOfPlotSeriesNodes() == 3


def test_another_picture_replaces_and_clearing_leaves_nothing(plot, columns, axes, picture):
    from BraTSRefineUI.plotpicture import byCenter, strips

    plot.show(picture)
    plot.mark("a")
    plot.show(strips(columns, axes[1], byCenter(columns, everything(columns)), "Centre"))
    assert counts(plot.scene) == {"vtkMRMLPlotChartNode": 1, "vtkMRMLPlotSeriesNode": 3, "vtkMRMLTableNode": 3}
    plot.say("Nothing to see")
    assert counts(plot.scene)["vtkMRMLPlotSeriesNode"] == 1
    assert plot.picture is None
    assert plot.scene.GetNodeByID(plot.chartID).GetTitle() == "Nothing to see"
    plot.clear()
    assert set(counts(plot.scene).values()) == {0}
    assert plot.chartID == ""


def test_a_scene_that_was_closed_is_not_touched_and_the_next_picture_is_whole(plot, picture):
    plot.show(picture)
    plot.scene.Clear(0)
    plot.forget()
    plot.mark("a")
    plot.show(picture)
    assert counts(plot.scene)["vtkMRMLPlotSeriesNode"] == 3


def test_what_is_no_point_has_no_case(plot, picture):
    plot.show(picture)
    assert plot.caseAt("vtkMRMLPlotSeriesNode99", 0) == ""
