"""Tables leave the report as CSV: beside the page, and from within it."""

from __future__ import annotations

import io
from urllib.parse import unquote

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from BraTSRefineLib.analysis.document import ReportTable
from BraTSRefineLib.analysis.export import MOST_CARRIED, csv_link, csv_text, write_tables
from BraTSRefineLib.cohort import WorkspaceError

AWKWARD = pd.DataFrame(
    {
        "case": ['comma, "quote"', "<script>alert(1)</script>", "tumeur n° 3 #1 & 50 %", "two\nlines"],
        "dice": [1 / 3, 1e-17, 0.1 + 0.2, float("inf")],
        "n": [1, 2, 3, 4],
    }
)


def read(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), float_precision="round_trip")


def test_csv_holds_every_digit_and_every_name():
    assert_frame_equal(read(csv_text(AWKWARD)), AWKWARD, check_exact=True)


def test_what_is_not_there_is_an_empty_cell():
    assert csv_text(pd.DataFrame({"a": [float("nan")], "b": [""]})) == "a,b\n,\n"


def test_the_link_within_a_page_holds_the_same_csv():
    link = csv_link(ReportTable("awkward", "", AWKWARD), "report")
    kind, _, content = link.partition(",")
    assert kind == "data:text/csv;charset=utf-8"
    assert unquote(content) == csv_text(AWKWARD)
    assert not set(content) & set("<>#&\n")


def test_a_very_long_table_is_linked_to_beside_the_page():
    long = pd.DataFrame({"case": ["x" * 100] * (MOST_CARRIED // 100)})
    assert csv_link(ReportTable("cases", "", long), "report") == "report/cases.csv"


def test_tables_are_written_under_their_names(tmp_path):
    tables = [ReportTable("one", "", AWKWARD), ReportTable("two", "", AWKWARD.head(1))]
    paths = write_tables(tables, tmp_path / "report")
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["one.csv", "two.csv"]
    assert [len(pd.read_csv(path)) for path in paths] == [4, 1]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "report").write_text("a file", encoding="utf-8")
    with pytest.raises(WorkspaceError, match="report"):
        write_tables([ReportTable("one", "", AWKWARD)], tmp_path / "report")
