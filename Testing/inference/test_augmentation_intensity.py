"""Gamma and noise: within the brain, repeatable, and with the spread that theory says."""

from __future__ import annotations

import pytest
import torch
from small_models import prepared_data

from BraTSRefineLib.inference import InferenceError
from BraTSRefineLib.inference.augmentation_intensity import Gamma, Noise

BRAIN = (slice(None), slice(2, 14), slice(3, 15), slice(2, 12))


def a_case(channels=2, background=-0.5):
    data = torch.full((channels, 16, 18, 14), background)
    data[BRAIN] = torch.randn((channels, 12, 12, 10), generator=torch.Generator().manual_seed(3))
    return prepared_data(data)


def outside(data):
    mask = torch.ones(data.shape, dtype=torch.bool)
    mask[BRAIN] = False
    return data[mask]


@pytest.mark.parametrize("change", [Gamma(0.8), Gamma(1.3), Noise(0.05)], ids=lambda change: change.name)
def test_the_background_and_the_given_data_stay_as_they_are(change):
    case = a_case()
    before = case.data.clone()
    changed = change.apply(case.data, case)
    assert torch.equal(case.data, before)
    assert torch.equal(outside(changed), outside(before))
    assert not torch.equal(changed, before)


def test_gamma_bends_the_histogram_and_keeps_mean_spread_and_order():
    case = a_case()
    before, after = (values[BRAIN][1].flatten() for values in (case.data, Gamma(0.7).apply(case.data, case)))
    assert float(after.mean()) == pytest.approx(float(before.mean()), abs=1e-5)
    assert float(after.std()) == pytest.approx(float(before.std()), abs=1e-5)
    assert torch.equal(before.argsort(), after.argsort())
    skewness = [((values - values.mean()) ** 3).mean() / values.std() ** 3 for values in (before, after)]
    assert skewness[1] < skewness[0] - 0.2


def test_a_channel_that_is_constant_in_the_brain_has_no_gamma():
    case = a_case()
    case.data[1] = -0.5
    assert torch.equal(Gamma(0.7).apply(case.data, case)[1], case.data[1])


def test_the_label_channels_of_a_cascade_stay_labels():
    case = a_case(channels=3)
    case.data[2] = 0
    case.data[2, 5:9, 5:9, 5:9] = 1
    for change in (Gamma(0.7), Noise(0.1)):
        changed = change.apply(case.data, case)
        assert torch.equal(changed[2], case.data[2])
        assert not torch.equal(changed[0], case.data[0])


def test_noise_is_the_same_again_and_another_for_another_seed_draw_or_case():
    case = a_case()
    noise = Noise(0.05, seed=7).apply(case.data, case)
    assert torch.equal(Noise(0.05, seed=7).apply(case.data, case), noise)
    assert not torch.equal(Noise(0.05, seed=8).apply(case.data, case), noise)
    assert not torch.equal(Noise(0.05, seed=7, draw=1).apply(case.data, case), noise)
    other = a_case()
    other.data[:, 2:14, 3:15, 11] = -0.5
    added = [(Noise(0.05, seed=7).apply(it.data, it) - it.data)[0, 2, 3, 2:6] for it in (case, other)]
    assert not torch.allclose(*added, rtol=0.2)


def test_noise_does_not_touch_the_global_generator():
    case = a_case()
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    Noise(0.05).apply(case.data, case)
    assert torch.equal(torch.rand(3), expected)


def test_noise_has_its_share_of_each_channels_spread():
    case = a_case()
    case.data[1] *= 10
    added = (Noise(0.05).apply(case.data, case) - case.data)[BRAIN]
    for channel in range(2):
        assert float(added[channel].std() / case.data[BRAIN][channel].std()) == pytest.approx(0.05, rel=0.05)


def test_a_linear_network_spreads_as_w_sigma_w():
    """Var(w'x) = w' Sigma w with Sigma = sigma^2 var(channel) on the diagonal, in every voxel."""
    case = a_case(channels=3)
    case.data[1] *= 2
    weights = torch.tensor([0.5, -1.0, 0.25])
    outputs = torch.stack(
        [torch.tensordot(weights, Noise(0.1, draw=draw).apply(case.data, case), dims=1) for draw in range(400)]
    )
    spread = case.data[BRAIN].flatten(1).std(dim=1, correction=0)
    expected = float((weights * 0.1 * spread).square().sum())
    assert float(outputs[BRAIN].var(dim=0).mean()) == pytest.approx(expected, rel=0.01)
    assert outputs.var(dim=0)[0, 0, 0] == 0


@pytest.mark.parametrize("change", [Gamma(0.8), Noise(0.05)], ids=lambda change: change.name)
def test_predictions_are_where_they_were(change):
    case = a_case()
    values = torch.rand((3, 16, 18, 14))
    assert change.invert(values, case) is values
    assert change.coverage(case) is None
    assert not change.per_tile


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Gamma(1), "not 1"),
        (lambda: Gamma(0), "0.1 to 10"),
        (lambda: Noise(0), "above 0"),
        (lambda: Noise(float("nan")), "above 0"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(make, message):
    with pytest.raises(InferenceError, match=message):
        make()
