"""The views: which there are, what each shows, where they look. Everything here takes the MRML scene."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import slicer

OVERLAYS = ("reference", "prediction", "errors", "uncertainty")
BOTH_OUTLINES = ("reference", "prediction")
REVIEW_LAYOUT = 4821
COMPARE_LAYOUT = 4822
CHANNELS_LAYOUT = 4823
MODELS_LAYOUT = 4824
ONE_LAYOUT = 4825
PLOT_LAYOUT = 4826
MOST_MODELS = 6
SHOWN_GROUP, HIDDEN_GROUP = 0, 1


@dataclass(frozen=True)
class View:
    """A slice view: its tag in the scene, its channels in order of preference, the overlays it may show.

    ``model`` is the place of the model whose prediction it shows among those that are compared; 0 is the chosen one.
    With ``takesModality`` it shows the modality that was chosen for comparing, where there is one.
    """

    tag: str
    label: str
    orientation: str
    channels: tuple[str, ...]
    overlays: tuple[str, ...]
    model: int = 0
    takesModality: bool = False


ANATOMY = ("t2f", "t2w", "t1c", "t1n")
SLICE_VIEWS = (
    View("BraTSRefineT1c", "T1c", "Axial", ("t1c", "t1n", "t2f", "t2w"), BOTH_OUTLINES),
    View("BraTSRefineFLAIR", "FLAIR", "Axial", ANATOMY, (*BOTH_OUTLINES, "uncertainty")),
    View("BraTSRefineT2", "T2", "Axial", ("t2w", "t2f", "t1n", "t1c"), (*BOTH_OUTLINES, "errors")),
    View("BraTSRefineT1", "T1", "Axial", ("t1n", "t1c", "t2w", "t2f"), BOTH_OUTLINES),
    View("BraTSRefineCoronal", "COR", "Coronal", ANATOMY, (*BOTH_OUTLINES, "errors")),
    View("BraTSRefineSagittal", "SAG", "Sagittal", ANATOMY, OVERLAYS),
    View("BraTSRefineOnlyReference", "REF", "Axial", ANATOMY, ("reference",), takesModality=True),
    View("BraTSRefineOnlyPrediction", "PRED", "Axial", ANATOMY, ("prediction",), takesModality=True),
    View("BraTSRefineOnlyErrors", "ERR", "Axial", ANATOMY, ("errors",), takesModality=True),
    View("BraTSRefineOnlyUncertainty", "UNC", "Axial", ANATOMY, ("uncertainty",), takesModality=True),
    View("BraTSRefineOne", "ONE", "Axial", ANATOMY, OVERLAYS, takesModality=True),
    *(
        View(f"BraTSRefineModel{place}", f"M{place + 1}", "Axial", ANATOMY, BOTH_OUTLINES, place, takesModality=True)
        for place in range(MOST_MODELS)
    ),
)
THREE_D_TAG = "BraTSRefine3D"
PLOT_TAG = "BraTSRefinePlot"
REVIEW_ROWS = (
    ("BraTSRefineT1c", "BraTSRefineFLAIR", "BraTSRefineT2"),
    ("BraTSRefineCoronal", "BraTSRefineSagittal", THREE_D_TAG),
)
COMPARE_ROWS = (
    ("BraTSRefineOnlyReference", "BraTSRefineOnlyPrediction"),
    ("BraTSRefineOnlyErrors", "BraTSRefineOnlyUncertainty"),
)
CHANNELS_ROWS = (("BraTSRefineT1", "BraTSRefineT1c"), ("BraTSRefineT2", "BraTSRefineFLAIR"))
MODELS_ROWS = (
    ("BraTSRefineModel0", "BraTSRefineModel1", "BraTSRefineModel2"),
    ("BraTSRefineModel3", "BraTSRefineModel4", "BraTSRefineModel5"),
)
ONE_ROWS = (("BraTSRefineOne",),)
PLOT_ROWS = (("BraTSRefineT1c", "BraTSRefineFLAIR", "BraTSRefineT2"), (PLOT_TAG,))
LAYOUTS = {
    REVIEW_LAYOUT: REVIEW_ROWS,
    COMPARE_LAYOUT: COMPARE_ROWS,
    MODELS_LAYOUT: MODELS_ROWS,
    CHANNELS_LAYOUT: CHANNELS_ROWS,
    ONE_LAYOUT: ONE_ROWS,
    PLOT_LAYOUT: PLOT_ROWS,
}
"""The rows of views of each layout, in the order in which one key goes through them; *Models* with all its views."""
LAYOUT_NAMES = {
    REVIEW_LAYOUT: "Review",
    COMPARE_LAYOUT: "Compare",
    MODELS_LAYOUT: "Models",
    CHANNELS_LAYOUT: "Channels",
    ONE_LAYOUT: "One",
    PLOT_LAYOUT: "Plot",
}


def rowsOfModels(count: int) -> tuple[tuple[str, ...], ...]:
    """The views of *Models* for so many models (at least one): in one row, from four on in two."""
    tags = [f"BraTSRefineModel{place}" for place in range(min(max(count, 1), MOST_MODELS))]
    inFirst = len(tags) if len(tags) < 4 else (len(tags) + 1) // 2
    return tuple(tuple(row) for row in (tags[:inFirst], tags[inFirst:]) if row)


def layoutDescription(rows: Sequence[Sequence[str]]) -> str:
    """Slicer's layout XML of rows of view tags."""
    lines = "".join(f"<item>{_row(tags)}</item>" for tags in rows)
    return f'<layout type="vertical" split="true">{lines}</layout>'


