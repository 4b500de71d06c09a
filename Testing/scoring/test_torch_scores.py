from math import isnan

import numpy as np
import pytest
import torch

from BraTSRefineLib.regions import REGIONS, label_convention
from BraTSRefineLib.scoring import ScoringError, compare_batch, compare_masks, metric_names

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
SPACING = (2.0, 1.0, 0.7)

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(params=DEVICES)
def device(request):
    return torch.device(request.param)


@pytest.fixture
def a_batch():
    """Reference and prediction (batch 2, region 3, z, y, x): nested balls, and every way in which one can be empty."""
    z, y, x = np.indices((14, 20, 24))
    reference, prediction = (np.zeros((2, 3, 14, 20, 24), bool) for _ in range(2))
    for region, radius in enumerate((6, 4, 2.5)):
        reference[0, region] = np.sqrt((z - 6) ** 2 + (y - 9) ** 2 + (x - 10) ** 2) < radius
        prediction[0, region] = np.sqrt((z - 7) ** 2 + (y - 9) ** 2 + (x - 12) ** 2) < radius + 1
    reference[1, 0], prediction[1, 1] = reference[0, 0], prediction[0, 1]
    prediction[0, 2, -1, -1, -1] = True
    return reference, prediction


def on(device, *arrays):
    return [torch.from_numpy(np.ascontiguousarray(array)).to(device) for array in arrays]


def assert_as_compare_masks(scores, reference, prediction, spacing, tolerance_mm=1.0, name=""):
    for index in np.ndindex(*reference.shape[:2]):
        expected = compare_masks(
            reference[index],
            prediction[index],
            spacing,
            convention="deepmind",
            tolerance_mm=tolerance_mm,
            engine="scipy",
        )
        assert list(scores) == list(expected)
        for metric, (value, _) in expected.items():
            ours = scores[metric][index].item()
            same = ours == value or (isnan(ours) and isnan(value)) or abs(ours - value) <= 1e-9
            assert same, (name, index, metric, ours, value)


def test_gives_the_numbers_of_compare_masks_on_every_kind_of_mask(fuzz_pairs, device):
    for name, reference, prediction, spacing in fuzz_pairs:
        masks = reference[None, None], prediction[None, None]
        assert_as_compare_masks(compare_batch(*on(device, *masks), spacing), *masks, spacing, name=name)


@pytest.mark.parametrize("tolerance_mm", [0.5, 1.0, 2.0])
def test_a_batch_is_scored_region_by_region(a_batch, device, tolerance_mm):
    scores = compare_batch(*on(device, *a_batch), SPACING, tolerance_mm=tolerance_mm)
    assert tuple(scores) == metric_names(tolerance_mm)
    assert {(value.shape, value.dtype, value.device.type) for value in scores.values()} == {
        (torch.Size((2, 3)), torch.float64, device.type)
    }
    assert_as_compare_masks(scores, *a_batch, SPACING, tolerance_mm)


def test_empty_masks_count_as_under_deepmind(a_batch, device):
    scores = {name: value[1].tolist() for name, value in compare_batch(*on(device, *a_batch), SPACING).items()}
    assert scores["dice"][:2] == [0, 0] and isnan(scores["dice"][2])
    assert scores["hd95_mm"] == [float("inf")] * 3
    assert all(isnan(value) for value in scores["assd_mm"])
    assert scores["volume_prediction_ml"][0] == scores["volume_reference_ml"][1] == 0


@pytest.mark.parametrize("specks", [20, 40, 60, 100])
def test_hd95_at_exactly_95_percent_falls_as_in_surface_distance(surface_distance, specks, device):
    reference = np.zeros((3, 3, 2 * specks + 40), bool)
    reference[1, 1, 1 : 2 * specks : 2] = True
    prediction = reference.copy()
    prediction[1, 1, slice(1, specks // 10, 2)] = False
    prediction[1, 1, -2] = True
    theirs = surface_distance.scores(reference, prediction, SPACING)["hd95_mm"]
    masks = on(device, reference[None, None], prediction[None, None])
    assert compare_batch(*masks, SPACING)["hd95_mm"].item() == theirs


def test_blocks_are_no_part_of_the_result(a_batch, device, monkeypatch):
    whole = compare_batch(*on(device, *a_batch), SPACING)
    monkeypatch.setattr("BraTSRefineLib.scoring.torch_surface.BLOCK", 600)
    in_blocks = compare_batch(*on(device, *a_batch), SPACING)
    assert all(torch.equal(whole[name].nan_to_num(), in_blocks[name].nan_to_num()) for name in whole)


def test_a_view_of_a_larger_tensor_is_scored_like_its_copy(a_batch, device):
    reference, prediction = on(device, *a_batch)
    turned = [masks.transpose(-1, -2).contiguous().transpose(-1, -2) for masks in (reference, prediction)]
    ours, theirs = compare_batch(*turned, SPACING), compare_batch(reference, prediction, SPACING)
    assert all(torch.equal(ours[name].nan_to_num(), theirs[name].nan_to_num()) for name in ours)


def test_a_real_case_has_the_numbers_of_compare_masks(real_data, device):
    import SimpleITK as sitk

    paths = ("cases/{0}/{0}_seg.nii.gz", "predictions/baseline_attention/{0}.nii.gz")
    files = [real_data / "brats2020" / path.format("BraTS20_Training_002") for path in paths]
    maps = [sitk.GetArrayFromImage(sitk.ReadImage(str(file))).astype(np.uint8) for file in files]
    masks = [label_convention("brats2020").masks(label_map, REGIONS[1:])[None] for label_map in maps]
    assert_as_compare_masks(compare_batch(*on(device, *masks), (1, 1, 1)), *masks, (1, 1, 1))


def masks_of(shape=(1, 1, 4, 4, 4), dtype=torch.bool):
    return torch.ones(shape, dtype=dtype)


@pytest.mark.parametrize(
    ("masks", "options", "message"),
    [
        ((masks_of(dtype=torch.uint8), masks_of()), {}, "reference: expected a boolean tensor .* torch.uint8"),
        ((masks_of(), masks_of((1, 4, 4, 4))), {}, "prediction: expected a boolean tensor"),
        ((masks_of(), np.ones((1, 1, 4, 4, 4), bool)), {}, "prediction: expected a boolean tensor .* ndarray"),
        ((masks_of(), masks_of((1, 2, 4, 4, 4))), {}, "not one grid"),
        ((masks_of((0, 3, 4, 4, 4)),) * 2, {}, "there is no mask to score"),
        ((masks_of(), masks_of().to("meta")), {}, "reference is on cpu, prediction on meta"),
        ((masks_of(), masks_of()), {"spacing": (1, 1)}, "three positive numbers"),
        ((masks_of(), masks_of()), {"tolerance_mm": -1}, "must be a distance"),
    ],
)
def test_says_what_cannot_be_scored(masks, options, message):
    with pytest.raises(ScoringError, match=message):
        compare_batch(*masks, **{"spacing": (1, 1, 1), **options})
