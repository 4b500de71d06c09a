"""Labels go into segments and come back as they were, whatever is done to the segments meanwhile."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK

SHAPE = (10, 30, 20)
UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
OBLIQUE = (0.8660254, -0.5, 0.0, 0.5, 0.8660254, 0.0, 0.0, 0.0, 1.0)


def some_labels(values) -> np.ndarray:
    labels = np.zeros(SHAPE, dtype=np.uint8)
    for i, value in enumerate(values):
        labels[2 + i : 7, 3 + 2 * i : 20, 4 + i : 15 - i] = value
    return labels


def write(path, labels, dtype, spacing, direction):
    image = SimpleITK.GetImageFromArray(labels.astype(dtype))
    image.SetSpacing(spacing)
    image.SetOrigin((-10.25, 20.5, -3.75))
    image.SetDirection(direction)
    SimpleITK.WriteImage(image, str(path), useCompression=True)
    return path


@pytest.fixture
def paint(scene):
    from BraTSRefineUI.correctscene import CorrectScene

    made = CorrectScene(scene)
    yield made
    made.end()


def begun(paint, tmp_path, labels, convention, dtype="uint8", spacing=(1.0, 1.0, 1.0), direction=UPRIGHT):
    """A correction of a file with these labels, its segments made."""
    from BraTSRefineUI.correcting import Edit

    from BraTSRefineLib.cohort import Case
    from BraTSRefineLib.regions import label_convention
    from BraTSRefineLib.review import start_from_prediction

    path = write(tmp_path / "p.nii.gz", labels, dtype, spacing, direction)
    case = Case("c", predictions={"m": path}, labels=label_convention(convention) if convention else None)
    (tmp_path / "workspace").mkdir(exist_ok=True)
    edit = Edit(tmp_path / "workspace", start_from_prediction(case, "m"), case, "Ann")
    geometry = edit.start.template.geometry
    volume = paint.sourceVolume(geometry, labels.shape, ("t1c",))
    paint.begin("edit", edit.labels, edit.tissues, geometry, volume)
    return edit, path


def add_to(paint, label: int, where: np.ndarray) -> None:
    """Set voxels of a label as an effect does: in its segment, and in no other one."""
    from BraTSRefineUI import labelmaps
    from BraTSRefineUI.correctscene import segmentID

    segmentation = paint.segmentation.GetSegmentation()
    for identity in segmentation.GetSegmentIDs():
        mask = labelmaps.maskOfSegment(paint.segmentation, identity, where.shape)
        mask = mask | where if identity == segmentID(label) else mask & ~where
        image = labelmaps.orientedImage(mask, paint._grid)
        segment = segmentation.GetSegment(identity)
        segment.RemoveAllRepresentations()
        segment.AddRepresentation(labelmaps.BINARY_LABELMAP, image)
        segment.SetLabelValue(1)


def disturb(paint) -> None:
    """Hide the second segment, turn the order round, rename the first one: what makes Slicer's exporter renumber."""
    segmentation, display = paint.segmentation.GetSegmentation(), paint.segmentation.GetDisplayNode()
    identities = list(segmentation.GetSegmentIDs())
    display.SetSegmentVisibility(identities[1 % len(identities)], False)
    for i, identity in enumerate(reversed(identities)):
        segmentation.SetSegmentIndex(identity, i)
    segmentation.GetSegment(identities[0]).SetName("my own name")


@pytest.mark.parametrize("dtype", ["int16", "uint8", "float32"])
@pytest.mark.parametrize(
    ("spacing", "direction"), [((1.0, 1.0, 1.0), UPRIGHT), ((0.8, 1.2, 5.0), UPRIGHT), ((0.8, 1.2, 5.0), OBLIQUE)]
)
@pytest.mark.parametrize(("values", "convention"), [((2, 1, 4), "brats2021"), ((2, 1, 3), "brats2023")])
def test_hidden_reordered_and_renamed_segments_keep_their_labels(
    paint, tmp_path, dtype, spacing, direction, values, convention
):
    from BraTSRefineLib.cohort import read_geometry, read_image

    labels = some_labels(values)
    edit, source = begun(paint, tmp_path, labels, convention, dtype, spacing, direction)
    disturb(paint)
    where = np.zeros(SHAPE, dtype=bool)
    where[8, 25, 5:8] = True
    add_to(paint, values[-1], where)
    version = edit.save(edit.joined(paint.masks(edit.tissues)))
    saved = read_image(version.path)
    assert saved.dtype == np.dtype(dtype)
    assert set(np.unique(saved)) == {0, *values}
    expected = np.where(where, values[-1], labels)
    assert np.array_equal(saved, expected)
    assert not read_geometry(version.path).difference(read_geometry(source))


