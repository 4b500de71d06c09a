"""The Markdown report: the summary and the tables, with nothing that a file's name could break."""

from __future__ import annotations

import pandas as pd

from BraTSRefineLib.analysis.document import Plot, ReportTable, Section
from BraTSRefineLib.analysis.markdown import MOST_ROWS, markdown, plain
from BraTSRefineLib.analysis.markup import Html

FRAME = pd.DataFrame({"case": ["a|b_<i>c"], "model": ["net"], "dice": [0.12345], "p": [0.0001]})


def written(*parts, summary=("Weak.", "Because.")) -> str:
    return markdown("Cohort", list(summary), [Section("worst", "Worst", parts)], "report", "Made today.")


def test_the_summary_comes_first():
    lines = written("A paragraph.").splitlines()
    assert lines[:5] == ["# Cohort", "", "**Weak.**", "", "Because."]
    assert "## Worst" in lines and "A paragraph." in lines


def test_a_table_has_a_row_a_row_and_its_file():
    text = written(ReportTable("worst-cases", "The worst", FRAME, "By Dice."))
    assert "### The worst" in text
    assert "By Dice. ([worst-cases.csv](report/worst-cases.csv))" in text
    assert "| Case | Model | Dice | p |\n| --- | --- | ---: | ---: |\n" in text
    assert r"| a\|b\_\<i\>c | net | 0.12 | \<0.001 |" in text


def test_long_tables_end_in_their_file():
    text = written(ReportTable("cases", "All", pd.concat([FRAME] * (MOST_ROWS + 5), ignore_index=True)))
    assert text.count("| net |") == MOST_ROWS
    assert "*5 more rows in the file.*" in text


def test_what_is_html_stays_in_the_page():
    assert "<p>" not in written(Html("<p>for the page</p>"), "words")


def test_a_section_without_words_is_left_out():
    assert "## Worst" not in written(Html("<p>for the page</p>"))


def test_a_plot_is_told_of():
    assert "*Plot in the HTML report: Dice by size.*" in written(Plot("size", (), {}, "Dice by size."))


def test_an_empty_table_says_so():
    assert "*No row.*" in written(ReportTable("none", "None", FRAME.head(0)))


def test_lines_in_a_name_do_not_end_a_row():
    assert plain("two\nlines  here") == "two lines here"
