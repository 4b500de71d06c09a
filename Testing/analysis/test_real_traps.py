"""The traps of the real data sets are found as what they are, and nothing else is called wrong."""

from __future__ import annotations

import numpy as np
import pytest

from BraTSRefineLib.analysis.case_findings import findings_of_case, read_case_findings
from BraTSRefineLib.analysis.finding import OF_PREDICTIONS
from BraTSRefineLib.analysis.headers import refused_grid
from BraTSRefineLib.analysis.pairs import CaseReader, Labelled
from BraTSRefineLib.cohort import discover, read_geometry, read_label_map
from BraTSRefineLib.regions import label_convention


def read(folder, case):
    reader = CaseReader(discover(folder)[case])
    return reader.reference, reader.geometry


def of_predictions(found):
    return [finding for finding in found.findings if finding.kind in OF_PREDICTIONS]


def test_a_cropped_box_with_its_own_origin_has_the_right_header(real_data):
    reference, grid = read(real_data / "utsw-glioma", "BT0001")
    path = reference_file(real_data / "utsw-glioma", "BT0001", "_seg-roi.nii.gz")
    crop = Labelled(read_label_map(path), reference.labels)
    finding = refused_grid("BT0001", "roi", reference, grid, crop, read_geometry(path))
    assert finding.kind == "other grid"
    assert "its header is right: put in its place by it, it fits (mean Dice 1.00)" in finding.message


def test_the_same_truth_with_another_label_is_told_with_the_convention_to_state(real_data):
    reference, grid = read(real_data / "brats2021", "BraTS2021_00006")
    path = reference_file(real_data / "brats2021", "BraTS2021_00006", "_seg-label3.nii.gz")
    seen = read_label_map(path)
    [finding] = of_predictions(
        findings_of_case("00006", grid, reference, {"net": Labelled(seen, label_convention("brats2021"))})
    )
    assert "label 3, which brats2021 does not know, and was not scored" in finding.message
    assert finding.message.endswith(
        "read as brats2023 its mean Dice is 1.00: if that is so, state --model-labels net=brats2023"
    )
    rightly = {"net": Labelled(seen, label_convention("brats2023"))}
    assert of_predictions(findings_of_case("00006", grid, reference, rightly)) == []


def test_four_labels_of_2013_in_a_cohort_of_2018_are_known_as_such(real_data):
    reference, grid = read(real_data / "brats2018", "Brats18_2013_21_1")
    older, _ = read(real_data / "brats2013", "brats_2013_pat0004_1")
    as_2018 = Labelled(older.voxels, label_convention("brats2021"))
    [finding] = of_predictions(findings_of_case("x", grid, reference, {"net": as_2018}))
    assert finding.message.endswith("state --model-labels net=brats2013")


@pytest.mark.parametrize("turned", [np.s_[:, ::-1, ::-1], np.s_[:, :, ::-1]])
def test_arrays_reversed_as_between_african_scans_and_the_others_are_found(real_data, turned):
    reference, grid = read(real_data / "brats2023-ssa", "BraTS-SSA-00041-000")
    own = Labelled(np.ascontiguousarray(reference.voxels[turned]), reference.labels)
    [finding] = of_predictions(findings_of_case("x", grid, reference, {"net": own}))
    assert finding.kind == "flipped axes"


@pytest.mark.parametrize("folder", ["brats2023-regions-derived", "tcga-lgg", "utsw-glioma", "brats-ped-predsonly"])
def test_models_that_keep_to_their_images_and_labels_are_not_suspected(real_data, folder):
    cohort = discover(real_data / folder)
    found = [read_case_findings(case, cohort.models) for case in cohort.cases]
    assert [finding for one in found for finding in of_predictions(one)] == []


def reference_file(folder, case, ending):
    return folder / "cases" / case / f"{case}{ending}"
