"""What stands in the MRML scene while a case is shown."""

from __future__ import annotations

import pytest
from BraTSRefineUI import labelmaps, views
from BraTSRefineUI.scene import UNCERTAINTY_LAYER, CaseScene
from BraTSRefineUI.vtkarrays import ijkToRas, rasOf
from scene_cases import a_case, a_map, composite, four_images, labels, names, shown_in
from small_grid import GRID, SHAPE

from BraTSRefineLib.cohort.volumes import Geometry


def test_lps_becomes_ras_by_turning_the_first_two_axes():
    assert rasOf((1.0, 2.0, 3.0)) == (-1.0, -2.0, 3.0)
    corner = ijkToRas(GRID).MultiplyPoint((1.0, 0.0, 2.0, 1.0))
    assert corner[:3] == pytest.approx(rasOf(GRID.to_physical((2, 0, 1))))


def test_shows_four_modalities_two_segmentations_errors_and_uncertainty(scene):
    CaseScene(scene).show(a_case(), a_map())
    assert {"T1", "T1c", "T2", "FLAIR", "variance"} <= names(scene, "vtkMRMLScalarVolumeNode")
    assert names(scene, "vtkMRMLSegmentationNode") == {"reference", "model"}
    assert names(scene, "vtkMRMLLabelMapVolumeNode") == {"errors"}
    assert names(scene, "vtkMRMLModelNode") >= {"brain"}


def test_each_axial_view_shows_its_own_modality(scene):
    CaseScene(scene).show(a_case())
    shown = {
        tag: scene.GetNodeByID(composite(scene, tag).GetBackgroundVolumeID()).GetName()
        for tag in ("BraTSRefineT1c", "BraTSRefineFLAIR", "BraTSRefineT2")
    }
    assert shown == {"BraTSRefineT1c": "T1c", "BraTSRefineFLAIR": "FLAIR", "BraTSRefineT2": "T2"}


def test_uncertainty_is_a_third_layer_beside_the_error_map(scene):
    CaseScene(scene).show(a_case(), a_map())
    sagittal = composite(scene, "BraTSRefineSagittal")
    assert scene.GetNodeByID(sagittal.GetNthLayerVolumeID(UNCERTAINTY_LAYER)).GetName() == "variance"
    assert scene.GetNodeByID(sagittal.GetLabelVolumeID()).GetName() == "errors"


def test_uncertainty_below_the_threshold_is_transparent(scene):
    shown = CaseScene(scene)
    shown.show(a_case(), a_map())
    shown.setThreshold(0.1)
    volume = next(n for n in views.nodesOfClass(scene, "vtkMRMLScalarVolumeNode") if n.GetName() == "variance")
    assert volume.GetDisplayNode().GetApplyThreshold()
    assert volume.GetDisplayNode().GetLowerThreshold() == pytest.approx(0.1)
    assert volume.GetDisplayNode().GetUpperThreshold() >= 0.2


def test_nested_regions_differ_by_line_thickness_and_not_by_colour(scene):
    CaseScene(scene).show(a_case())
    node = next(n for n in views.nodesOfClass(scene, "vtkMRMLSegmentationNode") if n.GetName() == "model")
    displays = [node.GetNthDisplayNode(i) for i in range(node.GetNumberOfDisplayNodes())]
    assert {d.GetName(): d.GetSliceIntersectionThickness() for d in displays} == {"WT": 1, "TC": 2, "ET": 3}
    assert len({node.GetSegmentation().GetSegment(region).GetColor() for region in ("WT", "TC", "ET")}) == 1


def test_a_missing_modality_is_replaced_by_the_next_best(scene):
    images = {"t2f": four_images()["t2f"]}
    CaseScene(scene).show(a_case(images=images))
    shown = scene.GetNodeByID(composite(scene, "BraTSRefineT1c").GetBackgroundVolumeID())
    assert shown.GetName() == "FLAIR"


def test_a_case_without_image_shows_its_label_maps_on_an_empty_ground(scene):
    CaseScene(scene).show(a_case(images={}))
    ground = scene.GetNodeByID(composite(scene, "BraTSRefineT1c").GetBackgroundVolumeID())
    assert ground.GetImageData().GetScalarRange() == (0.0, 0.0)
    assert names(scene, "vtkMRMLSegmentationNode") == {"reference", "model"}


