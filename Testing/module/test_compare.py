"""Comparing in the window: layouts, models beside each other, members one after another, flip."""

from __future__ import annotations

import pytest
from compare_driving import as_it_was, in_models, outlines, shown, views_of
from driving import click, press, wait_until
from pointing import turn_wheel
from PySide6.QtCore import Qt


@pytest.fixture
def desk(host, bench):
    yield from as_it_was(host, bench)


def test_the_chooser_offers_every_layout_and_shows_the_one_of_the_key(host, desk):
    from BraTSRefineUI import views

    combo = desk.bar.ui.layoutCombo
    names = [combo.itemText(i) for i in range(combo.count())]
    assert names[:5] == ["Review", "Compare", "Models", "Channels", "One"]
    combo.setCurrentIndex(names.index("Compare"))
    host.settle()
    assert desk.layout == views.COMPARE_LAYOUT
    assert shown(host) == {tag for row in views.COMPARE_ROWS for tag in row}
    press(host, Qt.Key_V)
    assert combo.currentText() == "Models"


def test_another_layout_looks_where_the_one_before_it_looked(host, bench, desk):
    import slicer
    from BraTSRefineUI import views

    bench.caseScene.jump((5.0, -7.0, 30.0))
    before = views.position(slicer.mrmlScene)
    for layout in (views.COMPARE_LAYOUT, views.ONE_LAYOUT, views.REVIEW_LAYOUT):
        desk.setLayout(layout)
        assert views.position(slicer.mrmlScene) == pytest.approx(before, abs=1e-3)


def test_models_stand_beside_each_other_with_name_and_dice(host, bench, desk):
    in_models(host, desk)
    assert shown(host) == {f"BraTSRefineModel{place}" for place in range(4)}
    names = desk.comparing.wanted()
    assert names[0] == bench.session.model and len(set(names)) == 4
    for place, name in enumerate(names):
        words = desk.corners.words(f"BraTSRefineModel{place}")
        assert name in words and "Dice" in words
    assert views_of(names[2]) == {"BraTSRefineModel2"}
    assert views_of("reference") == shown(host)


def test_the_chooser_of_models_adds_and_takes_away_a_view(host, bench, desk):
    in_models(host, desk)
    offered = {action.text(): action for action in desk.bar.ui.viewModelsButton.menu().actions()}
    ticked = {name for name, action in offered.items() if action.isChecked()}
    assert set(offered) == set(bench.session.models) - {bench.session.model}
    assert ticked == set(desk.comparing.wanted()[1:])
    absent = next(name for name in offered if name not in ticked)
    offered[absent].toggle()
    wait_until(host, lambda: len(desk.comparing.beside) == 5)
    assert desk.comparing.wanted()[-1] == absent
    assert shown(host) == {f"BraTSRefineModel{place}" for place in range(5)}
    for name in ticked:
        desk.chooseModel(name, False)
    host.settle()
    assert shown(host) == {"BraTSRefineModel0", "BraTSRefineModel1"}


def test_models_follow_the_case_and_the_region(host, bench, desk):
    in_models(host, desk)
    press(host, Qt.Key_N)
    wait_until(host, lambda: len(desk.comparing.beside) == len(desk.comparing.wanted()))
    assert bench.session.case in desk.corners.words("BraTSRefineModel0")
    before = desk.corners.words("BraTSRefineModel1")
    click(host.widget.ui.regionWTButton)
    host.settle()
    assert "WT Dice" in desk.corners.words("BraTSRefineModel1") != before


def test_leaving_models_takes_its_outlines_out_of_the_scene(host, bench, desk):
    import slicer
    from BraTSRefineUI import views

    in_models(host, desk)
    desk.setLayout(views.REVIEW_LAYOUT)
    nodes = [n for n in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if not n.GetHideFromEditors()]
    assert {node.GetName() for node in nodes} == {"reference", bench.session.model}


def test_the_views_of_a_layout_scroll_and_zoom_together(host, desk):
    import slicer
    from BraTSRefineUI import views

    for layout in (views.COMPARE_LAYOUT, views.MODELS_LAYOUT):
        desk.setLayout(layout)
        host.settle()
        view = host.layoutManager.sliceWidget(host.layoutManager.sliceViewNames()[0]).sliceView()
        turn_wheel(view)
        turn_wheel(view, modifiers=Qt.ControlModifier)
        host.settle()
        nodes = [node for _view, node, _composite in views.shownSliceNodes(slicer.mrmlScene)]
        assert len({round(node.GetSliceOffset(), 3) for node in nodes}) == 1
        assert len({round(node.GetFieldOfView()[0] / node.GetDimensions()[0], 4) for node in nodes}) == 1


