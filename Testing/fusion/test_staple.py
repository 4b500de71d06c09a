"""STAPLE: against an expectation maximisation of our own, and where the members leave nothing to estimate."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK

from BraTSRefineLib.fusion import FusionError, staple, staple_regions


def raters(shape=(14, 16, 18), seed: int = 3) -> list[np.ndarray]:
    """Three raters of one ball, of sensitivity 0.95, 0.9 and 0.6."""
    random = np.random.default_rng(seed)
    distance = np.sqrt(sum((axis - length / 2) ** 2 for axis, length in zip(np.indices(shape), shape, strict=True)))
    truth, near = distance < 5, distance < 7
    return [
        truth & (random.random(shape) < sensitivity) | near & ~truth & (random.random(shape) < 0.1)
        for sensitivity in (0.95, 0.9, 0.6)
    ]


def expectation_maximisation(masks: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Warfield et al. 2004, equations 14 to 19, in plain numpy."""
    votes = np.stack(masks).reshape(len(masks), -1).astype(float)
    prior, p, q = votes.mean(), np.full((len(masks), 1), 0.99999), np.full((len(masks), 1), 0.99999)
    for _ in range(500):
        a = prior * np.prod(np.where(votes > 0, p, 1 - p), axis=0)
        b = (1 - prior) * np.prod(np.where(votes > 0, 1 - q, q), axis=0)
        truth = a / (a + b)
        before = p, q
        p = (votes @ truth / truth.sum())[:, None]
        q = ((1 - votes) @ (1 - truth) / (1 - truth).sum())[:, None]
        if max(np.abs(p - before[0]).max(), np.abs(q - before[1]).max()) < 1e-10:
            break
    return truth.reshape(masks[0].shape), p.ravel(), q.ravel()


def padded(mask: np.ndarray, width: int) -> np.ndarray:
    return np.pad(mask, width)


def test_equals_an_expectation_maximisation_of_our_own():
    masks = raters()
    estimate = staple(masks)
    truth, sensitivity, specificity = expectation_maximisation(masks)
    assert np.abs(estimate.probability - truth).max() < 1e-6
    assert np.abs(estimate.sensitivity - sensitivity).max() < 1e-6
    assert np.abs(estimate.specificity - specificity).max() < 1e-6
    assert estimate.sensitivity[2] < 0.7 < estimate.sensitivity[0]


def test_equals_simpleitk_on_the_box_around_the_union():
    masks = raters()
    box = tuple(slice(*_reach(np.logical_or.reduce(masks), axis)) for axis in range(3))
    images = [SimpleITK.GetImageFromArray(mask[box].astype(np.uint8)) for mask in masks]
    expected = SimpleITK.GetArrayFromImage(SimpleITK.STAPLE(images, 1.0, 1))
    assert np.abs(staple(masks).probability[box] - expected).max() < 1e-6


def _reach(union: np.ndarray, axis: int) -> tuple[int, int]:
    places = np.nonzero(union)[axis]
    return max(0, places.min() - 5), min(union.shape[axis], places.max() + 6)


def test_how_large_the_image_is_does_not_matter():
    masks = raters((24, 24, 24))
    small, large = staple(masks), staple([padded(mask, 9) for mask in masks])
    assert np.array_equal(padded(small.probability, 9), large.probability)
    assert np.array_equal(small.specificity, large.specificity)


def test_members_that_are_all_empty_give_an_empty_region_and_no_nan():
    estimate = staple([np.zeros((4, 5, 6), bool)] * 3)
    assert not estimate.probability.any()
    assert np.isnan(estimate.sensitivity).all()


def test_one_empty_member_of_three_is_outvoted():
    mask = raters()[0]
    estimate = staple([mask, mask, np.zeros_like(mask)])
    assert np.array_equal(estimate.probability > 0.5, mask)
    assert estimate.sensitivity[2] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("value", [True, False])
def test_identical_members_give_that_mask_even_where_it_fills_the_image(value):
    full = np.full((3, 4, 5), value)
    assert np.array_equal(staple([full, full]).probability > 0.5, full)
    mask = raters()[0]
    assert np.array_equal(staple([mask] * 4).probability > 0.5, mask)


def test_regions_are_estimated_one_by_one_and_nested():
    random = np.random.default_rng(0)
    stacks = [random.random((3, 8, 8, 8)) > 0.6 for _ in range(3)]
    whole, core, enhancing = staple_regions(iter(stacks))
    assert not (core & ~whole).any()
    assert not (enhancing & ~core).any()
    assert np.array_equal(enhancing, staple([stack[2] for stack in stacks]).probability > 0.5)


def test_a_member_on_another_grid_is_named():
    with pytest.raises(FusionError, match="member 2 has shape 1x1x2, the first member has 1x1x1"):
        staple([np.zeros((1, 1, 1), bool), np.zeros((1, 1, 2), bool)])
    with pytest.raises(FusionError, match="member 1 holds float32 values"):
        staple([np.zeros((1, 1, 1), np.float32)])
    with pytest.raises(FusionError, match="no member"):
        staple_regions([])