@pytest.mark.parametrize("missing", ["reference", "prediction"])
def test_without_reference_or_prediction_there_is_no_error_map(scene, missing):
    CaseScene(scene).show(a_case(**{missing: None}))
    assert not names(scene, "vtkMRMLLabelMapVolumeNode")
    assert len(names(scene, "vtkMRMLSegmentationNode")) == 1


def test_grids_that_differ_are_shown_in_place_and_not_compared(scene):
    moved = Geometry(GRID.size, GRID.spacing, (0.0, 0.0, 0.0), GRID.direction)
    CaseScene(scene).show(a_case(prediction=labels("model", geometry=moved)))
    assert not names(scene, "vtkMRMLLabelMapVolumeNode")


def test_jump_moves_every_slice_view(scene):
    shown = CaseScene(scene)
    shown.show(a_case())
    shown.jump((3.0, -30.0, 17.0))
    for view, node, _composite in views.sliceNodes(scene):
        matrix = node.GetSliceToRAS()
        assert [matrix.GetElement(i, 3) for i in range(3)] == pytest.approx([-3.0, 30.0, 17.0]), view.tag


def test_zoom_shows_the_tumour_with_room_and_keeps_the_aspect(scene):
    shown = CaseScene(scene)
    shown.show(a_case())
    shown.lookAtTumour()
    for _view, node, _composite in views.sliceNodes(scene):
        width, height, _depth = node.GetFieldOfView()
        assert width / height == pytest.approx(400 / 300)
        assert min(width, height) >= 130 - 1e-6


def test_held_key_hides_every_overlay_and_release_brings_them_back(scene):
    shown = CaseScene(scene)
    shown.show(a_case(), a_map())
    shown.hideOverlays(True)
    sagittal = composite(scene, "BraTSRefineSagittal")
    assert not sagittal.GetLabelVolumeID()
    assert not sagittal.GetNthLayerVolumeID(UNCERTAINTY_LAYER)
    shown.hideOverlays(False)
    assert sagittal.GetLabelVolumeID()
    assert sagittal.GetNthLayerVolumeID(UNCERTAINTY_LAYER)


def test_flipping_shows_the_one_or_the_other_where_a_view_has_both(scene):
    shown = CaseScene(scene)
    shown.show(a_case())
    shown.setLook(only="prediction")
    assert "BraTSRefineT1c" in shown_in(scene, "model") - shown_in(scene, "reference")
    shown.setLook(only="reference")
    assert "BraTSRefineT1c" in shown_in(scene, "reference") - shown_in(scene, "model")
    assert "BraTSRefineOnlyPrediction" in shown_in(scene, "model")
    shown.setLook(only="")
    assert "BraTSRefineT1c" in shown_in(scene, "reference") & shown_in(scene, "model")


def test_each_compared_model_has_its_own_view_beside_the_reference(scene):
    shown = CaseScene(scene)
    shown.show(a_case())
    shown.compare({1: labels("second", shift=1), 2: labels("third", shift=2)})
    assert shown_in(scene, "second") == {"BraTSRefineModel1"}
    assert shown_in(scene, "third") == {"BraTSRefineModel2"}
    assert {f"BraTSRefineModel{place}" for place in range(3)} <= shown_in(scene, "reference")
    assert "BraTSRefineModel0" in shown_in(scene, "model")
    assert "BraTSRefineModel1" not in shown_in(scene, "model")
    shown.compare({1: labels("fourth")})
    assert names(scene, "vtkMRMLSegmentationNode") == {"reference", "model", "fourth"}


def test_another_case_takes_the_compared_models_along(scene):
    shown = CaseScene(scene)
    shown.show(a_case("A"))
    shown.compare({1: labels("second", shift=1)})
    shown.show(a_case("B"))
    assert names(scene, "vtkMRMLSegmentationNode") == {"reference", "model"}


