"""Monte-Carlo dropout: only dropout is active, repeatably, and a network without it is refused."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from BraTSRefineLib.inference import InferenceError
from BraTSRefineLib.inference.dropout import DropoutPass, active_dropout, dropout_modules, dropout_passes


def a_network(p=0.3, norm=nn.BatchNorm3d, dropout=nn.Dropout3d):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv3d(2, 16, 3, padding=1), norm(16), nn.ReLU(), dropout(p), nn.Conv3d(16, 3, 1))
    return network.eval()


AN_IMAGE = torch.randn((1, 2, 6, 6, 6), generator=torch.Generator().manual_seed(5))


def a_pass(network, augmentation):
    with torch.no_grad(), augmentation.during(network):
        return network(AN_IMAGE)


def test_only_dropout_is_active_and_all_is_as_before_afterwards():
    network = a_network()
    with active_dropout(network, seed=1):
        assert [type(module) for module in network.modules() if module.training] == [nn.Dropout3d]
    assert not any(module.training for module in network.modules())


def test_the_modes_come_back_when_a_pass_fails():
    network = a_network()
    with pytest.raises(RuntimeError), active_dropout(network, seed=1):
        network(torch.zeros(1, 3, 6, 6, 6))
    assert not any(module.training for module in network.modules())


def test_running_statistics_do_not_change():
    network = a_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    for augmentation in dropout_passes(3):
        a_pass(network, augmentation)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_pass_is_the_same_again_and_each_is_another():
    network = a_network()
    outputs = [a_pass(network, augmentation) for augmentation in dropout_passes(5, seed=3)]
    assert all(
        torch.equal(a_pass(network, DropoutPass(seed=3, draw=draw)), output) for draw, output in enumerate(outputs)
    )
    assert len({tuple(output.flatten().tolist()) for output in outputs}) == 5
    assert torch.stack(outputs).var(dim=0).min() > 0
    assert not torch.equal(a_pass(network, DropoutPass(seed=4)), outputs[0])


def test_the_global_generator_goes_on_as_if_nothing_had_happened():
    torch.manual_seed(9)
    expected = torch.rand(4)
    torch.manual_seed(9)
    a_pass(a_network_without_seeding, DropoutPass())
    assert torch.equal(torch.rand(4), expected)


a_network_without_seeding = a_network()


@pytest.mark.parametrize("dropout", [nn.Dropout, nn.Dropout3d])
def test_a_linear_layer_after_dropout_spreads_as_theory_says(dropout):
    """Inverted dropout of x_i with p: Var(w'x) = sum w_i^2 x_i^2 p / (1 - p), channel by channel or element-wise."""
    network = nn.Sequential(dropout(0.3), nn.Conv3d(3, 1, 1, bias=False)).eval()
    network[1].weight.data = torch.tensor([0.5, -1.0, 2.0]).reshape(1, 3, 1, 1, 1)
    image = torch.tensor([1.0, 2.0, 0.5]).reshape(1, 3, 1, 1, 1).expand(2000, 3, 2, 2, 2)
    with torch.no_grad(), DropoutPass().during(network):
        outputs = network(image).flatten(1)
    expected = (0.25 + 4.0 + 1.0) * 0.3 / 0.7
    assert float(outputs.var(dim=0).mean()) == pytest.approx(expected, rel=0.05)
    together = bool((outputs == outputs[:, :1]).all())
    assert together == (dropout is nn.Dropout3d)


@pytest.mark.parametrize("network", [a_network(p=0.0), a_network(dropout=lambda p: nn.Identity())])
def test_a_network_without_active_dropout_is_refused_with_a_way_out(network):
    assert dropout_modules(network) == []
    with pytest.raises(
        InferenceError, match=r"Sequential has no active dropout .* train it with dropout .* or compare"
    ):
        a_pass(network, DropoutPass())


def test_the_image_stays_as_it_is():
    values = torch.rand((3, 4, 4, 4))
    augmentation = DropoutPass()
    assert augmentation.apply(values, None) is values
    assert augmentation.invert(values, None) is values
    assert augmentation.coverage(None) is None
    assert not augmentation.per_tile
    assert [it.name for it in dropout_passes(2)] == ["dropout #1", "dropout #2"]


def test_no_pass_is_refused():
    with pytest.raises(InferenceError, match="at least 1"):
        dropout_passes(0)
