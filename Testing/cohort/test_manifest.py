"""The manifest that a person writes, and the cohort that is kept in the workspace."""

import json
from pathlib import Path

import pandas as pd
import pytest

from BraTSRefineLib.cohort import (
    Case,
    Cohort,
    CohortError,
    Problem,
    Workspace,
    discover,
    load_cohort,
    read_manifest,
    save_cohort,
)


@pytest.fixture
def a_manifest(tmp_path, write):
    """A function that writes a manifest with the given text, beside four files of case a and case b."""
    for case in ("a", "b"):
        write(tmp_path / f"{case}_t1.nii.gz", None)
        write(tmp_path / f"{case}_truth.nii.gz", (1, 2, 4))
        write(tmp_path / "out" / f"{case}.nii.gz", (1, 2, 4))

    def make(text: str) -> Path:
        (tmp_path / "cohort.csv").write_text(text, encoding="utf-8")
        return tmp_path / "cohort.csv"

    return make


FULL = """case,center,split,person,t1n,reference,predictions/unet,labels
a,Köln,train,p1,a_t1.nii.gz,a_truth.nii.gz,out/a.nii.gz,
b,Bonn,test,p1,b_t1.nii.gz,b_truth.nii.gz,out/b.nii.gz,brats2021
"""


def test_columns_of_a_manifest_are_read(a_manifest, errors_of):
    cohort = discover(a_manifest(FULL))
    case = cohort["a"]
    assert (case.center, case.split, case.person) == ("Köln", "train", "p1")
    assert case.images["t1n"].name == "a_t1.nii.gz"
    assert case.usable_models() == ["unet"]
    assert {found.labels.name for found in cohort.cases} == {"brats2021"}
    assert cohort.layout == "manifest"
    assert errors_of(cohort) == []


def test_only_the_case_is_required(a_manifest):
    cohort = discover(a_manifest("case,reference\na,a_truth.nii.gz\n"))
    assert cohort["a"].person == "a"
    assert cohort["a"].labels.name == "brats2021"


def test_manifest_as_a_spreadsheet_exports_it(a_manifest):
    path = a_manifest("\ufeffcase;reference\na;a_truth.nii.gz\n;\n")
    assert [case.case for case in discover(path).cases] == ["a"]


def test_labels_are_stated_per_case_and_model(a_manifest, notes_of):
    text = 'case,reference,predictions/m,labels,labels/m\na,a_truth.nii.gz,out/a.nii.gz,brats2021,"NCR=4,ED=2,ET=1"\n'
    cohort = discover(a_manifest(text))
    case = cohort["a"]
    assert case.labels.name == "brats2021"
    assert case.convention_of("m").regions["ET"] == (1,)
    assert not any("labels" in note for note in notes_of(cohort))


def test_stated_root_is_where_paths_start(a_manifest, tmp_path):
    path = a_manifest("case,reference\na,a_truth.nii.gz\n")
    elsewhere = tmp_path / "lists" / "cohort.csv"
    elsewhere.parent.mkdir()
    path.rename(elsewhere)
    assert read_manifest(elsewhere, root=tmp_path)["a"].error_of() == ""


@pytest.mark.parametrize("cell", ["../a_truth.nii.gz", "/etc/passwd", "x/../../a.nii.gz"])
def test_path_that_leaves_the_folder_is_refused_for_that_case(a_manifest, cell):
    cohort = discover(a_manifest(f"case,reference\na,{cell}\nb,b_truth.nii.gz\n"))
    assert f"'{cell}' leaves the data folder" in cohort["a"].error_of()
    assert cohort["a"].reference is None
    assert cohort["b"].error_of() == ""


def test_absolute_path_inside_the_folder_is_fine(a_manifest, tmp_path):
    cohort = discover(a_manifest(f"case,reference\na,{tmp_path}/a_truth.nii.gz\n"))
    assert cohort["a"].error_of() == ""


