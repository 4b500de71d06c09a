"""The stand-ins behave like Slicer's own and refuse what PythonQt refuses."""

from __future__ import annotations

import pytest


@pytest.fixture
def parameters(host):
    node = host.widget.logic.getParameterNode()
    tag = node.connectGui(host.widget.ui)
    yield node
    node.disconnectGui(tag)
    node.threshold, node.name = 0.25, "first"


def test_qt_is_one_flat_namespace(host):
    import qt

    assert qt.QLabel.__module__ == "PySide6.QtWidgets"
    assert qt.QTimer.__module__ == "PySide6.QtCore"
    assert qt.QColor.__module__ == "PySide6.QtGui"
    assert qt.Qt.AlignLeft
    with pytest.raises(AttributeError, match="QLable"):
        qt.QLable  # noqa: B018


def test_property_is_an_attribute_in_the_module_and_a_method_elsewhere(host):
    from PySide6.QtWidgets import QLabel

    label = QLabel("x")
    assert label.text() == "x"
    assert host.widget.ui.nameLabel.text() in ("ready", "pressed", "Refine", "Worst cases")


@pytest.mark.parametrize("name", ["ctkCollapsibleButton", "ctkSliderWidget", "ctkPathLineEdit", "ctkSearchBox"])
def test_ctk_widgets_take_no_keywords_and_no_text(host, name):
    import ctk

    with pytest.raises(ValueError, match="keyword"):
        getattr(ctk, name)(text="x")
    with pytest.raises((ValueError, TypeError)):
        getattr(ctk, name)("x", None)


def test_ctk_widgets_get_no_new_attributes(host):
    import ctk

    with pytest.raises(AttributeError, match="colapsed"):
        ctk.ctkCollapsibleButton().colapsed = True


def test_collapsible_button_hides_its_contents(host):
    button, inside = host.widget.ui.moreButton, host.widget.ui.insideBox
    assert inside.isVisible()
    button.collapsed = True
    assert not inside.isVisible()
    button.collapsed = False
    assert inside.isVisible()


def test_slider_and_number_of_a_slider_widget_follow_each_other(host):
    import ctk

    slider, seen = ctk.ctkSliderWidget(), []
    slider.minimum, slider.maximum, slider.singleStep = 0.0, 1.0, 0.1
    slider.valueChanged.connect(seen.append)
    slider.value = 0.3
    slider._slider.setValue(8)
    assert seen == pytest.approx([0.3, 0.8])
    assert slider.value == pytest.approx(0.8)


def test_parameters_start_with_their_defaults(parameters):
    assert (parameters.threshold, parameters.name, parameters.enabled, parameters.volume) == (0.25, "first", True, None)


def test_parameter_reaches_its_widget_and_comes_back(host, parameters):
    parameters.threshold = 0.5
    assert host.widget.ui.thresholdSlider.value == pytest.approx(0.5)
    host.widget.ui.nameEdit.setText("second")
    assert parameters.name == "second"


def test_parameter_outside_of_its_range_is_refused(parameters):
    with pytest.raises(ValueError, match="not between"):
        parameters.threshold = 1.5


def test_node_parameter_is_a_node_reference(host, parameters):
    import slicer

    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    parameters.volume = volume
    assert parameters.volume is volume
    slicer.mrmlScene.RemoveNode(volume)


def test_slicers_own_array_functions_work(host):
    import numpy as np
    import slicer

    voxels = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    slicer.util.updateVolumeFromArray(node, voxels)
    assert np.array_equal(slicer.util.arrayFromVolume(node), voxels)
    slicer.mrmlScene.RemoveNode(node)


def test_error_display_is_logged_when_nobody_can_answer(host, caplog):
    import slicer

    slicer.util.errorDisplay("the folder is empty")
    assert "the folder is empty" in caplog.text


def test_error_inside_a_try_block_is_raised_again_and_the_cursor_restored(host):
    import slicer
    from PySide6.QtWidgets import QApplication

    with pytest.raises(ValueError, match="bad"), slicer.util.tryWithErrorDisplay("failed", waitCursor=True):
        raise ValueError("bad")
    assert QApplication.overrideCursor() is None
