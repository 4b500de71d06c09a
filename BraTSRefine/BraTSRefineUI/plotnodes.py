"""Pictures as MRML's plot nodes: a chart, a series and a table of points for each kind of case. Takes the scene."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer
import vtk

from . import colours
from .nodes import OwnedNodes
from .plotpicture import Picture, Series
from .vtkarrays import vtkArray

X, Y, CASE = "x", "y", "case"
POINTS, MARKS = "points", "marks"
SHOWN_COLOUR, CHOSEN_COLOUR = colours.PREDICTION, "#E6C200"
LINE_COLOUR = "#888888"
MARKER_SIZE, CHOSEN_SIZE, SHOWN_SIZE = 8, 11, 15
SMALL_MARKER, MANY = 5, 400
TITLE_SIZE, LABEL_SIZE, LEGEND_SIZE = 15, 12, 12


class PlotNodes:
    """The nodes of the plot that is shown; ``show`` replaces the points, ``mark`` what is marked among them."""

    def __init__(self, scene) -> None:
        self.scene = scene
        self.picture: Picture | None = None
        self._owned = OwnedNodes(scene)
        self._chart = None
        self._seriesOf: dict[str, Series] = {}
        self._marked: tuple = ()

    @property
    def chartID(self) -> str:
        """Of the chart; empty where nothing is shown."""
        return self._chart.GetID() if self._chart is not None else ""

    def show(self, picture: Picture) -> None:
        """Show a picture."""
        if picture == self.picture:
            return
        chart = self._emptyChart()
        self.picture = picture
        changed = chart.StartModify()
        if picture.hasDiagonal:
            self._addDiagonal(picture)
        for one in picture.series:
            self._addPoints(one, MARKER_SIZE if len(picture.places) <= MANY else SMALL_MARKER)
        self._write(chart, picture)
        chart.EndModify(changed)
        chart.Modified()

    def say(self, words: str) -> None:
        """An empty chart with words above it; one without any series is not drawn at all."""
        chart = self._emptyChart()
        node = self._add(POINTS, " ", (0.0, 1.0), (0.0, 1.0), ("", ""), colours.rgb(LINE_COLOUR))
        node.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
        chart.SetTitle(words)
        chart.SetTitleVisibility(True)
        chart.SetTitleFontSize(TITLE_SIZE)
        for write in (chart.SetXAxisTitle, chart.SetYAxisTitle):
            write("")
        chart.SetXAxisRangeAuto(False)
        chart.SetXAxisRange(0.0, 1.0)
        chart.SetYAxisRangeAuto(False)
        chart.SetYAxisRange(0.0, 1.0)
        chart.SetLegendVisibility(False)
        chart.Modified()

    def mark(self, shown: str, chosen: Sequence[str] = ()) -> None:
        """Mark the case that is looked at and those that are chosen."""
        asked = shown, tuple(chosen)
        if self.picture is None or asked == self._marked:
            return
        self._marked = asked
        self._dropMarks()
        self._addMark("chosen", [case for case in chosen if case != shown], CHOSEN_COLOUR, CHOSEN_SIZE)
        self._addMark(shown, [shown] if shown else [], SHOWN_COLOUR, SHOWN_SIZE)
        self._chart.Modified()

    def touch(self) -> None:
        """Have the view draw again, as after a change that the nodes do not know of."""
        self._chart.Modified()

    def caseAt(self, seriesID: str, row: int) -> str:
        """The case of a point of a series; empty for a line or a point that is none."""
        one = self._seriesOf.get(seriesID)
        return one.cases[min(row, len(one.cases) - 1)] if one is not None and row >= 0 else ""

    def clear(self) -> None:
        """Remove every node that was made here."""
        self._owned.clear()
        self.forget()

    def forget(self) -> None:
        """Let go of the nodes where the scene itself was closed."""
        self._owned.forget()
        self._chart, self.picture, self._seriesOf, self._marked = None, None, {}, ()

    def _emptyChart(self):
        """The chart without a series."""
        if self._chart is None:
            self._chart = self.scene.AddNewNodeByClass("vtkMRMLPlotChartNode", "BraTSRefine plot")
            self._owned.add("chart", self._chart)
        self._chart.RemoveAllPlotSeriesNodeIDs()
        for part in (POINTS, MARKS):
            self._owned.remove(part)
        self.picture, self._seriesOf, self._marked = None, {}, ()
        return self._chart

    def _dropMarks(self) -> None:
        for node in self._owned.of(MARKS, "vtkMRMLPlotSeriesNode"):
            self._chart.RemovePlotSeriesNodeID(node.GetID())
            self._seriesOf.pop(node.GetID(), None)
        self._owned.remove(MARKS)

    def _write(self, chart, picture: Picture) -> None:
        chart.SetTitleVisibility(False)
        chart.SetXAxisTitle(picture.xTitle)
        chart.SetYAxisTitle(picture.yTitle)
        chart.SetXAxisRangeAuto(False)
        chart.SetXAxisRange(*picture.xRange)
        chart.SetYAxisRangeAuto(False)
        chart.SetYAxisRange(*picture.yRange)
        chart.SetLegendVisibility(not picture.ticks)
        chart.SetAxisTitleFontSize(TITLE_SIZE)
        chart.SetAxisLabelFontSize(LABEL_SIZE)
        chart.SetLegendFontSize(LEGEND_SIZE)

    def _addPoints(self, one: Series, size: int) -> None:
        node = self._add(POINTS, one.name, one.xs, one.ys, one.cases, colours.rgb(one.colour))
        node.SetMarkerStyle(node.GetMarkerStyleFromString(one.marker))
        node.SetMarkerSize(size)
        node.SetOpacity(0.85)
        self._seriesOf[node.GetID()] = one

    def _addDiagonal(self, picture: Picture) -> None:
        ends = picture.xRange
        node = self._add(POINTS, "no change", ends, ends, ("", ""), colours.rgb(LINE_COLOUR))
        node.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        node.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
        node.SetLineStyle(slicer.vtkMRMLPlotSeriesNode.LineStyleDash)
        node.SetLineWidth(1)

    def _addMark(self, name: str, cases: Sequence[str], colour: str, size: int) -> None:
        placed = [(case, *place) for case in cases for place in self.picture.places.get(case, ())]
        if not placed:
            return
        names, xs, ys = zip(*placed, strict=True)
        node = self._add(MARKS, name, xs, ys, names, colours.rgb(colour))
        node.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleDiamond)
        node.SetMarkerSize(size)
        self._seriesOf[node.GetID()] = Series(name, names, xs, ys, colour)

    def _add(self, part: str, name: str, xs, ys, cases, colour: tuple[float, float, float]):
        """A series of points and its table; the chart shows it over what came before."""
        table = self.scene.AddNewNodeByClass("vtkMRMLTableNode", f"{name} points")
        table.SetHideFromEditors(True)
        table.SetAndObserveTable(_table(xs, ys, cases))
        node = self.scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", name)
        node.SetAndObserveTableNodeID(table.GetID())
        node.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        node.SetXColumnName(X)
        node.SetYColumnName(Y)
        node.SetLabelColumnName(CASE)
        node.SetLineStyle(slicer.vtkMRMLPlotSeriesNode.LineStyleNone)
        node.SetColor(*colour)
        self._owned.add(part, node, table)
        self._chart.AddAndObservePlotSeriesNodeID(node.GetID())
        return node


def _table(xs: Sequence[float], ys: Sequence[float], cases: Sequence[str]) -> vtk.vtkTable:
    """Columns x, y and case; a single point stands there twice, since Slicer draws a line through it and warns."""
    table = vtk.vtkTable()
    for name, values in ((X, xs), (Y, ys)):
        column = vtkArray(np.array(_atLeastTwo(values), dtype=float))
        column.SetName(name)
        table.AddColumn(column)
    labels = vtk.vtkStringArray()
    labels.SetName(CASE)
    for case in _atLeastTwo(cases):
        labels.InsertNextValue(case)
    table.AddColumn(labels)
    return table


def _atLeastTwo(values: Sequence) -> list:
    return list(values) if len(values) > 1 else list(values) * 2
