"""What stands in the MRML scene while a case is shown, and that nothing of it stays behind."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import psutil
import pytest
import slicer
from BraTSRefineUI import labelmaps, views
from BraTSRefineUI.casedata import CaseData, Image, Labels, UncertaintyMap, dice, errorMap
from BraTSRefineUI.scene import UNCERTAINTY_LAYER, CaseScene
from BraTSRefineUI.vtkarrays import ijkToRas, rasOf
from small_grid import GRID, SHAPE

from BraTSRefineLib.cohort.volumes import Geometry
from BraTSRefineLib.regions import label_convention


def tissues(shift: int = 0) -> np.ndarray:
    label_map = np.zeros(SHAPE, dtype=np.uint8)
    label_map[5:15, 8:22, 10 + shift : 30 + shift] = 2
    label_map[7:13, 10:20, 14 + shift : 26 + shift] = 4
    label_map[9:11, 12:16, 18 + shift : 22 + shift] = 1
    return label_map


def labels(name: str, shift: int = 0, geometry: Geometry = GRID) -> Labels:
    label_map = tissues(shift)
    convention = label_convention("brats2021")
    return Labels(name, {r: convention.mask(label_map, r) for r in ("WT", "TC", "ET")}, geometry, label_map)


def four_images(seed: int = 0, shape=SHAPE) -> dict[str, Image]:
    noise = np.random.default_rng(seed)
    geometry = Geometry(shape[::-1], GRID.spacing, GRID.origin, GRID.direction)
    return {c: Image(noise.integers(1, 900, shape, dtype=np.int16), geometry) for c in ("t1n", "t1c", "t2w", "t2f")}


def a_case(name: str = "A", **changes) -> CaseData:
    parts = {"images": four_images(), "reference": labels("reference"), "prediction": labels("model", shift=3)}
    return CaseData(name, **(parts | changes))


def a_map() -> UncertaintyMap:
    voxels = np.zeros(SHAPE, dtype=np.float32)
    voxels[8:12, 10:14, 12:20] = 0.2
    return UncertaintyMap(voxels, GRID, "variance", "WT", "variance of the members", 0.0, 0.25)


def composite(scene, tag: str):
    return next(node for view, _slice, node in views.sliceNodes(scene) if view.tag == tag)


def names(scene, className: str) -> set[str]:
    """The nodes of a class that can be chosen anywhere."""
    return {node.GetName() for node in views.nodesOfClass(scene, className) if not node.GetHideFromEditors()}


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


def test_error_map_of_the_whole_tumour_tells_three_kinds_apart():
    reference, prediction = labels("reference"), labels("model", shift=3)
    errors = errorMap(reference, prediction, "WT")
    assert (errors == 1).sum() == (prediction.regions["WT"] & ~reference.regions["WT"]).sum()
    assert (errors == 2).sum() == (reference.regions["WT"] & ~prediction.regions["WT"]).sum()
    both = reference.regions["WT"] & prediction.regions["WT"]
    assert (errors == 3).sum() == (both & (reference.tissues != prediction.tissues)).sum() > 0


@pytest.mark.parametrize("region", ["TC", "ET"])
def test_error_map_of_an_inner_region_tells_a_wrong_class_from_tumour_where_there_is_none(region):
    reference, prediction = labels("reference"), labels("model", shift=3)
    errors = errorMap(reference, prediction, region)
    true, found = reference.regions[region], prediction.regions[region]
    both = reference.regions["WT"] & prediction.regions["WT"]
    assert np.array_equal(errors == 1, found & ~true & ~both)
    assert np.array_equal(errors == 2, true & ~found & ~both)
    assert np.array_equal(errors == 3, found & ~true & both)
    assert np.array_equal(errors == 4, true & ~found & both)
    assert (errors == 3).any() and (errors == 4).any()


def test_every_wrong_voxel_of_an_inner_region_is_marked():
    reference, prediction = labels("reference"), labels("model", shift=3)
    assert np.array_equal(
        errorMap(reference, prediction, "ET") > 0, reference.regions["ET"] != prediction.regions["ET"]
    )


def test_where_nobody_knows_the_whole_tumour_an_error_is_a_false_positive_or_a_false_negative():
    only = [Labels(each.name, {"ET": each.regions["ET"]}, GRID) for each in (labels("reference"), labels("m", shift=3))]
    assert set(np.unique(errorMap(*only, "ET"))) == {0, 1, 2}


def test_dice_of_a_region():
    reference, prediction = labels("reference"), labels("model", shift=3)
    true, found = reference.regions["ET"], prediction.regions["ET"]
    assert dice(reference, prediction, "ET") == pytest.approx(2 * (true & found).sum() / (true.sum() + found.sum()))
    assert dice(reference, reference, "WT") == 1.0
    moved = Geometry(GRID.size, GRID.spacing, (0.0, 0.0, 0.0), GRID.direction)
    nothing = Labels("nothing", {"ET": np.zeros(SHAPE, dtype=bool)}, GRID)
    for first, second in ((reference, labels("m", geometry=moved)), (reference, None), (nothing, nothing)):
        assert dice(first, second, "ET") is None


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


def shown_in(scene, name: str) -> set[str]:
    """The tags of the slice views that show the outlines of that name."""
    node = next(node for node in views.nodesOfClass(scene, "vtkMRMLSegmentationNode") if node.GetName() == name)
    display = node.GetNthDisplayNode(0)
    count = display.GetNumberOfViewNodeIDs() if display.GetVisibility() else 0
    tags = {slice_.GetID(): view.tag for view, slice_, _composite in views.sliceNodes(scene)}
    return {tags[display.GetNthViewNodeID(i)] for i in range(count)}


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


def test_clear_removes_data_display_and_colour_nodes(scene):
    before = scene.GetNumberOfNodes()
    shown = CaseScene(scene)
    shown.show(a_case(), a_map())
    assert scene.GetNumberOfNodes() > before + 10
    shown.compare({1: labels("second", shift=1)})
    shown.setLook(inMillimeters=True)
    shown.clear()
    assert scene.GetNumberOfNodes() == before


def test_another_case_lets_go_of_the_voxels_of_the_last(scene):
    import vtk

    shown = CaseScene(scene)
    shown.show(a_case("A"), a_map())
    kept = [vtk.vtkWeakReference() for _ in range(4)]
    for reference, node in zip(kept, shown._images(), strict=True):
        reference.Set(node.GetImageData())
    del node
    shown.show(a_case("B"), a_map())
    assert [reference.Get() for reference in kept] == [None] * 4


def test_voxels_lie_in_memory_once_and_as_long_as_their_node_shows_them(scene):
    data = a_case()
    voxels = data.images["t1c"].voxels
    expected, isAlive = voxels.copy(), weakref.ref(voxels)
    shown = CaseScene(scene)
    shown.show(data)
    node = next(n for n in shown._images() if n.GetName() == "T1c")
    assert np.shares_memory(slicer.util.arrayFromVolume(node), voxels)
    del data, voxels
    gc.collect()
    assert isAlive() is not None
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), expected)
    del node
    shown.show(a_case("B"))
    gc.collect()
    assert isAlive() is None


def test_another_model_of_the_same_case_keeps_the_images(scene):
    shown = CaseScene(scene)
    shown.show(a_case())
    before = shown._images()
    shown.show(a_case(images=None, prediction=labels("another", shift=1)))
    assert shown._images() == before
    assert names(scene, "vtkMRMLSegmentationNode") == {"reference", "another"}


def test_nodes_and_memory_stay_flat_over_fifty_cases(scene):
    shown = CaseScene(scene)
    process = psutil.Process()
    counts, memory = [], []
    for number in range(50):
        shown.show(a_case(f"case {number}", images=four_images(number, (60, 90, 90))), a_map(), region="ET")
        shown.lookAtTumour()
        gc.collect()
        counts.append(scene.GetNumberOfNodes())
        memory.append(process.memory_info().rss)
    assert len(set(counts[1:])) == 1
    assert (memory[-1] - memory[4]) / 2**20 < 30


def test_masks_survive_a_hidden_segment(scene):
    import slicer

    label_map = tissues()
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "edited")
    masks = {"NCR": label_map == 1, "ED": label_map == 2, "ET": label_map == 4}
    for name, mask in masks.items():
        labelmaps.addSegment(node, name, name, labelmaps.orientedImage(mask, ijkToRas(GRID)), (1.0, 0.0, 0.0))
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetSegmentVisibility("ED", False)
    assert isinstance(node, slicer.vtkMRMLSegmentationNode)
    for name, mask in masks.items():
        assert np.array_equal(labelmaps.maskOfSegment(node, name, SHAPE), mask)


def test_an_empty_region_gives_an_empty_segment_and_comes_back_empty(scene):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "edited")
    image = labelmaps.orientedImage(np.zeros(SHAPE, bool), ijkToRas(GRID))
    labelmaps.addSegment(node, "ET", "ET", image, (1.0, 0.0, 0.0))
    assert node.GetSegmentation().GetSegmentIDs() == ("ET",)
    assert not labelmaps.maskOfSegment(node, "ET", SHAPE).any()


def test_nodes_stay_from_case_to_case_and_one_that_left_the_scene_is_made_anew(scene):
    shown = CaseScene(scene)
    shown.show(a_case("A"), a_map())
    before = {node.GetID() for node in views.nodesOfClass(scene, "vtkMRMLDisplayableNode")}
    shown.show(a_case("B", images=four_images(1), prediction=labels("model", shift=1)), a_map())
    assert {node.GetID() for node in views.nodesOfClass(scene, "vtkMRMLDisplayableNode")} == before
    scene.RemoveNode(next(n for n in views.nodesOfClass(scene, "vtkMRMLSegmentationNode") if n.GetName() == "model"))
    shown.show(a_case("C", images=four_images(2), prediction=labels("model", shift=2)), a_map())
    assert names(scene, "vtkMRMLSegmentationNode") == {"reference", "model"}
    assert shown_in(scene, "model")


def test_the_segments_are_those_of_the_labels_that_are_shown(scene):
    shown = CaseScene(scene)
    shown.show(a_case("A"))
    moved = labels("model", shift=8)
    moved.regions["ET"][:] = False
    shown.show(a_case("B", prediction=moved))
    node = next(n for n in views.nodesOfClass(scene, "vtkMRMLSegmentationNode") if n.GetName() == "model")
    for region, mask in moved.regions.items():
        assert np.array_equal(labelmaps.maskOfSegment(node, region, SHAPE), mask)
        surface = node.GetSegmentation().GetSegment(region).GetRepresentation(labelmaps.CLOSED_SURFACE)
        assert bool(surface.GetNumberOfPoints()) == mask.any()
    only = replace(moved, regions={"WT": moved.regions["WT"]})
    shown.show(a_case("C", prediction=only))
    node = next(n for n in views.nodesOfClass(scene, "vtkMRMLSegmentationNode") if n.GetName() == "model")
    assert node.GetSegmentation().GetSegmentIDs() == ("WT",)


def test_what_somebody_did_to_a_segmentation_is_gone_with_the_next_case(scene):
    shown = CaseScene(scene)
    shown.show(a_case("A"))

    def segmentation():
        found = next(n for n in views.nodesOfClass(scene, "vtkMRMLSegmentationNode") if n.GetName() == "model")
        return found, found.GetSegmentation()

    segmentation()[1].RemoveSegment("TC")
    shown.show(a_case("B"))
    assert segmentation()[1].GetSegmentIDs() == ("WT", "TC", "ET")
    edited = segmentation()[1].GetSegment("ET")
    edited.RemoveRepresentation(labelmaps.CLOSED_SURFACE)
    edited.SetLabelValue(3)
    moved = labels("model", shift=8)
    shown.show(a_case("C", prediction=moved))
    node, held = segmentation()
    assert np.array_equal(labelmaps.maskOfSegment(node, "ET", SHAPE), moved.regions["ET"])
    assert held.GetSegment("ET").GetRepresentation(labelmaps.CLOSED_SURFACE).GetNumberOfPoints()
    scene.RemoveNode(node.GetNthDisplayNode(1))
    shown.show(a_case("D"))
    assert segmentation()[0].GetNumberOfDisplayNodes() == 3


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
