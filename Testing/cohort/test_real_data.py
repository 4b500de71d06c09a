"""Every data set of real cases, with the traps of its README that concern discovery."""

import time

import numpy as np
import pytest

from BraTSRefineLib.cohort import case_geometry, discover, label_sets, read_image, read_label_map, to_canonical

EVERY_CHANNEL = {"t1n", "t1c", "t2w", "t2f"}

DATA_SETS = {
    # data set: cases, cases with all channels, cases with a reference, models, convention
    "brats2020": (8, 1, 8, 6, "brats2021"),
    "tcga-lgg": (2, 2, 0, 5, "brats2021"),
    "brats2021": (7, 7, 7, 0, "brats2021"),
    "brats2018": (1, 1, 1, 0, "brats2021"),
    "brats2023-ssa": (2, 2, 2, 0, "brats2023"),
    "brats2023-regions-derived": (6, 0, 6, 3, "brats2023"),
    "utsw-glioma": (2, 0, 2, 1, "brats2021"),
    "brats2024-gli-posttreatment": (16, 0, 16, 0, "brats2024-gli"),
    "brats2023-gli-predsonly": (4, 0, 0, 4, "brats2023"),
    "brats-ped-predsonly": (1, 0, 0, 3, "brats2023 or brats2024-ped"),
    "brats2023-gli": (1, 0, 0, 3, "brats2023"),
    "brats2013": (4, 0, 4, 0, "brats2013"),
    "ucsf-lptdg": (4, 0, 4, 0, "brats2024-gli"),
    "yale-brainmets": (1, 0, 1, 0, "core-rest"),
    "brats2021-badgeometry": (1, 0, 1, 1, "brats2021"),
}


@pytest.fixture(scope="session")
def whole(real_data):
    return discover(real_data)


@pytest.mark.parametrize("name", DATA_SETS)
def test_data_set_is_found_without_manifest(real_data, name):
    cohort = discover(real_data / name)
    cases, with_images, with_reference, models, convention = DATA_SETS[name]
    assert len(cohort.cases) == cases
    assert sum(set(case.images) == EVERY_CHANNEL for case in cohort.cases) == with_images
    assert sum(case.reference is not None for case in cohort.cases) == with_reference
    assert len(cohort.models) == models
    assert {case.labels.name for case in cohort.cases} == {convention}


def test_whole_folder_makes_each_data_set_a_centre(whole):
    assert whole.centers == sorted(DATA_SETS)
    assert len(whole.cases) == sum(entry[0] for entry in DATA_SETS.values())
    for case in whole.cases:
        assert case.labels.name == DATA_SETS[case.center][4]


def test_case_names_are_unique_in_the_whole_folder(whole):
    assert len({case.case for case in whole.cases}) == len(whole.cases)


def test_folder_without_cases_is_passed_over_with_a_note(whole):
    assert [p.message for p in whole.problems if p.message.startswith("tables")]


def test_discovery_of_everything_takes_seconds(real_data):
    start = time.perf_counter()
    discover(real_data)
    assert time.perf_counter() - start < 10


def test_only_the_planted_mismatches_are_errors(whole):
    errors = [(p.case, p.model) for p in whole.all_problems() if p.level == "error"]
    assert sorted(errors) == [("BraTS-GLI-00001-000", "brats23_1_mapped"), ("BraTS2021_01572", "fenrir-unet")]


def test_trap_1_header_turns_african_arrays_to_the_same_orientation(real_data):
    """The brain's front lies at low y in LPS; frontal halves differ from the array order that is stored."""
    african = discover(real_data / "brats2023-ssa").cases[0]
    other = discover(real_data / "brats2021").cases[0]
    stored = read_image(african.images["t2f"])
    turned, spacing = to_canonical(stored, case_geometry(african))
    np.testing.assert_array_equal(turned, stored[:, ::-1, ::-1])
    unchanged, _ = to_canonical(read_image(other.images["t2f"]), case_geometry(other))
    np.testing.assert_array_equal(unchanged, read_image(other.images["t2f"]))
    assert spacing == (1.0, 1.0, 1.0)


