"""The YAML description of a network: what it says, and what is wrong with it."""

from __future__ import annotations

import re

import pytest
from described_networks import DYNUNET, SEGRESNET, SWIN_UNETR, UNET, entries, program_entries, written

from BraTSRefineLib.inference import InferenceError, Window
from BraTSRefineLib.inference.monai_description import Preprocessing, read_description


def read(folder, **changed):
    return read_description(written(folder, entries(**changed)))


def refusal(folder, **changed) -> str:
    with pytest.raises(InferenceError) as refused:
        read(folder, **changed)
    message = str(refused.value)
    assert message.startswith(str(folder / "network.yaml"))
    return message


def test_a_description_says_all_that_a_prediction_needs(tmp_path):
    found = read(tmp_path, spacing=[1, 1, 1.5], crop=True, mirrored=[2, 0], name="small")
    assert (found.name, found.network, found.arguments) == ("small", "SegResNet", SEGRESNET)
    assert found.weights == (tmp_path / "network.pt",)
    assert found.channels == ("t1c", "t1n", "t2w", "t2f")
    assert (found.output, found.regions, found.known_regions) == ("sigmoid", ("TC", "WT", "ET"), ("WT", "TC", "ET"))
    assert found.preprocessing == Preprocessing("RAS", (1, 1, 1.5), True, "nonzero")
    assert found.window == Window((16, 16, 16), 0.5, "monai", "gaussian", multiple=(2, 2, 2))
    assert found.mirrored == (0, 2)


def test_what_is_left_out_is_as_in_monai(tmp_path):
    found = read(tmp_path, orientation=None, overlap=None, blending=None)
    assert (found.window.step, found.window.blending) == (0.75, "constant")
    assert found.preprocessing == Preprocessing("stored", None, False, "nonzero")
    assert (found.labels.name, found.returns, found.mirrored) == ("brats2023", "logits", ())


def test_channels_are_known_by_the_names_that_people_give_them(tmp_path):
    assert read(tmp_path, channels=["FLAIR", "T1", "T1Gd", "T2"]).channels == ("t2f", "t1n", "t1c", "t2w")


@pytest.mark.parametrize(
    ("network", "arguments", "multiple"),
    [
        ("SwinUNETR", SWIN_UNETR, (32, 32, 32)),
        ("SegResNet", SEGRESNET | {"blocks_down": [1, 2, 2, 4]}, (8, 8, 8)),
        ("DynUNet", DYNUNET, (4, 4, 2)),
        ("UNet", UNET, (2, 2, 2)),
        ("UNETR", {"in_channels": 4, "out_channels": 3, "img_size": [96, 96, 96]}, None),
    ],
)
def test_sizes_that_a_network_takes_follow_from_its_arguments(tmp_path, network, arguments, multiple):
    found = read(tmp_path, network=network, arguments=arguments, patch=[96, 96, 96])
    assert found.window.multiple == multiple


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"patch": [48, 64, 64], "network": "SwinUNETR", "arguments": SWIN_UNETR}, "multiples of 32x32x32"),
        ({"patch": [32, 32, 32], "network": "SwinUNETR", "arguments": SWIN_UNETR}, "to one voxel"),
        ({"network": "os.system"}, "unknown network 'os.system'; use one of SwinUNETR"),
        ({"network": "SegResNetVAE"}, "or export yours"),
        ({"network": None}, "either 'network' with 'weights' or 'program'"),
        ({"program": "a.pt2"}, "either 'network' with 'weights' or 'program'"),
        ({"weights": None}, "'weights' names no file"),
        ({"channels": ["t1c", "t1n", "t2w", "pet"]}, "from t1n, t1c, t2w, t2f"),
        ({"channels": ["t1c", "t1c", "t2w", "t2f"]}, "name each once"),
        ({"channels": "t1c"}, "'channels' is no list"),
        ({"channels": ["t1c", "t2f"]}, "in_channels is 4, but channels t1c, t2f make 2"),
        ({"arguments": SEGRESNET | {"spatial_dims": 2}}, "the network has 2 dimensions"),
        ({"regions": ["WT", "TC"]}, "out_channels is 3, but sigmoid output make 2"),
        ({"regions": ["WT", "TC", "tumour"]}, "name each of WT, TC, ET at most once"),
        ({"regions": []}, "sigmoid without regions"),
        ({"output": None}, "'output' is missing; use one of sigmoid, softmax"),
        ({"output": "softmax"}, "say what each label is"),
        ({"output": "softmax", "labels": "brats2021"}, r"labels of brats2021 are \[1, 2, 4\]"),
        ({"labels": "brats1999"}, "unknown label convention 'brats1999'"),
        ({"normalisation": None}, "'normalisation' is missing"),
        ({"normalisation": "minmax"}, "use one of nonzero, whole, percentile, none"),
        ({"percentiles": [99, 1]}, "the lower first"),
        ({"orientation": "RAR"}, "three letters such as RAS"),
        ({"orientation": "upright"}, "three letters such as RAS"),
        ({"spacing": [1, 1]}, "give 3 numbers"),
        ({"spacing": [1, 0, 1]}, "three lengths in mm"),
        ({"patch": [16, 16]}, "give 3 numbers"),
        ({"patch": [16, 16.5, 16]}, "three whole numbers"),
        ({"overlap": 1}, "lies between 0 and 1"),
        ({"overlap": "half"}, "give a number"),
        ({"blending": "linear"}, "use one of gaussian, constant"),
        ({"crop": "yes please"}, "use true or false"),
        ({"mirrored": [3]}, "list axes of the network"),
        ({"returns": "labels"}, "use one of logits, probabilities"),
        ({"arguments": SEGRESNET | {"blocks_down": 3}}, "correct its 'arguments'"),
        ({"roi_size": [16, 16, 16]}, "unknown: roi_size; the entries are network, arguments"),
    ],
)
def test_what_is_wrong_is_named_with_a_way_out(tmp_path, changed, message):
    assert re.search(message, refusal(tmp_path, **changed))


def test_a_program_has_neither_arguments_nor_weights(tmp_path):
    described = program_entries("a.pt2") | {"weights": "a.pt"}
    with pytest.raises(InferenceError, match="remove 'weights' and 'arguments'"):
        read_description(written(tmp_path, described))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"network: [unclosed", "not readable as YAML"),
        (b"\xff\xfe\x00 not text", "not readable as YAML"),
        (b"Dear reader, this is a letter", "describes no network"),
        (b"network: !!python/object/apply:os.system ['true']", "not readable as YAML"),
    ],
)
def test_a_file_that_is_no_description_is_told(tmp_path, content, message):
    (tmp_path / "network.yaml").write_bytes(content)
    with pytest.raises(InferenceError, match=message):
        read_description(tmp_path / "network.yaml")
