"""Input channels and regions as dataset.json states them."""

from __future__ import annotations

import json

import pytest
from nnunet_results import write_results

from BraTSRefineLib.inference import InferenceError
from BraTSRefineLib.inference.nnunet_folder import found_models
from BraTSRefineLib.inference.nnunet_head import head_of, input_channels
from BraTSRefineLib.regions import CONVENTIONS, label_convention

POST_TREATMENT = {"background": 0, "NETC": 1, "SNFH": 2, "ET": 3, "RC": 4}


@pytest.fixture
def found(tmp_path):
    """What a results folder of these settings says; its fold is empty, for no network is asked."""

    def of(**settings):
        model = write_results(tmp_path, folds=(), **settings)
        (model / "fold_0").mkdir(exist_ok=True)
        return found_models(model)[0]

    return of


def test_channels_are_ours_in_the_order_of_the_network(found):
    assert input_channels(found(channels=("FLAIR", "T1w", "T1Gd", "t2w"))) == ("t2f", "t1n", "t1c", "t2w")


def test_an_unknown_channel_is_named(found):
    with pytest.raises(InferenceError, match=r"channel 0001, CT is none of t1n.*rename it there .*by position"):
        input_channels(found(channels=("T1", "0001", "CT", "FLAIR")))


def test_channels_can_be_stated_by_position(found):
    configuration = found(channels=("0000", "0001"))
    assert input_channels(configuration, ("t1c", "t2f")) == ("t1c", "t2f")
    with pytest.raises(InferenceError, match="2 channels, 1 stated"):
        input_channels(configuration, ("t1c",))


def test_a_channel_named_twice_is_refused(found):
    with pytest.raises(InferenceError, match="name one twice"):
        input_channels(found(channels=("T1", "T1w")))


def test_a_description_without_channels_is_refused(found):
    with pytest.raises(InferenceError, match="names no channels"):
        input_channels(found(channels=()))


def test_softmax_channels_of_a_region_are_its_labels(found):
    head = head_of(found())
    assert (head.kind, head.channels, head.order) == ("softmax", 4, ())
    assert {region: set(channels) for region, channels in head.regions.items()} == {
        "WT": {1, 2, 3},
        "TC": {1, 3},
        "ET": {3},
    }
    assert head.convention == CONVENTIONS["brats2023"]


def test_sigmoid_channels_are_the_regions_as_written(found):
    head = head_of(found(regions=True))
    assert (head.kind, head.channels, head.order) == ("sigmoid", 3, (2, 1, 3))
    assert head.regions == {"WT": (0,), "TC": (1,), "ET": (2,)}


def test_the_resection_cavity_is_a_region_of_its_own(found):
    head = head_of(found(labels=POST_TREATMENT))
    assert head.regions["RC"] == (4,)
    assert head.convention == CONVENTIONS["brats2024-gli"]


def test_regions_keep_the_cavity_that_they_name(found):
    labels = {"background": 0, "RC": [4], "whole tumor": [1, 2, 3], "tumor core": [1, 3], "enhancing tumor": [3]}
    head = head_of(found(labels=labels))
    assert head.regions == {"WT": (1,), "TC": (2,), "ET": (3,), "RC": (0,)}


def test_labels_that_name_no_tumour_are_refused_with_a_way_out(found):
    with pytest.raises(InferenceError, match=r"its labels \(liver\) name no tumour regions; rename .* or state"):
        head_of(found(labels={"background": 0, "liver": 1}))


def test_a_stated_convention_replaces_the_names(found):
    labels = {"background": 0, "a": 1, "b": 2, "c": 3}
    assert head_of(found(labels=labels), label_convention("NCR=3,ED=2,ET=1")).regions["ET"] == (1,)
    with pytest.raises(InferenceError, match=r"convention brats2021 has label 4 that the network does not know"):
        head_of(found(labels=labels), label_convention("brats2021"))


def test_labels_with_a_gap_are_refused(found):
    with pytest.raises(InferenceError, match=r"labels \[0, 1, 2, 4\] have a gap"):
        head_of(found(labels={"background": 0, "NCR": 1, "ED": 2, "ET": 4}))


def test_the_order_of_painting_must_name_every_region(found):
    configuration = found(regions=True)
    path = configuration.path / "dataset.json"
    stated = json.loads(path.read_text())
    del stated["regions_class_order"]
    path.write_text(json.dumps(stated))
    with pytest.raises(InferenceError, match="regions_class_order names 0 labels for 3 regions"):
        head_of(found_models(configuration.path)[0])
