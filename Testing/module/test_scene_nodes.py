"""The nodes of a case stay and are filled, and nothing of them stays behind."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import psutil
import slicer
from BraTSRefineUI import labelmaps, views
from BraTSRefineUI.scene import CaseScene
from BraTSRefineUI.vtkarrays import ijkToRas
from scene_cases import a_case, a_map, four_images, labels, names, shown_in, tissues
from small_grid import GRID, SHAPE


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
