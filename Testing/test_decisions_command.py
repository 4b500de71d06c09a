"""``bratsrefine decisions`` and ``worklist`` as a script would call them."""

from __future__ import annotations

import csv
import importlib.util
import shutil
from pathlib import Path

import pytest

from BraTSRefineLib.cohort import Workspace, discover, save_cohort
from BraTSRefineLib.review import Event, open_store, read_events


@pytest.fixture(scope="module")
def reviewed(phantom_cohort, tmp_path_factory) -> Path:
    """A workspace whose cases two readers decided, the first three alike."""
    workspace = Workspace.open(tmp_path_factory.mktemp("reviewed"))
    cohort = discover(phantom_cohort)
    save_cohort(cohort, workspace)
    with open_store(workspace.root) as store:
        for number, case in enumerate(cohort.cases[:5]):
            taken = ("minor", "accept", "major", "minor", "accept")[number]
            store.record(Event("decision", case.case, "Ann", decision=taken, note=f'"{number}"\n🧠'))
            store.record(Event("decision", case.case, "Ben", decision=taken if number < 3 else "bad image"))
    return workspace.root


def test_the_work_list_of_a_model_knows_only_what_was_said_of_it(answer, phantom_cohort, tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    cohort = discover(phantom_cohort)
    save_cohort(cohort, workspace)
    with open_store(workspace.root) as store:
        store.record(Event("decision", cohort.cases[0].case, "Ann", decision="minor", model="fold_0"))
    for model, done in (("fold_0", 1), ("fold_1", 0)):
        assert answer("worklist", "--workspace", workspace.root, "--model", model)["done"] == done


def test_what_is_exported_here_can_be_imported_elsewhere(answer, reviewed, tmp_path):
    for ending in ("csv", "jsonl"):
        file, other = tmp_path / f"decisions.{ending}", tmp_path / ending
        assert answer("decisions", "export", "--workspace", reviewed, "--out", file)["events"] == 10
        other.mkdir()
        taken = answer("decisions", "import", "--workspace", other, file)
        assert (taken["read"], taken["new"], taken["known"]) == (10, 10, 0)
        assert answer("decisions", "import", "--workspace", other, file)["new"] == 0
        with open_store(other) as store:
            assert store.events() == read_events(file)
    with (tmp_path / "decisions.csv").open(encoding="utf-8", newline="") as stream:
        assert "uid" in next(csv.reader(stream))


def test_a_pseudonymised_export_names_nobody(bratsrefine, reviewed, tmp_path):
    file = tmp_path / "decisions.csv"
    run = bratsrefine("decisions", "export", "--workspace", reviewed, "--out", file, "--pseudonymise")
    assert run.returncode == 0, run.stderr
    assert "notes are free text" in run.stderr
    events = read_events(file)
    assert {event.who.split("-")[0] for event in events} == {"reader"}
    assert {event.case.split("-")[0] for event in events} == {"case"}
    assert len({event.case for event in events}) == 5


def test_agreement_gives_kappa_and_the_disagreements(bratsrefine, answer, reviewed):
    found = answer("decisions", "agreement", "--workspace", reviewed)
    (pair,) = found["pairs"]
    assert (pair["reader_1"], pair["reader_2"], pair["items"], pair["agree"]) == ("Ann", "Ben", 5, 0.6)
    assert 0 < pair["kappa"] < 1
    assert [row["decisions"] for row in found["disagreements"]] == [
        {"Ann": "minor", "Ben": "bad image"},
        {"Ann": "accept", "Ben": "bad image"},
    ]
    assert "disagreements:" in bratsrefine("decisions", "agreement", "--workspace", reviewed).stdout


def test_the_worklist_says_what_is_open_and_how_far_one_is(bratsrefine, answer, reviewed):
    found = answer("worklist", "--workspace", reviewed)
    assert (found["progress"], found["done"], found["of"]) == ("3 of 6", 3, 6)
    assert [row["state"] for row in found["cases"]] == ["decided"] * 3 + ["disagreement"] * 2 + ["open"]
    still = answer("worklist", "--workspace", reviewed, "--state", "open", "--state", "disagreement")
    assert len(still["cases"]) == 3
    assert "3 of 6 decided" in bratsrefine("worklist", "--workspace", reviewed, "--state", "open").stdout


def test_a_blind_worklist_is_the_reader_s_own(answer, reviewed):
    found = answer("worklist", "--workspace", reviewed, "--order", "blind", "--reader", "Cleo")
    assert found["progress"] == "0 of 6"
    assert {row["decision"] for row in found["cases"]} == {""}
    assert not any("priority" in row for row in found["cases"])


@pytest.fixture
def in_order(answer, reviewed, tmp_path) -> Path:
    """The same workspace with flags and predicted quality of its cases."""
    copy = shutil.copytree(reviewed, tmp_path / "ranked")
    names = [row["case"] for row in answer("worklist", "--workspace", copy)["cases"]]
    heading = "case,region,rank,why,quantity,volume_ml,mean,maximum,x_mm,y_mm,z_mm"
    rows = [f"{names[i]},WT,1,w,disagreement,{i + 1},0.2,0.2,0,0,0" for i in range(3)]
    (copy / "flags.csv").write_text("\n".join([heading, *rows]) + "\n")
    (copy / "evaluation").mkdir()
    rows = [f"{name},WT,0.{9 - i}" for i, name in enumerate(names)]
    (copy / "evaluation" / "quality.csv").write_text("\n".join(["case,region,predicted", *rows]) + "\n")
    return copy


def test_the_worklist_follows_the_flags_and_without_them_the_predicted_quality(answer, in_order):
    by_flags = answer("worklist", "--workspace", in_order)["cases"]
    assert [row["flagged_ml"] for row in by_flags] == [3, 2, 1, 0, 0, 0]
    (in_order / "flags.csv").unlink()
    by_quality = answer("worklist", "--workspace", in_order)["cases"]
    assert [row["predicted_dice"] for row in by_quality] == [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("worklist", "--workspace", "none"), "no such workspace"),
        (("worklist", "--workspace", "."), "no cohort is kept here"),
        (("worklist", "--workspace", ".", "--state", "lost"), "no state 'lost'"),
        (("decisions", "export", "--workspace", ".", "--out", "x.pdf"), "kept as .csv or .jsonl"),
        (("decisions", "import", "--workspace", ".", "none.csv"), "cannot be read"),
        (("decisions", "agreement", "--workspace", ".", "--store", "oracle://x"), "'oracle://' is no store"),
    ],
)
def test_bad_input_is_one_clear_line(bratsrefine, arguments, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = bratsrefine(*arguments)
    assert run.returncode == 1
    assert expected in run.stderr
    assert "Traceback" not in run.stderr


def test_no_workspace_is_wrong_usage(bratsrefine):
    assert bratsrefine("worklist").returncode == 2


def test_a_damaged_store_is_one_clear_line_that_names_the_export(bratsrefine, reviewed, tmp_path):
    copy = shutil.copytree(reviewed, tmp_path / "damaged")
    (copy / "review.sqlite").write_bytes(b"x" * 5000)
    run = bratsrefine("decisions", "agreement", "--workspace", copy)
    assert run.returncode == 1
    assert "review-export.jsonl" in run.stderr


@pytest.mark.skipif(importlib.util.find_spec("psycopg") is None, reason="pip install 'bratsrefine[team]'")
def test_a_server_that_does_not_answer_is_one_clear_line(bratsrefine, reviewed, tmp_path):
    run = bratsrefine("worklist", "--workspace", reviewed, "--store", f"postgresql://me:secret@/x?host={tmp_path}")
    assert run.returncode == 1
    assert "no connection to the server" in run.stderr
    assert "secret" not in run.stderr
