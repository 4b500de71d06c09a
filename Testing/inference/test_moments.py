"""Streaming moments on the device against numpy on the stacked members and against the moments of saved predictions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import entr
from small_models import CPU, MAPS

from BraTSRefineLib.fusion import Moments
from BraTSRefineLib.fusion.moments import bernoulli_entropy as saved_entropy
from BraTSRefineLib.inference.moments import MeanAlone, MemberMoments, bernoulli_entropy, parts

SHAPE = (3, 4, 5, 6)


def random_members(models: int = 5, augmentations: int = 8) -> np.ndarray:
    members = np.random.default_rng(1).random((models, augmentations, *SHAPE)).astype(np.float32)
    members[:, :, :, 0] = 0
    members[:, :, :, 1] = 1
    members[:, :, :, 2] = 1 - 1e-3 * members[:, :, :, 2]
    return members


def maps_of(members, kind=MemberMoments) -> dict[str, np.ndarray]:
    """``members``: for each model its augmentations' arrays."""
    moments = kind(members[0][0].shape, CPU)
    for model in members:
        for probability in model:
            moments.add(torch.tensor(probability))
        moments.end_model()
    return {name: values.numpy() for name, values in moments.maps().items()}


def stacked(members) -> dict[str, np.ndarray]:
    """The definitions, in 64 bits, on all members at once; models may have different numbers of augmentations."""
    members = [np.asarray(model, np.float64) for model in members]
    means = np.stack([model.mean(0) for model in members])
    within = np.stack([model.var(0) for model in members]).mean(0)
    expected = np.stack([(entr(model) + entr(1 - model)).mean(0) for model in members]).mean(0)
    mean = means.mean(0)
    entropy = entr(mean) + entr(1 - mean)
    values = (mean, within + means.var(0), entropy, expected, entropy - expected, within, means.var(0))
    return dict(zip(MAPS, values, strict=True))


@pytest.mark.parametrize("name", MAPS)
def test_streaming_equals_stacked(name):
    members = random_members()
    assert np.abs(maps_of(members)[name] - stacked(members)[name]).max() < 1e-6


@pytest.mark.parametrize("name", MAPS)
def test_models_count_the_same_whatever_their_number_of_augmentations(name):
    members = random_members(3)
    uneven = [members[0], members[1][:1], members[2][:3]]
    assert np.abs(maps_of(uneven)[name] - stacked(uneven)[name]).max() < 1e-6


def test_variance_is_within_plus_between_and_that_of_all_members():
    members = random_members()
    maps = maps_of(members)
    assert np.abs(maps["within_model"] + maps["between_model"] - maps["variance"]).max() < 1e-6
    everyone = members.reshape(-1, *SHAPE).astype(np.float64).var(0)
    assert np.abs(maps["variance"] - everyone).max() < 1e-6


def test_small_variance_near_certainty_keeps_its_digits():
    members = random_members()
    surely = slice(2, 3)
    expected = stacked(members)["variance"][:, surely]
    assert np.abs(maps_of(members)["variance"][:, surely] / expected - 1).max() < 1e-3


@pytest.mark.parametrize("name", MAPS)
def test_the_order_of_members_does_not_matter(name):
    members = random_members()
    assert np.abs(maps_of(members)[name] - maps_of(members[::-1, ::-1])[name]).max() < 1e-6


def test_identical_members_have_no_variance_at_all():
    same = np.broadcast_to(random_members(1, 1), (4, 3, *SHAPE))
    maps = maps_of(same)
    assert not maps["variance"].any()
    assert maps["mutual_information"].max() < 1e-6
    assert np.array_equal(maps["probability"], same[0, 0])


def test_the_same_as_the_moments_of_saved_predictions():
    members = random_members(6, 1)
    saved = Moments("models")
    for model in members:
        saved.add(model[0])
    maps = maps_of(members)
    assert np.abs(maps["probability"] - saved.mean).max() < 1e-6
    for name in ("variance", "entropy", "expected_entropy", "mutual_information"):
        assert np.abs(maps[name] - getattr(saved, name)).max() < 1e-6