def test_another_member_replaces_outlines_and_errors_and_keeps_the_rest(scene):
    shown = CaseScene(scene)
    shown.show(a_case(), a_map())
    images = shown._images()
    count = scene.GetNumberOfNodes()
    shown.showPrediction(labels("fold_2"))
    assert names(scene, "vtkMRMLSegmentationNode") == {"reference", "fold_2"}
    assert not shown.lookAtWorstSlice()
    assert shown._images() == images
    shown.showPrediction(None)
    assert not shown.hasErrors
    shown.showPrediction(labels("model", shift=3))
    assert scene.GetNumberOfNodes() == count


def test_labels_and_errors_are_outlines_or_filled_and_as_strong_as_is_said(scene):
    shown = CaseScene(scene)
    shown.show(a_case(), region="ET")
    node = next(n for n in views.nodesOfClass(scene, "vtkMRMLSegmentationNode") if n.GetName() == "model")
    displays = {node.GetNthDisplayNode(i).GetName(): node.GetNthDisplayNode(i) for i in range(3)}
    slices = [slice_ for _view, slice_, _composite in views.sliceNodes(scene)]
    assert not displays["ET"].GetVisibility2DFill() and not any(s.GetUseLabelOutline() for s in slices)
    shown.setLook(fillsLabels=True, fillsErrors=False, opacity=0.8)
    assert displays["ET"].GetVisibility2DFill() and not displays["WT"].GetVisibility2DFill()
    assert displays["ET"].GetOpacity2DFill() == pytest.approx(0.4)
    assert all(s.GetUseLabelOutline() for s in slices)
    shown.setLook(fillsErrors=True)
    assert composite(scene, "BraTSRefineSagittal").GetLabelOpacity() == pytest.approx(0.8)


def test_surfaces_are_coloured_by_their_signed_distance_in_millimetres(scene):
    from vtk.util.numpy_support import vtk_to_numpy

    shown = CaseScene(scene)
    shown.show(a_case(), region="WT")
    before = scene.GetNumberOfNodes()
    shown.setLook(inMillimeters=True)
    node = next(n for n in views.nodesOfClass(scene, "vtkMRMLModelNode") if n.GetName() == "prediction")
    values = vtk_to_numpy(node.GetPolyData().GetPointData().GetArray("distance (mm)"))
    assert values.max() == pytest.approx(3.0, abs=0.3)
    assert values.min() == pytest.approx(-3.0, abs=0.3)
    assert node.GetDisplayNode().GetScalarRange() == (-shown.distances.limit, shown.distances.limit) == (-3.0, 3.0)
    assert node.GetDisplayNode().GetScalarVisibility()
    shown.setLook(only="reference")
    assert not node.GetDisplayNode().GetVisibility()
    shown.setLook(inMillimeters=False)
    assert scene.GetNumberOfNodes() == before


def test_views_for_comparing_show_the_modality_that_tells_most_or_the_chosen_one(scene):
    shown = CaseScene(scene)
    case = a_case()
    shown.show(case, region="ET")
    assert shown.channelName(views.viewOf("BraTSRefineOnlyReference")) == "T1c"
    shown.show(case.withoutImages(), region="WT")
    assert shown.channelName(views.viewOf("BraTSRefineModel1")) == "FLAIR"
    shown.setLook(modality="t2w")
    assert shown.channelName(views.viewOf("BraTSRefineOne")) == "T2"
    assert shown.channelName(views.viewOf("BraTSRefineT1c")) == "T1c"


def test_a_model_that_is_to_come_has_no_outlines_in_its_view(scene):
    shown = CaseScene(scene)
    shown.show(a_case())
    shown.compare({1: None})
    assert names(scene, "vtkMRMLSegmentationNode") == {"reference", "model"}
    shown.compare({1: labels("second", shift=1)})
    kept = next(n for n in views.nodesOfClass(scene, "vtkMRMLSegmentationNode") if n.GetName() == "second")
    shown.compare({1: None})
    assert not any(labelmaps.maskOfSegment(kept, region, SHAPE).any() for region in ("WT", "TC", "ET"))
    assert names(scene, "vtkMRMLSegmentationNode") == {"reference", "model"}
    shown.compare({1: labels("third", shift=1)})
    assert shown_in(scene, "third") == {"BraTSRefineModel1"}
