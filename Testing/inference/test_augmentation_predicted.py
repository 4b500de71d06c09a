"""Cases predicted through augmentations: what the engine makes of members that move, bend or drop something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_models import SIGMOID, SmallModel, random_images

from BraTSRefineLib.inference import InferenceError
from BraTSRefineLib.inference.augmentation import IDENTITY, Flip
from BraTSRefineLib.inference.augmentation_geometry import Rotation, Scaling
from BraTSRefineLib.inference.augmentation_intensity import Noise
from BraTSRefineLib.inference.dropout import DropoutPass
from BraTSRefineLib.inference.predict import predict_case

SHAPE = (26, 28, 24)


def smooth_images(shape=SHAPE):
    """Four channels of a smooth ball off the middle, background 0 around it."""
    images = random_images(shape)
    axes = np.meshgrid(*[np.arange(side) for side in shape], indexing="ij")
    distance = np.sqrt(sum((axis - at) ** 2 for axis, at in zip(axes, (13, 15, 11), strict=True)))
    ball = np.clip(1.2 - distance / 9, 0, None).astype(np.float32)
    return replace(images, channels={name: ball * (place + 1) for place, name in enumerate(images.channels)})


def a_pointwise_network(*after: torch.nn.Module):
    """Looks at each voxel alone, so that it is equivariant under every warp."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = torch.nn.Sequential(torch.nn.Conv3d(4, 3, 1), *after)
    network[0].weight.data.abs_().mul_(2)
    network[0].bias.data.fill_(-1.5)
    return network.eval()


def a_model(*after: torch.nn.Module, **changes):
    return SmallModel(head=SIGMOID, net=a_pointwise_network(*after), **changes)


def predicted(model=None, **settings):
    """The smooth case through a network that looks at single voxels, or noise through the given model."""
    images = smooth_images() if model is None or model.net is not None else random_images()
    return predict_case(images, [model or a_model()], device="cpu", **settings)


def test_an_equivariant_network_is_the_same_through_every_warp():
    plain = predicted().probability
    for change in (Rotation(0, 5), Rotation(1, -5), Rotation(2, 10), Scaling(0.95), Scaling(1.05)):
        found = predicted(tta=[IDENTITY, change])
        assert np.abs(found.probability - plain).max() < 0.03
        assert found.variance.max() < 1e-3


def test_an_equivariant_network_sees_no_difference_in_flips():
    assert predicted(tta="flips").variance.max() < 1e-12


def test_the_axes_of_the_network_make_no_difference():
    turned = [predicted(a_model(axes=axes), tta=[IDENTITY, Rotation(0, 10)]) for axes in ((0, 1, 2), (2, 0, 1))]
    assert np.abs(turned[0].probability - turned[1].probability).max() < 1e-5


def test_voxels_that_only_the_identity_covers_have_its_probability_and_no_variance():
    plain, found = predicted(), predicted(tta=[IDENTITY, Scaling(1.25)])
    assert np.array_equal(found.probability[:, 0], plain.probability[:, 0])
    assert (found.variance[:, 0] == 0).all()


@pytest.mark.parametrize(("tta", "members"), [("rotations", 9), ("full", 20)])
def test_sets_are_predicted_member_by_member_the_same_each_time(tta, members):
    found, again = (predicted(SmallModel(), tta=tta, seed=2) for _ in range(2))
    assert len(found.members) == members
    assert found.members[0] == "model 0, identity"
    assert np.array_equal(found.variance, again.variance)
    assert 0 < found.variance.max() <= 0.25


def test_another_seed_draws_other_noise():
    tta = "noise:0.1:2"
    first, other = (predicted(SmallModel(), tta=tta, seed=seed).variance for seed in (0, 1))
    assert not np.array_equal(first, other)


def test_the_label_comes_from_exact_members_alone():
    plain, full = (predicted(SmallModel(), tta=tta).label_map for tta in ("flips", "full"))
    assert len(np.unique(plain)) > 1
    assert np.array_equal(plain, full)


def test_weights_count_in_proportion():
    members = [IDENTITY, replace(Flip((0,)), weight=3.0)]
    weighted = predicted(SmallModel(), tta=members).probability
    one, other = (predicted(SmallModel(), tta=[it]).probability for it in (IDENTITY, Flip((0,))))
    assert np.abs(weighted - (one + 3 * other) / 4).max() < 1e-6


def test_the_variance_under_noise_is_that_of_theory():
    """sigmoid(w'x + b): to first order (p (1 - p))^2 sum (w_i sigma_i)^2 over independent channels."""
    model = a_model()
    found = predicted(model, tta=[IDENTITY, *(Noise(0.05, draw=draw) for draw in range(150))])
    channels = np.stack(list(smooth_images().channels.values()))
    brain = channels[0] > 1e-4
    sigmas = 0.05 * channels[:, brain].std(axis=1)
    weights = model.net[0].weight.detach().numpy().reshape(3, 4)
    for variance, probability, weight in zip(found.variance, found.probability, weights, strict=True):
        expected = (probability * (1 - probability)) ** 2 * np.square(weight * sigmas).sum()
        assert variance[brain].mean() == pytest.approx(expected[brain].mean(), rel=0.05)
    assert found.variance[:, ~brain].max() == 0


def test_dropout_spreads_the_same_way_each_time():
    model = a_model(torch.nn.Dropout(0.4))
    found, again = (predicted(model, tta="dropout:6", seed=1) for _ in range(2))
    assert found.members[1:] == tuple(f"model 0, dropout #{number}" for number in range(1, 7))
    assert np.array_equal(found.variance, again.variance)
    assert found.variance.max() > 0.01
    assert np.array_equal(found.label_map, predicted(model).label_map)


def test_a_model_without_dropout_is_refused_by_name():
    with pytest.raises(InferenceError, match=r"a, model 0, dropout #1: Sequential has no active dropout"):
        predicted(tta=[IDENTITY, DropoutPass()])


def test_structures_agree_as_far_as_the_members_do():
    alike = predicted(tta="flips").structure["WT"]
    assert (alike.members, alike.volume_variation, alike.pairwise_dice) == (8, 0.0, 1.0)
    scaled = predicted(tta=[IDENTITY, Scaling(0.95), Rotation(0, 5)]).structure["WT"]
    assert scaled.members == 3
    assert scaled.volume_variation < 0.02
    assert 0.97 < scaled.pairwise_dice < 1
    apart = predicted(SmallModel(), tta="full").structure["WT"]
    assert apart.pairwise_dice < scaled.pairwise_dice
    assert predicted(uncertainty=False).structure is None


def test_exact_members_come_first_whatever_the_order():
    found = predicted(tta=[Scaling(1.25), IDENTITY])
    assert found.members == ("model 0, identity", "model 0, scale 1.25")