def test_x_flips_between_prediction_and_reference_and_says_so(host, bench, desk):
    model = bench.session.model
    press(host, Qt.Key_X)
    assert "BraTSRefineT1c" in views_of(model) - views_of("reference")
    assert "only the prediction" in desk.corners.words("BraTSRefineT1c")
    press(host, Qt.Key_X)
    assert "BraTSRefineT1c" in views_of("reference") - views_of(model)
    assert "only the reference" in desk.corners.words("BraTSRefineT1c")
    press(host, Qt.Key_X)
    assert "BraTSRefineT1c" in views_of(model) - views_of("reference")
    press(host, Qt.Key_X, Qt.ShiftModifier)
    assert "BraTSRefineT1c" in views_of("reference") & views_of(model)
    assert "only" not in desk.corners.words("BraTSRefineT1c")


def test_brackets_go_through_the_members_and_back_to_the_chosen_model(host, bench, desk):
    names = desk.comparing.names
    assert len(names) > 2
    press(host, Qt.Key_BracketRight)
    press(host, Qt.Key_BracketRight)
    words = desk.corners.words("BraTSRefineT1c")
    assert f"2 of {len(names)}: {names[1]}, Dice" in words
    assert outlines(names[1]) is not None
    assert desk.bar.ui.memberSlider.value() == 2
    press(host, Qt.Key_BracketLeft)
    press(host, Qt.Key_BracketLeft)
    assert desk.comparing.member is None
    assert outlines(bench.session.model) is not None
    assert " of " not in desk.corners.words("BraTSRefineT1c")


def test_the_slider_shows_the_member_and_a_case_returns_to_the_chosen_model(host, bench, desk):
    slider = desk.bar.ui.memberSlider
    slider.setValue(slider.maximum())
    assert desk.comparing.member.model == desk.comparing.names[-1]
    assert desk.comparing.names[-1] in desk.bar.ui.memberLabel.toolTip()
    press(host, Qt.Key_N)
    assert desk.comparing.member is None
    assert slider.value() == 0
    assert outlines(bench.session.model) is not None


def test_a_region_keeps_the_member_and_tells_its_dice_there(host, desk):
    desk.goToMember(2)
    click(host.widget.ui.regionTCButton)
    host.settle()
    name = desk.comparing.names[1]
    assert desk.comparing.member.model == name
    assert outlines(name) is not None


def test_members_of_a_fused_model_are_those_it_was_made_from(host, bench, desk):
    bench.startJob("fuse", {"method": "majority", "models": ["fold_1", "fold_3"]})
    wait_until(host, lambda: not bench.isBusy)
    bench.setModel(bench.jobs.lastRun)
    host.settle()
    assert desk.comparing.isEnsemble
    assert desk.comparing.names == ["fold_1", "fold_3"]
    press(host, Qt.Key_BracketRight)
    assert "member 1 of 2: fold_1, Dice" in desk.corners.words("BraTSRefineT1c")


def test_closing_the_scene_in_models_leaves_nothing_to_stumble_over(host, bench, desk):
    import slicer

    in_models(host, desk)
    desk.goToMember(1)
    slicer.mrmlScene.Clear()
    host.settle(100)
    assert bench.session.case == ""
    press(host, Qt.Key_N)
    wait_until(host, lambda: len(desk.comparing.beside) == len(desk.comparing.wanted()))
    assert desk.comparing.member is None


@pytest.mark.slow
def test_real_models_are_compared_and_leave_nothing_behind(window, real_data, tmp_path):
    import slicer
    from BraTSRefineUI import views

    window.widget.openWorkspace(real_data / "brats2020", tmp_path / "workspace")
    bench = window.widget.workbench
    desk, case = bench.views, "BraTS20_Training_003"
    bench.setRegion("ET")
    bench.setModel("baseline_no_attention")
    wait_until(window, lambda: bench.session.model == "baseline_no_attention")
    bench.showCase(case)
    window.settle()
    assert len(desk.comparing.names) >= 4
    found = {}
    for place in range(1, len(desk.comparing.names) + 1):
        desk.goToMember(place)
        found[desk.comparing.member.model] = desk.comparing.member.dice
    assert found["baseline_no_attention"] == pytest.approx(0.25, abs=0.006)
    desk.goToMember(0)
    desk.bar.ui.distanceToggle.toggle()
    assert bench.caseScene.distances.limit == 20
    desk.bar.ui.distanceToggle.toggle()
    in_models(window, desk)
    assert len(desk.comparing.beside) == 4
    desk.setLayout(views.REVIEW_LAYOUT)
    count = slicer.mrmlScene.GetNumberOfNodes()
    for name in ("BraTS20_Training_002", case):
        bench.showCase(name)
        desk.stepMember(1)
        in_models(window, desk)
        desk.setLayout(views.REVIEW_LAYOUT)
    desk.goToMember(0)
    assert slicer.mrmlScene.GetNumberOfNodes() == count
    assert not window.failures
