"""Tiles, padding and blending weights against nnU-Net's and MONAI's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from acvl_utils.cropping_and_padding.padding import pad_nd_image
from monai.data.utils import compute_importance_map, dense_patch_slices
from monai.inferers.utils import _get_scan_interval
from nnunetv2.inference.sliding_window_prediction import compute_gaussian, compute_steps_for_sliding_window
from small_models import CPU

from BraTSRefineLib.inference import InferenceError, Window
from BraTSRefineLib.inference.blending import blending_weights
from BraTSRefineLib.inference.tiles import padded, tile_count, tile_positions

STEPS = (0.1, 0.25, 0.3, 0.5, 0.7, 0.75, 1.0)


def random_sizes(count: int = 300):
    """Patches of all kinds and volumes that are as large or larger."""
    generator = np.random.default_rng(0)
    for _ in range(count):
        patch = generator.integers(1, 160, 3)
        size = patch + generator.integers(0, 200, 3) * generator.integers(0, 2, 3)
        yield tuple(map(int, size)), tuple(map(int, patch))


def starts_along(axis: int, positions) -> list[int]:
    return sorted({position[axis] for position in positions})


@pytest.mark.parametrize("step", STEPS)
def test_nnunet_rule_is_nnunets(step):
    for size, patch in random_sizes():
        expected = compute_steps_for_sliding_window(size, patch, step)
        for axis in range(3):
            single = Window((patch[axis], 1, 1), step)
            assert starts_along(0, tile_positions((size[axis], 1, 1), single)) == sorted(set(expected[axis]))


@pytest.mark.parametrize("step", STEPS)
def test_monai_rule_is_monais(step):
    for size, patch in random_sizes():
        interval = _get_scan_interval(size, patch, 3, [1 - step] * 3)
        for axis in range(3):
            expected = dense_patch_slices([size[axis]], [patch[axis]], [interval[axis]])
            single = Window((patch[axis], 1, 1), step, "monai")
            assert starts_along(0, tile_positions((size[axis], 1, 1), single)) == [part.start for (part,) in expected]


@pytest.mark.parametrize(("placing", "along"), [("nnunet", [0, 56, 112]), ("monai", [0, 64, 112])])
def test_the_rules_differ_on_an_uncropped_case(placing, along):
    positions = tile_positions((155, 240, 240), Window((128, 128, 128), 0.5, placing))
    assert len(positions) == 18
    assert starts_along(1, positions) == along


@pytest.mark.parametrize("step", [0.5, 0.75, 1.0])
def test_a_brain_needs_eight_tiles_whatever_the_step(step):
    assert tile_count((145, 171, 130), Window((128, 128, 128), step)) == 8


def test_a_flat_window_takes_every_slice_once():
    positions = tile_positions((5, 20, 16), Window((1, 16, 16), flat=True))
    assert positions == [(a, y, 0) for a in range(5) for y in (0, 4)]


def test_every_voxel_lies_in_a_tile():
    for placing in ("nnunet", "monai"):
        for size, patch in random_sizes(20):
            window = Window(patch, 0.6, placing)
            for axis in range(3):
                starts = starts_along(axis, tile_positions(size, window))
                assert starts[0] == 0 and starts[-1] + patch[axis] == size[axis]
                assert max(np.diff(starts), default=0) <= patch[axis]


@pytest.mark.parametrize("step", [0, -0.5, 1.5])
def test_an_impossible_step_is_refused(step):
    with pytest.raises(InferenceError, match="patches apart"):
        tile_positions((8, 8, 8), Window((4, 4, 4), step))


def test_a_volume_smaller_than_the_patch_is_refused():
    with pytest.raises(InferenceError, match="8x8x3 voxels is smaller than the patch of 4x4x4"):
        tile_positions((8, 8, 3), Window((4, 4, 4)))


@pytest.mark.parametrize("shape", [(9, 9, 9), (5, 20, 8), (16, 16, 16), (15, 1, 17)])
def test_padding_is_nnunets_and_is_undone(shape):
    data = torch.rand(2, *shape)
    expected, place = pad_nd_image(data, (16, 16, 16), "constant", {"value": 0}, True)
    larger, ours = padded(data, (16, 16, 16))
    assert torch.equal(larger, expected)
    assert ours == place[1:]
    assert torch.equal(larger[(slice(None), *ours)], data)


def test_a_case_that_is_large_enough_is_not_copied():
    data = torch.rand(1, 8, 8, 8)
    assert padded(data, (8, 4, 8))[0] is data


@pytest.mark.parametrize("patch", [(16, 24, 8), (20, 15, 13), (32, 32, 32)])
def test_nnunet_weights_are_nnunets(patch):
    expected = compute_gaussian(patch, 1 / 8, 10, torch.float32, CPU).numpy()
    assert np.abs(blending_weights(Window(patch)) - expected).max() < 1e-6


def test_nnunet_weights_of_a_slice_are_those_of_two_axes():
    expected = compute_gaussian((24, 20), 1 / 8, 10, torch.float32, CPU).numpy()
    assert np.abs(blending_weights(Window((1, 24, 20), flat=True)) - expected).max() < 1e-6


@pytest.mark.parametrize("mode", ["gaussian", "constant"])
@pytest.mark.parametrize("patch", [(16, 24, 8), (20, 15, 13)])
def test_monai_weights_are_monais(mode, patch):
    expected = compute_importance_map(patch, mode=mode).numpy()
    assert np.abs(blending_weights(Window(patch, blending=mode)) - expected).max() < 1e-6


@pytest.mark.parametrize("blending", ["nnunet", "gaussian", "constant"])
def test_weights_are_positive(blending):
    weights = blending_weights(Window((64, 64, 8), blending=blending))
    assert weights.dtype == np.float32
    assert weights.min() > 0
