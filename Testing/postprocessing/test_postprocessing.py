"""Nesting of the regions and removal of small components."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from BraTSRefineLib.postprocessing import PostprocessingError, enforce_hierarchy, postprocess, remove_small_components
from BraTSRefineLib.regions import label_convention


def random_stack(seed: int, density: float = 0.3) -> np.ndarray:
    return np.random.default_rng(seed).random((3, 8, 8, 8)) < density


def is_nested(stack: np.ndarray) -> bool:
    return not (stack[1] & ~stack[0]).any() and not (stack[2] & ~stack[1]).any()


def a_tumour_with_an_island() -> np.ndarray:
    """WT 14^3, TC 10^3 and in it an ET of 6^3 and an ET island of 2 voxels."""
    stack = np.zeros((3, 20, 20, 20), dtype=bool)
    stack[0, 2:16, 2:16, 2:16] = True
    stack[1, 4:14, 4:14, 4:14] = True
    stack[2, 4:10, 4:10, 4:10] = True
    stack[2, 12, 12, 11:13] = True
    return stack


@given(seed=st.integers(0, 2**31), policy=st.sampled_from(["outward", "inward"]))
@settings(max_examples=30, deadline=None)
def test_hierarchy_is_nested_and_idempotent(seed, policy):
    once = enforce_hierarchy(random_stack(seed), policy=policy)
    assert is_nested(once)
    assert np.array_equal(enforce_hierarchy(once, policy=policy), once)


def test_outward_never_removes_and_inward_never_adds():
    stack = random_stack(5)
    assert not (stack & ~enforce_hierarchy(stack)).any()
    assert not (enforce_hierarchy(stack, policy="inward") & ~stack).any()


def test_outward_equals_what_painting_a_label_map_does():
    convention, stack = label_convention("brats2021"), random_stack(7)
    assert np.array_equal(enforce_hierarchy(stack), convention.masks(convention.paint(stack)))


def test_an_enhancing_satellite_outside_of_the_whole_tumour_survives():
    stack = np.zeros((3, 4, 4, 4), dtype=bool)
    stack[2, 1, 1, 1] = True
    assert enforce_hierarchy(stack).sum(axis=(1, 2, 3)).tolist() == [1, 1, 1]


def test_removes_component_below_threshold_and_keeps_the_one_at_it():
    mask = np.zeros((5, 5, 12), dtype=bool)
    mask[2, 2, 0:3] = True
    mask[2, 2, 6:10] = True
    kept, removed = remove_small_components(mask, 4)
    assert removed == 1
    assert kept.sum() == 4
    assert kept[2, 2, 6:10].all()


def test_voxels_that_touch_at_a_corner_are_one_component():
    mask = np.zeros((4, 4, 4), dtype=bool)
    mask[1, 1, 1] = mask[2, 2, 2] = True
    assert remove_small_components(mask, 2)[1] == 0


@pytest.mark.parametrize("minimum", [0, 1])
def test_a_threshold_of_at_most_one_voxel_changes_nothing(minimum):
    mask = random_stack(1)[0]
    kept, removed = remove_small_components(mask, minimum)
    assert removed == 0
    assert np.array_equal(kept, mask)


def test_agrees_with_scipy_labelling():
    mask = random_stack(2, density=0.08)[0]
    labels, _ = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept, removed = remove_small_components(mask, 3)
    assert np.array_equal(kept, (sizes >= 3)[labels])
    assert removed == (sizes[1:] < 3).sum()


def test_more_voxels_go_as_the_threshold_grows():
    mask = random_stack(3, density=0.1)[0]
    sizes = [remove_small_components(mask, minimum)[0].sum() for minimum in (0, 2, 4, 8, 600)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 0


def test_the_input_is_not_modified():
    stack = a_tumour_with_an_island()
    postprocess(stack, minimum_voxels={"ET": 50, "WT": 5000})
    assert np.array_equal(stack, a_tumour_with_an_island())


def test_a_removed_enhancing_island_stays_core():
    convention, stack = label_convention("brats2023"), a_tumour_with_an_island()
    result = postprocess(stack, minimum_voxels={"ET": 50})
    assert not result.regions[2, 12, 12, 11:13].any()
    assert np.array_equal(result.regions[:2], stack[:2])
    assert (convention.paint(result.regions)[12, 12, 11:13] == convention.tissues["NCR"]).all()


def test_a_removed_whole_tumour_component_takes_its_content_along():
    stack = a_tumour_with_an_island()
    stack[:, 18, 18, 17:19] = True
    result = postprocess(stack, minimum_voxels={"WT": 10})
    assert not result.regions[:, 18].any()
    assert np.array_equal(result.regions[:, :18], stack[:, :18])


def test_changes_are_counted_per_region():
    changes = {
        change.region: change for change in postprocess(a_tumour_with_an_island(), minimum_voxels={"ET": 50}).changes
    }
    assert (changes["ET"].removed_components, changes["ET"].removed_voxels) == (1, 2)
    assert (changes["WT"].removed_voxels, changes["TC"].removed_voxels) == (0, 0)
    assert not changes["ET"].emptied


def test_a_region_that_lost_its_last_component_is_reported():
    changes = postprocess(a_tumour_with_an_island(), minimum_voxels={"ET": 500}).changes
    assert [change.emptied for change in changes] == [False, False, True]


def test_voxels_that_nesting_adds_are_counted():
    stack = np.zeros((3, 4, 4, 4), dtype=bool)
    stack[2, 1, 1, 1] = True
    assert [change.added_voxels for change in postprocess(stack).changes] == [1, 1, 0]


def test_result_is_nested_for_any_input():
    for seed in range(10):
        assert is_nested(postprocess(random_stack(seed, 0.05), minimum_voxels={"WT": 5, "TC": 3, "ET": 2}).regions)


def test_an_empty_prediction_stays_empty():
    result = postprocess(np.zeros((3, 4, 4, 4), dtype=bool), minimum_voxels={"WT": 5})
    assert not result.regions.any()
    assert not any(change.emptied for change in result.changes)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [({"NCR": 5}, "no region 'NCR'"), ({"ET": -1}, "minimum_voxels of ET is -1"), ({"ET": 2.5}, "is 2.5")],
)
def test_settings_that_make_no_sense_are_named(sizes, message):
    with pytest.raises(PostprocessingError, match=message):
        postprocess(a_tumour_with_an_island(), minimum_voxels=sizes)


def test_a_label_map_is_not_taken_for_a_region_stack():
    with pytest.raises(PostprocessingError, match="expected a boolean"):
        postprocess(np.zeros((4, 4, 4), dtype=np.uint8))