def _row(tags: Sequence[str]) -> str:
    items = "".join(f"<item>{_view(tag)}</item>" for tag in tags)
    return f'<layout type="horizontal" split="true">{items}</layout>'


def _view(tag: str) -> str:
    if tag == THREE_D_TAG:
        return f'<view class="vtkMRMLViewNode" singletontag="{tag}">{_property("viewlabel", "3D")}</view>'
    if tag == PLOT_TAG:
        return f'<view class="vtkMRMLPlotViewNode" singletontag="{tag}">{_property("viewlabel", "P")}</view>'
    view = viewOf(tag)
    properties = {"orientation": view.orientation, "viewlabel": view.label, "viewcolor": "#5A5A5A"}
    inner = "".join(_property(name, value) for name, value in properties.items())
    return f'<view class="vtkMRMLSliceNode" singletontag="{tag}">{inner}</view>'


def _property(name: str, value: str) -> str:
    return f'<property name="{name}" action="default">{value}</property>'


def viewOf(tag: str) -> View:
    return next(view for view in SLICE_VIEWS if view.tag == tag)


def registerLayouts(layoutNode) -> None:
    """Add our layouts to the scene's layout node, or bring them up to date."""
    for number, rows in LAYOUTS.items():
        _register(layoutNode, number, rows)


def registerModels(layoutNode, count: int) -> None:
    """Give *Models* a view for each of so many models."""
    _register(layoutNode, MODELS_LAYOUT, rowsOfModels(count))


def _register(layoutNode, number: int, rows: Sequence[Sequence[str]]) -> None:
    description = layoutDescription(rows)
    if not layoutNode.AddLayoutDescription(number, description):
        layoutNode.SetLayoutDescription(number, description)


def nodesOfClass(scene, className: str) -> Iterator:
    for index in range(scene.GetNumberOfNodesByClass(className)):
        yield scene.GetNthNodeByClass(index, className)


def sliceNodes(scene) -> Iterator[tuple[View, object, object | None]]:
    """Our slice views that exist in the scene, with their slice node and (once it is there) composite node."""
    composites = {node.GetLayoutName(): node for node in nodesOfClass(scene, "vtkMRMLSliceCompositeNode")}
    slices = {node.GetLayoutName(): node for node in nodesOfClass(scene, "vtkMRMLSliceNode")}
    for view in SLICE_VIEWS:
        if view.tag in slices:
            yield view, slices[view.tag], composites.get(view.tag)


