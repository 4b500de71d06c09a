"""The voxels that decide: their Dice must be that of the whole image, for every weighting."""

from __future__ import annotations

import numpy as np
import pytest

from BraTSRefineLib.fusion import FusionError, contested, weighted_mean

SHAPE = (6, 7, 8)


def case(members: int = 4, masks: bool = False, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    random = np.random.default_rng(seed)
    reference = random.random(SHAPE) > 0.6
    values = np.clip(reference * 0.5 + 0.9 * random.random((members, *SHAPE)) - 0.2, 0, 1).astype(np.float32)
    return [value > 0.5 if masks else value for value in values], reference


def dice_of(weights: np.ndarray, members: list[np.ndarray], reference: np.ndarray) -> float:
    """Over every voxel of the image."""
    fused = weighted_mean([member[None] for member in members], weights[:, None])[0] > 0.5 + 1e-6
    total = fused.sum() + reference.sum()
    return 2 * (fused & reference).sum() / total if total else 1.0


@pytest.mark.parametrize("masks", [False, True])
def test_the_dice_of_any_weights_is_that_of_the_whole_image(masks):
    members, reference = case(masks=masks)
    draws = np.vstack([np.random.default_rng(1).dirichlet(np.ones(4), 40), np.eye(4), np.full((1, 4), 0.25)])
    expected = [dice_of(draw, members, reference) for draw in draws]
    assert np.abs(contested(members, reference).dice(draws) - expected).max() < 1e-12


def test_only_voxels_on_whose_side_members_differ_are_kept():
    members, reference = case()
    stack = np.stack(members) > 0.5
    kept = contested(members, reference)
    assert kept.truth.size == (stack.any(axis=0) & ~stack.all(axis=0)).sum()
    assert kept.sure == stack.all(axis=0).sum()


def test_masks_are_put_together_to_what_they_say():
    members, reference = case(masks=True)
    kept = contested(members, reference)
    assert kept.truth.size <= 2 * (2**4 - 2)
    assert kept.voxels.sum() == (np.any(members, axis=0) & ~np.all(members, axis=0)).sum()


def test_identical_members_leave_nothing_to_decide():
    members, reference = case()
    kept = contested([members[0]] * 3, reference)
    assert kept.truth.size == 0
    assert np.ptp(kept.dice(np.eye(3))) == 0


def test_members_can_be_left_out():
    members, reference = case()
    weights = np.array([[0.3, 0.7]])
    some = contested(members, reference).of([1, 3])
    assert some.dice(weights) == pytest.approx(contested([members[1], members[3]], reference).dice(weights))


def test_empty_members_and_an_empty_reference_agree():
    nothing = np.zeros(SHAPE, bool)
    assert contested([nothing, nothing], nothing).dice(np.eye(2)).tolist() == [1.0, 1.0]
    spot = nothing.copy()
    spot[0, 0, 0] = True
    assert contested([spot, nothing], nothing).dice(np.eye(2)).tolist() == [0.0, 1.0]


def test_bad_members_are_named():
    members, reference = case()
    with pytest.raises(FusionError, match="member 2 holds values from nan"):
        contested([members[0], np.full(SHAPE, np.nan, np.float32)], reference)
    with pytest.raises(FusionError, match="member 1 has shape"):
        contested([members[0][1:], members[1]], reference)
    with pytest.raises(FusionError, match="at least two members, there is 1"):
        contested(members[:1], reference)
    with pytest.raises(FusionError, match="the reference holds uint8"):
        contested(members, reference.astype(np.uint8))
