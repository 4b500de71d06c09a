"""The annotator at work: the chosen cases with reason and effort, begun, done, and saved for training."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import pytest
from driving import click, click_row, press, wait_until
from PySide6.QtCore import Qt

from BraTSRefineLib.cohort import read_label_map


@pytest.fixture
def panel(host, bench):
    """Three chosen cases, and a name."""
    from BraTSRefineUI import person

    person.setName("Ann")
    bench.review.setReader("Ann")
    host.widget.showPanel("Annotate")
    annotate = bench.panelNamed("Annotate")
    if not annotate.tasks:
        annotate.ui.countSpin.setValue(3)
        click(annotate.ui.chooseButton)
        wait_until(host, lambda: not bench.isBusy)
    host.settle()
    return annotate


def column(panel, heading: str) -> list[str]:
    table = panel.ui.chosenTable
    names = [table.horizontalHeaderItem(number).text() for number in range(table.columnCount())]
    return [table.item(row, names.index(heading)).text() for row in range(table.rowCount())]


def is_readable(bench, case: str) -> bool:
    return not bench.session.cohort[case].error_of(bench.session.model)


def choose(host, panel, row: int) -> str:
    """A case may be read while the window goes on."""
    case = panel.tasks[row].case
    click_row(panel.ui.chosenTable, row)
    wait_until(host, lambda: panel.session.case == case)
    return case


def accepted_and_done(host, bench, panel) -> str:
    """The second case of the list, whose prediction is accepted as it is."""
    case = choose(host, panel, 1)
    bench.review.wholeCase()
    press(host, Qt.Key_1)
    if panel.ui.annotatedButton.isEnabled():
        click(panel.ui.annotatedButton)
    return case


def test_without_a_choice_the_room_says_what_to_do(host, bench):
    annotate = bench.panelNamed("Annotate")
    host.widget.showPanel("Annotate")
    assert "Choose" in annotate.ui.annotateStateLabel.text()
    assert not annotate.ui.listBox.isVisible()
    assert not annotate.ui.chosenTable.isVisible()


def test_without_uncertainty_it_says_where_that_is_computed(host, bench, phantom_cohort, tmp_path):
    host.widget.openWorkspace(phantom_cohort, tmp_path / "bare")
    annotate = bench.panelNamed("Annotate")
    assert "Compute maps" in annotate.ui.annotateStateLabel.text()
    assert not annotate.ui.chooseButton.isEnabled()
    assert "uncertainty" in annotate.ui.chooseButton.toolTip()


def test_the_list_has_reason_effort_and_state(host, bench, panel):
    assert len(panel.tasks) == 3
    assert column(panel, "State") == ["to do"] * 3
    assert all(float(words) > 0 for words in column(panel, "ml"))
    assert all(int(words) > 0 for words in column(panel, "Slices"))
    assert all("uncertainty" in words for words in column(panel, "Why"))
    assert panel.ui.annotateProgressLabel.text().startswith("0 of 3 done")
    assert "to go" in panel.ui.annotateProgressLabel.text()


def test_slices_that_are_not_known_are_not_told_as_none(panel, monkeypatch):
    """As where the uncertainty was computed before slices were counted."""
    annotating, listed = panel.annotating, panel.annotating._list
    assert annotating.progress().endswith(" slices to go")
    monkeypatch.setattr(annotating, "_list", replace(listed, table=listed.table.assign(slices=float("nan"))))
    assert annotating.progress().endswith(" ml to go")


def test_a_row_opens_its_case_and_the_keys_go_along_the_list(host, bench, panel):
    cases = [task.case for task in panel.tasks]
    assert choose(host, panel, 0) == bench.session.case
    press(host, Qt.Key_N)
    wait_until(host, lambda: bench.session.case == cases[1])
    press(host, Qt.Key_P)
    wait_until(host, lambda: bench.session.case == cases[0])


def test_a_case_off_the_list_can_neither_be_begun_nor_marked_and_the_tip_says_why(host, bench, panel):
    cases = [task.case for task in panel.tasks]
    host.widget.showCase(next(name for name in bench.session.caseNames if name not in cases))
    for button in (panel.ui.startButton, panel.ui.annotatedButton):
        assert not button.isEnabled()
        assert "not on the list" in button.toolTip()


def test_without_a_name_the_tip_says_that_it_is_missing(host, bench, panel):
    choose(host, panel, 0)
    bench.review.reviewing.reader = ""
    panel.showCase()
    assert "name is missing" in panel.ui.startButton.toolTip()


def test_start_opens_the_editor_and_says_to_others_that_somebody_is_at_it(host, bench, panel):
    row = next(row for row, task in enumerate(panel.tasks) if is_readable(bench, task.case))
    case = choose(host, panel, row)
    click(panel.ui.startButton)
    host.settle()
    assert bench.correcting.isCorrecting
    assert column(panel, "State")[row] == "in work"
    assert bench.review.reviewing.followed.events(case)[-1].payload["purpose"] == "annotation"
    assert "Ann" in panel.ui.chosenTable.item(row, 2).toolTip()
    bench.correcting.end()
    bench.showAgain()


def test_a_case_that_cannot_be_opened_is_not_begun_and_the_reason_is_said(host, bench, panel):
    """One of the phantom's predictions is cut short on purpose."""
    row = next(row for row, task in enumerate(panel.tasks) if not is_readable(bench, task.case))
    choose(host, panel, row)
    click(panel.ui.startButton)
    assert "truncated" in bench.ui.statusLabel.text()
    assert column(panel, "State")[row] == "to do"


