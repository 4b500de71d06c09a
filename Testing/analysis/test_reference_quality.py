"""What is remarked on a reference: empty regions, single voxels, specks, cavities."""

from __future__ import annotations

import numpy as np
import pytest

from BraTSRefineLib.analysis.pairs import CaseReader, Labelled
from BraTSRefineLib.analysis.reference_quality import of_reference
from BraTSRefineLib.cohort import Geometry, discover
from BraTSRefineLib.regions import label_convention

GRID = Geometry((56, 48, 40), (1.0, 1.0, 1.0), (100.0, -47.0, 10.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))


def remarks(labels, convention="brats2023", grid=GRID):
    return list(of_reference("x", Labelled(labels, label_convention(convention)), grid))


def test_a_whole_tumour_gives_no_remark(make):
    assert remarks(make.tumour()) == []


def test_a_speck_far_from_the_tumour_is_told_with_its_volume_and_place(make):
    labels = make.tumour(radius=8)
    labels[2, 3, 4:6] = 2
    [finding] = remarks(labels)
    assert finding.kind == "specks in the reference"
    assert "has 1 speck (2 mm3) further than 10 mm from its larger pieces: 2 mm3 at (104, -44, 12) mm LPS" in (
        finding.message
    )
    assert finding.evidence == "region=WT; mm3=2.0000; lps_mm=104.5,-44.0,12.0"


def test_a_speck_close_to_the_tumour_is_none(make):
    labels = make.tumour(radius=8)
    labels[20, 24, 28 + 12] = 2
    assert remarks(labels) == []


def test_the_distance_and_the_volume_are_in_mm(make):
    labels = make.tumour(radius=8)
    labels[20, 24, 28 + 12] = 2
    coarse = Geometry(GRID.size, (3.0, 1.0, 1.0), GRID.origin, GRID.direction)
    [finding] = remarks(labels, grid=coarse)
    assert "1 speck (3 mm3)" in finding.message


def test_small_lesions_without_a_larger_one_are_no_specks():
    labels = np.zeros((40, 48, 56), dtype=np.uint8)
    labels[3, 3, 3:6] = labels[30, 30, 30:33] = 2
    assert [finding.kind for finding in remarks(labels) if finding.kind != "empty region"] == []


def test_a_cavity_of_100_mm3_is_told_for_each_region_that_has_it(make):
    labels = make.tumour()
    labels[18:23, 22:27, 26:31] = 0
    found = remarks(labels)
    assert [finding.kind for finding in found] == ["holes in the reference"] * 2
    assert "whole tumour (WT) has 1 cavity (125 mm3) closed on all sides: 125 mm3 at (128, -23, 30) mm LPS" in (
        found[0].message
    )
    assert "tumour core (TC)" in found[1].message


def test_a_small_cavity_and_an_open_one_are_none(make):
    small, opened = make.tumour(), make.tumour()
    small[19:22, 23:26, 27:30] = 0
    opened[:21, 22:27, 26:31] = 0
    assert remarks(small) == [] and remarks(opened) == []


def test_a_resection_cavity_is_no_hole(make):
    labels = make.tumour()
    labels[18:23, 22:27, 26:31] = 4
    assert remarks(labels, "brats2024-gli") == []


def test_a_single_voxel_of_a_tissue_that_is_scored_is_told(make):
    labels = make.tumour()
    labels[2, 2, 2] = 4
    [finding] = remarks(labels, "brats2024-gli")
    assert "a single voxel of resection cavity (RC)" in finding.message


def test_a_tumour_without_oedema_or_necrosis_is_remarked(make):
    solid = np.where(make.tumour() > 0, 3, 0).astype(np.uint8)
    [finding] = remarks(solid)
    assert finding.message == "the reference has no necrotic or non-enhancing core (NCR) and no oedema (ED)"
    assert remarks(solid, "brats2024-gli") == []


def test_an_empty_reference_lacks_every_region():
    [finding] = remarks(np.zeros((40, 48, 56), dtype=np.uint8))
    assert finding.evidence == "regions=WT,TC,ET"


@pytest.mark.parametrize(
    ("folder", "case", "kind", "words"),
    [
        ("brats2021", "BraTS2021_01477", "empty region", "no enhancing tumour (ET)"),
        ("brats2023-ssa", "BraTS-SSA-00046-000", "empty region", "no necrotic or non-enhancing core (NCR)"),
        ("brats2021", "BraTS2021_01479", "specks in the reference", "1 speck (43 mm3)"),
        ("brats2023-regions-derived", "SegResNet_sample_1", "holes in the reference", "184 mm3 at (72, -124, 66)"),
        ("brats2024-gli-posttreatment", "BraTS-GLI-02096-100", "single voxel", "core (NETC)"),
    ],
)
def test_real_references_are_remarked(real_data, folder, case, kind, words):
    reader = CaseReader(discover(real_data / folder)[case])
    found = list(of_reference(case, reader.reference, reader.geometry))
    assert [finding for finding in found if finding.kind == kind and words in finding.message]
