"""A network adapted to a case: what changes inside the block, what ends it, and that nothing is left behind."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from adaptation_cases import SIDE, blob, image_of, normalised_network, prepared_case, trained
from small_models import CPU, SIGMOID, SmallModel, prepared_data
from torch import nn

from BraTSRefineLib.inference import InferenceError, Window, adaptation
from BraTSRefineLib.inference.adaptation import adapted
from BraTSRefineLib.inference.adaptation_settings import METHODS, AdaptationSettings, EarlierScan
from BraTSRefineLib.regions import CONVENTIONS

OPEN = AdaptationSettings(steps=3, rate=3e-3, quality=None, keep="last")
NORMALISATIONS = {
    "instance": lambda: nn.InstanceNorm3d(8, affine=True),
    "batch": lambda: nn.BatchNorm3d(8),
    "group": lambda: nn.GroupNorm(2, 8),
    "layer": lambda: nn.LayerNorm([8, SIDE, SIDE, SIDE]),
}


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return trained(normalised_network(NORMALISATIONS["instance"]())).state_dict()


@pytest.fixture
def model(weights) -> SmallModel:
    network = normalised_network(NORMALISATIONS["instance"]())
    network.load_state_dict(weights)
    return SmallModel(net=network)


@pytest.fixture
def case():
    return prepared_case()[0]


def state_of(model: SmallModel) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.net.state_dict().items()}


def same(model: SmallModel, before: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, before[name]) for name, value in model.net.state_dict().items())


def output(model: SmallModel, case) -> torch.Tensor:
    with torch.no_grad():
        return model.network(CPU)(case.data[None]).softmax(1)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_lowers_the_entropy(model, case, method):
    settings = replace(METHODS[method], quality=None, rate=1e-2, steps=6)
    with adapted(model, case, settings, CPU) as report:
        assert report.entropy_after < report.entropy_before
        assert report.guard is None
        assert report.chosen_step > 0


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_every_kind_of_normalisation_is_adapted_and_restored(normalisation, case):
    torch.manual_seed(0)
    model = SmallModel(net=trained(normalised_network(NORMALISATIONS[normalisation]()), steps=25))
    before = state_of(model)
    with adapted(model, case, OPEN, CPU) as report:
        changed = [name for name, value in model.net.state_dict().items() if not torch.equal(value, before[name])]
        assert changed == ["1.weight", "1.bias"]
        assert report.entropy_after < report.entropy_before
    assert same(model, before)


@pytest.mark.parametrize("divergence", ["kl", "jensen-shannon", "fisher-rao"])
@pytest.mark.parametrize("descent", ["adam", "natural"])
def test_every_divergence_goes_with_every_descent(model, case, divergence, descent):
    settings = replace(OPEN, divergence=divergence, descent=descent)
    with adapted(model, case, settings, CPU) as report:
        assert report.entropy_after < report.entropy_before


def test_weights_flags_and_gradients_are_restored_after_an_exception(model, case):
    before = state_of(model)
    model.net[0].weight.requires_grad_(False)
    model.net[4].bias.grad = torch.ones(4)
    with pytest.raises(KeyError), adapted(model, case, OPEN, CPU):
        raise KeyError("cancelled")
    assert same(model, before)
    assert [parameter.requires_grad for parameter in model.net.parameters()] == [False, True, True, True, True, True]
    assert torch.equal(model.net[4].bias.grad, torch.ones(4))
    assert model.net[1].weight.grad is None


def test_weights_are_restored_when_the_adaptation_itself_fails(model, case, monkeypatch):
    before = state_of(model)
    monkeypatch.setattr(adaptation, "uncertainties", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError), adapted(model, case, OPEN, CPU):
        pass
    assert same(model, before)


def test_it_can_be_stopped_before_any_forward_pass_and_restores(model, case):
    class Cancelled(Exception):
        pass

    def stop_at(last: int):
        passes = iter(range(last))

        def check() -> None:
            if next(passes, None) is None:
                raise Cancelled

        return check

    before = state_of(model)
    for passes in (0, 1, 7, 12):
        with pytest.raises(Cancelled), adapted(model, case, OPEN, CPU, check=stop_at(passes)):
            pass
        assert same(model, before)
    output(model, case)  # asks no longer, or this would be cancelled too


def test_too_little_memory_says_so_and_restores(model, case, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("full")

    before = state_of(model)
    monkeypatch.setattr(adaptation, "quality", full)
    with pytest.raises(InferenceError, match="model 0: not enough memory"), adapted(model, case, OPEN, CPU):
        pass
    assert same(model, before)


@pytest.mark.parametrize(
    ("guard", "limits"),
    [("volume", {"volume": (1.2, 1.5)}), ("agreement", {"agreement": 1.0}), ("collapse", {"collapse": 1.0})],
)
def test_a_guard_that_trips_reverts_inside_the_block_already(model, case, guard, limits):
    before = state_of(model)
    with adapted(model, case, replace(OPEN, rate=2e-2, steps=20, **limits), CPU) as report:
        assert report.ended == report.guard == guard
        assert report.chosen_step == 0
        assert report.entropy_after == report.entropy_before
        assert same(model, before)
    assert same(model, before)


def test_a_tumour_found_outside_the_tiles_that_were_adapted_trips_the_guard(model, monkeypatch):
    data = torch.cat([image_of(blob((SIDE, SIDE, SIDE), 50), 50), torch.zeros(2, SIDE, SIDE, SIDE)], dim=3)
    real = adaptation.regions_found
    calls = []

    def flooded_later(*arguments):
        calls.append(1)
        masks = real(*arguments)
        return masks if len(calls) == 1 else [*masks[:-1], torch.ones_like(masks[-1])]

    monkeypatch.setattr(adaptation, "regions_found", flooded_later)
    before = state_of(model)
    with adapted(model, prepared_data(data), replace(OPEN, voxels=1), CPU) as report:
        assert report.guard == "volume"
        assert report.volume_ratio > 1.5
        assert same(model, before)


def test_a_case_whose_unadapted_network_is_kept_is_not_looked_at_again(model, case, monkeypatch):
    real = adaptation.regions_found
    calls = []

    def counted(*arguments):
        calls.append(1)
        return real(*arguments)

    monkeypatch.setattr(adaptation, "regions_found", counted)
    with adapted(model, case, replace(OPEN, keep="surest", rate=1e-5), CPU) as report:
        assert (report.chosen_step, report.volume_ratio, report.agreement) == (0, 1.0, 1.0)
        assert report.steps > 0
    assert len(calls) == 1


def test_no_steps_is_the_unadapted_network(model, case):
    before = output(model, case)
    with adapted(model, case, replace(OPEN, steps=0), CPU) as report:
        assert torch.equal(output(model, case), before)
        assert (report.ended, report.steps, report.chosen_step) == ("steps", 0, 0)


def test_a_huge_weight_keeps_the_output_where_it_was(model, case):
    before = output(model, case)
    for descent in ("adam", "natural"):
        with adapted(model, case, replace(OPEN, weight=1e6, descent=descent), CPU):
            assert float((output(model, case) - before).abs().max()) < 1e-4


def test_no_step_leaves_the_trust_region(model, case):
    with adapted(model, case, replace(OPEN, weight=0, rate=0.1, steps=5, trust=1e-4), CPU):
        after = output(model, case)
    before = output(model, case)
    assert 0 < float((before * (before / after).log()).sum(1).mean()) < 1e-4


def test_a_bigger_weight_stays_closer_to_the_source(model, case):
    before = output(model, case)
    distances = []
    for weight in (0.0, 10.0):
        with adapted(model, case, replace(OPEN, weight=weight, rate=2e-2, steps=6), CPU):
            distances.append(float((output(model, case) - before).abs().mean()))
    assert distances[1] < distances[0]


def test_an_empty_prediction_is_not_adapted(model):
    empty = prepared_data(torch.zeros(2, SIDE, SIDE, SIDE))
    before = state_of(model)
    with adapted(model, empty, OPEN, CPU) as report:
        assert report.ended == "empty"
        assert report.entropy_before is None
        assert same(model, before)


def test_only_a_case_between_the_quality_limits_is_adapted(model, case):
    with adapted(model, case, replace(OPEN, quality=(0.0, 0.5)), CPU) as report:
        assert report.guard == "quality"
        assert 0.5 <= report.quality <= 1
    with adapted(model, case, replace(OPEN, quality=(0.5, 1.0)), CPU) as report:
        assert report.guard is None
        assert report.steps == 3


def test_a_quality_that_cannot_be_known_is_no_licence_to_adapt(model, case):
    model.mirror_axes = ()
    with adapted(model, case, replace(OPEN, quality=(0.0, 1.0)), CPU) as report:
        assert report.guard == "quality"
        assert report.quality is None


def test_a_case_the_network_is_sure_of_is_not_adapted(model, case):
    with adapted(model, case, replace(OPEN, least_entropy=0.9), CPU) as report:
        assert report.guard == "confident"


@pytest.mark.parametrize("descent", ["adam", "natural"])
def test_the_same_case_is_adapted_alike_twice_whatever_happened_between(model, case, descent):
    outputs = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        random_state = torch.get_rng_state()
        with adapted(model, case, replace(OPEN, descent=descent, seed=7), CPU) as report:
            outputs.append((output(model, case), asdict(report)))
        assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.equal(outputs[0][0], outputs[1][0])
    assert outputs[0][1] == outputs[1][1]


def test_dropout_gives_the_passes_where_there_is_some_and_is_off_again(case):
    torch.manual_seed(0)
    model = SmallModel(net=trained(normalised_network(nn.InstanceNorm3d(8, affine=True), dropout=0.2)), mirror_axes=())
    state = torch.get_rng_state()
    with adapted(model, case, replace(OPEN, quality=(0.0, 1.0)), CPU) as report:
        assert 0 < report.quality < 1
        assert not any(layer.training for layer in model.net.modules())
    assert torch.equal(torch.get_rng_state(), state)


def test_region_heads_are_adapted_too(case):
    torch.manual_seed(0)
    network = trained(normalised_network(nn.InstanceNorm3d(8, affine=True), channels=3), SIGMOID)
    with adapted(SmallModel(net=network, head=SIGMOID), case, OPEN, CPU) as report:
        assert report.entropy_after < report.entropy_before


def test_slices_of_a_flat_network_are_adapted_too():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 4, 1), nn.InstanceNorm2d(4, affine=True)).eval()
    model = SmallModel(net=network, window=Window((1, SIDE, SIDE), flat=True), mirror_axes=(0, 1, 2))
    data = prepared_case(shape=(6, SIDE, 20))[0]
    with adapted(model, data, replace(OPEN, weight=0.1), CPU) as report:
        assert report.entropy_after < report.entropy_before


@pytest.mark.parametrize("shape", [(10, SIDE, SIDE), (20, SIDE, 30)])
def test_cases_smaller_and_larger_than_the_patch_are_adapted(model, shape):
    with adapted(model, prepared_case(shape=shape)[0], OPEN, CPU) as report:
        assert report.entropy_after < report.entropy_before


def test_it_works_inside_inference_mode_with_data_prepared_there(model):
    with torch.inference_mode():
        case = prepared_data(prepared_case()[0].data * 1.0)
        before = state_of(model)
        with adapted(model, case, OPEN, CPU) as report:
            assert report.entropy_after < report.entropy_before
            assert torch.is_inference_mode_enabled()
        assert same(model, before)


def test_a_network_that_was_loaded_in_inference_mode_is_loaded_again(case):
    class Loading(SmallModel):
        def network(self, device):
            self.net = self.net or normalised_network(nn.GroupNorm(2, 8))
            return self.net

        def release(self):
            self.net = None

    model = Loading()
    with torch.inference_mode():
        without_gradients = model.network(CPU)
        with adapted(model, case, replace(OPEN, weight=0), CPU) as report:
            assert report.entropy_after < report.entropy_before
    assert model.net is not without_gradients


def test_an_earlier_labelled_scan_teaches_the_network(model):
    case, labels = prepared_case(60, noise=0.5, contrast=0.4)
    earlier_case, earlier_labels = prepared_case(61, noise=0.5, contrast=0.4)
    scan = EarlierScan(earlier_case, earlier_labels, CONVENTIONS["brats2023"])
    before = dice(output(model, case), labels)
    settings = replace(OPEN, steps=20, weight=0.1, rate=2e-2, agreement=0.5, volume=(0.5, 2.0))
    with adapted(model, case, settings, CPU, scan) as report:
        assert report.guard is None
        assert dice(output(model, case), labels) > before + 0.05


def test_labels_of_an_earlier_scan_that_do_not_fit_are_refused(model, case):
    for labels, complaint in ((np.zeros((4, 4, 4), int), "do not cover"), (np.zeros((SIDE,) * 3, int), "no labelled")):
        scan = EarlierScan(case, labels, CONVENTIONS["brats2023"])
        with pytest.raises(InferenceError, match=complaint), adapted(model, case, OPEN, CPU, scan):
            pass


@pytest.mark.parametrize("normalisation", [nn.Identity(), nn.InstanceNorm3d(8)])
def test_a_network_without_anything_to_adapt_is_an_error(case, normalisation):
    with (
        pytest.raises(InferenceError, match="model 0: no normalisation layer with a scale and a shift"),
        adapted(SmallModel(net=normalised_network(normalisation)), case, OPEN, CPU),
    ):
        pass


def test_half_precision_and_weights_without_gradients_are_errors(case):
    with torch.inference_mode():
        without = normalised_network(nn.GroupNorm(2, 8))
    for network, complaint in ((normalised_network(nn.GroupNorm(2, 8)).half(), "float32"), (without, "inference mode")):
        with pytest.raises(InferenceError, match=complaint), adapted(SmallModel(net=network), case, OPEN, CPU):
            pass


def test_an_output_that_is_not_finite_is_an_error_and_restores(model, case):
    class Broken(nn.Sequential):
        def forward(self, image):
            logits = super().forward(image)
            return logits * torch.nan if logits.requires_grad else logits

    model.net = Broken(*model.net)
    before = state_of(model)
    with pytest.raises(InferenceError, match="not finite"), adapted(model, case, OPEN, CPU):
        pass
    assert same(model, before)


def dice(probability: torch.Tensor, labels: np.ndarray) -> float:
    """Mean of WT, TC and ET."""
    predicted = probability.argmax(1)[0].numpy()
    masks = [CONVENTIONS["brats2023"].masks(label_map) for label_map in (predicted, labels)]
    return float(np.mean([2 * (a & b).sum() / (a.sum() + b.sum()) for a, b in zip(*masks, strict=True)]))
