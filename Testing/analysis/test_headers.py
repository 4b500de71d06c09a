"""A prediction that was refused for its grid: header, grid or content."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from BraTSRefineLib.analysis.case_findings import read_case_findings
from BraTSRefineLib.analysis.headers import is_default, refused_grid
from BraTSRefineLib.analysis.pairs import Labelled
from BraTSRefineLib.cohort import Geometry, discover
from BraTSRefineLib.regions import label_convention

LABELS = label_convention("brats2023")
GRID = Geometry((56, 48, 40), (1.0, 1.0, 1.0), (0.0, -47.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
IDENTITY_OF_NIFTI = Geometry((56, 48, 40), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (-1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0))


def checked(truth, prediction, own, grid=GRID):
    return refused_grid("x", "net", Labelled(truth, LABELS), grid, Labelled(prediction, LABELS), own)


def test_right_array_wrong_place(make):
    finding = checked(make.tumour(), make.tumour(radius=11.8), IDENTITY_OF_NIFTI)
    assert finding.kind == "lost header"
    assert "right array, wrong place: voxel by voxel it fits (mean Dice 0.9" in finding.message
    assert "its header was lost" in finding.message
    assert "header_is_default=True" in finding.evidence


def test_the_cases_own_header_may_be_the_lost_one(make):
    finding = checked(make.tumour(), make.tumour(), GRID, grid=IDENTITY_OF_NIFTI)
    assert "the case's own header looks lost" in finding.message


def test_a_crop_with_its_own_right_origin_is_the_right_header(make):
    crop = make.tumour()[5:38, 6:40, 10:50]
    own = replace(GRID, size=crop.shape[::-1], origin=GRID.to_physical((5, 6, 10)))
    finding = checked(make.tumour(), crop, own)
    assert finding.kind == "other grid"
    assert "its header is right: put in its place by it, it fits (mean Dice 1.00)" in finding.message


def test_a_reversed_array_with_the_header_of_it_is_right(make):
    own = replace(GRID, origin=GRID.to_physical((0, 47, 55)), direction=(-1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0))
    finding = checked(make.tumour(), make.tumour()[:, ::-1, ::-1], own)
    assert "its header is right" in finding.message


def test_a_coarser_grid_over_the_same_place_is_right(make):
    own = Geometry((28, 24, 20), (2.0, 2.0, 2.0), GRID.to_physical((0.5, 0.5, 0.5)), GRID.direction)
    finding = checked(make.tumour(), make.tumour()[::2, ::2, ::2], own)
    assert "its header is right" in finding.message


def test_a_crop_without_its_place_is_found_by_its_centre(make):
    crop = make.tumour()[5:38, 6:40, 10:50]
    finding = checked(make.tumour(), crop, replace(GRID, size=crop.shape[::-1]))
    assert finding.kind == "lost header"
    assert "as a crop that was saved without its place" in finding.message
    assert "offset_zyx=5,6,10" in finding.evidence


@pytest.mark.parametrize("turn", [lambda a: a[:, :, ::-1], lambda a: a.transpose(0, 2, 1)])
def test_an_array_that_runs_along_other_axes_is_known_on_any_header(make, turn):
    truth = make.tumour((14, 32, 15), radius=9)
    array = np.ascontiguousarray(turn(truth))
    finding = checked(truth, array, replace(IDENTITY_OF_NIFTI, size=array.shape[::-1]))
    assert finding.kind == "flipped axes"
    assert "so it was not scored; its " in finding.message and "to 1.00" in finding.message


def test_content_of_another_case_is_not_excused(make):
    other = make.tumour((10, 10, 10), radius=4)
    finding = checked(make.tumour(), other, replace(GRID, origin=(50.0, 0.0, 0.0)))
    assert finding.kind == "other grid"
    assert "header or content cannot be told right" in finding.message


def test_an_empty_prediction_on_another_grid_fits_nowhere(make):
    finding = checked(make.tumour(), np.zeros_like(make.tumour()), IDENTITY_OF_NIFTI)
    assert "header or content cannot be told right" in finding.message


@pytest.mark.parametrize(("geometry", "default"), [(IDENTITY_OF_NIFTI, True), (GRID, False)])
def test_a_header_that_says_nothing_is_known(geometry, default):
    assert is_default(geometry) is default


def of_refused(folder, case):
    case = discover(folder)[case]
    return [finding for finding in read_case_findings(case, ()).findings if finding.model]


def test_the_mapped_prediction_of_2023_has_lost_its_header(real_data):
    [finding] = of_refused(real_data / "brats2023-gli", "BraTS-GLI-00001-000")
    assert (finding.model, finding.kind) == ("brats23_1_mapped", "lost header")
    assert "right array, wrong place" in finding.message
    assert "consensus of the others" in finding.message


def test_the_crop_of_01572_fits_nowhere(real_data):
    [finding] = of_refused(real_data / "brats2021-badgeometry", "BraTS2021_01572")
    assert (finding.model, finding.kind) == ("fenrir-unet", "other grid")
    assert "header or content cannot be told right" in finding.message
