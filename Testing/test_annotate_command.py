"""``bratsrefine annotate`` as a script would call it."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from BraTSRefineLib.cohort import Workspace, discover, save_cohort
from BraTSRefineLib.review import Event, open_store


@pytest.fixture(scope="module")
def workspace(phantom_cohort, tmp_path_factory) -> Path:
    """The phantom cohort with three chosen cases, of which the first has an accepted prediction."""
    opened = Workspace.open(tmp_path_factory.mktemp("annotated"))
    cohort = discover(phantom_cohort)
    save_cohort(cohort, opened)
    cases = [case for case in cohort.cases if case.usable_models() and not case.error_of()][:3]
    path = opened.run("select-1") / "outputs" / "selected.csv"
    path.parent.mkdir(parents=True)
    rows = {"rank": [1, 2, 3], "case": [case.case for case in cases], "uncertainty": 0.1, "reason": "unsure"}
    pd.DataFrame(rows).to_csv(path, index=False)
    with open_store(opened.root) as store:
        store.record(Event("decision", cases[0].case, "Ann", decision="accept", model=cases[0].usable_models()[0]))
    return opened.root


def test_list_mark_and_save(answer, workspace, tmp_path):
    listed = answer("annotate", "list", "--workspace", workspace)
    assert listed["progress"] == "0 of 3 done"
    first, second, _ = [row["case"] for row in listed["cases"]]
    for case in (first, second):
        marked = answer("annotate", "done", case, "--workspace", workspace, "--reader", "Ann")
    assert marked["progress"] == "2 of 3 done"
    saved = answer(
        "annotate", "export", "--workspace", workspace, "--out", tmp_path / "Dataset001", "--images", "links"
    )
    assert [row["status"] for row in saved["cases"]] == ["written", "refused"]
    assert "neither a correction" in saved["cases"][1]["why"]
    assert (tmp_path / "Dataset001" / "labelsTr" / f"{first}.nii.gz").is_file()
    assert (tmp_path / "Dataset001" / "imagesTr" / f"{first}_0000.nii.gz").is_symlink()


def test_the_list_is_written_as_csv_and_in_the_cart_form(answer, workspace, tmp_path):
    for name, form in (("list.csv", ()), ("cart.csv", ("--cart",))):
        answer("annotate", "list", "--workspace", workspace, "--out", tmp_path / name, *form)
    with (tmp_path / "cart.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert next(iter(rows[0])) == "uid"
    assert len(rows) == 3
    assert "reason" in (tmp_path / "list.csv").read_text().splitlines()[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("done", "nobody", "--reader", "Ann"), "is not on the list"),
        (("list", "--cart"), "name its file with --out"),
        (("export", "--out", "x", "--layout", "dicom", "--case", "a"), "it is one of nnunet, brats"),
        (("export", "--out", "x", "--case", "nobody"), "no case 'nobody'"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_exit_code_1(bratsrefine, workspace, tmp_path, arguments, words):
    arguments = [tmp_path / "out" if argument == "x" else argument for argument in arguments]
    run = bratsrefine("annotate", *arguments, "--workspace", workspace)
    assert run.returncode == 1
    assert words in " ".join(run.stderr.split())
    assert not (tmp_path / "out").exists()


def test_a_workspace_in_which_nothing_was_chosen_says_how_to_choose(bratsrefine, phantom_cohort, tmp_path):
    save_cohort(discover(phantom_cohort), Workspace.open(tmp_path))
    run = bratsrefine("annotate", "list", "--workspace", tmp_path)
    assert run.returncode == 1
    assert "bratsrefine select" in run.stderr
