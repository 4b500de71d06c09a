import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from medpy.metric import binary

from BraTSRefineLib.scoring.edges import edge_pair
from BraTSRefineLib.scoring.surface_dice import surface_dice

TOLERANCES = (0.5, 1.0)


def as_published(reference, prediction, spacing, tolerance):
    """nnU-Net v1's formula on medpy's distances."""
    distances = binary.__surface_distances
    pairs = (reference, prediction), (prediction, reference)
    return sum(np.mean(distances(*pair, spacing, 1) <= tolerance) for pair in pairs) / (2 + 1e-8)


def ours(reference, prediction, spacing, tolerances=TOLERANCES):
    return surface_dice(reference.view(np.uint8), prediction.view(np.uint8), spacing, tolerances)


def test_agrees_with_medpy_on_every_kind_of_mask(fuzz_pairs):
    for name, reference, prediction, spacing in fuzz_pairs[::2]:
        if reference.any() and prediction.any():
            theirs = [as_published(reference, prediction, spacing, tolerance) for tolerance in TOLERANCES]
            assert ours(reference, prediction, spacing) == pytest.approx(theirs, rel=0, abs=1e-12), name


def test_agrees_with_the_full_search_of_the_edges(fuzz_pairs):
    for name, reference, prediction, spacing in fuzz_pairs[::4]:
        if reference.any() and prediction.any():
            pair = edge_pair(reference, prediction, spacing, "scipy")
            theirs = [pair.nsd_of_shares(tolerance) for tolerance in (0, 2.0, 5.0)]
            assert ours(reference, prediction, spacing, (0, 2.0, 5.0)) == pytest.approx(theirs), name


def test_two_voxels_one_apart_meet_at_their_distance():
    reference, prediction = np.zeros((2, 3, 3, 5), bool)
    reference[1, 1, 1] = prediction[1, 1, 2] = True
    assert ours(reference, prediction, (1.0, 1.0, 1.0)) == pytest.approx((0, 1))
    assert ours(reference, prediction, (1.0, 1.0, 1.5)) == (0, 0)
    assert ours(reference, prediction, (1.0, 1.0, 0.5)) == pytest.approx((1, 1))


@settings(max_examples=40, deadline=None)
@given(st.data(), st.tuples(*[st.sampled_from([0.3, 0.5, 1.0, 2.5])] * 3))
def test_property_symmetric_within_bounds_and_rising_with_the_tolerance(data, spacing):
    masks = arrays(bool, data.draw(array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=7)))
    one = data.draw(masks)
    other = data.draw(arrays(bool, one.shape))
    assume(one.any() and other.any())
    there, back = ours(one, other, spacing), ours(other, one, spacing)
    assert there == pytest.approx(back)
    assert 0 <= there[0] <= there[1] <= 1