def test_trap_2_prediction_in_reversed_array_order_of_its_image_is_said_to_be_on_the_same_box(real_data, tmp_path):
    image = real_data / "brats2021" / "cases" / "BraTS2021_00006" / "BraTS2021_00006_t1.nii.gz"
    case = "BraTS-GLI-00242-000"
    folder = tmp_path / case
    folder.mkdir()
    (folder / f"{case}-t1n.nii.gz").symlink_to(image)
    models = real_data / "brats2023-gli-predsonly" / "predictions"
    cohort = discover(tmp_path, predictions={"baseline": models / "baseline"})
    message = cohort[case].error_of("baseline")
    assert "same physical grid with axis x and y reversed" in message
    assert "nothing is resampled" in message
    assert cohort[case].error_of() == ""


def test_trap_2_predictions_alone_lie_on_their_common_grid(real_data):
    case = discover(real_data / "brats2023-gli-predsonly")["BraTS-GLI-00254-000"]
    assert case.usable_models() == ["baseline", "residual_weighted", "swinunetr", "swinunetr_cleaned"]
    assert case_geometry(case).direction[0] == -1.0


def test_trap_3_lost_header_is_named(real_data):
    case = discover(real_data / "brats2023-gli").cases[0]
    assert case.usable_models() == ["brats23_1", "bratstoolkit_isen"]
    message = case.error_of("brats23_1_mapped")
    assert "origin (0, 0, 0) against (0, -239, 0) mm" in message
    assert "header is the identity" in message


def test_trap_3_crop_without_its_place_is_refused_and_its_float_labels_are_read(real_data):
    case = discover(real_data / "brats2021-badgeometry").cases[0]
    message = case.error_of("fenrir-unet")
    assert "size 100x128x128 against 240x240x155" in message
    assert "BraTS2021_01572_seg.nii.gz" in message
    assert label_sets(case.predictions["fenrir-unet"]) == {1, 2, 4}


def test_trap_4_cropped_box_beside_the_reference_is_left_out_with_a_note(real_data):
    case = discover(real_data / "utsw-glioma")["BT0001"]
    assert case.reference.name == "BT0001_seg.nii.gz"
    assert any("BT0001_seg-roi.nii.gz" in problem.message for problem in case.problems)


def test_trap_4_crop_on_the_grid_is_recognised_when_it_is_a_prediction(real_data, tmp_path):
    (tmp_path / "BT0001.nii.gz").symlink_to(real_data / "utsw-glioma" / "cases" / "BT0001" / "BT0001_seg-roi.nii.gz")
    cohort = discover(real_data / "utsw-glioma", predictions={"roi": tmp_path})
    assert "a crop that lies exactly on that grid, from voxel (97, 47, 51)" in cohort["BT0001"].error_of("roi")


def test_trap_5_and_6_models_with_other_labels_than_the_cohort_are_read_by_their_own(real_data):
    cohort = discover(real_data / "brats2020")
    case = cohort["BraTS20_Training_001"]
    assert case.convention_of("brainlesion_brats").name == "brats2023"
    assert case.convention_of("deepscan").name == "brats2023"
    assert case.convention_of("baseline_attention").name == "brats2021"
    assert {p.model for p in cohort.problems} == {"brainlesion_brats", "deepscan"}
    assert all("--model-labels" in p.message for p in cohort.problems)


def test_trap_6_permuted_labels_can_be_stated(real_data):
    cohort = discover(real_data / "brats2020", model_labels={"deepscan": "NCR=3,ED=1,ET=2"})
    assert cohort["BraTS20_Training_001"].convention_of("deepscan").regions["ET"] == (2,)
    assert [p.model for p in cohort.problems] == ["brainlesion_brats"]


