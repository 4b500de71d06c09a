"""BraTS folders of every year's naming, predictions beside them, centres and persons."""

import numpy as np
import pytest

from BraTSRefineLib.cohort import CohortError, discover

CHANNELS = {"t1n", "t1c", "t2w", "t2f"}

NAMINGS = {
    2017: ("Brats17_CBICA_AAB_1", "_", ("t1", "t1ce", "t2", "flair", "seg")),
    2020: ("BraTS20_Training_001", "_", ("t1", "t1ce", "t2", "flair", "seg")),
    2021: ("BraTS2021_00000", "_", ("t1", "t1ce", "t2", "flair", "seg")),
    2023: ("BraTS-GLI-00000-000", "-", ("t1n", "t1c", "t2w", "t2f", "seg")),
    2025: ("BraTS-MET-00001-000", "-", ("t1n", "t1c", "t2w", "t2f", "seg")),
    "TCGA": ("TCGA-02-0003", "_", ("t1", "t1Gd", "t2", "flair", "seg")),
}


def write_case(folder, write, case, separator, suffixes, ending=".nii.gz", labels=(1, 2, 4)):
    for suffix in suffixes:
        path = folder / case / f"{case}{separator}{suffix}{ending}"
        write(path, labels if suffix == "seg" else None)


@pytest.mark.parametrize("year", NAMINGS)
@pytest.mark.parametrize("ending", [".nii.gz", ".nii"])
def test_every_years_naming_is_found(tmp_path, write, errors_of, year, ending):
    case, separator, suffixes = NAMINGS[year]
    write_case(tmp_path, write, case, separator, suffixes, ending)
    cohort = discover(tmp_path)
    assert [found.case for found in cohort.cases] == [case]
    assert set(cohort.cases[0].images) == CHANNELS
    assert cohort.cases[0].reference.name == f"{case}{separator}seg{ending}"
    assert errors_of(cohort) == []


def test_channels_come_in_the_order_of_the_field(tmp_path, write):
    write_case(tmp_path, write, "BraTS2021_00000", "_", ("flair", "t2", "t1ce", "t1"))
    assert list(discover(tmp_path).cases[0].images) == ["t1n", "t1c", "t2w", "t2f"]


def test_grades_of_2018_are_one_data_set(tmp_path, write):
    write_case(tmp_path / "HGG", write, "Brats18_2013_2_1", "_", ("t1", "seg"))
    write_case(tmp_path / "LGG", write, "Brats18_2013_0_1", "_", ("t1", "seg"))
    cohort = discover(tmp_path)
    assert [case.case for case in cohort.cases] == ["Brats18_2013_0_1", "Brats18_2013_2_1"]
    assert cohort.centers == []


def test_files_of_2013_in_a_folder_each(tmp_path, write):
    case = tmp_path / "brats_2013_pat0001_1"
    names = {"MR_Flair.54512": None, "MR_T1.54513": None, "MR_T1c.54514": None, "MR_T2.54515": None}
    for name, labels in {**names, "OT.54517": (1, 2, 3, 4)}.items():
        write(case / f"VSD.Brain.XX.O.{name}" / f"VSD.Brain.XX.O.{name}.mha", labels)
    found = discover(tmp_path).cases[0]
    assert set(found.images) == CHANNELS
    assert "OT.54517" in found.reference.name
    assert found.labels.name == "brats2013"


def test_all_files_flat_in_one_folder(tmp_path, write):
    for case in ("a", "b"):
        write(tmp_path / f"{case}-t1c.nii.gz", None)
        write(tmp_path / f"{case}-seg.nii.gz", (1, 2, 3))
    cohort = discover(tmp_path)
    assert [case.case for case in cohort.cases] == ["a", "b"]
    assert all(case.reference and set(case.images) == {"t1c"} for case in cohort.cases)


def test_one_case_folder_alone(a_brats_folder):
    root = a_brats_folder()
    cohort = discover(root / "cases" / "BraTS2021_00001")
    assert [case.case for case in cohort.cases] == ["BraTS2021_00001"]
    assert set(cohort.cases[0].images) == CHANNELS