def test_missing_file_is_an_error_of_its_case_or_model(a_manifest):
    text = "case,reference,predictions/m\na,gone.nii.gz,out/a.nii.gz\nb,b_truth.nii.gz,gone.nii.gz\n"
    cohort = discover(a_manifest(text))
    assert "gone.nii.gz: no such file" in cohort["a"].error_of()
    assert cohort["b"].error_of() == ""
    assert "gone.nii.gz: no such file" in cohort["b"].error_of("m")


def test_unknown_convention_is_an_error_of_its_case(a_manifest):
    cohort = discover(a_manifest("case,reference,labels\na,a_truth.nii.gz,brats1999\nb,b_truth.nii.gz,\n"))
    assert "unknown label convention 'brats1999'" in cohort["a"].error_of()
    assert cohort["b"].error_of() == ""


SCANNERS = """case,reference,scanner,field strength,
a,a_truth.nii.gz,Skyra,3,x
b,b_truth.nii.gz,,1.5,
"""


def test_further_columns_become_attributes_of_the_cases(a_manifest):
    cohort = discover(a_manifest(SCANNERS))
    assert cohort["a"].attributes == {"scanner": "Skyra", "field strength": "3"}
    assert cohort["b"].attributes == {"field strength": "1.5"}
    assert cohort.table()["scanner"].tolist() == ["Skyra", ""]


def test_further_columns_are_named_so_that_a_misspelt_one_is_noticed(a_manifest, notes_of):
    notes = notes_of(discover(a_manifest(SCANNERS.replace("scanner", "referense"))))
    assert any("column referense, field strength is kept as an attribute" in note for note in notes)
    assert any("column '' names nothing and is left out" in note for note in notes)


def test_a_file_column_is_no_attribute(a_manifest):
    cohort = discover(a_manifest(FULL))
    assert cohort["b"].attributes == {}


def test_kept_attributes_come_back(a_manifest, tmp_path):
    cohort = discover(a_manifest(SCANNERS))
    workspace = Workspace.open(tmp_path / "workspace")
    save_cohort(cohort, workspace)
    assert load_cohort(workspace) == cohort
    assert load_cohort(workspace)["b"].attributes == {"field strength": "1.5"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column case"),
        ("patient,reference\na,a_truth.nii.gz\n", "no column case"),
        ("case,reference\n", "names no case"),
        ("case,reference\na,a_truth.nii.gz\na,b_truth.nii.gz\n", "case a occurs more than once"),
        ("case,reference\na,a_truth.nii.gz\n,b_truth.nii.gz\n", "row 3 names no case"),
    ],
)
def test_manifest_that_is_none_is_refused(a_manifest, text, message):
    with pytest.raises(CohortError, match=message):
        discover(a_manifest(text))


def test_missing_manifest_is_said(tmp_path):
    with pytest.raises(CohortError, match="no such manifest"):
        discover(tmp_path / "cohort.csv")


def test_manifest_in_another_encoding_is_said(a_manifest):
    path = a_manifest("case\n")
    path.write_bytes("case\nMüller\n".encode("latin-1"))
    with pytest.raises(CohortError, match="save it as CSV in UTF-8"):
        discover(path)


def test_kept_cohort_comes_back_as_it_was(a_brats_folder, tmp_path, write):
    root = a_brats_folder(models={"a": (1, 2, 4), "b": (1, 2, 3), "c": (7, 8, 9)})
    write(root / "predictions" / "d" / "BraTS2021_00001.nii.gz", (1, 2, 4), None)
    cohort = discover(root, model_labels={"c": "NCR=9,ED=7,ET=8"})
    workspace = Workspace.open(tmp_path / "workspace")
    save_cohort(cohort, workspace)
    assert load_cohort(workspace) == cohort


def test_kept_cohort_of_all_real_cases_comes_back_as_it_was(real_data, tmp_path):
    """Several centres, agreeing conventions, problems of every kind."""
    cohort = discover(real_data)
    workspace = Workspace.open(tmp_path)
    save_cohort(cohort, workspace)
    loaded = load_cohort(workspace)
    assert loaded == cohort
    pd.testing.assert_frame_equal(loaded.table(), cohort.table())


