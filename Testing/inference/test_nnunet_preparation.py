"""Preparing a case: what is handed to the network, where it lies, and which cases are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from nnunet_results import simulated_case, write_results
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager

from BraTSRefineLib.inference import InferenceError
from BraTSRefineLib.inference.nnunet_model import open_nnunet
from BraTSRefineLib.inference.nnunet_resampling import resampled_probabilities

IMAGES = simulated_case((18, 22, 20), spacing=(1.0, 1.0, 1.5))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return open_nnunet(write_results(tmp_path_factory.mktemp("results")))[0]


@pytest.fixture(scope="module")
def turned(tmp_path_factory):
    """A model with other axes whose reader reverses two of them."""
    folder = tmp_path_factory.mktemp("turned")
    settings = {"transpose": (2, 0, 1), "spacing": (1.5, 1.0, 1.0), "reader": "NibabelIOWithReorient"}
    return open_nnunet(write_results(folder, **settings))[0]


def changed(channel: str, image: np.ndarray):
    return replace(IMAGES, channels={**IMAGES.channels, channel: image})


def test_the_box_holds_the_brain_and_nothing_is_resampled(model):
    prepared = model.prepare(simulated_case())
    brain = np.any([image != 0 for image in simulated_case().channels.values()], axis=0)
    inside = np.zeros_like(brain)
    inside[prepared.box] = True
    assert not (brain & ~inside).any()
    assert prepared.data.shape == (4, *(part.stop - part.start for part in prepared.box))
    assert prepared.data.dtype == torch.float32 and prepared.data.is_contiguous()


def test_values_come_back_as_a_view_where_nothing_is_resampled(model):
    prepared = model.prepare(simulated_case())
    values = torch.rand(2, *prepared.data.shape[1:])
    assert prepared.to_box(values).data_ptr() == values.data_ptr()


def test_resampled_values_come_back_in_the_size_of_the_box(model):
    prepared = model.prepare(IMAGES)
    values = torch.rand(2, *prepared.data.shape[1:])
    sides = tuple(part.stop - part.start for part in prepared.box)
    assert prepared.to_box(values).shape == (2, *sides) != values.shape


def test_the_image_itself_comes_back_where_it_lay(turned):
    prepared = turned.prepare(IMAGES)
    back = prepared.to_box(prepared.data).numpy()
    image = np.stack([IMAGES.channels[channel][prepared.box] for channel in ("t1n", "t1c", "t2w", "t2f")])
    for normalised, original in zip(back, image, strict=True):
        brain = original != 0
        assert np.corrcoef(normalised[brain], original[brain])[0, 1] > 0.999


def test_spacing_and_axes_are_those_of_the_prepared_data(turned):
    prepared = turned.prepare(IMAGES)
    assert prepared.axes == (2, 0, 1)
    assert prepared.spacing == (1.5, 1.0, 1.0)


def test_slices_keep_their_distance_in_2d(tmp_path):
    prepared = open_nnunet(write_results(tmp_path, "2d", spacing=(9.0, 1.2, 1.3)))[0].prepare(
        simulated_case((18, 22, 20), spacing=(2.5, 1.0, 1.0))
    )
    assert prepared.spacing == (2.5, 1.2, 1.3)


def test_a_case_is_left_as_it_was(model):
    before = {channel: image.copy() for channel, image in IMAGES.channels.items()}
    model.prepare(IMAGES)
    for channel, image in IMAGES.channels.items():
        np.testing.assert_array_equal(image, before[channel])


def test_integer_images_are_taken(model):
    whole = {channel: image.astype(np.int16) for channel, image in IMAGES.channels.items()}
    assert torch.isfinite(model.prepare(replace(IMAGES, channels=whole)).data).all()


def test_a_missing_channel_is_named(model):
    images = replace(IMAGES, channels={name: image for name, image in IMAGES.channels.items() if name != "t1c"})
    with pytest.raises(InferenceError, match=r"simulated: no t1c \(there are t1n, t2w, t2f\)"):
        model.prepare(images)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_image_that_is_not_finite_is_refused(model, value):
    image = IMAGES.channels["t2w"].copy()
    image[3, 4, 5] = value
    with pytest.raises(InferenceError, match="simulated: t2w holds NaN or infinity"):
        model.prepare(changed("t2w", image))


def test_an_empty_brain_is_refused(model):
    with pytest.raises(InferenceError, match="simulated: t2f is zero everywhere, an empty brain"):
        model.prepare(changed("t2f", np.zeros(IMAGES.shape)))


def test_an_image_on_another_grid_is_refused(model):
    with pytest.raises(InferenceError, match=r"simulated: t1n has shape \(3, 3, 3\), not \(18, 22, 20\)"):
        model.prepare(changed("t1n", np.ones((3, 3, 3))))


def test_a_reader_whose_axes_are_unknown_is_refused(tmp_path):
    (model,) = open_nnunet(write_results(tmp_path, reader="Tiff3DIO"))
    with pytest.raises(InferenceError, match=r"plans.json: images were read by Tiff3DIO"):
        model.prepare(IMAGES)


def test_a_cascade_appends_one_channel_a_label_and_asks_for_the_label_map(tmp_path):
    write_results(tmp_path, "3d_lowres")
    (model,) = open_nnunet(write_results(tmp_path, "3d_cascade_fullres"))
    images = simulated_case()
    labels = np.zeros(images.shape, np.uint8)
    labels[10:14, 12:16, 14:18] = 3
    prepared = model.prepare(images, labels)
    np.testing.assert_array_equal(prepared.to_box(prepared.data[6:])[0].numpy(), labels[prepared.box] == 3)
    assert not prepared.data[4:6].any()
    with pytest.raises(InferenceError, match=r"simulated: a cascade needs the label map of 3d_lowres.*no label map"):
        model.prepare(images)
    with pytest.raises(InferenceError, match=r"got a label map of shape \(2, 2, 2\)"):
        model.prepare(images, np.zeros((2, 2, 2), np.uint8))


@pytest.mark.parametrize("shape", [(9, 14, 6), (5, 8, 20)])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (5.0, 1.0, 1.0), (1.0, 1.0, 4.0)])
@pytest.mark.parametrize("separate", [None, False])
def test_resampling_back_equals_nnunet(shape, spacing, separate):
    settings = {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": separate}
    configuration = ConfigurationManager(
        {
            "architecture": {},
            "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
            "resampling_fn_probabilities_kwargs": settings,
        }
    )
    values = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 7, 8, 9)).astype(np.float32))
    wanted = [mm * old / new for mm, old, new in zip(spacing, (7, 8, 9), shape, strict=True)]
    theirs = configuration.resampling_fn_probabilities(values, shape, spacing, wanted)
    ours = resampled_probabilities(values, shape, spacing, wanted, configuration)
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-5)


def test_another_resampling_is_nnunets_own():
    configuration = ConfigurationManager(
        {
            "architecture": {},
            "resampling_fn_probabilities": "resample_torch_fornnunet",
            "resampling_fn_probabilities_kwargs": {"is_seg": False, "force_separate_z": False},
        }
    )
    values = torch.rand(2, 7, 8, 9)
    theirs = configuration.resampling_fn_probabilities(values, (9, 14, 6), [1.0] * 3, [1.0] * 3)
    ours = resampled_probabilities(values, (9, 14, 6), [1.0] * 3, [1.0] * 3, configuration)
    assert torch.equal(ours, theirs)
