import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from BraTSRefineLib.scoring.lesion_labels import dilated, label_runs, lesions_of, without_specks

GIVEN = settings(max_examples=80, deadline=None)
EIGHTEEN = ndimage.generate_binary_structure(3, 2)
SHAPES = array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=8)
MASKS = SHAPES.flatmap(lambda shape: arrays(bool, shape))
LABELS = SHAPES.flatmap(lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 3)))


def found(labels, region=(1,), dilation=0):
    return lesions_of(labels, label_runs(labels), region, dilation)


@GIVEN
@given(MASKS, st.integers(1, 5))
def test_dilation_is_scipys_in_the_same_number_of_steps(mask, steps):
    assert np.array_equal(dilated(mask, steps), ndimage.binary_dilation(mask, EIGHTEEN, steps))


def test_dilation_goes_on_across_the_words_that_hold_64_voxels():
    mask = np.zeros((3, 3, 200), bool)
    mask[1, 1, [62, 65, 127, 199]] = True
    assert np.array_equal(dilated(mask, 3), ndimage.binary_dilation(mask, EIGHTEEN, 3))


@GIVEN
@given(LABELS)
def test_runs_hold_every_labelled_voxel_once_and_end_with_the_row(labels):
    runs = label_runs(labels)
    painted = np.zeros(labels.size, np.uint8)
    painted[runs.flat()] = np.repeat(runs.labels, runs.lengths)
    assert np.array_equal(painted.reshape(labels.shape), labels)
    assert runs.lengths.sum() == np.count_nonzero(labels)
    row = labels.shape[2]
    assert (runs.starts // row == (runs.starts + runs.lengths - 1) // row).all()


@GIVEN
@given(LABELS, st.sampled_from([(1,), (1, 3)]))
def test_lesions_without_dilation_are_the_components(labels, region):
    lesions = found(labels, region)
    components, count = ndimage.label(np.isin(labels, region), np.ones((3, 3, 3)))
    assert lesions.count == count
    for number in range(1, count + 1):
        places = np.argwhere(components == number)
        assert lesions.shapes.voxels[number] == len(places)
        assert np.allclose(lesions.shapes.centroids[number], places.mean(axis=0))
        assert lesions.shapes.first[number].tolist() == places.min(axis=0).tolist()
        assert lesions.shapes.last[number].tolist() == places.max(axis=0).tolist()
        mask = lesions.mask([number], np.zeros(3, int), np.array(labels.shape) - 1)
        assert np.array_equal(mask, components == number)


def test_a_lesion_of_several_components_is_one_mask_and_keeps_its_own_voxels():
    labels = np.zeros((4, 4, 12), np.uint8)
    labels[1, 1, [2, 5, 10]] = 1
    lesions = found(labels, dilation=1)
    assert lesions.count == 2
    assert lesions.shapes.voxels.tolist() == [0, 2, 1]
    assert lesions.mask([1], np.array([1, 1, 2]), np.array([1, 1, 5])).tolist() == [[[1, 0, 0, 1]]]


def test_a_speck_is_dropped_and_the_others_keep_their_numbers():
    labels = np.zeros((4, 4, 12), np.uint8)
    labels[1, 1, 1], labels[1, 1, 5:8] = 1, 1
    lesions = without_specks(found(labels), largest=1)
    assert lesions.shapes.voxels.tolist() == [0, 0, 3]
    assert set(lesions.run_numbers.tolist()) == {0, 2}