def test_table_of_a_kept_cohort_is_readable_by_others(a_brats_folder, tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    cohort = discover(a_brats_folder(models={"a": (1, 2, 4)}))
    save_cohort(cohort, workspace)
    table = pd.read_csv(workspace.cohort_csv, dtype=str)
    assert list(table["case"]) == ["BraTS2021_00001", "BraTS2021_00002"]
    assert (cohort.root / table["predictions/a"][0]).is_file()


def test_a_kept_cohort_names_its_folder_once_and_all_files_from_there(a_brats_folder, tmp_path):
    root = a_brats_folder(models={"a": (1, 2, 4), "c": (7, 8, 9)})
    (root / "predictions" / "a" / "BraTS2021_00002.nii.gz").write_bytes(b"damaged")
    workspace = Workspace.open(tmp_path / "workspace")
    cohort = discover(root)
    save_cohort(cohort, workspace)
    assert any(str(root) in problem.message for problem in cohort.all_problems())
    assert str(root) not in workspace.cohort_csv.read_text()
    assert (workspace.root / "cohort.json").read_text().count(str(root)) == 1
    assert load_cohort(workspace) == cohort


def test_a_kept_cohort_keeps_files_elsewhere_as_they_are(tmp_path, write):
    far = write(tmp_path / "elsewhere" / "a.nii.gz")
    near = write(tmp_path / "data" / "b.nii.gz")
    problem = Problem(f"{far}: odd", "a", "m", far, "note")
    case = Case("a", reference=near, predictions={"m": far}, problems=(problem,))
    cohort = Cohort(tmp_path / "data", "BraTS folders", (case,))
    workspace = Workspace(tmp_path / "workspace")
    save_cohort(cohort, workspace)
    assert load_cohort(workspace) == cohort
    assert str(tmp_path) not in workspace.cohort_csv.read_text()
    assert (workspace.root / "cohort.json").read_text().count(str(far.parent)) == 1


def test_a_cohort_that_an_older_version_kept_is_read(a_brats_folder, tmp_path):
    cohort = discover(a_brats_folder(models={"a": (1, 2, 4)}))
    workspace = Workspace.open(tmp_path / "workspace")
    save_cohort(cohort, workspace)
    cohort.table().to_csv(workspace.cohort_csv, index=False)
    kept = json.loads((workspace.root / "cohort.json").read_text()) | {"version": 1}
    (workspace.root / "cohort.json").write_text(json.dumps(kept).replace("<root>", str(cohort.root)))
    assert str(cohort.root) in workspace.cohort_csv.read_text()
    assert load_cohort(workspace) == cohort


def test_data_that_were_moved_are_found_by_the_new_root(a_brats_folder, tmp_path):
    cohort = discover(a_brats_folder(models={"a": (1, 2, 4)}))
    workspace = Workspace.open(tmp_path / "workspace")
    save_cohort(cohort, workspace)
    cohort.root.rename(tmp_path / "moved")
    kept = json.loads((workspace.root / "cohort.json").read_text()) | {"root": str(tmp_path / "moved")}
    (workspace.root / "cohort.json").write_text(json.dumps(kept))
    assert all(case.reference.is_file() for case in load_cohort(workspace).cases)


def test_kept_table_is_a_manifest_where_the_root_is_stated(a_brats_folder, tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    cohort = discover(a_brats_folder(models={"a": (1, 2, 4)}))
    save_cohort(cohort, workspace)
    again = read_manifest(workspace.cohort_csv, root=cohort.root)
    assert [case.predictions for case in again.cases] == [case.predictions for case in cohort.cases]


def test_workspace_without_a_cohort_says_so(tmp_path):
    with pytest.raises(CohortError, match="no cohort is kept here"):
        load_cohort(Workspace(tmp_path))


@pytest.mark.parametrize("damage", ["{", "[]", '{"cases": {}}'])
def test_damaged_cohort_json_says_so(a_brats_folder, tmp_path, damage):
    workspace = Workspace.open(tmp_path / "workspace")
    save_cohort(discover(a_brats_folder()), workspace)
    (workspace.root / "cohort.json").write_text(damage)
    with pytest.raises(CohortError, match="discover the cohort again"):
        load_cohort(workspace)
