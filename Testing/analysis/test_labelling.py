"""Another reading of the labels is told where it fits far better, and where the stated one does not know them."""

from __future__ import annotations

import numpy as np
import pytest

from BraTSRefineLib.analysis.labelling import other_labels, reference_labels
from BraTSRefineLib.analysis.pairs import Labelled
from BraTSRefineLib.analysis.sides import Sides
from BraTSRefineLib.cohort import Geometry
from BraTSRefineLib.regions import label_convention

GRID = Geometry((56, 48, 40), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))


def written(labels, mapping):
    """The label map (brats2023) with its labels 1, 2, 3 written as other numbers."""
    table = np.zeros(256, dtype=np.uint8)
    table[[1, 2, 3]] = mapping
    return table[labels]


def sides(truth, prediction, truth_in="brats2023", prediction_in="brats2023"):
    reference, own = Labelled(truth, label_convention(truth_in)), Labelled(prediction, label_convention(prediction_in))
    return Sides("x", "net", GRID, reference, own)


@pytest.mark.parametrize(
    ("mapping", "stated", "fits"),
    [
        ((1, 2, 4), "brats2023", "brats2021"),
        ((1, 2, 3), "brats2021", "brats2023"),
        ((2, 4, 1), "brats2023", "brats2024-ped"),
        ((1, 2, 7), "brats2023", "NCR=1,ED=2,ET=7"),
    ],
)
def test_labels_that_the_stated_convention_does_not_know_come_with_the_one_that_fits(make, mapping, stated, fits):
    finding = other_labels(sides(make.tumour(), written(make.tumour(radius=11), mapping), "brats2023", stated))
    assert finding.kind == "other label convention"
    assert f"which {stated} does not know, and was not scored" in finding.message
    assert finding.message.endswith(f"state --model-labels net={fits}")


def test_four_labels_of_2013_are_known_again(make):
    seen = written(make.tumour(), (1, 2, 4))
    seen[(make.tumour() == 1) & (np.indices(seen.shape)[0] % 2 == 0)] = 3
    finding = other_labels(sides(make.tumour(), seen, "brats2023", "brats2024-gli"))
    assert finding.kind == "other label convention"
    assert finding.message.endswith("state --model-labels net=brats2013")


def test_a_known_label_that_means_another_tissue_is_told(make):
    finding = other_labels(sides(make.tumour(), written(make.tumour(), (2, 3, 1)), "brats2023", "brats2024-gli"))
    assert "the mean Dice is 1.00 instead of" in finding.message


def test_labels_that_nothing_explains_are_told_as_such(make):
    noise = np.where(make.tumour((10, 10, 10), radius=6) > 0, 9, 0).astype(np.uint8)
    finding = other_labels(sides(make.tumour(), noise))
    assert "label 9, which brats2023 does not know" in finding.message
    assert "no known convention makes it fit" in finding.message


def test_a_prediction_that_is_merely_poor_keeps_its_labels(make):
    assert other_labels(sides(make.tumour(), make.tumour((25, 30, 28), radius=9))) is None


def test_a_prediction_that_is_too_small_everywhere_keeps_its_labels(make):
    assert other_labels(sides(make.tumour(radius=10), make.tumour(radius=6))) is None


def test_a_flood_of_oedema_does_not_hide_permuted_labels(make):
    flooded = make.tumour()
    flooded[:25][flooded[:25] == 0] = 2
    finding = other_labels(sides(make.tumour(), written(flooded, (3, 1, 2))))
    assert finding.kind == "permuted labels"
    assert finding.evidence.startswith("read_as=NCR:3,ED:1,ET:2; before=WT:0.1882,TC:0.0133")


def test_a_model_without_enhancing_tumour_is_not_called_permuted(make):
    without = np.where(make.tumour() == 3, 1, make.tumour()).astype(np.uint8)
    assert other_labels(sides(make.tumour(), without)) is None


def test_a_swap_that_spoils_one_region_alone_says_so(make):
    finding = other_labels(sides(make.tumour(), written(make.tumour(radius=11), (3, 2, 1))))
    assert finding.kind == "permuted labels"
    assert finding.evidence.endswith("rests_on=one region")


def test_the_reference_may_be_the_one_of_another_convention(make):
    pair = sides(written(make.tumour(), (1, 2, 4)), make.tumour(radius=11), "brats2023", "brats2023")
    finding = reference_labels("x", [pair])
    assert finding.model == ""
    assert "its reference has label 4, which brats2023 does not know" in finding.message
    assert finding.message.endswith("state --labels brats2021")


def test_empty_maps_give_no_finding(make):
    nothing = np.zeros_like(make.tumour())
    assert other_labels(sides(nothing, nothing)) is None
    assert other_labels(sides(nothing, make.tumour())) is None
    assert other_labels(sides(make.tumour(), nothing)) is None
