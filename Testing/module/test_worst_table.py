"""The table of worst cases in the window: sorted, filtered, several chosen, columns picked, exported."""

from __future__ import annotations

import csv

import pytest
from driving import cells, click, click_row, press
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QHeaderView


@pytest.fixture
def panel(host, bench):
    host.widget.showPanel("Worst cases")
    host.settle()
    yield bench.worstCases
    bench.worstCases.forgetChoices()
    bench.worstCases.chooser._tell(type(bench.worstCases.chooser.chosen)())


def headings(panel) -> list[str]:
    model = panel.ui.casesTable.model()
    return [model.headerData(column, Qt.Horizontal).replace("\n", " ") for column in range(model.columnCount())]


def rows_of(path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def press_heading(panel, column: int) -> None:
    header = panel.ui.casesTable.horizontalHeader()
    place = header.rect().center()
    place.setX(header.sectionViewportPosition(column) + header.sectionSize(column) // 2)
    QTest.mouseClick(header.viewport(), Qt.LeftButton, pos=place)


def texts(panel, column: int) -> list[str]:
    return cells(panel.ui.casesTable, column)


def test_begins_with_the_worst_and_with_the_columns_that_tell_why(panel):
    assert headings(panel)[:4] == ["Case", "Dice", "HD95 mm", "Size ml"]
    assert headings(panel)[-1] == "What is wrong"
    dice = [float(text.rstrip("*")) for text in texts(panel, 1) if text != "-"]
    assert dice == sorted(dice)


def test_pressing_a_heading_sorts_by_it_and_once_more_the_other_way(host, bench, panel):
    case = bench.session.case
    press_heading(panel, 3)
    sizes = [float(text) for text in texts(panel, 3) if text != "-"]
    assert sizes == sorted(sizes)
    press_heading(panel, 3)
    assert [float(text) for text in texts(panel, 3) if text != "-"] == sizes[::-1]
    assert bench.session.case == case
    assert panel.ui.casesTable.currentIndex().row() == panel.shownCases.index(case)


def test_filter_narrows_with_every_key_and_says_what_it_does_not_understand(host, panel):
    count = len(panel.shownCases)
    QTest.keyClicks(panel.ui.filterEdit, "dice<")
    assert "needs a number" in panel.ui.filterProblemLabel.text()
    assert panel.ui.filterProblemLabel.isVisible()
    assert len(panel.shownCases) >= count
    QTest.keyClicks(panel.ui.filterEdit, "0.5")
    assert not panel.ui.filterProblemLabel.isVisible()
    assert all(float(text.rstrip("*")) < 0.5 for text in texts(panel, 1))
    QTest.keyClicks(panel.ui.filterEdit, " ((")
    assert panel.shownCases == []
    assert "Esc" in panel.ui.worstStateLabel.text()
    QTest.keyClick(panel.ui.filterEdit, Qt.Key_Escape)
    assert panel.ui.filterEdit.text() == ""
    assert len(panel.shownCases) == count


def test_ctrl_and_shift_choose_several_without_showing_each(host, bench, panel):
    table = panel.ui.casesTable
    click_row(table, 0)
    shown = bench.session.case
    click_row(table, 2, Qt.ControlModifier)
    assert panel.chosenCases == [panel.shownCases[0], panel.shownCases[2]]
    assert bench.session.case == shown
    click_row(table, 1, Qt.NoModifier)
    click_row(table, 3, Qt.ShiftModifier)
    assert panel.chosenCases == panel.shownCases[1:4]
    assert "3 of" in panel.ui.worstStateLabel.text()


def test_next_and_previous_go_through_the_chosen_cases(host, bench, panel):
    click_row(panel.ui.casesTable, 0)
    click_row(panel.ui.casesTable, 2, Qt.ControlModifier)
    first, _between, third = panel.shownCases[:3]
    press(host, Qt.Key_N)
    assert bench.session.case == third
    assert panel.chosenCases == [first, third]
    press(host, Qt.Key_N)
    assert bench.session.case == first


def test_what_was_chosen_stays_chosen_when_the_table_is_sorted_or_filtered(panel):
    click_row(panel.ui.casesTable, 0)
    click_row(panel.ui.casesTable, 2, Qt.ControlModifier)
    chosen = set(panel.chosenCases)
    press_heading(panel, 0)
    assert set(panel.chosenCases) == chosen
    rows = {index.row() for index in panel.ui.casesTable.selectionModel().selectedRows()}
    assert {panel.shownCases[row] for row in rows} == chosen


def test_a_column_of_any_metric_and_region_can_be_added_sorted_and_taken_away(host, panel):
    panel.ui.columnsButton.menu().aboutToShow.emit()
    box = panel.ui.columnsButton.menu().findChild(QCheckBox, "column dice WT")
    click(box)
    assert "Dice WT" in headings(panel)
    column = headings(panel).index("Dice WT")
    press_heading(panel, column)
    known = [float(text.rstrip("*")) for text in texts(panel, column) if text != "-"]
    assert known == sorted(known)
    click(box)
    assert "Dice WT" not in headings(panel)
    assert panel.table.sortedBy is None


def test_ranks_are_columns_too(panel):
    panel.ui.columnsButton.menu().aboutToShow.emit()
    for name in ("column mean rank", "column rank sum", "column what is wrong"):
        click(panel.ui.columnsButton.menu().findChild(QCheckBox, name))
    assert headings(panel)[-1] != "What is wrong"
    mean = texts(panel, headings(panel).index("Mean rank"))
    assert any(text != "-" for text in mean)
    assert any(text != "-" for text in texts(panel, headings(panel).index("Rank sum")))


def test_many_columns_scroll_inside_the_table_and_the_panel_stays_as_wide(host, panel):
    panel.ui.columnsButton.menu().aboutToShow.emit()
    for box in panel.ui.columnsButton.menu().findChildren(QCheckBox):
        if box.objectName().startswith(("column dice", "column hd95", "column nsd")):
            box.setChecked(True)
    host.settle()
    assert host.window.panel.width() <= 480
    assert panel.ui.casesTable.horizontalScrollBar().maximum() > 0


def test_columns_are_fitted_when_the_table_is_seen_and_no_row_is_measured_before(host, panel, phantom_cohort, tmp_path):
    """An unscored cohort opens on the start page; Qt would measure every row of a table that is not seen."""
    header = panel.ui.casesTable.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.Interactive)
    header.resizeSection(0, header.minimumSectionSize())
    narrow = header.sectionSize(0)
    host.widget.openWorkspace(phantom_cohort, tmp_path / "unscored")
    host.settle()
    assert not panel.ui.casesTable.isVisible()
    assert header.sectionSize(0) == narrow
    host.widget.showPanel("Worst cases")
    host.settle()
    assert header.sectionSize(0) > narrow
    assert header.sectionResizeMode(header.count() - 1) == QHeaderView.Stretch
    assert header.length() == panel.ui.casesTable.viewport().width()


def test_export_writes_what_is_chosen_or_else_shown(host, bench, panel, tmp_path, monkeypatch):
    from BraTSRefineUI import files

    asked = []

    def answer(parent, title, path, kinds):
        asked.append(path)
        return str(tmp_path / "told.csv")

    monkeypatch.setattr(files, "askSavePath", answer)
    click(panel.ui.exportButton)
    assert asked[0].startswith(str(bench.session.workspace.root))
    rows = rows_of(tmp_path / "told.csv")
    assert [row["case"] for row in rows] == panel.shownCases
    assert list(rows[0])[:4] == ["case", "model", "dice_ET", "hd95_mm_ET"]
    click_row(panel.ui.casesTable, 0)
    click_row(panel.ui.casesTable, 1, Qt.ControlModifier)
    panel.exportTo(str(tmp_path / "two.csv"))
    assert [row["case"] for row in rows_of(tmp_path / "two.csv")] == panel.shownCases[:2]


def test_an_export_that_cannot_be_written_is_told_and_leaves_nothing(host, bench, panel, tmp_path):
    (tmp_path / "file").write_text("")
    panel.exportTo(str(tmp_path / "file" / "cases.csv"))
    assert "not exported" in host.widget.ui.statusLabel.text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_chosen_rows_can_be_predicted(bench, panel):
    from BraTSRefineUI.predicting import caseChoices

    click_row(panel.ui.casesTable, 0)
    click_row(panel.ui.casesTable, 2, Qt.ControlModifier)
    choices = caseChoices(bench.session, panel.shownCases, panel.chosenCases)
    assert next(one.cases for one in choices if "chosen" in one.words) == tuple(panel.chosenCases)


def test_another_cohort_forgets_filter_order_and_choice(host, bench, panel, phantom_cohort, workspace):
    press_heading(panel, 0)
    panel.ui.filterEdit.setText("dice>0.5")
    click_row(panel.ui.casesTable, 0)
    host.widget.openWorkspace(phantom_cohort, workspace)
    assert panel.ui.filterEdit.text() == ""
    assert panel.chosenCases == []
    assert panel.table.sortedBy is None
