"""From logits to regions and labels, against nnU-Net's own label manager."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from nnunetv2.utilities.label_handling.label_handling import LabelManager
from small_models import SIGMOID, SOFTMAX

from BraTSRefineLib.inference.heads import (
    channel_probabilities,
    label_map_of,
    painted_regions,
    painting_labels,
    region_probabilities,
)
from BraTSRefineLib.regions import CONVENTIONS

OFFICIAL = {
    "softmax": LabelManager({"background": 0, "NCR": 1, "ED": 2, "ET": 3}, None),
    "sigmoid": LabelManager({"background": 0, "WT": (1, 2, 3), "TC": (1, 3), "ET": (3,)}, (2, 1, 3)),
}


def random_logits(channels: int) -> torch.Tensor:
    return 3 * torch.randn(channels, 6, 7, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("head", [SOFTMAX, SIGMOID], ids=["softmax", "sigmoid"])
def test_probabilities_and_labels_are_nnunets(head):
    logits, official = random_logits(head.channels), OFFICIAL[head.kind]
    probabilities = channel_probabilities(logits, head)
    assert (probabilities - official.apply_inference_nonlin(logits)).abs().max() < 1e-6
    label_map = label_map_of(probabilities, head)
    assert label_map.dtype == torch.uint8
    assert np.array_equal(label_map, official.convert_logits_to_segmentation(logits))


def test_the_labels_of_a_region_add_up():
    probabilities = channel_probabilities(random_logits(4), SOFTMAX)
    regions = region_probabilities(probabilities, SOFTMAX, ("WT", "ET"))
    assert (regions[0] - (1 - probabilities[0])).abs().max() < 1e-6
    assert torch.equal(regions[1], probabilities[3])
    assert regions.max() <= 1


def test_regions_are_painted_as_the_convention_paints_them():
    probability = torch.rand(3, 6, 7, 8, generator=torch.Generator().manual_seed(2))
    for name in ("brats2021", "brats2023", "brats2013", "brats2024-gli", "brats2024-ped"):
        convention = CONVENTIONS[name]
        expected = convention.paint((probability > 0.5).numpy())
        assert np.array_equal(painted_regions(probability, ("WT", "TC", "ET"), convention), expected)


@pytest.mark.parametrize(
    ("name", "regions", "expected"),
    [
        ("brats2023", ("WT",), {"WT": 2}),
        ("core-rest", ("WT", "TC"), {"WT": 2, "TC": 1}),
        ("brats2024-gli", ("WT", "TC", "ET", "RC"), {"WT": 2, "TC": 1, "ET": 3, "RC": 4}),
        ("brats2024-gli", ("WT", "TC", "ET", "RC", "NETC", "SNFH"), {"WT": 2, "TC": 1, "ET": 3, "RC": 4}),
        ("brats2024-ped", ("WT", "TC", "ET", "NETC", "CC", "ED"), {"WT": 4, "TC": 2, "ET": 1, "CC": 3}),
        ("brats2024-men-rt", ("WT", "GTV"), {"WT": 1}),
        ("brats2024-men-rt", ("GTV",), {"GTV": 1}),
    ],
)
def test_the_label_that_each_region_paints(name, regions, expected):
    painting = painting_labels(regions, CONVENTIONS[name])
    assert painting == expected
    assert list(painting) == list(expected)
