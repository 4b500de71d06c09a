"""How the label convention is found, and where it is not guessed."""

import numpy as np
import pytest

from BraTSRefineLib.cohort import VolumeError, discover, label_sets
from BraTSRefineLib.cohort.labels import candidates, decide, decide_model, naming_of, seen_labels
from BraTSRefineLib.regions import CONVENTIONS


def names(labels, named=""):
    return [convention.name for convention in candidates(frozenset(labels), named)]


@pytest.mark.parametrize(
    ("labels", "case", "convention"),
    [
        ({1, 2, 4}, "BraTS20_Training_001", "brats2021"),
        ({1, 2, 4}, "some case", "brats2021"),
        ({2, 4}, "BraTS-GLI-02218-100", "brats2024-gli"),
        ({1, 2, 3}, "some case", "brats2023"),
        ({1, 2, 3}, "BraTS-GLI-00001-000", "brats2023"),
        ({1, 2, 3}, "BraTS-GLI-02129-100", "brats2024-gli"),
        ({1, 2, 3, 4}, "BraTS-GLI-02129-100", "brats2024-gli"),
        ({1, 2, 3, 4}, "100001-time1", "brats2024-gli"),
        ({1, 2, 3, 4}, "brats_2013_pat0002_1", "brats2013"),
        ({1, 2, 3, 4}, "BraTS-PED-00017-000", "brats2024-ped"),
        ({1, 2, 3, 4}, "BraTS-MET-00017-000", "brats2024-gli"),
        ({1, 2}, "BraTS2021_01477", "brats2021"),
        ({1, 2}, "BraTS-SSA-00046-000", "brats2023"),
        ({1, 2}, "YG_0AXGKD8AFJGS", "core-rest"),
        ({1, 2, 3}, "BraTS20_Training_001", "brats2023"),
    ],
)
def test_labels_and_naming_give_one_convention(labels, case, convention):
    assert decide(frozenset(labels), naming_of([case])).convention.name == convention


def test_three_and_four_without_a_telling_name_are_ambiguous():
    reading = decide(frozenset({1, 2, 3, 4}))
    assert reading.convention is None
    assert "brats2013 and brats2024-gli and brats2024-ped; state --labels" in reading.remark


def test_one_and_two_alone_are_read_alike_by_both_conventions():
    reading = decide(frozenset({1, 2}))
    assert reading.convention.regions == {"WT": (1, 4, 2), "TC": (4, 1), "ET": (4,)}
    assert reading.convention.outside({3}) == [3]


def test_one_label_alone_is_certain_in_the_whole_tumour_only():
    assert set(decide(frozenset({1})).convention.regions) == {"WT"}


def test_unknown_labels_are_refused_with_the_way_out():
    reading = decide(frozenset({1, 2, 7}))
    assert reading.convention is None
    assert "labels 1, 2, 7 belong to no known convention; spell it out with --labels" in reading.remark


def test_set_of_pre_and_post_treatment_scans_is_post_treatment():
    assert naming_of(["BraTS-GLI-00001-000", "BraTS-GLI-00002-000", "BraTS-GLI-02000-101"]) == "brats2024-gli"


def test_model_within_the_cohorts_labels_is_read_as_the_cohort():
    assert decide_model("m", frozenset({1, 2}), CONVENTIONS["brats2021"]).convention is None


def test_model_outside_the_cohorts_labels_is_read_by_its_own_and_said():
    reading = decide_model("m", frozenset({1, 2, 3}), CONVENTIONS["brats2021"])
    assert reading.convention.name == "brats2023"
    assert "state --model-labels m=..." in reading.remark


def test_ambiguous_cohort_is_an_error_of_its_cases_naming_candidates(a_brats_folder):
    root = a_brats_folder(cases=("patient1", "patient2"), labels=(1, 2, 3, 4))
    cohort = discover(root)
    assert all("state --labels" in case.error_of() for case in cohort.cases)
    stated = discover(root, labels="brats2013")
    assert all(case.error_of() == "" for case in stated.cases)


def test_references_without_enhancing_tumour_adopt_the_models_convention(a_brats_folder, notes_of):
    cohort = discover(a_brats_folder(cases=("p1", "p2"), labels=(1, 2), models={"m": (1, 2, 3)}))
    assert cohort.cases[0].labels.name == "brats2023"
    assert cohort.cases[0].model_labels == {}
    assert any("read as the models' brats2023" in note for note in notes_of(cohort))


