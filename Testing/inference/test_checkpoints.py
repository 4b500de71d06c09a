"""Checkpoints: what is read, what is refused, and with which way out."""

from __future__ import annotations

import os
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from nnunet_results import write_results

from BraTSRefineLib.inference import InferenceError
from BraTSRefineLib.inference.checkpoints import fill, load_checkpoint, load_weights


@pytest.fixture
def network() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))


class RunsCode:
    def __reduce__(self):
        return os.system, ("exit 1",)


def saved(path, content, **settings):
    torch.save(content, path, **settings)
    return path


def test_nnunets_checkpoint_is_read_with_its_numpy_scalars(tmp_path):
    content = load_checkpoint(write_results(tmp_path) / "fold_0" / "checkpoint_final.pth")
    assert content["_best_ema"] == 0.5 and content["trainer_name"] == "nnUNetTrainer"
    assert content["logging"]["train_losses"] == [np.float32(-0.1)]


def test_arrays_of_numbers_are_read(tmp_path):
    path = saved(tmp_path / "log.pth", {"losses": np.arange(3.0), "epoch": np.int64(4)})
    assert load_checkpoint(path)["losses"].tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("key", ["network_weights", "state_dict", "model", "model_state_dict", None])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod."])
def test_weights_are_found_under_every_usual_name(tmp_path, network, key, prefix):
    weights = OrderedDict((prefix + name, value) for name, value in network.state_dict().items())
    path = saved(tmp_path / "weights.pth", {key: weights, "epoch": 3} if key else weights)
    assert list(load_weights(path)) == list(network.state_dict())


def test_files_of_old_torch_are_read(tmp_path, network):
    path = saved(tmp_path / "old.pth", network.state_dict(), _use_new_zipfile_serialization=False)
    assert list(load_weights(path)) == list(network.state_dict())


@pytest.mark.parametrize("new_format", [True, False])
def test_what_would_run_code_is_refused_with_a_way_out(tmp_path, new_format):
    path = saved(tmp_path / "bad.pth", {"a": RunsCode()}, _use_new_zipfile_serialization=new_format)
    with pytest.raises(
        InferenceError, match=r"bad.pth: not loaded, for it needs pickle \(.*system\).*save the weights"
    ):
        load_checkpoint(path)


def test_a_pickled_network_is_refused(tmp_path, network):
    path = saved(tmp_path / "network.pth", network)
    with pytest.raises(InferenceError, match=r"needs pickle \(torch.nn.modules.container.Sequential\)"):
        load_weights(path)


def test_nothing_stays_allowed_afterwards(tmp_path):
    before = set(torch.serialization.get_safe_globals())
    load_checkpoint(saved(tmp_path / "log.pth", {"epoch": np.int64(4)}))
    assert set(torch.serialization.get_safe_globals()) == before


@pytest.mark.parametrize("content", [b"", b"no checkpoint at all", b"PK\x03\x04"], ids=["empty", "text", "zip"])
def test_what_is_no_checkpoint_is_refused(tmp_path, content):
    (tmp_path / "file.pth").write_bytes(content)
    with pytest.raises(InferenceError, match=r"file.pth: damaged or no checkpoint"):
        load_checkpoint(tmp_path / "file.pth")


def test_a_truncated_checkpoint_is_refused(tmp_path, network):
    path = saved(tmp_path / "weights.pth", network.state_dict())
    path.write_bytes(path.read_bytes()[:-700])
    with pytest.raises(InferenceError, match=r"weights.pth: damaged or no checkpoint"):
        load_weights(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InferenceError, match=r"none.pth: no such file"):
        load_checkpoint(tmp_path / "none.pth")


def test_a_file_without_weights_says_what_it_has(tmp_path):
    with pytest.raises(InferenceError, match=r"holds no weights \(it has epoch\)"):
        load_weights(saved(tmp_path / "epoch.pth", {"epoch": 3}))
    with pytest.raises(InferenceError, match="holds a list, no dictionary"):
        load_weights(saved(tmp_path / "list.pth", [1, 2]))


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_not_finite_are_named(tmp_path, network, value):
    network[0].weight.data[1, 2] = value
    with pytest.raises(InferenceError, match=r"1 of 7 weights are NaN or infinite, first 0.weight; training"):
        load_weights(saved(tmp_path / "weights.pth", network.state_dict()))


def test_weights_are_copied_into_the_network(tmp_path, network):
    path = saved(tmp_path / "weights.pth", network.state_dict())
    other = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    fill(other, load_weights(path), path)
    path.unlink()
    assert torch.equal(other[0].weight, network[0].weight)


def test_another_architecture_names_what_differs(tmp_path, network):
    path = saved(tmp_path / "weights.pth", network.state_dict())
    other = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    message = r"another architecture \(2 missing: 2.weight, 2.bias; 5 unknown: 1.weight, 1.bias, 1.running_mean ...; "
    with pytest.raises(InferenceError, match=message + r"1 of another shape: 0.weight is \(2, 3\), not \(2, 4\)\)"):
        fill(other, load_weights(path), path)


def test_several_threads_may_read_at_once(tmp_path):
    paths = [saved(tmp_path / f"{number}.pth", {"epoch": np.int64(number)}) for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        assert [content["epoch"] for content in threads.map(load_checkpoint, paths)] == list(range(40))
