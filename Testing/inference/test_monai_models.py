"""A described network predicts a case as MONAI's own pipeline does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from described_networks import (
    CHANNELS,
    DYNUNET,
    ENDS,
    SEGRESNET,
    SWIN_UNETR,
    TURNED,
    UNET,
    a_brain,
    as_monai,
    built,
    entries,
    on_disk,
    program_entries,
    traced,
    written,
)
from monai.data import MetaTensor
from monai.inferers import sliding_window_inference
from monai.transforms import Compose, CropForeground, NormalizeIntensity, Orientation, Spacing
from small_models import CPU

from BraTSRefineLib.inference import InferenceError
from BraTSRefineLib.inference.models import open_models
from BraTSRefineLib.inference.monai_description import read_description
from BraTSRefineLib.inference.monai_model import channel_order, head_of
from BraTSRefineLib.inference.predict import predict_case


def by_monai(network, images, steps, patch, activation=torch.sigmoid, mode="gaussian"):
    """Probabilities ``(channel, z, y, x)`` of MONAI's transforms, sliding window, activation and inverse."""
    transform = Compose([*steps, NormalizeIntensity(nonzero=True, channel_wise=True)])
    data = transform(as_monai(images))
    with torch.no_grad():
        logits = sliding_window_inference(data.as_tensor()[None], patch, 1, network, overlap=0.5, mode=mode)[0]
    values = MetaTensor(activation(logits), meta=data.meta, applied_operations=list(data.applied_operations))
    return transform.inverse(values).as_tensor().permute(0, 3, 2, 1).numpy()


@pytest.mark.parametrize(
    ("name", "arguments", "patch", "shape"),
    [
        ("SegResNet", SEGRESNET, (16, 16, 16), (18, 22, 20)),
        ("DynUNet", DYNUNET, (16, 16, 12), (18, 22, 20)),
        ("UNet", UNET, (16, 16, 16), (18, 22, 20)),
        ("SwinUNETR", SWIN_UNETR, (64, 32, 32), (32, 30, 64)),
    ],
)
def test_probabilities_are_those_of_monais_pipeline(tmp_path, name, arguments, patch, shape):
    network, path = on_disk(tmp_path, name, arguments, patch=list(patch))
    images = a_brain(shape, direction=TURNED)
    expected = by_monai(network, images, [Orientation("RAS", labels=None)], patch)
    found = predict_case(images, open_models(path), device="cpu")
    assert found.regions == ("WT", "TC", "ET")
    assert np.abs(found.probability - expected[[1, 0, 2]]).max() < 1e-5


@pytest.mark.parametrize(
    ("name", "arguments", "patch"),
    [
        ("SegResNetDS", {"spatial_dims": 3, "init_filters": 8, **ENDS, "blocks_down": [1, 1, 1]}, (8, 4, 4)),
        ("BasicUNet", {"spatial_dims": 3, **ENDS, "features": [4, 4, 4, 4, 4, 4]}, (32, 16, 16)),
        ("AttentionUnet", {"spatial_dims": 3, **ENDS, "channels": [4, 8], "strides": [2]}, (8, 4, 4)),
        ("VNet", ENDS, (32, 16, 16)),
        ("UNETR", {**ENDS, "img_size": [16, 16, 32], "hidden_size": 24, "mlp_dim": 48, "num_heads": 2}, (16, 16, 32)),
    ],
)
def test_every_network_of_the_list_gives_logits_of_the_patch(tmp_path, name, arguments, patch):
    network, path = on_disk(tmp_path, name, arguments, patch=list(patch))
    (model,) = open_models(path)
    tile = torch.rand(1, 4, *patch)
    with torch.no_grad():
        assert torch.equal(model.network(CPU)(tile), network(tile)[:, [1, 0, 2]])


def test_a_network_that_fails_on_its_tile_is_told(tmp_path):
    arguments = {**ENDS, "img_size": [16, 16, 32], "hidden_size": 24, "mlp_dim": 48, "num_heads": 2}
    _, path = on_disk(tmp_path, "UNETR", arguments, patch=[16, 16, 16])
    with pytest.raises(InferenceError, match=r"network\.yaml: the network fails on a tile of 1x4x16x16x16 on cpu"):
        predict_case(a_brain((16, 16, 16)), open_models(path), device="cpu")


def test_a_case_smaller_than_the_patch_is_padded_as_monai_pads_it(tmp_path):
    network, path = on_disk(tmp_path, patch=[16, 32, 24])
    images = a_brain((18, 22, 20))
    expected = by_monai(network, images, [Orientation("RAS", labels=None)], (16, 32, 24))
    found = predict_case(images, open_models(path), device="cpu")
    assert np.abs(found.probability - expected[[1, 0, 2]]).max() < 1e-5