def test_model_with_unknown_labels_is_an_error_of_that_model_alone(a_brats_folder):
    cohort = discover(a_brats_folder(models={"good": (1, 2, 4), "bad": (1, 2, 9)}))
    assert all(case.usable_models() == ["good"] for case in cohort.cases)
    assert "labels 1, 2, 9 belong to no known convention" in cohort.cases[0].error_of("bad")


def test_model_with_permuted_labels_can_be_spelled_out(a_brats_folder):
    root = a_brats_folder(models={"bad": (7, 8, 9)})
    cohort = discover(root, model_labels={"bad": "NCR=9,ED=7,ET=8"})
    assert cohort.cases[0].usable_models() == ["bad"]
    assert cohort.cases[0].convention_of("bad").regions["ET"] == (8,)


def test_predictions_alone_follow_the_naming_where_a_model_keeps_to_it(tmp_path, write):
    for model, labels in {"a": (1, 2, 4), "b": (1, 2, 4), "c": (1, 2, 3)}.items():
        write(tmp_path / "predictions" / model / "BraTS-GLI-00001-000.nii.gz", labels)
    case = discover(tmp_path).cases[0]
    assert case.labels.name == "brats2023"
    assert {model: found.name for model, found in case.model_labels.items()} == {"a": "brats2021", "b": "brats2021"}


def test_predictions_alone_without_a_telling_name_follow_most_models(tmp_path, write):
    for model, labels in {"a": (1, 2, 4), "b": (1, 2, 4), "c": (1, 2, 3)}.items():
        write(tmp_path / "predictions" / model / "case.nii.gz", labels)
    case = discover(tmp_path).cases[0]
    assert case.labels.name == "brats2021"
    assert set(case.model_labels) == {"c"}


def test_rare_telling_label_is_found_among_many_cases(tmp_path, write):
    paths = [write(tmp_path / f"{i:02d}.nii.gz", (1, 2) if i != 7 else (1, 2, 4)) for i in range(12)]
    assert seen_labels(paths).labels == {1, 2, 4}


def test_no_more_than_a_sample_is_read(tmp_path, write):
    paths = [write(tmp_path / f"{i:02d}.nii.gz", (1, 2)) for i in range(3)]
    assert seen_labels(paths * 100).labels == {1, 2}


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".nrrd"])
def test_labels_of_every_voxel_type(tmp_path, write, dtype, ending):
    assert label_sets(write(tmp_path / f"a{ending}", (1, 2, 4), dtype=dtype)) == {1, 2, 4}


def test_nearly_whole_numbers_and_negative_zero(tmp_path, write):
    path = write(tmp_path / "a.nii.gz", (1.0000153, 2.0000305, -0.0, 4.0), dtype="float64")
    assert label_sets(path) == {1, 2, 4}


def test_empty_label_map_has_no_labels(tmp_path, write):
    assert label_sets(write(tmp_path / "a.nii.gz", (0,))) == frozenset()


@pytest.mark.parametrize(
    ("values", "message"),
    [((0.5, 1.0), "not whole numbers"), ((np.nan, 1.0), "NaN"), ((-3.0,), "-3"), ((1000.0,), "1000")],
)
def test_values_that_are_no_labels_are_refused(tmp_path, write, values, message):
    path = write(tmp_path / "a.nii.gz", values, dtype="float32")
    with pytest.raises(VolumeError, match=message):
        label_sets(path)


def test_scaled_values_are_the_labels(tmp_path, write):
    """A slope in the header: stored 2 means 4."""
    path = write(tmp_path / "a.nii", (1, 2))
    raw = bytearray(path.read_bytes())
    raw[112:116] = np.float32(2.0).tobytes()
    path.write_bytes(raw)
    assert label_sets(path) == {2, 4}


def test_prediction_of_fractions_is_an_error_of_that_model(a_brats_folder, write):
    root = a_brats_folder(cases=("BraTS2021_00001",), models={"good": (1, 2, 4)})
    write(root / "predictions" / "soft" / "BraTS2021_00001.nii.gz", (0.3, 0.7), dtype="float32")
    case = discover(root).cases[0]
    assert case.usable_models() == ["good"]
    assert "not whole numbers" in case.error_of("soft")
