"""The plot view: charts of MRML's plot nodes, drawn by VTK off-screen, points chosen with the mouse.

The public names are those of qMRMLPlotWidget and qMRMLPlotView (with ctkVTKChartView).
"""

import vtkmodules.vtkRenderingContextOpenGL2  # noqa: F401  (registers how VTK's charts are drawn)
from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QPalette
from vtkmodules.vtkChartsCore import (
    vtkAxis,
    vtkChart,
    vtkChartLegend,
    vtkChartXY,
    vtkPlotBar,
    vtkPlotLine,
    vtkPlotPoints,
)
from vtkmodules.vtkCommonCore import vtkCollection, vtkCommand, vtkStringArray
from vtkmodules.vtkRenderingContext2D import vtkContextActor, vtkContextMouseEvent, vtkPen
from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow, vtkRenderWindowInteractor
from vtkmodules.vtkViewsContext2D import vtkContextInteractorStyle

from .renderqueue import RenderQueue
from .views import ViewPane, ViewWidget

LEFT, MIDDLE, RIGHT = (
    vtkContextMouseEvent.LEFT_BUTTON,
    vtkContextMouseEvent.MIDDLE_BUTTON,
    vtkContextMouseEvent.RIGHT_BUTTON,
)
PAN_VIEW, SELECT_POINTS, SELECT_FREEHAND, MOVE_POINTS = range(4)
ACTIONS = {
    PAN_VIEW: (vtkChart.PAN, vtkChart.ZOOM, vtkChart.ZOOM_AXIS),
    SELECT_POINTS: (vtkChart.SELECT, vtkChart.PAN, vtkChart.ZOOM_AXIS),
    SELECT_FREEHAND: (vtkChart.SELECT_POLYGON, vtkChart.PAN, vtkChart.ZOOM_AXIS),
    MOVE_POINTS: (vtkChart.CLICK_AND_DRAG, vtkChart.PAN, vtkChart.ZOOM_AXIS),
}
"""What the left, middle and right button do in each interaction mode of vtkMRMLPlotViewNode, as in Slicer."""

LINES = (
    vtkPen.NO_PEN,
    vtkPen.SOLID_LINE,
    vtkPen.DASH_LINE,
    vtkPen.DOT_LINE,
    vtkPen.DASH_DOT_LINE,
    vtkPen.DASH_DOT_DOT_LINE,
)
"""vtkPen's line types in the order of vtkMRMLPlotSeriesNode.LineStyle."""


class ChartSurface:
    """An off-screen window with one chart; offers what ``ViewPane`` asks of a trame-slicer view."""

    def __init__(self) -> None:
        self.chart = vtkChartXY()
        self._renderer = vtkRenderer()
        self._window = vtkRenderWindow()
        self._window.ShowWindowOff()
        self._window.SetOffScreenRendering(1)
        self._window.SetMultiSamples(0)
        self._window.AddRenderer(self._renderer)
        self._interactor = vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        self._interactor.Initialize()
        actor = vtkContextActor()
        self._renderer.AddActor(actor)
        self.scene = actor.GetScene()
        self.scene.SetRenderer(self._renderer)
        self.scene.AddItem(self.chart)
        style = vtkContextInteractorStyle()
        style.SetScene(self.scene)
        self._interactor.SetInteractorStyle(style)

    def set_scheduled_render(self, strategy) -> None:
        """Nothing to do: a chart asks for no pictures by itself."""

    def render_window(self):
        return self._window

    def interactor(self):
        return self._interactor

    def interactor_style(self):
        return self._interactor.GetInteractorStyle()

    def renderers(self) -> list:
        return [self._renderer]

    def renderer(self):
        return self._renderer

    def update_size(self, width: int, height: int) -> None:
        self._window.SetSize(width, height)

    def finalize(self) -> None:
        self.scene.ClearItems()
        self._window.ShowWindowOff()
        self._window.Finalize()


