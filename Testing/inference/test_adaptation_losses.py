"""Entropy, divergences and the Fisher matrix against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import rel_entr
from scipy.stats import entropy as scipy_entropy
from small_models import SIGMOID, SOFTMAX

from BraTSRefineLib.inference.adaptation_descent import diagonal_fisher
from BraTSRefineLib.inference.adaptation_losses import (
    DIVERGENCES,
    entropy,
    foreground_probability,
    jensen_shannon,
    kullback_leibler,
    labelled_loss,
    log_probabilities,
    region_probability,
    squared_fisher_rao,
)
from BraTSRefineLib.inference.adaptation_settings import AdaptationSettings
from BraTSRefineLib.inference.adaptation_tiles import Tile

FOUR = torch.randn(1, 4, 3, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
OTHER = FOUR + 0.5 * torch.randn(FOUR.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def log_of(*probabilities: float) -> torch.Tensor:
    """One voxel of one variable, ``(1, 1, outcome, 1)``."""
    return torch.tensor(probabilities, dtype=torch.float64).log()[None, None, :, None]


def test_entropy_of_labels_is_scipys_by_its_maximum():
    probabilities = FOUR.softmax(1)[0].numpy()
    ours = entropy(log_probabilities(FOUR, SOFTMAX))[0].numpy()
    assert ours == pytest.approx(scipy_entropy(probabilities, base=4, axis=0))


def test_entropy_of_regions_is_the_mean_of_their_own():
    logits = FOUR[:, :3]
    on = logits.sigmoid()[0].numpy()
    expected = scipy_entropy(np.stack([on, 1 - on]), base=2, axis=0).mean(axis=0)
    assert entropy(log_probabilities(logits, SIGMOID))[0].numpy() == pytest.approx(expected)


def test_entropy_is_one_when_undecided_and_zero_when_sure_even_at_huge_logits():
    undecided, sure = torch.zeros(1, 4, 1), torch.tensor([500.0, -500.0, -500.0, -500.0]).view(1, 4, 1)
    assert float(entropy(log_probabilities(undecided, SOFTMAX))) == pytest.approx(1)
    assert float(entropy(log_probabilities(sure, SOFTMAX))) == 0


def test_kl_is_scipys():
    source, adapted = log_probabilities(FOUR, SOFTMAX), log_probabilities(OTHER, SOFTMAX)
    expected = rel_entr(FOUR.softmax(1).numpy(), OTHER.softmax(1).numpy()).sum(axis=1)
    assert kullback_leibler(source, adapted).numpy() == pytest.approx(expected)


def test_jensen_shannon_is_symmetric_and_ln_2_for_disjoint_predictions():
    source, adapted = log_probabilities(FOUR, SOFTMAX), log_probabilities(OTHER, SOFTMAX)
    assert torch.allclose(jensen_shannon(source, adapted), jensen_shannon(adapted, source))
    apart = jensen_shannon(log_of(1 - 1e-12, 1e-12), log_of(1e-12, 1 - 1e-12))
    assert float(apart) == pytest.approx(math.log(2))


def test_fisher_rao_between_a_coin_and_certainty_is_half_pi():
    squared = squared_fisher_rao(log_of(0.5, 0.5), log_of(1, 0))
    assert math.sqrt(float(squared)) == pytest.approx(math.pi / 2)


def test_fisher_rao_is_twice_the_arc_cosine_of_the_overlap():
    source, adapted = log_probabilities(FOUR, SOFTMAX), log_probabilities(OTHER, SOFTMAX)
    overlap = (FOUR.softmax(1) * OTHER.softmax(1)).sqrt().sum(dim=1)
    assert torch.allclose(squared_fisher_rao(source, adapted), (2 * torch.arccos(overlap)) ** 2)


@pytest.mark.parametrize("distance", [1e-1, 1e-2, 1e-3])
def test_fisher_rao_goes_over_into_its_series_without_a_step(distance):
    squared = squared_fisher_rao(log_of(0.5, 0.5), log_of(0.5 + distance / 2, 0.5 - distance / 2))
    assert float(squared) == pytest.approx(math.asin(distance) ** 2, rel=1e-9)


@pytest.mark.parametrize("name", DIVERGENCES)
@pytest.mark.parametrize(("head", "channels"), [(SOFTMAX, 4), (SIGMOID, 3)])
def test_the_same_prediction_has_divergence_and_gradient_zero(name, head, channels):
    logits = FOUR[:, :channels].clone().requires_grad_()
    log_p = log_probabilities(logits, head)
    divergence = DIVERGENCES[name](log_p.detach(), log_p)
    divergence.sum().backward()
    assert float(divergence.detach().abs().max()) == pytest.approx(0, abs=1e-12)
    assert float(logits.grad.abs().max()) == pytest.approx(0, abs=1e-12)


def test_small_divergences_agree_up_to_their_factor():
    source, near = log_probabilities(FOUR, SOFTMAX), log_probabilities(FOUR + 1e-3 * (OTHER - FOUR), SOFTMAX)
    kl = kullback_leibler(source, near).mean()
    assert float(jensen_shannon(source, near).mean() / kl) == pytest.approx(1 / 4, rel=0.01)
    assert float(squared_fisher_rao(source, near).mean() / kl) == pytest.approx(2, rel=0.01)


def test_kl_is_half_the_fisher_form_for_a_small_step():
    network, image = linear_network()
    fisher = exact_fisher(network, image)
    step = torch.randn(len(fisher), generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    step *= 1e-3 / step.norm()
    source = log_probabilities(network(image), SOFTMAX).detach()
    with torch.no_grad():
        for parameter, part in zip(network.parameters(), step.split([3, 3]), strict=True):
            parameter += part
        kl = kullback_leibler(source, log_probabilities(network(image), SOFTMAX)).sum()
    assert float(kl) == pytest.approx(float(step @ fisher @ step) / 2, rel=0.01)


def test_drawn_fisher_is_the_exact_diagonal_on_average():
    network, image = linear_network()
    exact = exact_fisher(network, image).diagonal() / image.shape[-1]
    source = log_probabilities(network(image), SOFTMAX).detach()
    tile = Tile(image, source, torch.ones(image.shape[2:], dtype=torch.bool), {})
    parameters = list(network.parameters())
    drawn = diagonal_fisher(network, SOFTMAX, parameters, [tile], AdaptationSettings(fisher_draws=2000))
    assert torch.cat(drawn).numpy() == pytest.approx(exact.detach().numpy(), rel=0.15)


def test_regions_add_up_the_labels_of_a_softmax_and_take_the_channel_of_a_sigmoid():
    log_p = log_probabilities(FOUR, SOFTMAX)
    assert torch.allclose(region_probability(log_p, SOFTMAX, "TC"), FOUR.softmax(1)[:, [1, 3]].sum(1))
    assert torch.allclose(foreground_probability(log_p, SOFTMAX), 1 - FOUR.softmax(1)[:, 0])
    regions = log_probabilities(FOUR[:, :3], SIGMOID)
    assert torch.allclose(region_probability(regions, SIGMOID, "TC"), FOUR[:, 1].sigmoid())
    assert torch.allclose(foreground_probability(regions, SIGMOID), FOUR[:, :3].sigmoid().amax(1))


def test_the_labelled_loss_is_almost_zero_for_a_perfect_prediction_and_larger_for_its_opposite():
    labels = torch.tensor([0, 1, 2, 3])
    logits = 40.0 * torch.nn.functional.one_hot(labels, 4).T[None].float()
    masks = {region: torch.isin(labels, torch.tensor(parts))[None].float() for region, parts in SOFTMAX.regions.items()}
    assert float(labelled_loss(log_probabilities(logits, SOFTMAX), SOFTMAX, masks)) < 1e-4
    assert float(labelled_loss(log_probabilities(-logits, SOFTMAX), SOFTMAX, masks)) > 0.5


def linear_network() -> tuple[torch.nn.Module, torch.Tensor]:
    """Layer normalisation over three features of five voxels, then a fixed map to four labels; 6 parameters."""

    class Linear(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = torch.nn.LayerNorm(3, dtype=torch.float64)
            self.register_buffer("map", torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, -1, 1.0]]).double())

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return (self.norm(image.movedim(1, -1)) @ self.map.T).movedim(-1, 1)

    return Linear(), torch.randn(1, 3, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def exact_fisher(network: torch.nn.Module, image: torch.Tensor) -> torch.Tensor:
    """Sum over voxels of sum over labels p (d log p)(d log p)', ``(6, 6)``."""
    log_p = log_probabilities(network(image), SOFTMAX)[0, 0]
    total = torch.zeros(6, 6, dtype=torch.float64)
    for label, voxel in np.ndindex(*log_p.shape):
        slopes = torch.autograd.grad(log_p[label, voxel], list(network.parameters()), retain_graph=True)
        score = torch.cat(slopes)
        total += log_p[label, voxel].exp().detach() * torch.outer(score, score)
    return total