def test_trap_7_case_without_enhancing_tumour_keeps_the_cohorts_convention(real_data):
    case = discover(real_data / "brats2021")["BraTS2021_01477"]
    assert label_sets(case.reference) == {1, 2}
    assert case.labels.name == "brats2021"
    assert not case.labels.mask(read_label_map(case.reference), "ET").any()


def test_trap_8_same_truth_in_another_convention_is_identical(real_data, tmp_path):
    folder = real_data / "brats2021" / "cases" / "BraTS2021_00006"
    (tmp_path / "BraTS2021_00006.nii.gz").symlink_to(folder / "BraTS2021_00006_seg-label3.nii.gz")
    cohort = discover(real_data / "brats2021", predictions={"copy": tmp_path}, model_labels={"copy": "brats2023"})
    case = cohort["BraTS2021_00006"]
    truth = case.labels.masks(read_label_map(case.reference))
    copy = case.convention_of("copy").masks(read_label_map(case.predictions["copy"]))
    np.testing.assert_array_equal(truth, copy)


def test_trap_9_float_label_maps_and_negative_zero(real_data):
    folder = real_data / "ucsf-lptdg" / "cases" / "100001"
    assert label_sets(folder / "100001-time1-seg.nii.gz") == {2, 3, 4}
    assert label_sets(folder / "100001-t1ce_subtraction-seg.nii.gz") == frozenset()
    african = real_data / "brats2023-ssa" / "cases" / "BraTS-SSA-00041-000"
    assert read_label_map(african / "BraTS-SSA-00041-000-seg.nii.gz").dtype == np.uint8


def test_trap_10_one_person_under_two_names(whole):
    assert whole["Brats18_2013_21_1"].person == whole["brats_2013_pat0004_1"].person
    assert whole["BraTS2021_00006"].person == "BraTS-GLI-00006"
    assert whole["100001-time1"].person == whole["100001-time2"].person == "100001"


def test_two_dates_are_two_examinations_and_change_masks_are_notes(real_data):
    cohort = discover(real_data / "ucsf-lptdg")
    assert [case.case for case in cohort.cases] == ["100001-time1", "100001-time2", "100011-time1", "100011-time2"]
    assert all(case.reference.name == f"{case.case}-seg.nii.gz" for case in cohort.cases)
    assert sum("subtraction" in problem.message for problem in cohort.all_problems()) == 4


def test_paediatric_labels_one_to_three_are_certain_in_the_whole_tumour_only(real_data):
    cohort = discover(real_data / "brats-ped-predsonly")
    assert set(cohort.cases[0].labels.regions) == {"WT"}
    assert any("state --labels" in problem.message for problem in cohort.problems)
    stated = discover(real_data / "brats-ped-predsonly", labels="brats2024-ped")
    assert set(stated.cases[0].labels.regions) == {"WT", "TC", "ET"}


def test_a_stated_convention_holds_for_every_data_set(real_data):
    cohort = discover(real_data, labels="brats2021")
    assert {case.labels.name for case in cohort.cases} == {"brats2021"}
    assert all(not case.model_labels for case in cohort.cases)


def test_missing_things_are_named_case_by_case(whole):
    notes = {(p.case, p.model, p.message) for case in whole.cases for p in case.problems if p.level == "note"}
    assert ("BraTS20_Training_002", "", "no image") in notes
    assert ("BraTS20_Training_002", "deepscan", "no prediction of this model") in notes
    assert ("YG_0AXGKD8AFJGS", "", "no image of channel t1n, t2w") in notes
    assert any(case == "TCGA-DU-7294" and "no reference" in message for case, _, message in notes)
    assert not any(case == "TCGA-DU-7294" and model == "deepscan" for case, model, _ in notes)


def test_fets_partition_gives_centres(real_data, tmp_path):
    (tmp_path / "cases").symlink_to(real_data / "brats2021" / "cases")
    (tmp_path / "FeTS2022_partitioning_1.csv").symlink_to(real_data / "tables" / "FeTS2022_partitioning_1.csv")
    cohort = discover(tmp_path)
    assert cohort["BraTS2021_00006"].center.startswith("partition ")
