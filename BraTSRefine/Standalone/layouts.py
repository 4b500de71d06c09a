"""``slicer.app.layoutManager()``: realises the layout of the scene's vtkMRMLLayoutNode with one widget a view."""

from xml.etree import ElementTree

import slicer
from PySide6.QtCore import Property, QObject, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QTabWidget, QVBoxLayout, QWidget
from vtkmodules.vtkCommonCore import vtkCollection, vtkCommand

from .plots import PlotWidget
from .renderqueue import RenderQueue
from .splitter import GAP, PlainSplitter
from .views import SliceWidget, ThreeDWidget

LARGE = 10_000


class LayoutManager(QObject):
    """The part of qSlicerLayoutManager that a module needs."""

    layoutChanged = Signal(int)

    def __init__(self, scene, applicationLogic, viewport: QWidget):
        super().__init__(viewport)
        self._scene, self._applicationLogic, self._viewport = scene, applicationLogic, viewport
        self.renders = RenderQueue(self)
        self._widgets: dict[tuple[str, str], QWidget] = {}
        self._shown: list[tuple[str, str]] = []
        self._content: QWidget | None = None
        self._realised = None
        self._logic = slicer.vtkMRMLLayoutLogic()
        self._logic.SetMRMLApplicationLogic(applicationLogic)
        self._logic.SetMRMLScene(scene)
        self._observed = self._logic.GetLayoutNode()
        self._tag = self._observed.AddObserver(vtkCommand.ModifiedEvent, lambda *_: self._realise())
        QVBoxLayout(viewport).setContentsMargins(0, 0, 0, 0)

    # What Slicer's layout manager offers

    def layoutLogic(self):
        return self._logic

    def mrmlScene(self):
        return self._scene

    def mrmlSliceLogics(self) -> vtkCollection:
        return self._applicationLogic.GetSliceLogics()

    def mrmlViewLogics(self) -> vtkCollection:
        return self._applicationLogic.GetViewLogics()

    def setLayout(self, layout: int) -> None:
        self._logic.GetLayoutNode().SetViewArrangement(layout)

    layout = Property(int, lambda self: self._logic.GetLayoutNode().GetViewArrangement(), setLayout)

    def sliceViewNames(self) -> list[str]:
        return [name for kind, name in self._shown if kind == "vtkMRMLSliceNode"]

    def sliceWidget(self, name: str) -> SliceWidget | None:
        return self._widgets.get(("vtkMRMLSliceNode", name))

    def threeDWidget(self, which: int | str) -> ThreeDWidget | None:
        return self._widgetOf("vtkMRMLViewNode", which)

    def plotWidget(self, which: int | str) -> PlotWidget | None:
        return self._widgetOf("vtkMRMLPlotViewNode", which)

    def _widgetOf(self, kind: str, which: int | str) -> QWidget | None:
        """By its name, or by its place among those of its kind that are shown."""
        shown = [key for key in self._shown if key[0] == kind]
        if isinstance(which, str):
            return self._widgets.get((kind, which))
        return self._widgets[shown[which]] if which < len(shown) else None

    threeDViewCount = Property(int, lambda self: sum(kind == "vtkMRMLViewNode" for kind, _ in self._shown))
    tableViewCount = Property(int, lambda self: 0)
    plotViewCount = Property(int, lambda self: sum(kind == "vtkMRMLPlotViewNode" for kind, _ in self._shown))

    def viewWidgets(self) -> list[QWidget]:
        return [self._widgets[key] for key in self._shown]

    def resetSliceViews(self) -> None:
        for name in self.sliceViewNames():
            self.sliceWidget(name).fitSliceToBackground()

    def resetThreeDViews(self) -> None:
        for i in range(self.threeDViewCount):
            self.threeDWidget(i).threeDView().resetFocalPoint()

    def pauseRender(self) -> None:
        for pane in self.panes():
            pane.pauseRender()

    def resumeRender(self) -> None:
        for pane in self.panes():
            pane.resumeRender()

    def setRenderPaused(self, paused: bool) -> None:
        self.pauseRender() if paused else self.resumeRender()

    # The host's own

    def panes(self) -> list:
        """Every view that renders, shown or not."""
        return [w.viewWidget() for w in self._widgets.values() if hasattr(w, "viewWidget")]

    def close(self) -> None:
        """Let go of all views and of the scene."""
        self._observed.RemoveObserver(self._tag)
        for pane in self.panes():
            pane.detach()
        self.mrmlSliceLogics().RemoveAllItems()
        self.mrmlViewLogics().RemoveAllItems()
        self._widgets.clear()
        self._shown.clear()
        self._logic.SetMRMLScene(None)

    def _realise(self) -> None:
        node = self._logic.GetLayoutNode()
        maximised = [node.GetMaximizedViewNode(i) for i in range(node.GetNumberOfMaximizedViewNodes())]
        wanted = (node.GetCurrentLayoutDescription(), tuple(maximised))
        if not wanted[0] or wanted == self._realised:
            return
        self._realised = wanted
        self._rebuild(_descriptionOfMaximised(maximised) if maximised else wanted[0])
        self.layoutChanged.emit(node.GetViewArrangement())

    def _rebuild(self, description: str) -> None:
        former, self._shown = self._content, []
        for widget in self._widgets.values():
            widget.setParent(None)
        self._content = self._build(ElementTree.fromstring(description))
        if former is not None:
            self._viewport.layout().removeWidget(former)
            former.hide()
            former.deleteLater()
        self._viewport.layout().addWidget(self._content)
        self._viewport.layout().activate()
        self._tellNodes()

    def _tellNodes(self) -> None:
        for key, widget in self._widgets.items():
            if hasattr(widget, "mrmlAbstractViewNode"):
                widget.mrmlAbstractViewNode().SetMappedInLayout(key in self._shown)

    def _build(self, element) -> QWidget:
        if element.tag == "view":
            return self._view(element)
        if element.get("type") == "tab":
            return self._tabs(element)
        return self._boxes(element)

    def _boxes(self, element) -> QWidget:
        kind = element.get("type", "horizontal")
        if element.get("split") == "true" and kind != "grid":
            return self._splitter(element, Qt.Vertical if kind == "vertical" else Qt.Horizontal)
        container = QWidget()
        layout = {"grid": QGridLayout, "vertical": QVBoxLayout, "horizontal": QHBoxLayout}[kind](container)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        for item in element.findall("item"):
            _place(layout, item, self._build(item[0]))
        return container

    def _splitter(self, element, direction) -> QWidget:
        splitter = PlainSplitter(direction)
        for item in element.findall("item"):
            splitter.addWidget(self._build(item[0]))
        splitter.setSizes([int(item.get("splitSize", 0)) or LARGE for item in element.findall("item")])
        return splitter

    def _tabs(self, element) -> QWidget:
        tabs = QTabWidget()
        for item in element.findall("item"):
            tabs.addTab(self._build(item[0]), item.get("name", ""))
        return tabs

    def _view(self, element) -> QWidget:
        key = element.get("class"), element.get("singletontag") or "1"
        if key not in self._widgets:
            self._widgets[key] = self._make(*key)
        self._shown.append(key)
        self._widgets[key].show()
        return self._widgets[key]

    def _make(self, kind: str, name: str) -> QWidget:
        if kind == "vtkMRMLSliceNode":
            return SliceWidget(self._scene, self._applicationLogic, name, self.renders)
        if kind == "vtkMRMLViewNode":
            return ThreeDWidget(self._scene, self._applicationLogic, name, self.renders)
        if kind == "vtkMRMLPlotViewNode":
            return PlotWidget(self._scene, name, self.renders)
        return _notServed(kind)


def _place(layout, item, widget: QWidget) -> None:
    if not isinstance(layout, QGridLayout):
        layout.addWidget(widget, 1)
        return
    row, column, rows, columns = (int(item.get(key, default)) for key, default in _CELL)
    layout.addWidget(widget, row, column, rows, columns)
    layout.setRowStretch(row, 1)
    layout.setColumnStretch(column, 1)


_CELL = (("row", 0), ("column", 0), ("rowspan", 1), ("colspan", 1))


def _descriptionOfMaximised(nodes) -> str:
    views = "".join(
        f'<item><view class="{node.GetClassName()}" singletontag="{node.GetSingletonTag()}"/></item>' for node in nodes
    )
    return f'<layout type="horizontal">{views}</layout>'


def _notServed(kind: str) -> QLabel:
    label = QLabel(f"{kind.removeprefix('vtkMRML').removesuffix('Node')}: shown in 3D Slicer only")
    label.setAlignment(Qt.AlignCenter)
    label.setEnabled(False)
    return label
