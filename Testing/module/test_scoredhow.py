"""Each number in the window says how it was made: convention, labels, version, worth of empty masks."""

from __future__ import annotations

import pytest
from BraTSRefineUI.scoredhow import ScoredHow, ofEmptyMasks
from driving import click_row
from PySide6.QtCore import Qt

HOW = ScoredHow(2, {"a": "brats2023", "b": "brats2020"})


def test_the_words_name_convention_labels_and_version():
    assert HOW.words("brats2023", "b") == "by brats2023, labels brats2020, metrics v2"
    assert HOW.words("nnunet", "unknown") == "by nnunet, metrics v2"


def test_labels_are_named_for_all_where_all_have_the_same():
    assert HOW.words("brats2023") == "by brats2023, metrics v2"
    assert (
        ScoredHow(2, {"a": "brats2023", "b": "brats2023"}).words("nnunet") == "by nnunet, labels brats2023, metrics v2"
    )


def test_what_was_not_scored_says_nothing():
    assert ScoredHow().words("brats2023", "a") == ScoredHow().explained("brats2023") == ""
    assert HOW.words("") == HOW.explained("", "a") == ""


@pytest.mark.parametrize("name", ["brats2023", "nnunet", "monai"])
def test_what_an_empty_mask_is_worth_is_explained(name):
    words = ofEmptyMasks(name)
    assert "empty" in words
    assert HOW.explained(name, "a").endswith(words)
    assert max(map(len, words.splitlines())) <= 90


def test_rules_of_lesions_have_no_words_for_empty_masks():
    assert ofEmptyMasks("brats2023-gli") == ""


def test_the_card_the_table_and_the_line_above_it_name_how_the_numbers_were_made(host, bench):
    host.widget.showPanel("Worst cases")
    panel = bench.worstCases
    click_row(panel.ui.casesTable, 0)
    how = "by brats2023, labels brats2023, metrics v2"
    card = bench.ui.caseTitleLabel.toolTip()
    assert card.startswith(how.capitalize())
    assert "Both masks empty is a perfect score" in " ".join(card.split())
    model = panel.ui.casesTable.model()
    numbers = [n for n in range(model.columnCount()) if model.data(model.index(0, n), Qt.TextAlignmentRole)]
    assert len(numbers) >= 3, "Dice, HD95, size"
    for column in numbers:
        assert model.data(model.index(0, column), Qt.ToolTipRole).endswith(how)
        heading = model.headerData(column, Qt.Horizontal, Qt.ToolTipRole)
        assert how.capitalize() in heading
        assert "Both masks empty" in heading
    assert f", {how}." in panel.ui.worstStateLabel.text()