def test_outside_of_the_crop_there_is_background(tmp_path):
    network, path = on_disk(tmp_path, crop=True)
    images = a_brain()
    expected = by_monai(network, images, [Orientation("RAS", labels=None), CropForeground()], (16, 16, 16))
    found = predict_case(images, open_models(path), device="cpu")
    box = (slice(None), slice(2, 15), slice(1, 20), slice(3, 19))
    assert np.abs(found.probability - expected[[1, 0, 2]])[box].max() < 1e-5
    outside = np.ones(found.probability.shape, bool)
    outside[box] = False
    assert not found.probability[outside].any()


def test_resampled_probabilities_are_those_of_monai_with_the_logits_inverted(tmp_path):
    """With the activation before the inverse, as bundles write it, MONAI itself differs a little beside edges."""
    network, path = on_disk(tmp_path, spacing=[1.5, 1.5, 1.5])
    images = a_brain((16, 24, 26), spacing=(1.0, 1.2, 2.0), direction=TURNED)
    steps = [Orientation("RAS", labels=None), Spacing([1.5, 1.5, 1.5])]
    logits = by_monai(network, images, steps, (16, 16, 16), torch.nn.Identity())[[1, 0, 2]]
    activated_first = by_monai(network, images, steps, (16, 16, 16))[[1, 0, 2]]
    found = predict_case(images, open_models(path), device="cpu").probability
    assert found.shape == (3, *images.shape)
    assert np.abs(found - 1 / (1 + np.exp(-logits))).max() < 1e-5
    assert np.abs(found - activated_first).mean() < 1e-3
    assert ((found > 0.5) == (activated_first > 0.5)).mean() > 0.99


def test_softmax_over_labels_adds_up_to_regions(tmp_path):
    arguments = SEGRESNET | {"out_channels": 4}
    network, path = on_disk(
        tmp_path, "SegResNet", arguments, output="softmax", regions=None, labels="NCR=2,ED=1,ET=3", blending="constant"
    )
    images = a_brain()
    steps = [Orientation("RAS", labels=None)]
    expected = by_monai(network, images, steps, (16, 16, 16), lambda logits: logits.softmax(0), "constant")
    found = predict_case(images, open_models(path), device="cpu")
    regions = np.stack([expected[1:].sum(0), expected[2:].sum(0), expected[3]])
    assert np.abs(found.probability - regions).max() < 1e-5
    assert np.array_equal(found.label_map, expected.argmax(0))


class ByIntensity(torch.nn.Module):
    """TC where T1c is above 300, WT where FLAIR is above 200, ET where T1c is above 400: channels in MONAI's order."""

    def forward(self, tiles):
        return torch.stack([tiles[:, 0] - 300, tiles[:, 3] - 200, tiles[:, 0] - 400], dim=1)


def test_output_channels_are_told_apart_by_their_names(tmp_path):
    """Nested boxes of known volume, read by a network whose channels are TC, WT, ET."""
    traced(ByIntensity(), tmp_path / "network.ts")
    described = program_entries("network.ts", normalisation="none")
    images = a_brain()
    for voxels in images.channels.values():
        voxels[:] = np.minimum(voxels, 150)
    images.channels["t2f"][3:13, 3:13, 5:15] = 250
    images.channels["t1c"][4:10, 4:10, 6:12] = 350
    images.channels["t1c"][4:7, 4:7, 6:9] = 450
    found = predict_case(images, open_models(written(tmp_path, described)), device="cpu")
    assert [int(mask.sum()) for mask in found.labels] == [1000, 216, 27]
    assert [int((values > 0.5).sum()) for values in found.probability] == [1000, 216, 27]
    assert {label: int((found.label_map == label).sum()) for label in (1, 2, 3)} == {1: 189, 2: 784, 3: 27}


@pytest.mark.parametrize(
    ("regions", "labels", "order", "painted"),
    [
        (["TC", "WT", "ET"], "brats2023", [1, 0, 2], (2, 1, 3)),
        (["ET", "TC", "WT"], "brats2021", [2, 1, 0], (2, 1, 4)),
        (["WT", "TC", "ET", "RC"], "brats2024-gli", [0, 1, 2, 3], (2, 1, 3, 4)),
        (["RC", "ET", "WT"], "brats2024-gli", [2, 1, 0], (2, 3, 4)),
        (["NETC", "TC", "ET"], "brats2024-gli", [0, 1, 2], (1, 1, 3)),
    ],
)
def test_regions_are_painted_from_the_outermost(tmp_path, regions, labels, order, painted):
    arguments = SEGRESNET | {"out_channels": len(regions)}
    description = read_description(written(tmp_path, entries(arguments=arguments, regions=regions, labels=labels)))
    head = head_of(description)
    assert channel_order(description) == order
    assert head.order == painted
    assert {region: regions[order[channel]] for region, (channel,) in head.regions.items()} == {
        region: region for region in regions
    }


