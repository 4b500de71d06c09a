"""The plot view of the host shows MRML's plot nodes and tells which point was clicked."""

from __future__ import annotations

import numpy as np
import pytest
from host_stage import has_colour, pixels
from pointing import place_in_chart
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

LAYOUT = 977
XML = '<layout type="horizontal"><item><view class="vtkMRMLPlotViewNode" singletontag="Probe"/></item></layout>'
ORANGE, BLUE = (0.902, 0.624, 0.0), (0.337, 0.706, 0.914)


def series(name: str, xs, ys, colour):
    import slicer
    import vtk

    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode")
    for column, values in (("x", xs), ("y", ys)):
        array = vtk.vtkDoubleArray()
        array.SetName(column)
        for value in values:
            array.InsertNextValue(value)
        table.AddColumn(array)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", name)
    node.SetAndObserveTableNodeID(table.GetID())
    node.SetXColumnName("x")
    node.SetYColumnName("y")
    node.SetPlotType(node.PlotTypeScatter)
    node.SetLineStyle(node.LineStyleNone)
    node.SetMarkerStyle(node.MarkerStyleSquare)
    node.SetMarkerSize(12)
    node.SetColor(*colour)
    return node


@pytest.fixture
def widget(host):
    """The plot view with a chart of two series."""
    import slicer

    former = host.layoutManager.layout
    layouts = host.layoutManager.layoutLogic().GetLayoutNode()
    layouts.AddLayoutDescription(LAYOUT, XML)
    host.layoutManager.setLayout(LAYOUT)
    host.settle()
    chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode")
    chart.SetXAxisTitle("size (ml)")
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(0.0, 4.0)
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(0.0, 10.0)
    nodes = [series("A", [1, 2, 3], [4, 8, 6], ORANGE), series("B", [2.5], [5], BLUE)]
    for node in nodes:
        chart.AddAndObservePlotSeriesNodeID(node.GetID())
    shown = host.layoutManager.plotWidget(0)
    shown.mrmlPlotViewNode().SetPlotChartNodeID(chart.GetID())
    host.settle()
    yield shown
    for node in (chart, *(n for one in nodes for n in (one, one.GetTableNode()))):
        slicer.mrmlScene.RemoveNode(node)
    host.layoutManager.setLayout(former)
    host.settle()


def test_layout_manager_counts_and_finds_the_plot_view(host, widget):
    assert host.layoutManager.plotViewCount == 1
    assert widget.mrmlPlotViewNode().GetSingletonTag() == "Probe"
    assert host.layoutManager.plotWidget("Probe") is widget
    assert host.layoutManager.plotWidget(1) is None


def test_series_are_drawn_in_their_colours_and_change_with_their_nodes(host, widget):
    import slicer

    assert has_colour(pixels(widget.plotView()), ORANGE)
    assert has_colour(pixels(widget.plotView()), BLUE)
    chart = widget.mrmlPlotViewNode().GetPlotChartNode()
    chart.GetNthPlotSeriesNode(1).SetColor(1.0, 0.0, 1.0)
    chart.Modified()
    host.settle()
    assert has_colour(pixels(widget.plotView()), (1.0, 0.0, 1.0))
    slicer.mrmlScene.RemoveNode(chart.GetNthPlotSeriesNode(1))
    chart.Modified()
    host.settle()
    assert not has_colour(pixels(widget.plotView()), (1.0, 0.0, 1.0))


def test_a_removed_chart_leaves_an_empty_view(host, widget):
    import slicer

    slicer.mrmlScene.RemoveNode(widget.mrmlPlotViewNode().GetPlotChartNode())
    host.settle()
    picture = pixels(widget.plotView())
    assert not has_colour(picture, ORANGE)
    assert np.ptp(picture[5:-5, 5:-5].astype(int), axis=(0, 1)).max() == 0


@pytest.mark.parametrize("mode", ["InteractionModeSelectPoints", "InteractionModePanView"])
def test_a_click_on_a_point_tells_its_series_and_row(host, widget, mode):
    node = widget.mrmlPlotViewNode()
    node.SetInteractionMode(getattr(node, mode))
    host.settle()
    view, told = widget.plotView(), []

    def hear(names, chosen):
        rows = [chosen.GetItemAsObject(index) for index in range(chosen.GetNumberOfItems())]
        told.append([(names.GetValue(i), rows[i].GetValue(0)) for i in range(names.GetNumberOfValues())])

    view.dataSelected.connect(hear)
    chart = node.GetPlotChartNode()
    for x, y, index, row in ((3, 6, 0, 2), (2.5, 5, 1, 0)):
        QTest.mouseMove(view, place_in_chart(view, x, y))
        QTest.mouseClick(view, Qt.LeftButton, pos=place_in_chart(view, x, y))
        assert told[-1] == [(chart.GetNthPlotSeriesNodeID(index), row)]
        view.RemovePlotSelections()
    assert not host.failures


def test_axis_ranges_and_titles_are_those_of_the_chart_node(host, widget):
    chart = widget.mrmlPlotViewNode().GetPlotChartNode()
    chart.SetYAxisRange(0.0, 20.0)
    host.settle()
    drawn = widget.plotView().chart()
    assert drawn.GetAxis(1).GetTitle() == "size (ml)"
    assert (drawn.GetAxis(0).GetMinimum(), drawn.GetAxis(0).GetMaximum()) == (0.0, 20.0)


def test_words_and_ground_follow_the_theme(host, widget):
    from PySide6.QtGui import QColor, QPalette

    view = widget.plotView()
    palette = QPalette(view.palette())
    palette.setColor(QPalette.Base, QColor("#ffffff"))
    palette.setColor(QPalette.Text, QColor("#101010"))
    view.setPalette(palette)
    host.settle()
    assert tuple(pixels(view)[3, 3]) == (255, 255, 255)
    assert max(view.chart().GetAxis(0).GetTitleProperties().GetColor()) < 0.1
