"""A MONAI bundle is read as data: what it says is used, what it would run is not."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from described_networks import SEGRESNET, TURNED, a_brain, built, entries, on_disk, traced, written
from small_bundles import INFERENCE, METADATA, NORMALISE, TRAINING, a_bundle, composed
from small_models import CPU

from BraTSRefineLib.inference import InferenceError, Window
from BraTSRefineLib.inference.models import found_models, open_models
from BraTSRefineLib.inference.monai_bundle import is_bundle, read_bundle
from BraTSRefineLib.inference.monai_description import Preprocessing
from BraTSRefineLib.inference.predict import predict_case


def refusal(folder: Path) -> str:
    with pytest.raises(InferenceError) as refused:
        read_bundle(folder)
    return str(refused.value)


def test_a_bundle_of_the_model_zoos_layout_is_understood(tmp_path):
    folder = a_bundle(tmp_path / "brats", training=TRAINING)
    found = read_bundle(folder)
    assert (found.name, found.network) == ("brats", "SegResNet")
    assert found.arguments == {**SEGRESNET, "dropout_prob": 0.2}
    assert found.weights == (folder / "models" / "model.pt",)
    assert found.channels == ("t1c", "t1n", "t2w", "t2f")
    assert (found.output, found.regions) == ("sigmoid", ("TC", "WT", "ET"))
    assert found.window == Window((16, 16, 16), 0.5, "monai", "constant", multiple=(2, 2, 2))
    assert found.preprocessing == Preprocessing("RAS", None, False, "nonzero")
    assert found.mirrored == (0,)


def test_a_bundle_predicts_as_the_yaml_that_says_the_same(tmp_path):
    _, path = on_disk(tmp_path, blending="constant")
    images = a_brain(direction=TURNED)
    expected = predict_case(images, open_models(path), device="cpu")
    found = predict_case(images, open_models(a_bundle(tmp_path / "bundle")), device="cpu")
    assert np.array_equal(found.probability, expected.probability)


def test_configurations_may_be_yaml(tmp_path):
    folder = a_bundle(tmp_path / "bundle")
    (folder / "configs" / "inference.json").unlink()
    (folder / "configs" / "inference.yaml").write_text(yaml.safe_dump(INFERENCE))
    assert is_bundle(folder)
    assert read_bundle(folder).network == "SegResNet"


def test_torchscript_is_taken_where_there_are_no_weights(tmp_path):
    folder = a_bundle(tmp_path / "bundle", network_def="$import_of_something()")
    (folder / "models" / "model.pt").unlink()
    traced(built("SegResNet", SEGRESNET), folder / "models" / "model.ts")
    (model,) = open_models(folder)
    assert model.network(CPU)(torch.zeros(1, 4, 16, 16, 16)).shape == (1, 3, 16, 16, 16)


def test_crop_spacing_and_gaussian_blending_are_read(tmp_path):
    steps = composed(
        {"_target_": "EnsureChannelFirstd", "keys": "image"},
        {"_target_": "Orientationd", "keys": "image", "axcodes": "LPS"},
        {"_target_": "CropForegroundd", "keys": "image", "source_key": "image"},
        {"_target_": "Spacingd", "keys": ["image"], "pixdim": [1.5, 1.5, 2.0], "mode": ["bilinear"]},
        {"_target_": "NormalizeIntensityd", "keys": "image", "channel_wise": True},
    )
    inferer = {"_target_": "SlidingWindowInferer", "roi_size": 32, "mode": "gaussian"}
    found = read_bundle(a_bundle(tmp_path / "bundle", preprocessing=steps, inferer=inferer))
    assert found.preprocessing == Preprocessing("LPS", (1.5, 1.5, 2.0), True, "whole")
    assert found.window == Window((32, 32, 32), 0.75, "monai", "gaussian", multiple=(2, 2, 2))


def test_a_transform_that_is_disabled_counts_for_nothing(tmp_path):
    unknown = {"_target_": "Lambdad", "func": "$f", "_disabled_": True}
    steps = composed(unknown, {**NORMALISE, "_disabled_": False})
    found = read_bundle(a_bundle(tmp_path / "bundle", preprocessing=steps))
    assert found.preprocessing == Preprocessing("stored", None, False, "nonzero")


def test_softmax_labels_are_known_by_their_names(tmp_path):
    names = {"0": "background", "1": "edema", "2": "non-enhancing tumor", "3": "enhancing tumour"}
    metadata = {"network_data_format": {**METADATA["network_data_format"], "outputs": {"pred": {"channel_def": names}}}}
    network = {"_target_": "SegResNet", **SEGRESNET, "out_channels": 4}
    steps = composed({"_target_": "Activationsd", "keys": "pred", "softmax": True})
    found = read_bundle(a_bundle(tmp_path / "b", metadata, network_def=network, postprocessing=steps))
    assert (found.output, found.output_channels) == ("softmax", 4)
    assert {region: set(parts) for region, parts in found.labels.regions.items()} == {
        "WT": {1, 2, 3},
        "TC": {2, 3},
        "ET": {3},
    }


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"network_def": {"_target_": "torch.hub.load", "repo": "x"}}, "its network is 'torch.hub.load'"),
        ({"network_def": {"_target_": "os.system", "command": "true"}}, "its network is 'os.system'"),
        ({"network_def": {"_target_": "scripts.net.MyNet"}}, "its network is 'scripts.net.MyNet'"),
        ({"network_def": {"_target_": "EfficientNetBN"}}, "unknown network 'EfficientNetBN'"),
        ({"network_def": {**INFERENCE["network_def"], "_mode_": "debug"}}, "_mode_"),
        ({"network_def": {**INFERENCE["network_def"], "in_channels": "$os.getpid()"}}, "holds '\\$os.getpid"),
        ({"network_def": {**INFERENCE["network_def"], "in_channels": "%train.json::n"}}, "holds '%train"),
        ({"network_def": "$make()"}, "no network is defined as data"),
        ({"patch": "@patch"}, "references run in a circle"),
        ({"patch": "@nowhere"}, "'@nowhere' refers to nothing"),
        ({"inferer": {"_target_": "SimpleInferer"}}, "no SlidingWindowInferer"),
        ({"inferer": "$monai.inferers.SlidingWindowInferer(96)"}, "no SlidingWindowInferer"),
        ({"inferer": {**INFERENCE["inferer"], "roi_size": "$[16] * 3"}}, "expressions are not run"),
        ({"inferer": {**INFERENCE["inferer"], "sigma_scale": 0.25}}, "a sigma_scale"),
        ({"preprocessing": "$compose()"}, "its preprocessing is no list"),
        ({"preprocessing": composed({"_target_": "Lambdad", "func": "$f"})}, "'Lambdad', which is not understood"),
        ({"preprocessing": composed({"_target_": "ScaleIntensityd"})}, "'ScaleIntensityd', which is not understood"),
        ({"preprocessing": composed({**NORMALISE, "channel_wise": False})}, "not channel_wise"),
        ({"preprocessing": composed({**NORMALISE, "nonzero": "$True"})}, "expressions are not run"),
        ({"preprocessing": composed(NORMALISE, {"_target_": "Spacingd", "pixdim": 1})}, "not in the order"),
        ({"preprocessing": composed({"_target_": "Spacingd", "pixdim": 1, "mode": 3}, NORMALISE)}, "plain trilinear"),
        ({"preprocessing": composed({"_target_": "CropForegroundd", "margin": 5})}, "a margin"),
        ({"preprocessing": composed({**NORMALISE, "_disabled_": "$True"})}, "neither true nor false"),
        ({"postprocessing": composed({"_target_": "AsDiscreted", "argmax": True})}, "no Activations"),
        (
            {"postprocessing": composed({"_target_": "Activationsd", "sigmoid": True, "_disabled_": True})},
            "no Activations",
        ),
        ({"postprocessing": composed({"_target_": "Activationsd", "other": "$f"})}, "expressions are not run"),
        ({"postprocessing": composed({"_target_": "Activationsd"})}, "neither sigmoid nor softmax"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_a_way_out(tmp_path, changed, message):
    with pytest.raises(InferenceError, match=message):
        read_bundle(a_bundle(tmp_path / "bundle", **changed))


def test_the_way_out_of_a_bundle_that_is_not_understood_is_the_yaml(tmp_path):
    assert "describe the network in a YAML file instead" in refusal(a_bundle(tmp_path / "b", inferer={}))


def test_nothing_in_a_malicious_bundle_is_run(tmp_path, monkeypatch):
    marker = tmp_path / "it ran"
    run = f"$__import__('os').mkdir('{marker}')"
    call = {"_target_": "os.mkdir", "path": str(marker)}
    everywhere = {
        "imports": [f"$import os; os.mkdir('{marker}')", run],
        "run": run,
        "initialize": [run, call],
        "handlers": [call],
        "dataset": call,
        "evaluating": [run],
    }
    folder = a_bundle(tmp_path / "bundle", training={"run": run, "handlers": [call], **TRAINING}, **everywhere)
    (model,) = open_models(folder)
    model.network(CPU)
    assert predict_case(a_brain(), [model], device="cpu").probability.shape[0] == 3
    for key in ("network_def", "inferer", "preprocessing", "postprocessing"):
        for attack in (run, call, {"_target_": "Compose", "transforms": [call]}):
            where = tmp_path / f"{key}-{len(str(attack))}"
            with pytest.raises(InferenceError):
                open_models(a_bundle(where, **{**everywhere, key: attack}))
    assert not marker.exists()


def test_pickled_weights_are_refused_and_not_run(tmp_path):
    folder = a_bundle(tmp_path / "bundle")
    marker = tmp_path / "it ran"

    class Attack:
        def __reduce__(self):
            return os.mkdir, (str(marker),)

    torch.save({"state_dict": Attack()}, folder / "models" / "model.pt")
    with pytest.raises(InferenceError, match=r"model\.pt: not loaded"):
        open_models(folder)[0].network(CPU)
    assert not marker.exists()


def test_a_bundle_without_its_weights_says_where_they_are_named(tmp_path):
    folder = a_bundle(tmp_path / "bundle")
    (folder / "models" / "model.pt").unlink()
    assert "large_files.yml" in refusal(folder)
    assert "large_files.yml" in found_models(folder)[0].problem


@pytest.mark.parametrize(
    ("side", "names", "message"),
    [
        ("inputs", {"0": "T1c", "1": "CT"}, "channels"),
        ("inputs", None, "no channel_def of one image in inputs"),
        ("outputs", {"0": "liver", "1": "spleen", "2": "kidney"}, "liver, spleen, kidney are not named as regions"),
        ("outputs", {"1": "Whole tumor"}, "no channel_def of one image in outputs"),
    ],
)
def test_channels_that_the_metadata_do_not_name_are_told(tmp_path, side, names, message):
    formats = {**METADATA["network_data_format"], side: {"port": {"channel_def": names} if names else {}}}
    assert message in refusal(a_bundle(tmp_path / "bundle", {"network_data_format": formats}))


def test_a_damaged_configuration_is_told(tmp_path):
    folder = a_bundle(tmp_path / "bundle")
    (folder / "configs" / "inference.json").write_text("{")
    assert "inference.json: not readable as JSON" in refusal(folder)


def test_a_yaml_may_use_the_weights_of_a_bundle(tmp_path):
    a_bundle(tmp_path / "bundle", inferer={})
    path = written(tmp_path, entries(weights="bundle/models/model.pt"))
    assert open_models(path)[0].network(CPU) is not None