def test_entropy_is_that_of_saved_predictions():
    values = np.array([0, 1e-30, 1e-7, 0.2, 0.5, 1 - 1e-7, 1], np.float32)
    assert np.abs(bernoulli_entropy(torch.tensor(values)).numpy() - saved_entropy(values)).max() < 1e-6


def test_bounds():
    maps = maps_of(random_members())
    assert maps["variance"].min() >= 0 and maps["variance"].max() <= 0.25
    assert maps["mutual_information"].min() >= 0
    assert (maps["mutual_information"] <= maps["entropy"] + 1e-6).all()
    assert maps["entropy"].max() <= np.log(2) + 1e-6


def test_the_mean_alone_is_the_same_mean():
    members = random_members(3)
    uneven = [members[0], members[1][:1]]
    assert np.abs(maps_of(uneven, MeanAlone)["probability"] - maps_of(uneven)["probability"]).max() < 1e-6


@pytest.mark.parametrize("kind", [MemberMoments, MeanAlone])
def test_a_member_does_not_count_where_it_does_not_see(kind):
    """Left: both members of the first model and the second model. Right: one member of the first model alone."""
    members = random_members(2, 2)
    covered = torch.zeros(SHAPE[1:], dtype=torch.bool)
    covered[..., :3] = True
    moments = kind(SHAPE, CPU)
    moments.add(torch.tensor(members[0, 0]))
    moments.add(torch.tensor(members[0, 1]), covered)
    moments.end_model()
    moments.add(torch.tensor(members[1, 0]), covered)
    moments.add(torch.tensor(members[1, 1]), covered)
    moments.end_model()
    left, right = stacked(members), stacked(members[:1, :1])
    for name, values in moments.maps().items():
        assert np.abs(values.numpy()[..., :3] - left[name][..., :3]).max() < 1e-6
        assert np.abs(values.numpy()[..., 3:] - right[name][..., 3:]).max() < 1e-6


def test_a_member_of_half_the_weight_counts_half():
    moments = MemberMoments((1, 1, 1, 1), CPU)
    moments.add(torch.full((1, 1, 1, 1), 0.2), weight=1.0)
    moments.add(torch.full((1, 1, 1, 1), 0.8), weight=0.5)
    moments.end_model()
    maps = moments.maps()
    assert maps["probability"].item() == pytest.approx(0.4)
    assert maps["variance"].item() == pytest.approx((2 * 0.2**2 + 0.4**2) / 3)
    assert maps["expected_entropy"].item() == pytest.approx(float(saved_entropy(np.float64(0.2))))


def test_weights_count_where_members_are_covered():
    covered = torch.ones((1, 1, 1), dtype=torch.bool)
    maps = []
    for seen in (None, covered):
        moments = MemberMoments((1, 1, 1, 1), CPU)
        moments.add(torch.full((1, 1, 1, 1), 0.2), seen, 0.5)
        moments.add(torch.full((1, 1, 1, 1), 0.9), seen, 0.25)
        moments.end_model()
        maps.append({name: value.item() for name, value in moments.maps().items()})
    assert maps[0] == pytest.approx(maps[1])
    assert maps[0]["probability"] == pytest.approx((2 * 0.2 + 0.9) / 3)


def test_memory_does_not_grow_with_the_number_of_members():
    def arrays_held(models: int) -> int:
        moments = MemberMoments(SHAPE, CPU)
        for _ in range(models):
            for _ in range(4):
                moments.add(torch.rand(SHAPE))
            moments.end_model()
        parts = (moments, moments._model, moments._models)
        held = [value for part in parts for value in vars(part).values()]
        assert all(isinstance(value, torch.Tensor | float) or value in parts for value in held)
        return sum(value.numel() for value in held if isinstance(value, torch.Tensor))

    assert arrays_held(20) == arrays_held(1) == 7 * np.prod(SHAPE)


@pytest.mark.parametrize("size", [1, 31, 70])
def test_taken_in_part_by_part_the_moments_are_the_same_to_the_bit(size, monkeypatch):
    members = random_members(2, 3)
    whole = maps_of(members)
    monkeypatch.setattr("BraTSRefineLib.inference.moments.PART", size)
    assert len(list(parts(torch.zeros(SHAPE)))) > 3
    for name, values in maps_of(members).items():
        np.testing.assert_array_equal(values, whole[name])
