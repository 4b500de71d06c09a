"""Which voxels are wrong, in which way, and the Dice of a region."""

from __future__ import annotations

import numpy as np
import pytest
from BraTSRefineUI.casedata import Labels, dice, errorMap
from scene_cases import labels
from small_grid import GRID, SHAPE

from BraTSRefineLib.cohort.volumes import Geometry


def test_error_map_of_the_whole_tumour_tells_three_kinds_apart():
    reference, prediction = labels("reference"), labels("model", shift=3)
    errors = errorMap(reference, prediction, "WT")
    assert (errors == 1).sum() == (prediction.regions["WT"] & ~reference.regions["WT"]).sum()
    assert (errors == 2).sum() == (reference.regions["WT"] & ~prediction.regions["WT"]).sum()
    both = reference.regions["WT"] & prediction.regions["WT"]
    assert (errors == 3).sum() == (both & (reference.tissues != prediction.tissues)).sum() > 0


@pytest.mark.parametrize("region", ["TC", "ET"])
def test_error_map_of_an_inner_region_tells_a_wrong_class_from_tumour_where_there_is_none(region):
    reference, prediction = labels("reference"), labels("model", shift=3)
    errors = errorMap(reference, prediction, region)
    true, found = reference.regions[region], prediction.regions[region]
    both = reference.regions["WT"] & prediction.regions["WT"]
    assert np.array_equal(errors == 1, found & ~true & ~both)
    assert np.array_equal(errors == 2, true & ~found & ~both)
    assert np.array_equal(errors == 3, found & ~true & both)
    assert np.array_equal(errors == 4, true & ~found & both)
    assert (errors == 3).any() and (errors == 4).any()


def test_every_wrong_voxel_of_an_inner_region_is_marked():
    reference, prediction = labels("reference"), labels("model", shift=3)
    assert np.array_equal(
        errorMap(reference, prediction, "ET") > 0, reference.regions["ET"] != prediction.regions["ET"]
    )


def test_where_nobody_knows_the_whole_tumour_an_error_is_a_false_positive_or_a_false_negative():
    only = [Labels(each.name, {"ET": each.regions["ET"]}, GRID) for each in (labels("reference"), labels("m", shift=3))]
    assert set(np.unique(errorMap(*only, "ET"))) == {0, 1, 2}


def test_dice_of_a_region():
    reference, prediction = labels("reference"), labels("model", shift=3)
    true, found = reference.regions["ET"], prediction.regions["ET"]
    assert dice(reference, prediction, "ET") == pytest.approx(2 * (true & found).sum() / (true.sum() + found.sum()))
    assert dice(reference, reference, "WT") == 1.0
    moved = Geometry(GRID.size, GRID.spacing, (0.0, 0.0, 0.0), GRID.direction)
    nothing = Labels("nothing", {"ET": np.zeros(SHAPE, dtype=bool)}, GRID)
    for first, second in ((reference, labels("m", geometry=moved)), (reference, None), (nothing, nothing)):
        assert dice(first, second, "ET") is None
