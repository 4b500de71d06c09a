"""How a view looks: overlays off while H is held, filled or outlined, distances in colour, crosshair, captions."""

from __future__ import annotations

import pytest
from compare_driving import as_it_was, views_of
from driving import click, press
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication


@pytest.fixture
def desk(host, bench):
    yield from as_it_was(host, bench)


def test_overlays_are_off_while_h_is_held_wherever_the_focus_is(host, bench, desk):
    host.window.activateWindow()
    handle = host.window.windowHandle()
    table = next(table for table in bench.worstCases.widget.findChildren(QAbstractItemView) if table.isVisible())
    for focused in (host.layoutManager.sliceWidget("BraTSRefineT1c").sliceView(), table, host.window):
        focused.setFocus()
        host.settle(50)
        QTest.keyPress(handle, Qt.Key_H)
        assert not bench.caseScene.isVisible("prediction")
        assert views_of("reference") == set()
        QTest.keyRelease(handle, Qt.Key_H)
        assert bench.caseScene.isVisible("prediction")


def test_overlays_come_back_when_the_window_is_left_with_h_held(host, bench, desk):
    host.window.activateWindow()
    host.settle(50)
    QTest.keyPress(host.window.windowHandle(), Qt.Key_H)
    assert not bench.caseScene.isVisible("prediction")
    QApplication.sendEvent(host.window, QEvent(QEvent.WindowDeactivate))
    assert bench.caseScene.isVisible("prediction")
    QTest.keyRelease(host.window.windowHandle(), Qt.Key_H)
    assert bench.caseScene.isVisible("prediction")


def test_h_is_a_letter_in_a_text_field(host, bench, desk):
    host.widget.showPanel("Worst cases")
    edit = bench.worstCases.ui.filterEdit
    host.window.activateWindow()
    edit.setFocus()
    host.settle(50)
    QTest.keyPress(host.window.windowHandle(), Qt.Key_H)
    assert bench.caseScene.isVisible("prediction")
    QTest.keyRelease(host.window.windowHandle(), Qt.Key_H)
    assert edit.text() == "h"
    edit.clear()


def test_keys_fill_and_outline_and_the_settings_remember(host, bench, desk):
    import slicer

    click(desk.bar.ui.fillLabelsToggle)
    assert bench.caseScene.look.fillsLabels
    press(host, Qt.Key_L)
    assert not bench.caseScene.look.fillsLabels
    press(host, Qt.Key_E, Qt.ShiftModifier)
    assert not bench.caseScene.look.fillsErrors
    desk.bar.ui.opacitySlider.setValue(80)
    assert bench.caseScene.look.opacity == pytest.approx(0.8)
    settings = slicer.app.userSettings()
    assert not slicer.util.toBool(settings.value("BraTSRefine/views/fillErrorsToggle"))
    assert int(settings.value("BraTSRefine/views/opacity")) == 80
    press(host, Qt.Key_E, Qt.ShiftModifier)
    desk.bar.ui.opacitySlider.setValue(55)


def case_with_both(bench) -> str:
    """A case whose reference and prediction both have something of the region."""
    return next(row.case for row in bench.session.rows() if row.values.get("dice", 0) > 0)


def test_i_colours_the_surfaces_by_their_distance_with_a_scale_in_millimetres(host, bench, desk):
    import slicer
    from BraTSRefineUI import views

    click(host.widget.ui.regionWTButton)
    bench.showCase(case_with_both(bench))
    press(host, Qt.Key_I)
    models = {node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLModelNode")}
    assert {"reference", "prediction"} <= models
    assert "too far out" in desk.corners.words(views.THREE_D_TAG)
    assert bench.caseScene.distances.limit >= 2
    press(host, Qt.Key_I)
    assert "too far out" not in desk.corners.words(views.THREE_D_TAG)


def test_k_shows_the_crosshair_where_the_views_look_and_leaving_takes_it_away(host, bench, desk):
    import slicer
    from BraTSRefineUI import views

    node = views.crosshair(slicer.mrmlScene)
    press(host, Qt.Key_K)
    assert node.GetCrosshairMode() != node.NoCrosshair
    assert node.GetCrosshairRAS() == pytest.approx(views.position(slicer.mrmlScene), abs=1e-3)
    host.widget.exit()
    assert node.GetCrosshairMode() == node.NoCrosshair
    host.widget.enter()
    assert node.GetCrosshairMode() != node.NoCrosshair
    press(host, Qt.Key_K)
    assert node.GetCrosshairMode() == node.NoCrosshair


def test_b_changes_the_modality_of_the_views_for_comparing(host, desk):
    from BraTSRefineUI import views

    desk.setLayout(views.ONE_LAYOUT)
    seen = {desk.corners.words("BraTSRefineOne").split()[0]}
    for _press in range(3):
        press(host, Qt.Key_B)
        seen.add(desk.corners.words("BraTSRefineOne").split()[0])
    assert seen == {"T1", "T1c", "T2", "FLAIR"}


@pytest.mark.parametrize("region", ["WT", "ET"])
def test_no_caption_is_cut_or_lies_over_another(host, bench, desk, region):
    from BraTSRefineUI import views

    bench.setRegion(region)
    desk.goToMember(2)
    desk.setLook(only="prediction")
    for layout in views.LAYOUTS:
        desk.setLayout(layout)
        host.settle(100)
        for tag, actors in desk.corners._actors.items():
            assert_no_text_overlaps(desk, tag, actors)


def assert_no_text_overlaps(desk, tag: str, actors) -> None:
    view = desk.corners._view(tag)
    size = view.renderWindow().GetSize()
    boxes = [box_of(actor, view) for actor in actors if actor.IsA("vtkTextActor")]
    assert all(low[0] >= 0 and high[0] <= size[0] and low[1] >= 0 and high[1] <= size[1] for low, high in boxes)
    for i, (low, high) in enumerate(boxes):
        for other_low, other_high in boxes[i + 1 :]:
            apart = any(high[k] <= other_low[k] or other_high[k] <= low[k] for k in (0, 1))
            assert apart, (tag, desk.corners.words(tag))


def box_of(actor, view):
    """Lower left and upper right corner of a text in pixels of its view."""
    renderer = view.renderWindow().GetRenderers().GetItemAsObject(0)
    size = [0.0, 0.0]
    actor.GetSize(renderer, size)
    x, y = actor.GetPositionCoordinate().GetComputedViewportValue(renderer)
    if actor.GetTextProperty().GetVerticalJustification() == 2:
        y -= size[1]
    return (x, y + 2), (x + size[0], y + size[1] - 2)


def test_captions_are_laid_out_anew_when_a_view_changes_its_size(host, desk):
    before = len(desk.corners._captions)
    host.window.resize(1400, 900)
    host.settle(200)
    width = host.layoutManager.sliceWidget("BraTSRefineT1c").sliceView().renderWindow().GetSize()[0]
    assert desk.corners._captions["BraTSRefineT1c"][1] == width
    assert len(desk.corners._captions) == before
    host.window.resize(1280, 800)
    host.settle(200)
