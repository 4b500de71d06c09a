"""Each kind of error is told from the others, placed in mm, and put in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from BraTSRefineLib.analysis import case_sentence, describe_error, error_map, error_summary
from BraTSRefineLib.cohort import Geometry
from BraTSRefineLib.regions import label_convention

SHAPE = (80, 90, 100)
GEOMETRY = Geometry(SHAPE[::-1], (1.0, 1.0, 1.0), (0.0, -89.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
TWO_MM = Geometry(SHAPE[::-1], (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), (-1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0))


def ball(center, radius, spacing=(1, 1, 1)):
    away = [(axis - at) * step for axis, at, step in zip(np.indices(SHAPE), center, spacing, strict=True)]
    return sum(a * a for a in away) <= radius * radius


NOTHING = np.zeros(SHAPE, dtype=bool)
TUMOUR = ball((40, 40, 40), 12)


def described(reference, prediction, region="WT", geometry=GEOMETRY):
    return describe_error(reference, prediction, geometry, region)


def test_volumes_of_the_error_are_in_ml():
    error = described(TUMOUR, TUMOUR | ball((40, 40, 80), 3), geometry=TWO_MM)
    assert error.reference_ml == pytest.approx(TUMOUR.sum() * 2 / 1000)
    assert error.false_positive_ml == pytest.approx(ball((40, 40, 80), 3).sum() * 2 / 1000)
    assert error.false_negative_ml == 0


def test_the_largest_error_is_placed_in_lps_mm():
    error = described(TUMOUR, TUMOUR | ball((40, 50, 80), 4) | ball((10, 10, 10), 2))
    assert error.largest.index == (40, 50, 80)
    assert error.largest.center_lps == (80.0, -39.0, 40.0)
    flipped = described(TUMOUR, TUMOUR | ball((40, 50, 80), 4), geometry=TWO_MM)
    assert flipped.largest.center_lps == (-80.0, -50.0, 80.0)


def test_the_spot_of_a_shell_lies_on_the_shell():
    error = described(ball((40, 40, 40), 8), TUMOUR)
    z, y, x = error.largest_false_positive.index
    assert TUMOUR[z, y, x] and not ball((40, 40, 40), 8)[z, y, x]


def test_a_far_false_positive_is_measured_from_surface_to_surface():
    error = described(TUMOUR, TUMOUR | ball((40, 40, 85), 3))
    assert (error.far_count, error.far_mm) == (1, 30.0)
    assert error.far_ml == pytest.approx(ball((40, 40, 85), 3).sum() / 1000)
    assert case_sentence(error) == "WT: far false positive of 0.12 ml, 30 mm from the tumour: remove small components"


def test_a_false_positive_next_to_the_tumour_is_not_far():
    error = described(TUMOUR, TUMOUR | ball((40, 40, 58), 3))
    assert error.far_count == 0
    assert error.false_positive_ml > 0


def test_a_region_missed_altogether_calls_for_a_lower_threshold():
    error = described(ball((40, 40, 40), 3), NOTHING, "ET")
    assert case_sentence(error) == "ET missed altogether (0.12 ml): lower the ET threshold or add members"


def test_a_region_that_the_reference_has_not():
    sentence = case_sentence(described(NOTHING, ball((40, 40, 40), 3), "ET"))
    assert sentence.startswith("ET of 0.12 ml predicted where the reference has none: raise the ET threshold")


def test_nothing_to_find_and_nothing_found():
    error = described(NOTHING, NOTHING, "ET")
    assert error.dice == 1.0 and error.largest is None
    assert case_sentence(error) == "no ET in the reference and none predicted"


def test_a_perfect_prediction():
    assert case_sentence(described(TUMOUR, TUMOUR)) == "WT is identical to the reference"


def test_a_missed_satellite_is_counted():
    error = described(TUMOUR | ball((40, 40, 80), 5) | ball((70, 70, 70), 4), TUMOUR)
    assert (error.missed_count, error.reference_count) == (2, 3)
    assert case_sentence(error).startswith("WT: 2 of 3 parts missed (0.77 ml of 7.9 ml): lower the WT threshold")


def test_an_eroded_border_is_an_error_of_the_boundary():
    error = described(TUMOUR, ball((40, 40, 40), 11))
    assert error.boundary_only
    assert "boundary only, within 2 mm of the reference, 1.6 ml too small" in case_sentence(error)


def test_a_thick_miss_is_not_an_error_of_the_boundary():
    error = described(TUMOUR, ball((40, 40, 40), 7))
    assert not error.boundary_only
    assert case_sentence(error).startswith("WT too small: 5.7 ml not found, 80 % of the reference")


def test_half_a_thin_rim_that_was_not_found_is_no_error_of_the_boundary():
    """Each of its voxels lies within 2 mm of the reference's own surface."""
    rim = TUMOUR & ~ball((40, 40, 40), 9)
    half = rim.copy()
    half[40:] = False
    error = described(rim, half, "ET")
    assert not error.boundary_only
    assert "too small" in case_sentence(error)


def test_on_a_coarse_grid_a_voxel_is_the_boundary_and_the_sentence_says_its_size():
    coarse = replace(GEOMETRY, spacing=(4.0, 4.0, 4.0))
    error = described(TUMOUR, ball((40, 40, 40), 11), geometry=coarse)
    assert error.boundary_only
    assert "boundary only, within 6.9 mm of the reference" in case_sentence(error)


def test_a_flood_is_called_so():
    assert case_sentence(described(TUMOUR, ball((40, 40, 40), 30))).startswith("WT floods: 113 ml predicted for 7.2 ml")


def test_the_dice_of_an_error_is_the_dice_of_the_masks():
    moved = ball((43, 40, 40), 12)
    assert described(TUMOUR, moved).dice == pytest.approx(2 * (TUMOUR & moved).sum() / (TUMOUR.sum() + moved.sum()))


def test_pieces_in_one_line_of_voxels_are_told_apart():
    line = NOTHING.copy()
    line[5, 6, [7, 9]] = True
    assert described(line, NOTHING).missed_count == 2


def test_a_single_voxel_has_a_place():
    one = NOTHING.copy()
    one[5, 6, 7] = True
    assert described(NOTHING, one).largest.index == (5, 6, 7)


BRATS2021, BRATS2023 = label_convention("brats2021"), label_convention("brats2023")


def test_the_error_map_marks_false_positives_false_negatives_and_in_wt_the_wrong_class():
    reference = np.array([[[0, 0, 1, 2, 4, 2]]], dtype=np.uint8)
    prediction = np.array([[[0, 2, 0, 2, 2, 4]]], dtype=np.uint8)
    assert error_map(reference, prediction, BRATS2021, "WT").ravel().tolist() == [0, 1, 2, 0, 3, 3]
    assert error_map(reference, prediction, BRATS2021, "ET").ravel().tolist() == [0, 0, 0, 0, 2, 1]


def test_reference_and_prediction_may_have_conventions_of_their_own():
    reference = np.array([[[0, 1, 2, 4]]], dtype=np.uint8)
    prediction = np.array([[[0, 1, 2, 3]]], dtype=np.uint8)
    assert not error_map(reference, prediction, BRATS2021, "WT", prediction_labels=BRATS2023).any()
    small = Geometry((4, 1, 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), GEOMETRY.direction)
    summary = error_summary(reference, prediction, small, BRATS2021, prediction_labels=BRATS2023)
    assert {region: error.dice for region, error in summary.items()} == {"WT": 1.0, "TC": 1.0, "ET": 1.0}
