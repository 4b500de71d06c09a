"""The desk of the views as a person uses it: layouts, and which outlines a view shows."""

from __future__ import annotations

from collections.abc import Iterator

from driving import wait_until


def as_it_was(host, bench) -> Iterator:
    """The desk of the views, in *Review* and with nothing hidden before and after."""
    from BraTSRefineUI import views

    yield bench.views
    bench.views.comparing.asked = []
    bench.views.goToMember(0)
    bench.views.setLook(only="", modality="", visible=dict.fromkeys(views.OVERLAYS, True))
    bench.views.setLayout(views.REVIEW_LAYOUT)
    host.settle()


def shown(host) -> set[str]:
    return set(host.layoutManager.sliceViewNames())


def in_models(host, desk) -> None:
    """Go to *Models* and wait until every model was read."""
    from BraTSRefineUI import views

    desk.setLayout(views.MODELS_LAYOUT)
    wait_until(host, lambda: len(desk.comparing.beside) == len(desk.comparing.wanted()))


def outlines(name: str):
    """The display node of the chosen region of the segmentation of that name."""
    import slicer

    return slicer.util.getNode(name).GetNthDisplayNode(0)


def views_of(name: str) -> set[str]:
    """The slice views that show the outlines of that name."""
    import slicer

    display = outlines(name)
    ids = [display.GetNthViewNodeID(i) for i in range(display.GetNumberOfViewNodeIDs())]
    nodes = [slicer.mrmlScene.GetNodeByID(identifier) for identifier in ids if display.GetVisibility()]
    return {node.GetLayoutName() for node in nodes if node.IsA("vtkMRMLSliceNode")}