class PlotView(ViewPane):
    """qMRMLPlotView: shows the chart node of its view node and tells which points were chosen."""

    dataSelected = Signal(object, object)
    mrmlSceneChanged = Signal(object)

    def __init__(self, renders: RenderQueue, parent=None):
        self._surface = ChartSurface()
        super().__init__(self._surface, renders, parent)
        self._scene = self._viewNode = self._chartNode = None
        self._plots: dict[str, object] = {}
        self._tags: list = []
        self._isUpdating = False
        chart = self.chart()
        self._chartTag = chart.AddObserver(vtkCommand.SelectionChangedEvent, lambda *_: self._tellSelection())
        chart.SetClickActionToButton(vtkChart.SELECT, LEFT)
        chart.GetLegend().SetHorizontalAlignment(vtkChartLegend.RIGHT)
        self._takeColours()

    # What Slicer's plot view offers

    def chart(self) -> vtkChartXY:
        return self._surface.chart

    def scene(self):
        return self._surface.scene

    def setMRMLScene(self, scene) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)
            self._followChart()

    def setMRMLPlotViewNode(self, node) -> None:
        self._viewNode = node
        self._followChart()

    def fitToContent(self) -> None:
        self.chart().RecalculateBounds()
        self.scheduleRender()

    def RemovePlotSelections(self) -> None:
        self.chart().RemovePlotSelections()
        self.scheduleRender()

    # The host's own

    def detach(self) -> None:
        self._forgetNodes()
        self.chart().RemoveObserver(self._chartTag)
        self.chart().ClearPlots()
        self._plots.clear()
        super().detach()

    def changeEvent(self, event) -> None:
        if event.type() == QEvent.PaletteChange and self._view is not None:
            self._takeColours()
        super().changeEvent(event)

    def _takeColours(self) -> None:
        """Text and ground are those of the window, dark or light."""
        ground, text = self.palette().color(QPalette.Base), self.palette().color(QPalette.Text)
        words = text.redF(), text.greenF(), text.blueF()
        self._surface.renderer().SetBackground(ground.redF(), ground.greenF(), ground.blueF())
        chart = self.chart()
        properties = [chart.GetTitleProperties(), chart.GetLegend().GetLabelProperties()]
        for axis in map(chart.GetAxis, range(4)):
            properties += [axis.GetTitleProperties(), axis.GetLabelProperties()]
            axis.GetPen().SetColorF(*words)
            axis.GetGridPen().SetColorF(*words, 0.12)
        for each in properties:
            each.SetColor(*words)
        chart.GetLegend().GetBrush().SetColorF(ground.redF(), ground.greenF(), ground.blueF(), 0.8)
        chart.GetLegend().GetPen().SetColorF(*words, 0.3)
        self.scheduleRender()

    def _followChart(self) -> None:
        """Observe the view node and the chart node that it names now."""
        self._forgetNodes()
        if self._scene is not None and self._viewNode is not None:
            self._observe(self._viewNode, self._onViewNode)
            self._chartNode = self._viewNode.GetPlotChartNode()
        if self._chartNode is not None:
            self._observe(self._chartNode, self._update)
            self._observe(self._chartNode, self._update, self._chartNode.PlotModifiedEvent)
        self._update()

    def _observe(self, node, call, event=vtkCommand.ModifiedEvent) -> None:
        self._tags.append((node, node.AddObserver(event, lambda *_: call())))

    def _forgetNodes(self) -> None:
        for node, tag in self._tags:
            node.RemoveObserver(tag)
        self._tags, self._chartNode = [], None

    def _onViewNode(self) -> None:
        if self._viewNode.GetPlotChartNode() is not self._chartNode:
            self._followChart()
        else:
            self._update()

    def _update(self) -> None:
        """Bring the chart to what the nodes say."""
        if self._isUpdating or self._view is None or self._viewNode is None:
            return
        self._isUpdating = True
        try:
            self._setButtons(self._viewNode.GetInteractionMode())
            self._setPlots()
            if self._chartNode is not None:
                self._setWords(self._chartNode)
                self._setAxes(self._chartNode)
            self.chart().SetVisible(self._chartNode is not None)
        finally:
            self._isUpdating = False
        self.chart().RecalculateBounds()
        self.scheduleRender()

    def _setButtons(self, mode: int) -> None:
        for action, button in zip(ACTIONS.get(mode, ACTIONS[PAN_VIEW]), (LEFT, MIDDLE, RIGHT), strict=True):
            self.chart().SetActionToButton(action, button)

    def _setPlots(self) -> None:
        count = self._chartNode.GetNumberOfPlotSeriesNodes() if self._chartNode is not None else 0
        series = [self._chartNode.GetNthPlotSeriesNode(index) for index in range(count)]
        wanted = [node for node in series if node is not None and _canBeDrawn(node)]
        names = [node.GetID() for node in wanted]
        if names != list(self._plots):
            self.chart().ClearPlots()
            self._plots = {node.GetID(): _plotOf(node) for node in wanted}
            for plot in self._plots.values():
                self.chart().AddPlot(plot)
        for node in wanted:
            _fill(self._plots[node.GetID()], node)

    def _setWords(self, node) -> None:
        chart = self.chart()
        chart.SetTitle((node.GetTitle() or "") if node.GetTitleVisibility() else "")
        chart.GetTitleProperties().SetFontSize(node.GetTitleFontSize())
        chart.SetShowLegend(bool(node.GetLegendVisibility()))
        chart.GetLegend().SetLabelSize(node.GetLegendFontSize())

    def _setAxes(self, node) -> None:
        horizontal = node.GetXAxisTitle() if node.GetXAxisTitleVisibility() else ""
        vertical = node.GetYAxisTitle() if node.GetYAxisTitleVisibility() else ""
        ranges = (
            (vtkAxis.BOTTOM, horizontal, node.GetXAxisRangeAuto(), node.GetXAxisRange(), node.GetXAxisLogScale()),
            (vtkAxis.LEFT, vertical, node.GetYAxisRangeAuto(), node.GetYAxisRange(), node.GetYAxisLogScale()),
        )
        for which, title, isAuto, limits, isLog in ranges:
            axis = self.chart().GetAxis(which)
            axis.SetTitle(title or "")
            axis.SetLogScale(bool(isLog))
            axis.SetBehavior(vtkAxis.AUTO if isAuto else vtkAxis.FIXED)
            if not isAuto:
                axis.SetUnscaledRange(*limits)
            axis.SetGridVisible(bool(node.GetGridVisibility()))
            axis.GetTitleProperties().SetFontSize(node.GetAxisTitleFontSize())
            axis.GetTitleProperties().SetBold(False)
            axis.GetLabelProperties().SetFontSize(node.GetAxisLabelFontSize())

    def _tellSelection(self) -> None:
        """Hand over, for each series with chosen points, its ID and their rows."""
        names, chosen = vtkStringArray(), vtkCollection()
        for name, plot in self._plots.items():
            selection = plot.GetSelection()
            if selection is not None and selection.GetNumberOfValues():
                names.InsertNextValue(name)
                chosen.AddItem(selection)
        self.scheduleRender()
        self.dataSelected.emit(names, chosen)


