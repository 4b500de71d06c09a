"""Which candidate is kept, what the guards and the gate say, and which settings are refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from adaptation_cases import SIDE, normalised_network
from scipy import ndimage
from small_models import CPU, SmallModel, prepared_data
from torch import nn

from BraTSRefineLib.inference import InferenceError
from BraTSRefineLib.inference.adaptation_choice import Candidate, change, surest, tripped, uncertainties
from BraTSRefineLib.inference.adaptation_passes import Passes, quality
from BraTSRefineLib.inference.adaptation_settings import ENDS, METHODS, AdaptationReport, AdaptationSettings
from BraTSRefineLib.inference.adaptation_tiles import tiles_of, within

SPACING = (2.0, 1.0, 1.0)


def cube(low: int, high: int) -> torch.Tensor:
    mask = torch.zeros(SIDE, SIDE, SIDE, dtype=torch.bool)
    mask[low:high, low:high, low:high] = True
    return mask


def candidate_of(step: int, foreground: torch.Tensor, entropies: torch.Tensor) -> Candidate:
    return Candidate(step, [], [foreground[None]], [entropies.half()], 0.0)


def test_uncertainty_is_the_mean_entropy_in_all_foregrounds_and_5_mm_around():
    entropies = torch.rand(SIDE, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    first, second = cube(6, 8), cube(8, 10)
    values = uncertainties(
        [candidate_of(0, first, entropies), candidate_of(1, second, torch.zeros(SIDE, SIDE, SIDE))], SPACING
    )
    near = ndimage.distance_transform_edt(~(first | second).numpy(), sampling=SPACING) <= 5
    assert values == pytest.approx([entropies.half().float().numpy()[near].mean(), 0], rel=1e-5)


def test_the_surest_candidate_is_kept():
    assert surest([0.5, 0.4, 0.3, 0.35]) == 2


@pytest.mark.parametrize("values", [[0.3, 0.3, 0.3], [0.3, 0.295, 0.3], [0.3, 0.31], [0.0, 0.0], [0.3]])
def test_without_a_gain_of_more_than_2_percent_the_unadapted_network_is_kept(values):
    assert surest(values) == 0


@pytest.mark.parametrize("collapsed", [torch.zeros(SIDE, SIDE, SIDE, dtype=torch.bool), cube(0, SIDE)])
def test_a_collapsed_candidate_is_refused_though_it_would_be_the_surest(collapsed):
    source = candidate_of(0, cube(5, 11), torch.full((SIDE, SIDE, SIDE), 0.3))
    sure = candidate_of(1, collapsed, torch.zeros(SIDE, SIDE, SIDE))
    assert surest(uncertainties([source, sure], SPACING)) == 1
    assert tripped(AdaptationSettings(), change(source.regions, sure.regions, (1, 0.9), SPACING)) == "volume"


@pytest.mark.parametrize(
    ("adapted", "entropy", "guard"),
    [
        (cube(4, 12), 0.9, None),
        (cube(5, 12), 0.9, "volume"),
        (cube(4, 14), 0.9, "volume"),
        (cube(4, 12).roll(3, 0), 0.9, "agreement"),
        (cube(4, 12), 0.4, "collapse"),
    ],
)
def test_a_guard_trips_on_volume_agreement_and_entropy(adapted, entropy, guard):
    found = change([cube(4, 12)[None]], [adapted[None]], (1.0, entropy), (1.0, 1.0, 1.0))
    assert tripped(AdaptationSettings(volume=(0.7, 1.5)), found) == guard


@pytest.mark.parametrize(("side", "agreement"), [(3, 1.0), (4, 0.0)])
def test_a_region_that_vanishes_or_appears_is_seen_from_50_cubic_millimetres_on(side, agreement):
    with_core = [torch.stack([cube(4, 12), cube(5, 5 + side)])]
    without = [torch.stack([cube(4, 12), cube(0, 0)])]
    for before, after in ((with_core, without), (without, with_core)):
        found = change(before, after, (1.0, 1.0), (1.0, 1.0, 1.0))
        assert (found.volume_ratio, found.agreement) == (1.0, agreement)


def test_quality_is_one_for_a_network_that_mirroring_does_not_disturb():
    network = normalised_network(nn.GroupNorm(2, 8))
    for layer in (network[0], network[4]):
        layer.weight.data = symmetric(layer.weight.data)
    image = torch.randn(2, SIDE, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    assert measured_quality(network, image) == 1


def test_quality_is_low_for_a_network_that_looks_to_one_side():
    network = nn.Sequential(nn.Conv3d(2, 4, 3, padding=1, bias=False), nn.GroupNorm(2, 4)).eval()
    nn.init.zeros_(network[0].weight)
    network[0].weight.data[1, 0, 0, 0, 0] = network[0].weight.data[0, 0, 2, 2, 2] = 5.0
    image = torch.randn(2, SIDE, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    assert 0 <= measured_quality(network, image) < 0.7


def symmetric(weight: torch.Tensor) -> torch.Tensor:
    for axis in (2, 3, 4):
        weight = (weight + weight.flip(axis)) / 2
    return weight


def measured_quality(network: nn.Module, image: torch.Tensor) -> float:
    model = SmallModel(net=network)
    masks = [torch.ones(1, SIDE, SIDE, SIDE, dtype=torch.bool)]
    tiles = tiles_of(network, prepared_data(image), model, masks, SIDE**3, CPU)
    return quality(network, Passes.of(network, model, 4, 0), tiles)


def test_a_margin_is_measured_in_millimetres():
    mask = cube(8, 9)
    near = within(mask, 4.0, SPACING).numpy()
    assert np.flatnonzero(near[:, 8, 8]).tolist() == [6, 7, 8, 9, 10]
    assert np.flatnonzero(near[8, :, 8]).tolist() == list(range(4, 13))
    assert not within(torch.zeros(3, 3, 3, dtype=torch.bool), 100.0, SPACING).any()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("steps", -1),
        ("steps", 101),
        ("rate", 0.0),
        ("rate", float("nan")),
        ("weight", -1.0),
        ("trust", 0.0),
        ("descent", "sgd"),
        ("divergence", "wasserstein"),
        ("keep", "best"),
        ("volume", (1.5, 0.67)),
        ("quality", (0.9, 0.5)),
        ("agreement", 1.1),
    ],
)
def test_settings_outside_their_bounds_are_refused_by_name(setting, value):
    with pytest.raises(InferenceError, match=f"adaptation: {setting} is"):
        AdaptationSettings(**{setting: value})


def test_the_methods_differ_as_their_papers_do():
    assert METHODS["tent"].weight == 0
    assert METHODS["information-geometric"].descent == "natural"
    assert METHODS["uncertainty-guided"].keep == "surest"


@pytest.mark.parametrize("ended", ENDS)
def test_a_report_says_in_a_sentence_how_it_ended(ended):
    report = AdaptationReport(ended, steps=4, chosen_step=2)
    assert report.what == f"step 2 of 4 is used; {ENDS[ended]}"
    assert report.guard == (None if ended in ("steps", "converged", "patience") else ended)
