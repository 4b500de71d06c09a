"""Images reach a network as MONAI's own transforms would bring them there, and find their way back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from described_networks import IDENTITY, TURNED, a_brain, as_monai
from monai.transforms import (
    CropForeground,
    LoadImage,
    NormalizeIntensity,
    Orientation,
    ScaleIntensityRangePercentiles,
    Spacing,
)

from BraTSRefineLib.cohort import read_geometry, read_image
from BraTSRefineLib.inference import CaseImages, InferenceError
from BraTSRefineLib.inference.monai_description import Preprocessing
from BraTSRefineLib.inference.monai_preparation import prepared_case

CHANNELS = ("t1c", "t1n", "t2w", "t2f")
SAGITTAL = (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)


def prepared(images, **settings):
    return prepared_case(images, CHANNELS, Preprocessing(**settings))


@pytest.mark.parametrize("direction", [IDENTITY, TURNED, SAGITTAL])
@pytest.mark.parametrize("orientation", ["RAS", "LPS", "SPL", "ASR"])
def test_orientation_is_monais(direction, orientation):
    images = a_brain(direction=direction)
    expected = Orientation(orientation, labels=None)(as_monai(images))
    found = prepared(images, orientation=orientation, normalisation="none")
    assert torch.equal(found.data, expected.as_tensor())


def test_stored_orientation_is_x_y_z_as_a_file_has_it():
    images = a_brain(direction=TURNED)
    assert torch.equal(prepared(images, normalisation="none").data, as_monai(images).as_tensor())


@pytest.mark.parametrize("dataset", ["brats2023-ssa", "brats2021"])
def test_a_real_file_reaches_the_network_as_monai_reads_it(real_data, dataset):
    """Their arrays run in opposite directions along x and y."""
    path = next((real_data / dataset / "cases").glob("*/*[-_]t1c*.nii.gz"))
    images = CaseImages("real", {"t1c": read_image(path)}, read_geometry(path))
    expected = Orientation("RAS", labels=None)(LoadImage(ensure_channel_first=True)(path))
    found = prepared_case(images, ["t1c"], Preprocessing("RAS", normalisation="none"))
    assert torch.equal(found.data, expected.as_tensor())


@pytest.mark.parametrize("orientation", ["stored", "RAS", "SPL"])
@pytest.mark.parametrize("crop", [False, True])
def test_what_was_turned_and_cropped_finds_its_way_back_exactly(orientation, crop):
    images = a_brain(direction=TURNED)
    case = prepared(images, orientation=orientation, crop=crop, normalisation="none")
    back = np.zeros((4, *images.shape), np.float32)
    back[(slice(None), *case.box)] = case.to_box(case.data).numpy()
    assert np.array_equal(back, np.stack([images.channels[channel] for channel in CHANNELS]))


def test_crop_is_monais():
    images = a_brain()
    found = prepared(images, crop=True, normalisation="none")
    assert torch.equal(found.data, CropForeground()(as_monai(images)).as_tensor())
    assert found.box == (slice(2, 15), slice(1, 20), slice(3, 19))


@pytest.mark.parametrize(
    ("rule", "transform"),
    [
        ("nonzero", NormalizeIntensity(nonzero=True, channel_wise=True)),
        ("whole", NormalizeIntensity(nonzero=False, channel_wise=True)),
        ("percentile", ScaleIntensityRangePercentiles(0.5, 99.5, 0, 1, clip=True, channel_wise=True)),
        ("none", lambda images: images),
    ],
)
def test_normalisation_is_monais(rule, transform):
    images = a_brain()
    found = prepared(images, normalisation=rule)
    assert torch.allclose(found.data, transform(as_monai(images)).as_tensor(), rtol=1e-6, atol=1e-6)
    assert found.data.dtype == torch.float32


def test_images_of_the_case_are_not_changed():
    images = a_brain()
    before = images.channels["t1c"].copy()
    prepared(images, orientation="SPL")
    assert np.array_equal(images.channels["t1c"], before)


def test_a_channel_of_one_value_is_not_divided_by_zero():
    images = a_brain()
    images.channels["t1c"][:] = np.where(images.channels["t1c"] > 0, 7, 0)
    for rule in ("nonzero", "percentile"):
        assert prepared(images, normalisation=rule).data.isfinite().all()


def test_an_empty_channel_beside_others_stays_empty():
    images = a_brain()
    images.channels["t2w"][:] = 0
    assert not prepared(images, normalisation="nonzero").data[2].any()


def test_resampling_is_monais():
    images = a_brain(spacing=(1.0, 1.2, 2.0), direction=TURNED)
    expected = Spacing([1.5, 1.5, 1.5])(Orientation("RAS", labels=None)(as_monai(images)))
    expected = NormalizeIntensity(nonzero=True, channel_wise=True)(expected)
    found = prepared(images, orientation="RAS", spacing=(1.5, 1.5, 1.5))
    assert found.data.shape == expected.shape
    assert torch.allclose(found.data, expected.as_tensor(), rtol=1e-5, atol=1e-5)
    assert (found.spacing, found.axes) == ((1.5, 1.5, 1.5), (2, 1, 0))


def test_resampled_values_come_back_as_monai_inverts_them():
    images = a_brain(spacing=(1.0, 1.2, 2.0), direction=TURNED)
    orient, space = Orientation("RAS", labels=None), Spacing([1.5, 1.5, 1.5])
    fine = space(orient(as_monai(images)))
    expected = orient.inverse(space.inverse(fine.clone())).as_tensor().permute(0, 3, 2, 1)
    found = prepared(images, orientation="RAS", spacing=(1.5, 1.5, 1.5), normalisation="none")
    back = found.to_box(found.data)
    assert back.shape == (4, *images.shape)
    assert torch.allclose(back, expected, rtol=1e-5, atol=1e-3)


def test_a_spacing_that_the_case_has_resamples_nothing():
    images = a_brain(spacing=(1.0, 1.0, 1.0005))
    as_stored, found = prepared(images), prepared(images, spacing=(1.0, 1.0, 1.0))
    assert torch.equal(found.data, as_stored.data)
    assert found.to_box(found.data).data_ptr() == found.data.data_ptr()


def test_spacing_follows_the_axes_of_the_network():
    case = prepared(a_brain(spacing=(1.0, 2.0, 3.0)), orientation="SPL")
    assert (case.spacing, case.axes) == ((3.0, 2.0, 1.0), (0, 1, 2))


def test_a_missing_channel_is_named():
    images = a_brain()
    images = replace(images, channels={name: images.channels[name] for name in ("t1n", "t2w")})
    with pytest.raises(InferenceError, match="case: no image of t1c, t2f \\(there: t1n, t2w\\)"):
        prepared(images)


def test_an_empty_brain_is_refused():
    images = a_brain()
    for voxels in images.channels.values():
        voxels[:] = 0
    with pytest.raises(InferenceError, match="case: the images are 0 everywhere"):
        prepared(images)


def test_nan_is_refused():
    images = a_brain()
    images.channels["t2f"][3, 3, 3] = np.nan
    with pytest.raises(InferenceError, match="case: t2f holds NaN"):
        prepared(images)