def _canBeDrawn(node) -> bool:
    """Whether the columns that a series names are there."""
    table = node.GetTableNode()
    columns = [node.GetYColumnName()] + ([node.GetXColumnName()] if node.IsXColumnRequired() else [])
    return table is not None and all(name and table.GetTable().GetColumnByName(name) for name in columns)


def _plotOf(node):
    if node.GetPlotType() in (node.PlotTypeBar, node.PlotTypeScatterBar):
        return vtkPlotBar()
    return vtkPlotPoints() if node.GetLineStyle() == node.LineStyleNone else vtkPlotLine()


def _fill(plot, node) -> None:
    """Data, colour, line and markers of a series."""
    table = node.GetTableNode().GetTable()
    isIndexed = not node.IsXColumnRequired()
    plot.SetUseIndexForXSeries(isIndexed)
    plot.SetInputData(table, node.GetYColumnName() if isIndexed else node.GetXColumnName(), node.GetYColumnName())
    plot.SetWidth(node.GetLineWidth())
    plot.SetColorF(*node.GetColor())
    plot.GetPen().SetOpacityF(node.GetOpacity())
    plot.GetPen().SetLineType(LINES[node.GetLineStyle()])
    plot.SetLabel(node.GetName() or node.GetYColumnName())
    labels = node.GetLabelColumnName()
    column = table.GetColumnByName(labels) if labels else None
    plot.SetIndexedLabels(column)
    plot.SetTooltipLabelFormat("%l = (%x, %y) %i" if column else "%l = (%x, %y)")
    if isinstance(plot, vtkPlotPoints):
        plot.SetMarkerSize(node.GetMarkerSize())
        plot.SetMarkerStyle(node.GetMarkerStyle())


class PlotWidget(ViewWidget):
    """qMRMLPlotWidget."""

    def __init__(self, scene, name: str, renders: RenderQueue, parent=None):
        super().__init__(PlotView(renders), parent)
        self._node = scene.GetSingletonNode(name, "vtkMRMLPlotViewNode")
        self._pane.setMRMLScene(scene)
        self._pane.setMRMLPlotViewNode(self._node)

    def plotView(self) -> PlotView:
        return self._pane

    def plotController(self):
        return self._controller

    def mrmlPlotViewNode(self):
        return self._node

    def mrmlAbstractViewNode(self):
        return self._node