@pytest.mark.parametrize(
    ("values", "convention"),
    [((2, 1), "core-rest"), ((4, 2, 3, 1), "brats2024-ped"), ((1,), "brats2024-men-rt"), ((2, 4, 1, 3), "brats2013")],
)
def test_every_convention_comes_back(paint, tmp_path, values, convention):
    labels = some_labels(values)
    edit, _source = begun(paint, tmp_path, labels, convention)
    disturb(paint)
    assert np.array_equal(edit.joined(paint.masks(edit.tissues)), labels)


def test_tissues_that_are_not_there_can_be_painted(paint, tmp_path):
    edit, _source = begun(paint, tmp_path, some_labels((2,)), "brats2021")
    assert sorted(paint.segmentation.GetSegmentation().GetSegmentIDs()) == ["label-1", "label-2", "label-4"]
    where = np.zeros(SHAPE, dtype=bool)
    where[0, 0, 0] = True
    add_to(paint, 4, where)
    assert edit.joined(paint.masks(edit.tissues))[0, 0, 0] == 4


def test_a_label_that_the_convention_does_not_know_is_named_and_stays(paint, tmp_path):
    labels = some_labels((2, 1, 9))
    edit, _source = begun(paint, tmp_path, labels, "brats2021")
    segmentation = paint.segmentation.GetSegmentation()
    assert segmentation.GetSegment("label-9").GetName() == "label 9"
    assert np.array_equal(edit.joined(paint.masks(edit.tissues)), labels)


def test_a_removed_segment_is_removed_and_an_added_one_is_found(paint, tmp_path):
    labels = some_labels((2, 1, 4))
    edit, _source = begun(paint, tmp_path, labels, "brats2021")
    segmentation = paint.segmentation.GetSegmentation()
    segmentation.RemoveSegment("label-1")
    assert np.array_equal(edit.joined(paint.masks(edit.tissues)), np.where(labels == 1, 0, labels))
    segmentation.AddEmptySegment("S_1", "Segment_1")
    assert paint.strangers(edit.tissues) == ["Segment_1"]


def test_the_mask_of_a_flag_is_no_tissue_and_goes_again(paint, tmp_path, scene):
    import slicer

    labels = some_labels((2, 1, 4))
    edit, _source = begun(paint, tmp_path, labels, "brats2021")
    inside = np.zeros(SHAPE, dtype=bool)
    inside[3:6] = True
    paint.keepTo(inside)
    assert paint.editorNode.GetMaskMode() == slicer.vtkMRMLSegmentationNode.EditAllowedInsideSingleSegment
    assert np.array_equal(edit.joined(paint.masks(edit.tissues)), labels)
    assert not paint.strangers(edit.tissues)
    paint.keepTo(None)
    assert paint.editorNode.GetMaskMode() == slicer.vtkMRMLSegmentationNode.EditAllowedEverywhere
    assert len(paint.segmentation.GetSegmentation().GetSegmentIDs()) == 3


def test_nothing_is_left_behind(paint, tmp_path, scene):
    before = scene.GetNumberOfNodes()
    begun(paint, tmp_path, some_labels((2, 1, 4)), "brats2021")
    paint.keepTo(np.ones(SHAPE, dtype=bool))
    paint.end()
    assert scene.GetNumberOfNodes() == before


def test_the_source_volume_is_an_image_on_the_labels_grid(paint, tmp_path, scene):
    """One of another grid would move every painted voxel."""
    import vtk

    edit, _source = begun(paint, tmp_path, some_labels((2, 1, 4)), "brats2021", spacing=(1.0, 1.0, 3.0))
    geometry = edit.start.template.geometry
    from BraTSRefineUI.vtkarrays import ijkToRas

    elsewhere = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T1c")
    here = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "FLAIR")
    for node, channel in ((elsewhere, "t1c"), (here, "t2f")):
        image = vtk.vtkImageData()
        image.SetDimensions(*SHAPE[::-1])
        image.AllocateScalars(vtk.VTK_SHORT, 1)
        node.SetAndObserveImageData(image)
        node.SetAttribute("BraTSRefine.channel", channel)
    here.SetIJKToRASMatrix(ijkToRas(geometry))
    assert paint.sourceVolume(geometry, SHAPE, ("t1c", "t2f")) is here
    assert paint.sourceVolume(geometry, SHAPE, ("t1c",)).GetName() == "grid of the labels"