def shownSliceNodes(scene) -> Iterator[tuple[View, object, object | None]]:
    """As ``sliceNodes``, of the layout that is shown alone; all where no layout of ours is shown.

    What a view shows that nobody sees would be cut through anew at every step of a linked view.
    """
    layouts = list(nodesOfClass(scene, "vtkMRMLLayoutNode"))
    isOurs = any(node.GetViewArrangement() in LAYOUTS for node in layouts)
    for view, node, composite in sliceNodes(scene):
        if not isOurs or node.IsMappedInLayout():
            yield view, node, composite


def linkShown(scene) -> None:
    """Link the views of the shown layout with each other alone: each further one costs a millisecond a step."""
    shown = {view.tag for view, _node, _composite in shownSliceNodes(scene)}
    for view, node, _composite in sliceNodes(scene):
        node.SetViewGroup(SHOWN_GROUP if view.tag in shown else HIDDEN_GROUP)


def follow(scene) -> None:
    """Have the shown slice views draw surfaces whose content changed; a view hears of its own node."""
    for _view, node, _composite in shownSliceNodes(scene):
        node.Modified()


def threeDNodeIDs(scene) -> list[str]:
    """The module's 3D view; empty where it does not exist."""
    return [node.GetID() for node in nodesOfClass(scene, "vtkMRMLViewNode") if _isOurs(node)]


def _isOurs(node) -> bool:
    """Whether a view or camera node belongs to the module's 3D view."""
    return node.GetLayoutName() == THREE_D_TAG


def position(scene) -> tuple[float, float, float] | None:
    """Where the first axial view that is shown looks (RAS, mm); None where none is shown."""
    for view, node, _composite in shownSliceNodes(scene):
        if view.orientation == "Axial":
            matrix = node.GetSliceToRAS()
            return tuple(matrix.GetElement(row, 3) for row in range(3))
    return None


def crosshair(scene):
    """The scene's crosshair; None in a scene without one."""
    return next(nodesOfClass(scene, "vtkMRMLCrosshairNode"), None)


def jump(scene, ras: Sequence[float]) -> None:
    """Bring a position (RAS, mm) to the middle of every slice view."""
    slicer.vtkMRMLSliceNode.JumpAllSlices(scene, *map(float, ras), slicer.vtkMRMLSliceNode.CenteredJumpSlice)


def zoom(scene, extent: Sequence[float]) -> None:
    """Make every slice view wide enough for a box of that size (R, A, S in mm), keeping its aspect ratio."""
    for _view, node, _composite in sliceNodes(scene):
        width, height, _depth = node.GetDimensions()
        horizontal, vertical = _inPlane(node, extent)
        scale = max(horizontal / max(width, 1), vertical / max(height, 1))
        node.SetFieldOfView(scale * width, scale * height, node.GetFieldOfView()[2])


def _inPlane(node, extent: Sequence[float]) -> tuple[float, float]:
    """Size of the box along the view's horizontal and vertical axis, in mm."""
    matrix = node.GetSliceToRAS()
    axes = np.array([[matrix.GetElement(row, column) for row in range(3)] for column in range(2)])
    horizontal, vertical = np.abs(axes) @ np.asarray(extent, dtype=float)
    return float(horizontal), float(vertical)


def lookFrom3D(scene, centre: Sequence[float], distance: float) -> None:
    """Put the camera of the module's 3D view in front of, and a little above, a position (RAS, mm)."""
    direction = np.array([-0.45, 0.8, 0.4])
    position = np.asarray(centre, dtype=float) + distance * direction / np.linalg.norm(direction)
    for node in filter(_isOurs, nodesOfClass(scene, "vtkMRMLCameraNode")):
        node.SetFocalPoint(*map(float, centre))
        node.SetPosition(*map(float, position))
        node.SetViewUp(0.0, 0.0, 1.0)
        node.ResetClippingRange()