def test_m_marks_the_shown_case_done_and_backspace_takes_it_back(host, bench, panel):
    choose(host, panel, 1)
    before = column(panel, "State")[1]
    assert "No case is done" in panel.ui.saveLabelsButton.toolTip()
    assert not panel.ui.saveLabelsButton.isEnabled()
    press(host, Qt.Key_M)
    assert column(panel, "State")[1] == "done"
    assert panel.ui.annotateProgressLabel.text().startswith("1 of 3 done")
    assert panel.ui.annotatedButton.toolTip() == "It is done"
    press(host, Qt.Key_Backspace)
    assert column(panel, "State")[1] == before != "done"


def test_what_is_done_is_saved_for_training_and_nothing_is_replaced(host, bench, panel, tmp_path):
    case = accepted_and_done(host, bench, panel)
    panel.ui.trainingFolderEdit.setText(str(tmp_path / "Dataset001"))
    panel.ui.imagesCombo.setCurrentIndex(1)
    click(panel.ui.saveLabelsButton)
    file = tmp_path / "Dataset001" / "labelsTr" / f"{case}.nii.gz"
    assert "1 written" in panel.ui.annotateStateLabel.text()
    assert set(read_label_map(file).ravel()) <= {0, 1, 2, 3}
    assert (tmp_path / "Dataset001" / "imagesTr" / f"{case}_0000.nii.gz").is_symlink()
    assert json.loads((tmp_path / "Dataset001" / "dataset.json").read_text())["numTraining"] == 1
    click(panel.ui.saveLabelsButton)
    assert "1 there already, the same" in panel.ui.annotateStateLabel.text()
    file.write_bytes(b"somebody's")
    click(panel.ui.saveLabelsButton)
    assert "is there already and stays as it is" in panel.ui.annotateStateLabel.text()
    assert file.read_bytes() == b"somebody's"


def test_so_does_the_folder_of_brats(host, bench, panel, tmp_path):
    done = accepted_and_done(host, bench, panel)
    panel.ui.trainingFolderEdit.setText(str(tmp_path))
    panel.ui.trainingLayoutCombo.setCurrentIndex(1)
    panel.ui.imagesCombo.setCurrentIndex(0)
    click(panel.ui.saveLabelsButton)
    assert (tmp_path / done / f"{done}-seg.nii.gz").is_file()
    panel.ui.trainingLayoutCombo.setCurrentIndex(0)


def test_a_case_that_is_done_but_neither_corrected_nor_accepted_is_refused_in_words(host, bench, panel, tmp_path):
    choose(host, panel, 2)
    press(host, Qt.Key_M)
    panel.ui.trainingFolderEdit.setText(str(tmp_path))
    click(panel.ui.saveLabelsButton)
    assert "neither a correction nor an accepted prediction" in panel.ui.annotateStateLabel.text()
    press(host, Qt.Key_Backspace)


def test_no_folder_is_said(host, bench, panel):
    panel.ui.trainingFolderEdit.setText(" ")
    for button in (panel.ui.saveLabelsButton, panel.ui.saveListButton):
        click(button)
        assert "choose a folder first" in panel.ui.annotateStateLabel.text()


def test_the_list_is_saved_as_csv_and_for_cart(host, bench, panel, tmp_path):
    panel.ui.trainingFolderEdit.setText(str(tmp_path / "lists"))
    click(panel.ui.saveListButton)
    tables = {path.name[:15]: list(csv.DictReader(path.open())) for path in (tmp_path / "lists").iterdir()}
    assert [row["case"] for row in tables["annotation-list"]] == [task.case for task in panel.tasks]
    assert [row["uid"] for row in tables["annotation-cart"]] == [task.case for task in panel.tasks]
    assert all(row["reason"] and row["slices"] for row in tables["annotation-list"])


def test_a_broken_selection_is_said_and_the_room_stays_usable(host, bench, panel):
    path = next(bench.session.workspace.runs.glob("*/outputs/selected.csv"))
    text = path.read_text()
    path.write_text("nothing\n1\n")
    panel.refresh()
    assert "choose the cases again" in panel.ui.annotateStateLabel.text()
    assert panel.ui.chooseButton.isEnabled()
    path.write_text(text)
    panel.refresh()
    assert len(panel.tasks) == 3