def test_spaces_and_umlauts_in_paths(tmp_path, write, errors_of):
    folder = tmp_path / "Größe der Läsion"
    write(folder / "cases" / "Müller 1" / "Müller 1_t1.nii.gz", None)
    write(folder / "cases" / "Müller 1" / "Müller 1_seg.nii.gz", (1, 2, 4))
    write(folder / "predictions" / "Modell für Ü" / "Müller 1.nii.gz", (1, 2, 4))
    cohort = discover(folder)
    assert cohort["Müller 1"].usable_models() == ["Modell für Ü"]
    assert errors_of(cohort) == []


def test_file_named_after_another_case_fills_an_empty_role_with_a_note(tmp_path, write, notes_of):
    """BraTS20_Training_355 really has W39_1998.09.19_Segm.nii as its reference."""
    case = "BraTS20_Training_355"
    write(tmp_path / case / f"{case}_t1.nii", None)
    write(tmp_path / case / "W39_1998.09.19_Segm.nii", (1, 2, 4))
    cohort = discover(tmp_path)
    assert cohort[case].reference.name == "W39_1998.09.19_Segm.nii"
    assert any("named after another case" in note for note in notes_of(cohort))


def test_files_without_the_cases_name(tmp_path, write):
    for name in ("t1.nii.gz", "FLAIR.nii.gz"):
        write(tmp_path / "patient7" / name, None)
    write(tmp_path / "patient7" / "seg.nii.gz", (1, 2, 4))
    assert set(discover(tmp_path)["patient7"].images) == {"t1n", "t2f"}


def test_case_folder_without_a_known_file_is_passed_over_with_a_note(a_brats_folder, notes_of):
    root = a_brats_folder()
    (root / "cases" / "BraTS2021_00003").mkdir()
    cohort = discover(root)
    assert len(cohort.cases) == 2
    assert any("BraTS2021_00003: no image or reference" in note for note in notes_of(cohort))


def test_files_of_ucsf_pdgm(tmp_path, write):
    for name, labels in {"T1": None, "T1c": None, "T1c_bias": None, "tumor_segmentation": (1, 2, 4)}.items():
        write(tmp_path / "UCSF-PDGM-0004_nifti" / f"UCSF-PDGM-0004_{name}.nii.gz", labels)
    case = discover(tmp_path)["UCSF-PDGM-0004_nifti"]
    assert set(case.images) == {"t1n", "t1c"}
    assert case.reference.name == "UCSF-PDGM-0004_tumor_segmentation.nii.gz"


def test_unknown_files_of_a_case_are_notes(a_brats_folder, write, notes_of):
    root = a_brats_folder()
    write(root / "cases" / "BraTS2021_00001" / "BraTS2021_00001_brainmask.nii.gz", (1,))
    assert any("brainmask.nii.gz is no known channel" in note for note in notes_of(discover(root)))


def test_two_files_for_one_channel_are_an_error_naming_both(a_brats_folder, write):
    root = a_brats_folder()
    write(root / "cases" / "BraTS2021_00001" / "BraTS2021_00001-t1n.nii.gz", None)
    cohort = discover(root)
    message = cohort["BraTS2021_00001"].error_of()
    assert "channel t1n" in message
    assert "BraTS2021_00001_t1.nii.gz" in message
    assert "BraTS2021_00001-t1n.nii.gz" in message
    assert cohort["BraTS2021_00002"].error_of() == ""


def test_two_files_for_the_reference_are_an_error(a_brats_folder, write):
    root = a_brats_folder()
    write(root / "cases" / "BraTS2021_00001" / "BraTS2021_00001_seg.nii", (1, 2, 4))
    assert "two files for the reference" in discover(root)["BraTS2021_00001"].error_of()


def test_model_with_half_of_the_cases_is_noted_case_by_case(a_brats_folder, write, errors_of, notes_of):
    root = a_brats_folder(models={"full": (1, 2, 4)})
    write(root / "predictions" / "half" / "BraTS2021_00001.nii.gz", (1, 2, 4))
    cohort = discover(root)
    assert errors_of(cohort) == []
    assert "BraTS2021_00002 / half: no prediction of this model" in notes_of(cohort)
    assert cohort["BraTS2021_00001"].usable_models() == ["full", "half"]
    assert cohort["BraTS2021_00002"].usable_models() == ["full"]


