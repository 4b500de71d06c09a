"""The plot below the views, linked both ways: a point shows its case, the shown case is marked among the points."""

from __future__ import annotations

from html import escape

import qt
import slicer
import vtk
from slicer.i18n import tr as _

from . import plotpicture, views
from .casecolumns import CENTER, RANKS, SIZE, Key
from .desk import Action, Desk
from .measures import measure
from .panel import fillCombo, say
from .plotnodes import PlotNodes
from .plotpicture import BEFORE_AFTER, BY_CENTER, BY_REGION, BY_SIZE, SCATTER, Axis, Picture
from .tablecolumns import wordsOf


class PlotDesk(Desk):
    """Owns the plot's nodes and its row under the table; without a layout manager there is no plot."""

    def __init__(self, workbench) -> None:
        super().__init__(workbench)
        self.layoutManager = workbench.layoutManager
        self.nodes = PlotNodes(workbench.caseScene.scene)
        self.box = slicer.util.loadUI(workbench.resourcePath("UI/Plot.ui"))
        self.ui = slicer.util.childWidgetVariables(self.box)
        workbench.worstCases.ui.plotPlace.layout().addWidget(self.box)
        self._view = None
        self._formerLayout = views.REVIEW_LAYOUT
        self._keys: list[Key] = []
        self._up, self._across, self._region = Key(""), Key(SIZE), ""
        self._isAlive = True
        self._connect()

    def _connect(self) -> None:
        ui = self.ui
        fillCombo(ui.plotKindCombo, list(_kinds().values()), _kinds()[SCATTER])
        ui.plotButton.clicked.connect(lambda checked=False: self.toggle())
        ui.plotKindCombo.currentIndexChanged.connect(lambda index=0: self._onKind())
        ui.plotRunCombo.currentIndexChanged.connect(lambda index=0: self.draw())
        ui.plotUpCombo.currentIndexChanged.connect(lambda index=0: self._onAxes())
        ui.plotAcrossCombo.currentIndexChanged.connect(lambda index=0: self._onAxes())
        self.workbench.worstCases.whenListChanged(self.draw)
        if self.layoutManager:
            self.layoutManager.layoutChanged.connect(self._onLayout)
        else:
            self.box.visible = False

    def title(self) -> str:
        return _("Table and plots")

    def actions(self) -> list[Action]:
        return [
            Action("J", _("Show or hide the plot below the views"), self.toggle),
            Action("Ctrl+E", _("Export the table of cases"), self.workbench.worstCases.export),
        ]

    # What happens

    @property
    def isShown(self) -> bool:
        return bool(self.layoutManager) and self.layoutManager.layout == views.PLOT_LAYOUT

    @property
    def kind(self) -> str:
        return list(_kinds())[max(self.ui.plotKindCombo.currentIndex, 0)]

    def setKind(self, kind: str) -> None:
        """Show another plot, by its name in ``plotpicture``."""
        self.ui.plotKindCombo.currentIndex = list(_kinds()).index(kind)

    def toggle(self) -> None:
        """To the layout with the plot, and back to the one before."""
        if not self.layoutManager:
            return
        wanted = self._formerLayout if self.isShown else views.PLOT_LAYOUT
        if not self.isShown and self.layoutManager.layout in views.LAYOUTS:
            self._formerLayout = self.layoutManager.layout
        self.workbench.views.setLayout(wanted)
        self._onLayout()

    def opened(self) -> None:
        self.nodes.clear()
        self._up, self._across, self._region = Key(""), Key(SIZE), ""
        self._keys = []

    def refresh(self) -> None:
        self.workbench.worstCases.showDecisions()
        self._offer()
        self.draw()

    def showCase(self) -> None:
        self.mark()

    def enter(self) -> None:
        self._onLayout()

    def sceneClosed(self) -> None:
        self.nodes.forget()

    def cleanup(self) -> None:
        self._letGoOfView()
        if self.layoutManager and self._isAlive:
            self.layoutManager.layoutChanged.disconnect(self._onLayout)
        self._isAlive = False
        self.nodes.clear()

    def draw(self) -> None:
        """Show the listed cases as the chosen plot, where the plot is seen."""
        if not self.isShown or not self._isAlive:
            return
        picture, words = self._picture()
        if picture is None:
            self.nodes.say(words)
        else:
            self.nodes.show(picture)
        self._showIn(picture)
        say(self.ui.plotStateLabel, "" if picture is not None else escape(words))
        self.mark()

    def mark(self) -> None:
        """Mark the shown case and the chosen ones among the points."""
        if self.isShown:
            self.nodes.mark(self.session.case, self.workbench.worstCases.chosenCases)

    def _onLayout(self, layout: int = 0) -> None:
        if not self._isAlive:
            return
        self.ui.plotButton.checked = self.isShown
        self._arrange()
        if self.isShown:
            self._takeView()
            self.draw()

    def _onKind(self) -> None:
        """Another plot is wanted, so it is shown."""
        if not self.isShown:
            self.toggle()
        self._arrange()
        self.draw()

    def _onAxes(self) -> None:
        up, across = self.ui.plotUpCombo.currentIndex, self.ui.plotAcrossCombo.currentIndex
        if up > 0 and up <= len(self._keys):
            self._up = self._keys[up - 1]
        elif up == 0:
            self._up = Key("")
        if 0 <= across < len(self._keys):
            self._across = self._keys[across]
        self.draw()

    def _arrange(self) -> None:
        """Only what belongs to the chosen plot is seen of the row."""
        self.ui.plotRunCombo.visible = self.isShown and self.kind == BEFORE_AFTER
        self.ui.plotAxesPlace.visible = self.isShown and self.kind == SCATTER
        self.ui.plotStateLabel.visible = self.isShown and bool(self.ui.plotStateLabel.text)

    def _offer(self) -> None:
        """What there is to choose from."""
        columns = self.workbench.worstCases.columns
        regions = sorted(columns.regions(), key=lambda region: region != columns.region)
        ranks = [key for key in map(Key, RANKS) if columns.has(key)] if self.isShown else []
        self._keys = [Key(metric, region) for region in regions for metric in columns.metrics()] + ranks
        if self._across.region == self._region:
            self._across, self._region = Key(self._across.name, columns.region), columns.region
        if self._across not in self._keys:
            self._across = Key(SIZE, columns.region)
        words = [wordsOf(key) for key in self._keys]
        ranked = _("as ranked: {words}").format(words=wordsOf(self._ranked()))
        fillCombo(self.ui.plotUpCombo, [ranked, *words], wordsOf(self._up) if self._up in self._keys else ranked)
        fillCombo(self.ui.plotAcrossCombo, words, wordsOf(self._across))
        runs = [run.model for run in self.session.comparedRuns()]
        fillCombo(self.ui.plotRunCombo, runs, self.ui.plotRunCombo.currentText)

    # The picture

    def _ranked(self) -> Key:
        return Key(self.session.metric, self.session.region)

    def _axis(self, key: Key) -> Axis:
        isShare = key.name not in (*RANKS, SIZE) and measure(key.name).isShare
        words = wordsOf(key)
        return Axis(key, words[:1].upper() + words[1:], isShare)

    def _picture(self) -> tuple[Picture | None, str]:
        """The picture of the listed cases, or why there is none and what to do."""
        session, table = self.session, self.workbench.worstCases
        if not session.isOpen:
            return None, _("No cohort is open: Open… comes first.")
        if not session.hasScores:
            return None, _("Nothing was scored yet: Open…, then Score.")
        if not table.table.rows:
            return None, _("The filter leaves no case: Esc in its field clears it.")
        make = {
            SCATTER: self._scatter,
            BY_REGION: self._byRegion,
            BY_SIZE: self._bySize,
            BY_CENTER: self._byCenter,
            BEFORE_AFTER: self._beforeAfter,
        }[self.kind]
        return make(table.columns, table.table.rows)

    def _scatter(self, columns, rows) -> tuple[Picture | None, str]:
        up = self._axis(self._up if self._up in self._keys else self._ranked())
        across = self._axis(self._across)
        nothing = _("No listed case has both numbers: choose other ones, or Score with all measures.")
        return plotpicture.scatter(columns, across, up, rows), nothing

    def _byRegion(self, columns, rows) -> tuple[Picture | None, str]:
        metric = self.session.metric
        axes = [self._axis(Key(metric, region)) for region in columns.regions()]
        words = wordsOf(Key(metric, "")).replace(", ", "")
        picture = plotpicture.stripsByRegion(columns, axes, rows, _sentence(words)) if axes else None
        return picture, _("No listed case has a number: choose another metric.")

    def _bySize(self, columns, rows) -> tuple[Picture | None, str]:
        region = self.session.region
        thirds = plotpicture.bySizeThirds(columns, rows, region)
        nothing = _("The sizes of fewer than three cases are known: they come from references, or a consensus.")
        words = _("Size of {region} in the reference, in thirds").format(region=region)
        return plotpicture.strips(columns, self._axis(self._ranked()), thirds, words) if thirds else None, nothing

    def _byCenter(self, columns, rows) -> tuple[Picture | None, str]:
        if not columns.has(Key(CENTER)):
            return None, _("No centre is known: a manifest tells them (column center), or folders named by centre.")
        nothing = _("No listed case has a number: choose another metric.")
        groups = plotpicture.byCenter(columns, rows)
        return plotpicture.strips(columns, self._axis(self._ranked()), groups, _("Centre")), nothing

    def _beforeAfter(self, columns, rows) -> tuple[Picture | None, str]:
        compared, index = self.session.comparedRuns(), self.ui.plotRunCombo.currentIndex
        if not 0 <= index < len(compared):
            return None, _("No run has a before and after: fuse, post-process or predict under Refine.")
        region = self.session.region
        changes = self.session.beforeAfter(compared[index].name)
        axes = _("Dice of {region} before").format(region=region), _("Dice of {region} after").format(region=region)
        groups = _("better"), _("worse"), _("the same")
        picture = plotpicture.beforeAfter(changes, {columns.cases[row] for row in rows}, axes, groups)
        return picture, _("No listed case has a before and after in {region}.").format(region=region)

    # The view

    def _widget(self):
        """The plot view of our layout, or None."""
        for index in range(self.layoutManager.plotViewCount):
            widget = self.layoutManager.plotWidget(index)
            if widget.mrmlPlotViewNode().GetLayoutName() == views.PLOT_TAG:
                return widget
        return None

    def _takeView(self) -> None:
        """Listen to the plot view; a click chooses a point."""
        widget = self._widget()
        if widget is None or widget.plotView() == self._view:
            return
        self._letGoOfView()
        self._view = widget.plotView()
        chart = self._view.chart()
        chart.SetClickActionToButton(vtk.vtkChart.SELECT, vtk.vtkContextMouseEvent.LEFT_BUTTON)
        chart.GetLegend().SetInline(False)
        self._view.dataSelected.connect(self._onPoints)

    def _letGoOfView(self) -> None:
        if self._view is not None:
            self._view.dataSelected.disconnect(self._onPoints)
        self._view = None

    def _showIn(self, picture: Picture | None) -> None:
        widget = self._widget()
        if widget is None:
            return
        node = widget.mrmlPlotViewNode()
        node.SetInteractionMode(slicer.vtkMRMLPlotViewNode.InteractionModeSelectPoints)
        node.SetPlotChartNodeID(self.nodes.chartID)
        _nameTicks(self._view.chart().GetAxis(vtk.vtkAxis.BOTTOM), picture.ticks if picture is not None else ())
        self.nodes.touch()

    def _onPoints(self, names=None, chosen=None) -> None:
        """Somebody chose points; the view is in the middle of that, so the answer waits for the event loop."""
        cases = []
        for index in range(names.GetNumberOfValues()):
            name, points = names.GetValue(index), chosen.GetItemAsObject(index)
            rows = [points.GetValue(i) for i in range(points.GetNumberOfValues())]
            cases += [self.nodes.caseAt(name, row) for row in rows]
        cases = [case for case in dict.fromkeys(cases) if case]
        if cases:
            qt.QTimer.singleShot(0, lambda: self._choose(cases))

    def _choose(self, cases: list[str]) -> None:
        """Show the case of the point; several are chosen in the table."""
        if not self._isAlive:
            return
        if self._view is not None:
            self._view.RemovePlotSelections()
        table = self.workbench.worstCases.table
        table.choose(cases if len(cases) > 1 else [])
        if len(cases) == 1:
            self.workbench.showCaseFromPanel(cases[0])
            table.mark(cases[0])


def _kinds() -> dict[str, str]:
    """The plots in the words of the window."""
    return {
        SCATTER: _("One number against another"),
        BY_REGION: _("By region"),
        BY_SIZE: _("By size"),
        BY_CENTER: _("By centre"),
        BEFORE_AFTER: _("Before and after"),
    }


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _nameTicks(axis, ticks) -> None:
    """Names in the place of numbers along an axis; none brings the numbers back."""
    if not ticks:
        axis.SetCustomTickPositions(None, None)
        return
    places, names = vtk.vtkDoubleArray(), vtk.vtkStringArray()
    for place, name in ticks:
        places.InsertNextValue(place)
        names.InsertNextValue(name)
    axis.SetCustomTickPositions(places, names)