def test_probabilities_of_a_network_with_an_activation_of_its_own_are_kept(tmp_path):
    network, path = on_disk(tmp_path)
    expected = predict_case(a_brain(), open_models(path), device="cpu").probability
    traced(torch.nn.Sequential(network, torch.nn.Sigmoid()), tmp_path / "activated.ts")
    described = program_entries("activated.ts", returns="probabilities")
    found = predict_case(a_brain(), open_models(written(tmp_path, described, "activated.yaml")), device="cpu")
    assert np.abs(found.probability - expected).max() < 1e-5


def test_folds_are_members_of_one_group(tmp_path):
    network, path = on_disk(tmp_path, weights=["network.pt", "other.pt"])
    torch.save(
        {"state_dict": {f"module.{key}": 2 * value for key, value in network.state_dict().items()}},
        tmp_path / "other.pt",
    )
    models = open_models(path)
    assert [model.name for model in models] == ["network/fold_0", "network/fold_1"]
    assert len({model.group for model in models}) == 1
    assert [model.name for model in open_models(path, folds=[1])] == ["network/fold_1"]
    with pytest.raises(InferenceError, match="no fold 2; it names the weights of 0, 1"):
        open_models(path, folds=[2])
    assert len(predict_case(a_brain(), models, device="cpu").members) == 2


def test_a_network_is_loaded_once_and_given_back(tmp_path):
    _, path = on_disk(tmp_path)
    (model,) = open_models(path)
    network = model.network(CPU)
    assert model.network(CPU) is network
    assert not network.training and not any(part.training for part in network.modules())
    model.release()
    assert model.network(CPU) is not network


def test_weights_loaded_during_a_prediction_can_be_adapted_later(tmp_path):
    _, path = on_disk(tmp_path)
    models = open_models(path)
    predict_case(a_brain(), models, device="cpu")
    assert not any(parameter.is_inference() for parameter in models[0].network(CPU).parameters())


def test_a_single_window_is_offered_where_the_network_takes_it(tmp_path):
    _, path = on_disk(tmp_path)
    (model,) = open_models(path)
    assert model.window.multiple == (2, 2, 2)
    found = predict_case(a_brain(), [model], device="cpu", mode="fast-window")
    assert found.probability.shape == (3, 18, 22, 20)


def test_nan_weights_are_refused(tmp_path):
    network, path = on_disk(tmp_path)
    state = network.state_dict()
    state["convInit.conv.weight"][0] = torch.nan
    torch.save(state, tmp_path / "network.pt")
    with pytest.raises(InferenceError, match=r"network\.pt: 1 of \d+ weights are NaN"):
        open_models(path)[0].network(CPU)


def test_weights_of_another_architecture_are_refused(tmp_path):
    _, path = on_disk(tmp_path)
    torch.save(torch.nn.Conv3d(4, 3, 1).state_dict(), tmp_path / "network.pt")
    with pytest.raises(InferenceError, match=r"network\.pt: weights of another architecture"):
        open_models(path)[0].network(CPU)


def test_a_pickled_network_as_weights_is_refused(tmp_path):
    network, path = on_disk(tmp_path)
    torch.save(network, tmp_path / "network.pt")
    with pytest.raises(InferenceError, match=r"network\.pt: not loaded.*save the weights alone"):
        open_models(path)[0].network(CPU)


def test_arguments_that_the_network_does_not_take_are_refused(tmp_path):
    _, path = on_disk(tmp_path)
    written(tmp_path, entries(arguments=SEGRESNET | {"depth": 4}))
    with pytest.raises(InferenceError, match=r"SegResNet cannot be built .*depth"):
        open_models(path)[0].network(CPU)


def test_another_number_of_outputs_than_named_is_told(tmp_path):
    traced(built("SegResNet", SEGRESNET), tmp_path / "three.ts")
    described = program_entries("three.ts", regions=["WT", "ET"])
    with pytest.raises(InferenceError, match="3 output channels, the description names 2"):
        predict_case(a_brain(), open_models(written(tmp_path, described)), device="cpu")


def test_channels_may_come_in_any_order(tmp_path):
    _, path = on_disk(tmp_path)
    expected = predict_case(a_brain(), open_models(path), device="cpu").probability
    network = open_models(path)[0].network(CPU).network
    weight = network.convInit.conv.weight.detach()[:, [3, 2, 1, 0]].contiguous()
    torch.save(network.state_dict() | {"convInit.conv.weight": weight}, tmp_path / "network.pt")
    written(tmp_path, entries(channels=CHANNELS[::-1]))
    found = predict_case(a_brain(), open_models(path), device="cpu").probability
    assert np.abs(found - expected).max() < 1e-5