@pytest.mark.parametrize(
    "name", ["{}_pred", "{}-seg", "{}_seg", "{}_prediction", "{}"], ids=["pred", "-seg", "_seg", "prediction", "bare"]
)
def test_suffixes_of_prediction_files_are_understood(a_brats_folder, write, name):
    root = a_brats_folder(cases=("BraTS2021_00001",))
    write(root / "predictions" / "model" / f"{name.format('BraTS2021_00001')}.nii.gz", (1, 2, 4))
    cohort = discover(root)
    assert len(cohort.cases) == 1
    assert cohort.cases[0].usable_models() == ["model"]


def test_prediction_in_other_upper_and_lower_case_belongs_to_its_only_case(a_brats_folder, write):
    root = a_brats_folder(cases=("BraTS2021_00001",))
    write(root / "predictions" / "model" / "brats2021_00001.nii.gz", (1, 2, 4))
    assert [case.usable_models() for case in discover(root).cases] == [["model"]]


def test_upper_and_lower_case_decide_where_two_cases_differ_in_nothing_else(a_brats_folder, write):
    root = a_brats_folder(cases=("case_a", "CASE_A"))
    write(root / "predictions" / "model" / "Case_A.nii.gz", (1, 2, 4))
    write(root / "predictions" / "model" / "case_a.nii.gz", (1, 2, 4))
    cohort = discover(root)
    assert cohort["case_a"].usable_models() == ["model"]
    assert cohort["CASE_A"].usable_models() == []
    assert cohort["Case_A"].reference is None


def test_predictions_directly_in_the_folder_are_one_model(a_brats_folder, write):
    root = a_brats_folder(cases=("BraTS2021_00001",))
    write(root / "predictions" / "BraTS2021_00001.nii.gz", (1, 2, 4))
    assert discover(root).models == ["predictions"]


def test_prediction_of_an_unknown_case_is_a_case_with_a_note(a_brats_folder, write, notes_of):
    root = a_brats_folder(cases=("BraTS2021_00001",))
    write(root / "predictions" / "model" / "BraTS2021_00001_copy.nii.gz", (1, 2, 4))
    cohort = discover(root)
    assert [case.case for case in cohort.cases] == ["BraTS2021_00001", "BraTS2021_00001_copy"]
    assert any("prediction of a case without image and reference" in note for note in notes_of(cohort))


def test_two_predictions_of_one_case_are_an_error_of_that_model(a_brats_folder, write):
    root = a_brats_folder(cases=("BraTS2021_00001",), models={"a": (1, 2, 4), "b": (1, 2, 4)})
    write(root / "predictions" / "a" / "BraTS2021_00001_pred.nii.gz", (1, 2, 4))
    case = discover(root).cases[0]
    assert "two files of one model" in case.error_of("a")
    assert case.usable_models() == ["b"]


def test_probability_maps_beside_label_maps(a_brats_folder):
    root = a_brats_folder(cases=("BraTS2021_00001",), models={"a": (1, 2, 4)})
    np.savez(root / "predictions" / "a" / "BraTS2021_00001.npz", probabilities=np.zeros((3, 4, 5, 6)))
    case = discover(root).cases[0]
    assert case.probabilities["a"].name == "BraTS2021_00001.npz"
    assert case.predictions["a"].name == "BraTS2021_00001.nii.gz"


def test_model_with_probability_maps_alone(a_brats_folder, notes_of):
    root = a_brats_folder(cases=("BraTS2021_00001",))
    (root / "predictions" / "a").mkdir(parents=True)
    np.savez(root / "predictions" / "a" / "BraTS2021_00001.npz", probabilities=np.zeros((3, 4, 5, 6)))
    cohort = discover(root)
    assert "a" in cohort.cases[0].probabilities
    assert any("only a probability map" in note for note in notes_of(cohort))


def test_subfolders_that_are_data_sets_are_centres_and_keep_their_labels(tmp_path, write):
    write_case(tmp_path / "north", write, "BraTS2021_00001", "_", ("t1", "seg"), labels=(1, 2, 4))
    write_case(tmp_path / "south" / "cases", write, "BraTS-GLI-00500-000", "-", ("t1n", "seg"), labels=(1, 2, 3))
    cohort = discover(tmp_path)
    assert cohort.layout == "several data sets"
    assert {case.center: case.labels.name for case in cohort.cases} == {"north": "brats2021", "south": "brats2023"}


