"""References in one folder, each model's predictions in another."""

import pytest

from BraTSRefineLib.cohort import CohortError, discover


@pytest.fixture
def two_folders(tmp_path, write):
    for case in ("a", "b"):
        write(tmp_path / "truth" / f"{case}.nii.gz", (1, 2, 4))
        write(tmp_path / "out" / "unet" / f"{case}_pred.nii.gz", (1, 2, 4))
    write(tmp_path / "out" / "vit" / "a.nii.gz", (1, 2, 4))
    return tmp_path


def test_references_and_models_are_matched_by_name(two_folders, errors_of):
    models = {"unet": two_folders / "out" / "unet", "vit": "out/vit"}
    cohort = discover(two_folders, references=two_folders / "truth", predictions=models)
    assert cohort.layout == "two folders"
    assert cohort["a"].usable_models() == ["unet", "vit"]
    assert cohort["b"].usable_models() == ["unet"]
    assert all(case.reference for case in cohort.cases)
    assert errors_of(cohort) == []


def test_references_with_their_own_suffix(tmp_path, write):
    write(tmp_path / "truth" / "a-seg.nii.gz", (1, 2, 3))
    write(tmp_path / "out" / "a.nii.gz", (1, 2, 3))
    cohort = discover(tmp_path, references="truth", predictions={"unet": "out"})
    assert [case.case for case in cohort.cases] == ["a"]
    assert cohort["a"].usable_models() == ["unet"]


def test_folder_of_references_itself_as_the_folder(two_folders):
    cohort = discover(two_folders / "truth", references=two_folders / "truth", predictions={"unet": "../out/unet"})
    assert cohort.models == ["unet"]
    assert len(cohort.cases) == 2


def test_folders_called_references_and_predictions_need_no_words(tmp_path, write):
    write(tmp_path / "references" / "a.nii.gz", (1, 2, 4))
    write(tmp_path / "predictions" / "unet" / "a.nii.gz", (1, 2, 4))
    cohort = discover(tmp_path)
    assert cohort.layout == "two folders"
    assert cohort["a"].reference is not None
    assert cohort["a"].usable_models() == ["unet"]


def test_stated_predictions_are_added_to_a_brats_folder(a_brats_folder, tmp_path, write):
    root = a_brats_folder(models={"old": (1, 2, 4)})
    write(tmp_path / "new" / "BraTS2021_00001.nii.gz", (1, 2, 4))
    cohort = discover(root, predictions={"new": tmp_path / "new"})
    assert cohort["BraTS2021_00001"].usable_models() == ["old", "new"]
    assert set(cohort["BraTS2021_00001"].images) == {"t1n", "t1c", "t2w", "t2f"}


def test_stated_predictions_inside_the_folder_are_read_once(a_brats_folder):
    root = a_brats_folder(models={"old": (1, 2, 4), "new": (1, 2, 4)})
    cohort = discover(root, predictions={"renamed": root / "predictions" / "new"})
    assert cohort["BraTS2021_00001"].usable_models() == ["old", "renamed"]


def test_stated_references_take_the_place_of_those_found(a_brats_folder, tmp_path, write):
    root = a_brats_folder(cases=("BraTS2021_00001",))
    corrected = write(tmp_path / "corrected" / "BraTS2021_00001.nii.gz", (1, 2, 4))
    assert discover(root, references=tmp_path / "corrected").cases[0].reference == corrected


def test_missing_reference_is_a_note(two_folders, notes_of):
    (two_folders / "truth" / "b.nii.gz").unlink()
    cohort = discover(two_folders, references="truth", predictions={"unet": "out/unet"})
    assert cohort["b"].reference is None
    assert any(note.startswith("b: no reference") for note in notes_of(cohort))


def test_stated_folder_that_is_missing(two_folders):
    with pytest.raises(CohortError, match="nowhere: no such folder"):
        discover(two_folders, references="nowhere")


def test_stated_folders_without_label_maps(tmp_path):
    (tmp_path / "truth").mkdir()
    with pytest.raises(CohortError, match="no label map in"):
        discover(tmp_path, references="truth")


def test_model_that_is_not_there_cannot_be_given_labels(two_folders):
    with pytest.raises(CohortError, match=r"no model 'resnet'.*unet"):
        discover(
            two_folders, references="truth", predictions={"unet": "out/unet"}, model_labels={"resnet": "brats2023"}
        )


def test_unknown_convention_is_said(two_folders):
    with pytest.raises(CohortError, match="unknown label convention 'brats1999'"):
        discover(two_folders, references="truth", labels="brats1999")
