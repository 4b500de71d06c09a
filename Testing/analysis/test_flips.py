"""Arrays that run along other axes than the truth's are found, with what was exchanged."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from BraTSRefineLib.analysis.flips import flipped_prediction
from BraTSRefineLib.analysis.pairs import CaseReader, Labelled
from BraTSRefineLib.analysis.sides import Sides
from BraTSRefineLib.cohort import Geometry, discover
from BraTSRefineLib.regions import label_convention

LABELS = label_convention("brats2023")
PLACE = (14, 32, 19)
"""Off the middle of the array on every axis."""


def grid(shape, direction=(1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)):
    return Geometry(shape[::-1], (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), direction)


def checked(truth, prediction, geometry=None):
    own = Labelled(np.ascontiguousarray(prediction), LABELS)
    return flipped_prediction(Sides("x", "net", geometry or grid(truth.shape), Labelled(truth, LABELS), own))


@pytest.mark.parametrize(
    ("turned", "words"),
    [
        (np.s_[:, :, ::-1], "its left and right look exchanged (array axis x reversed about the volume's middle)"),
        (np.s_[:, ::-1, :], "its front and back look exchanged (array axis y reversed"),
        (np.s_[::-1, :, :], "its top and bottom look exchanged (array axis z reversed"),
        (np.s_[:, ::-1, ::-1], "its left and right, and front and back look exchanged (array axes x and y reversed"),
    ],
)
def test_a_mirrored_prediction_is_found(make, turned, words):
    finding = checked(make.tumour(PLACE, radius=10), make.tumour(PLACE, radius=9.5)[turned])
    assert finding.kind == "flipped axes"
    assert finding.message.startswith(words)
    assert "to 0.94, TC" in finding.message


def test_the_axes_are_named_by_the_header(make):
    along_p = grid(make.tumour().shape, (0, 1.0, 0, 1.0, 0, 0, 0, 0, 1.0))
    finding = checked(make.tumour(PLACE, radius=10), make.tumour(PLACE, radius=10)[:, :, ::-1], along_p)
    assert finding.message.startswith("its front and back look exchanged (array axis x reversed")


def test_a_mirror_about_the_brains_middle_is_found(make):
    mirrored = np.roll(make.tumour(PLACE, radius=10)[:, :, ::-1], -4, axis=2)
    finding = checked(make.tumour(PLACE, radius=10), mirrored)
    assert "reversed about a plane beside the volume's middle" in finding.message
    assert "offset_zyx=0,0,-4" in finding.evidence


@pytest.mark.parametrize("order", [order for order in permutations(range(3)) if order != (0, 1, 2)])
def test_exchanged_axes_are_found_where_the_shape_allows(order):
    truth = np.zeros((32, 32, 32), dtype=np.uint8)
    truth[3:15, 8:14, 20:29] = 2
    truth[5:12, 9:12, 22:27] = 1
    truth[5:9, 9:12, 22:25] = 3
    finding = checked(truth, truth.transpose(order))
    assert finding.message.startswith("its array axes look exchanged")
    assert "WT 0." in finding.message and "to 1.00" in finding.message


def test_a_prediction_in_its_place_is_not_turned(make):
    assert checked(make.tumour(PLACE), make.tumour(PLACE, radius=10)) is None


def test_a_prediction_of_another_place_is_not_called_flipped(make):
    assert checked(make.tumour((14, 32, 19), radius=10), make.tumour((20, 14, 40), radius=6)) is None


def test_a_round_tumour_beside_its_place_is_not_called_flipped(make):
    assert checked(make.tumour(radius=8), np.roll(make.tumour(radius=8), (2, 2), (0, 2))) is None


def test_empty_maps_are_not_turned(make):
    nothing = np.zeros_like(make.tumour())
    assert checked(make.tumour(), nothing) is None
    assert checked(nothing, make.tumour()) is None


@pytest.fixture(scope="module")
def second_of_brats2020(real_data):
    return CaseReader(discover(real_data / "brats2020")["BraTS20_Training_004"])


@pytest.mark.parametrize("turned", [np.s_[:, :, ::-1], np.s_[::-1], np.s_[:, ::-1, ::-1]])
def test_a_real_prediction_is_found_turned_and_not_as_it_is(second_of_brats2020, turned):
    reader = second_of_brats2020
    own = reader.prediction("waveloss_attention")
    mirrored = Labelled(np.ascontiguousarray(own.voxels[turned]), own.labels)
    assert flipped_prediction(Sides("004", "net", reader.geometry, reader.reference, own)) is None
    finding = flipped_prediction(Sides("004", "net", reader.geometry, reader.reference, mirrored))
    assert "to 0.84" in finding.message