def test_case_name_of_two_centres_gets_the_centre_in_front(tmp_path, write):
    for center in ("north", "south"):
        write_case(tmp_path / center, write, "case_1", "_", ("t1", "seg"))
    write_case(tmp_path / "south", write, "case_2", "_", ("t1", "seg"))
    cohort = discover(tmp_path)
    assert [case.case for case in cohort.cases] == ["north/case_1", "south/case_1", "case_2"]
    assert len({case.person for case in cohort.cases}) == 3
    assert all(problem.case in ("north/case_1", "south/case_1", "case_2") for problem in cohort.all_problems())


def test_one_data_set_in_a_wrapper_folder_has_no_centre(tmp_path, write):
    write_case(tmp_path / "MICCAI_BraTS2020", write, "BraTS20_Training_001", "_", ("t1", "seg"))
    cohort = discover(tmp_path)
    assert [case.center for case in cohort.cases] == [""]
    assert cohort.layout == "BraTS folders"


def test_centers_csv_gives_centre_and_split(a_brats_folder):
    root = a_brats_folder()
    (root / "centers.csv").write_text("\ufeffcase;center;split\nBraTS2021_00001;Köln;test\n", encoding="utf-8")
    cohort = discover(root)
    assert (cohort["BraTS2021_00001"].center, cohort["BraTS2021_00001"].split) == ("Köln", "test")
    assert cohort["BraTS2021_00002"].center == ""


def test_further_columns_of_centers_csv_are_attributes(a_brats_folder):
    root = a_brats_folder()
    (root / "centers.csv").write_text("case,center,scanner\nBraTS2021_00001,A,Skyra\nBraTS2021_00002,B,\n")
    cohort = discover(root)
    assert [case.attributes for case in cohort.cases] == [{"scanner": "Skyra"}, {}]


def test_fets_partition_gives_centres_under_either_name(a_brats_folder):
    root = a_brats_folder(cases=("BraTS2021_00001", "FeTS2022_00002"))
    (root / "partitioning_1.csv").write_text("Partition_ID,Subject_ID\n3,FeTS2022_00001\n5,FeTS2022_00002\n")
    cohort = discover(root)
    assert [case.center for case in cohort.cases] == ["partition 3", "partition 5"]


def test_centres_table_without_its_columns_is_said(a_brats_folder, errors_of):
    root = a_brats_folder()
    (root / "centers.csv").write_text("patient,hospital\nBraTS2021_00001,A\n")
    cohort = discover(root)
    assert len(cohort.cases) == 2
    assert any("no column case and center" in error for error in errors_of(cohort))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("BraTS2021_00017", "BraTS-GLI-00017-000"),
        ("BraTS2021_00017", "FeTS2022_00017"),
        ("BraTS-GLI-02063-100", "BraTS-GLI-02063-104"),
        ("100001-time1", "100001-time2"),
        ("Brats17_CBICA_AAB_1", "BraTS19_CBICA_AAB_1"),
        ("brats_2013_pat0004_1", "Brats18_2013_21_1"),
    ],
)
def test_one_person_under_two_names(one, other):
    from BraTSRefineLib.cohort import person_of

    assert person_of(one) == person_of(other)


@pytest.mark.parametrize("case", ["BraTS20_Training_001", "TCGA-02-0003", "case_1"])
def test_other_names_are_themselves(case):
    from BraTSRefineLib.cohort import person_of

    assert person_of(case) == case


def test_no_such_folder(tmp_path):
    with pytest.raises(CohortError, match="no such folder"):
        discover(tmp_path / "nothing")


def test_empty_folder(tmp_path):
    with pytest.raises(CohortError, match="folder is empty"):
        discover(tmp_path)


def test_folder_without_volumes_says_what_is_expected(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme.txt").write_text("hello")
    with pytest.raises(CohortError, match=r"no cases found; expected .*imagesTr"):
        discover(tmp_path)


def test_file_instead_of_a_folder(tmp_path):
    (tmp_path / "x.txt").write_text("hello")
    with pytest.raises(CohortError, match="neither a folder nor a manifest"):
        discover(tmp_path / "x.txt")
