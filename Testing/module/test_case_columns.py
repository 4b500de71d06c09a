"""The columns of the table of cases: metrics, ranks, words; sorted with what is unknown last."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from case_rows import cohort_of


@pytest.fixture
def columns():
    return cohort_of(
        dice={"a": 0.9, "b": 0.2, "c": None, "d": 0.5, "e": 0.2},
        size={"a": 20.0, "b": 3.0, "c": 8.0, "d": 0.4, "e": 8.0},
        centers={"a": "A", "b": "B", "c": "", "d": "A", "e": "B"},
        decisions={"b": "major", "a": "accept"},
    )


def test_a_metric_of_a_region_is_aligned_with_the_rows(columns):
    from BraTSRefineUI.casecolumns import Key

    assert columns.numbers(Key("dice", "ET")).tolist() == pytest.approx([0.9, 0.2, np.nan, 0.5, 0.2], nan_ok=True)
    assert np.isnan(columns.numbers(Key("dice", "WT"))).all()
    assert columns.metrics() == ["dice", "volume_reference_ml"]
    assert columns.regions() == ["ET"]


@pytest.mark.parametrize(
    ("key", "descending", "expected"),
    [
        ("dice ET", False, "bedac"),
        ("dice ET", True, "adbec"),
        ("volume_reference_ml ET", False, "dbcea"),
        ("centre", False, "adbec"),
        ("centre", True, "beadc"),
        ("decision", False, "abcde"),
        ("case", True, "edcba"),
    ],
)
def test_sorting_is_stable_and_unknown_comes_last_both_ways(columns, key, descending, expected):
    from BraTSRefineUI.casecolumns import Key

    order = columns.order(Key.read(key), descending)
    assert "".join(columns.cases[row] for row in order) == expected


@pytest.mark.parametrize("text", ["dice ET", "mean rank", "rank sum", "what is wrong", "lesionwise_hd95_mm WT", "case"])
def test_a_key_is_read_as_it_was_written(text):
    from BraTSRefineUI.casecolumns import Key

    assert str(Key.read(text)) == text


def test_ranks_are_those_of_the_challenge_and_one_model_has_no_rank_sum(columns):
    from BraTSRefineUI.casecolumns import MEAN_RANK, RANK_SUM, Key

    ranks = columns.numbers(Key(MEAN_RANK))
    assert ranks.tolist() == pytest.approx([4.0, 1.5, np.nan, 3.0, 1.5], nan_ok=True)
    assert not columns.has(Key(RANK_SUM))
    assert "fewer than two" in columns.rankProblem


def test_without_scores_there_are_names_and_centres_only():
    from BraTSRefineUI.casecolumns import CASE, CENTER, CaseColumns, Key
    from BraTSRefineUI.tables import CaseRow

    columns = CaseColumns([CaseRow("a", "A"), CaseRow("b")])
    assert columns.metrics() == columns.regions() == []
    assert columns.has(Key(CASE))
    assert columns.has(Key(CENTER))
    assert not columns.has(Key("dice", "ET"))
    assert not columns.has(Key("mean rank"))


def test_five_thousand_rows_are_sorted_and_filtered_as_plain_python_would():
    from BraTSRefineUI.casecolumns import Key
    from BraTSRefineUI.casefilter import filtered

    random = np.random.default_rng(3)
    names = [f"case{number:04d}" for number in range(5000)]
    dice = {name: None if random.random() < 0.1 else round(float(random.random()), 2) for name in names}
    many = cohort_of(dice, centers={name: "ABC"[number % 3] for number, name in enumerate(names)})
    order = [names[row] for row in many.order(Key("dice", "ET"))]
    known = [name for name in names if dice[name] is not None]
    assert order == sorted(known, key=dice.get) + [name for name in names if dice[name] is None]
    kept = {names[row] for row in np.flatnonzero(filtered(many, "dice<0.25 centre:B,C -case00").rows)}
    assert kept == {n for n in known if dice[n] < 0.25 and int(n[4:]) % 3 and not n.startswith("case00")}


@pytest.fixture
def files():
    """The module that writes tables, which needs the names of Qt and no window."""
    from BraTSRefine.Standalone import names

    names.install()
    from BraTSRefineUI import files

    return files


def test_exported_rows_have_all_digits_and_quote_what_needs_it(files, tmp_path):
    from BraTSRefineUI.casecolumns import CENTER, DECISION, Key

    told = cohort_of({"a": 1 / 3, "b": None}, centers={"a": 'St. "A", north\n💥'}, decisions={"b": "major"})
    keys = [Key("case"), Key("dice", "ET"), Key(CENTER), Key(DECISION)]
    assert files.writeCases(tmp_path / "t.csv", told, keys, [1, 0]) == 2
    rows = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text(encoding="utf-8"), newline="")))
    assert rows[0] == {"case": "b", "model": "model", "dice_ET": "", "center": "", "decision": "major"}
    assert float(rows[1]["dice_ET"]) == 1 / 3
    assert rows[1]["center"] == 'St. "A", north\n💥'
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_an_export_that_fails_leaves_the_old_file_and_no_partial_one(files, tmp_path, columns, monkeypatch):
    from BraTSRefineUI.casecolumns import Key

    (tmp_path / "t.csv").write_text("old")

    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_value", broken)
    with pytest.raises(Exception, match="space"):
        files.writeCases(tmp_path / "t.csv", columns, [Key("dice", "ET")], [0])
    assert (tmp_path / "t.csv").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.parametrize("answer", ["/x/y.csv", ("/x/y.csv", "Tables (*.csv)")])
def test_a_chosen_path_is_the_same_text_in_pythonqt_and_pyside(files, monkeypatch, answer):
    monkeypatch.setattr(files.qt.QFileDialog, "getSaveFileName", lambda *_: answer)
    assert files.askSavePath(None, "Save", "/x", "Tables (*.csv)") == "/x/y.csv"


def test_chosen_columns_are_kept_as_words_and_read_again(files):
    from BraTSRefineUI.casecolumns import CENTER, Key
    from BraTSRefineUI.tablecolumns import Chosen

    chosen = Chosen().having(Key("dice", "WT")).having(Key("mean rank")).toggled(CENTER, False)
    assert Chosen.read(chosen.words()) == chosen
    assert Chosen.read(["nonsense", "", "-nothing"]) == Chosen()
    assert chosen.without(Key("dice", "WT")).toggled(CENTER, True) == Chosen((Key("mean rank"),))
