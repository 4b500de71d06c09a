"""Slice and 3D views show the scene, follow the layout's XML, and react to mouse and wheel."""

from __future__ import annotations

import numpy as np
import pytest
from host_stage import LESION_COLOUR, ball, has_colour, pixels, volume_node
from pointing import turn_wheel
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest


def view(host, name: str):
    return host.layoutManager.sliceWidget(name).sliceView()


def roll(host, pane, notches: int, modifiers=Qt.NoModifier) -> None:
    turn_wheel(pane, notches, modifiers)
    host.settle()


def drag(host, pane, by: QPoint, button=Qt.LeftButton, modifiers=Qt.NoModifier) -> None:
    start = QPoint(pane.width() // 2, pane.height() // 2)
    QTest.mouseMove(pane, start)
    QTest.mousePress(pane, button, modifiers, start)
    for step in range(1, 6):
        event_position = start + by * step / 5
        QTest.mouseMove(pane, event_position)
    QTest.mouseRelease(pane, button, modifiers, start + by)
    host.settle()


def test_layout_with_six_views_is_realised_with_one_widget_a_view(host):
    assert host.layoutManager.sliceViewNames() == ["ProbeA", "ProbeB", "ProbeC", "ProbeCoronal", "ProbeSagittal"]
    assert host.layoutManager.threeDViewCount == 1
    assert all(widget.isVisible() for widget in host.layoutManager.viewWidgets())


def test_views_have_the_orientation_that_the_layout_states(host):
    stated = {"ProbeA": "Axial", "ProbeCoronal": "Coronal", "ProbeSagittal": "Sagittal"}
    nodes = {name: host.layoutManager.sliceWidget(name).mrmlSliceNode() for name in stated}
    assert {name: node.GetOrientation() for name, node in nodes.items()} == stated


def test_slice_view_shows_the_volume_in_grey(host, scene_with_lesion):
    scene_with_lesion[1].GetDisplayNode().SetVisibility(False)
    host.settle()
    picture = pixels(view(host, "ProbeB"))
    assert picture.max() > 200
    assert (picture.max(axis=2).astype(int) - picture.min(axis=2) <= 2).all()
    assert picture[:5].max() == 0, "outside of the volume the view is black"


@pytest.mark.parametrize("name", ["ProbeA", "ProbeCoronal"])
def test_segmentation_outline_is_drawn_in_its_colour(host, scene_with_lesion, name):
    assert has_colour(pixels(view(host, name)), LESION_COLOUR)


def test_closed_surface_is_drawn_in_3d(host, scene_with_lesion):
    pane = host.layoutManager.threeDWidget(0).threeDView()
    empty = pixels(pane)
    pane.resetFocalPoint()
    pane.resetCamera()
    host.settle()
    changed = (np.abs(pixels(pane).astype(int) - empty).max(axis=2) > 20).mean()
    assert changed > 0.02


@pytest.mark.parametrize("peeling", [False, True])
def test_translucent_surface_is_drawn_in_3d(host, scene_with_lesion, peeling):
    pane = host.layoutManager.threeDWidget(0).threeDView()
    scene_with_lesion[1].GetDisplayNode().SetOpacity3D(0.5)
    pane.mrmlViewNode().SetUseDepthPeeling(peeling)
    pane.resetFocalPoint()
    pane.resetCamera()
    host.settle()
    picture = pixels(pane).astype(int)
    pane.mrmlViewNode().SetUseDepthPeeling(False)
    assert (picture[..., 2] - picture[..., 0] > 30).mean() > 0.02


def test_wheel_scrolls_through_the_slices(host, scene_with_lesion):
    pane = view(host, "ProbeA")
    before, offset = pixels(pane), pane.mrmlSliceNode().GetSliceOffset()
    roll(host, pane, 5)
    assert abs(pane.mrmlSliceNode().GetSliceOffset() - offset) == pytest.approx(5.0)
    assert not np.array_equal(pixels(pane), before)


def test_wheel_with_control_zooms(host, scene_with_lesion):
    pane = view(host, "ProbeA")
    width = pane.mrmlSliceNode().GetFieldOfView()[0]
    roll(host, pane, 2, Qt.ControlModifier)
    assert pane.mrmlSliceNode().GetFieldOfView()[0] != pytest.approx(width)


def test_linked_views_scroll_together(host, scene_with_lesion):
    widgets = [host.layoutManager.sliceWidget(name) for name in ("ProbeA", "ProbeB")]
    for widget in widgets:
        widget.mrmlSliceCompositeNode().SetLinkedControl(True)
        widget.mrmlSliceCompositeNode().SetHotLinkedControl(True)
    roll(host, widgets[0].sliceView(), -4)
    offsets = [widget.mrmlSliceNode().GetSliceOffset() for widget in widgets]
    assert offsets[0] == pytest.approx(offsets[1])


def test_right_drag_zooms_and_middle_drag_moves(host, scene_with_lesion):
    pane = view(host, "ProbeC")
    width = pane.mrmlSliceNode().GetFieldOfView()[0]
    drag(host, pane, QPoint(0, 40), Qt.RightButton)
    assert pane.mrmlSliceNode().GetFieldOfView()[0] != pytest.approx(width)
    origin = pane.mrmlSliceNode().GetXYZOrigin()
    drag(host, pane, QPoint(30, 0), Qt.MiddleButton)
    assert pane.mrmlSliceNode().GetXYZOrigin() != pytest.approx(origin)


def test_left_drag_changes_window_and_level_in_that_mouse_mode(host, scene_with_lesion):
    import slicer

    display = scene_with_lesion[0].GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(800, 400)
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    interaction.SetCurrentInteractionMode(interaction.AdjustWindowLevel)
    drag(host, view(host, "ProbeA"), QPoint(40, 40))
    interaction.SetCurrentInteractionMode(interaction.ViewTransform)
    assert (display.GetWindow(), display.GetLevel()) != (800, 400)


def test_third_layer_is_seen_with_background_and_outline(host, scene_with_lesion):
    import slicer

    heat = volume_node((ball(radius=14, offset=(0, 0, -14)) > 0).astype(np.float32))
    display = heat.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeRed")
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(0, 1)
    display.SetThreshold(0.5, 1.0)
    display.SetApplyThreshold(True)
    composite = host.layoutManager.sliceWidget("ProbeA").mrmlSliceCompositeNode()
    composite.SetNthLayerVolumeID(3, heat.GetID())
    composite.SetNthLayerOpacity(3, 1.0)
    host.settle()
    picture = pixels(view(host, "ProbeA"))
    composite.SetNthLayerVolumeID(3, None)
    slicer.mrmlScene.RemoveNode(heat)
    assert has_colour(picture, (1, 0, 0))
    assert has_colour(picture, LESION_COLOUR)
    assert not has_colour(pixels(view(host, "ProbeB")), (1, 0, 0))


def test_corner_annotation_is_painted(host, scene_with_lesion):
    pane = view(host, "ProbeB")
    before = pixels(pane)
    pane.cornerAnnotation().SetText(2, "case 7")
    pane.scheduleRender()
    host.settle()
    after = pixels(pane)
    pane.cornerAnnotation().ClearAllTexts()
    height, width = before.shape[:2]
    changed = np.argwhere((after != before).any(axis=2))
    assert len(changed) > 20
    assert changed[:, 0].max() < height / 4 and changed[:, 1].max() < width / 2, "upper left"


def test_many_changes_render_a_view_once_a_turn(host, scene_with_lesion):
    pane, rendered = view(host, "ProbeA"), []
    pane.rendered.connect(lambda: rendered.append(1))
    for offset in range(8):
        pane.mrmlSliceNode().SetSliceOffset(offset)
    host.settle()
    assert 1 <= len(rendered) <= 2


def test_paused_views_render_after_they_are_resumed(host, scene_with_lesion):
    import slicer

    pane, rendered = view(host, "ProbeA"), []
    pane.rendered.connect(lambda: rendered.append(1))
    with slicer.util.RenderBlocker():
        pane.mrmlSliceNode().SetSliceOffset(3.0)
        host.settle()
        assert rendered == []
    host.settle()
    assert rendered


def test_changing_the_layout_keeps_views_and_maps_only_what_is_shown(host, scene_with_lesion):
    manager = host.layoutManager
    before = manager.sliceWidget("ProbeA")
    manager.setLayout(712)
    host.settle()
    try:
        assert manager.sliceViewNames() == ["ProbeA"]
        assert manager.sliceWidget("ProbeA") is before
        assert view(host, "ProbeA").width() > 600
        assert not manager.sliceWidget("ProbeB").mrmlSliceNode().IsMappedInLayout()
        assert has_colour(pixels(view(host, "ProbeA")), LESION_COLOUR)
    finally:
        manager.setLayout(711)
        host.settle()
    assert manager.layout == 711
    assert len(manager.sliceViewNames()) == 5


def test_double_click_makes_a_view_large_and_small_again(host, scene_with_lesion):
    names = host.layoutManager.sliceViewNames()
    for expected in (["ProbeB"], names):
        pane = view(host, "ProbeB")
        QTest.mouseDClick(pane, Qt.LeftButton, Qt.NoModifier, pane.rect().center())
        host.settle()
        assert host.layoutManager.sliceViewNames() == expected


def test_resizing_the_window_resizes_the_slices(host, scene_with_lesion):
    host.window.resize(1000, 700)
    host.settle()
    pane = view(host, "ProbeA")
    dimensions = pane.mrmlSliceNode().GetDimensions()
    host.window.resize(1280, 800)
    host.settle()
    assert dimensions[0] < pane.mrmlSliceNode().GetDimensions()[0]
    assert pane.mrmlSliceNode().GetDimensions()[:2] == (pane.width(), pane.height())


def test_segmentation_shown_before_its_view_exists_blends_with_the_image(host, scene_with_lesion):
    display = scene_with_lesion[1].GetDisplayNode()
    display.SetVisibility2DFill(True)
    display.SetOpacity2DFill(0.2)
    host.settle()
    picture = pixels(view(host, "ProbeA")).astype(int)
    bluish = picture[(picture[..., 2] - picture[..., 0] > 15)]
    assert np.median(bluish.max(axis=1)) > 70, "a translucent fill over a bright image stays bright"
