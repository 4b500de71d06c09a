"""Predicting again from the Refine tab: models found on disk, cost first, a worker process, maps and before/after."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from driving import click, press, refine_step, wait_until
from PySide6.QtCore import Qt

sys.path.append(str(Path(__file__).resolve().parents[1] / "inference"))

from nnunet_results import write_results

COARSE = {"patch": (32, 32, 32), "spacing": (5.0, 5.0, 5.0)}
UNFINISHED, SMALL = "2d", "3d_fullres"
THIS_CASE, THREE_CASES = "this case", "centre center_2 (3)"


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """nnU-Net results: a small network with two folds, and a configuration whose training has not finished."""
    folder = tmp_path_factory.mktemp("results")
    write_results(folder, SMALL, folds=(0, 1), **COARSE)
    unfinished = write_results(folder, UNFINISHED, folds=(0,), **COARSE)
    (unfinished / "fold_0" / "checkpoint_final.pth").unlink()
    return folder


@pytest.fixture
def predict(host, results):
    """The step in front, with the models of the results folder listed and the usable one ticked."""
    box = refine_step(host, "predict").predictBox
    box.ui.modelsEdit.setText(str(results))
    click(box.ui.lookButton)
    for edit in (box.ui.foldsEdit, box.ui.predictNameEdit, box.ui.schedulerEdit):
        edit.clear()
    for combo in (box.ui.ttaCombo, box.ui.modeCombo, box.ui.adaptCombo):
        combo.setCurrentIndex(0)
    choose_cases(box, THIS_CASE)
    tick(box, SMALL)
    return box


def tick(box, words: str, state=Qt.Checked) -> None:
    box.ui.trainedList.item(row_of(box, words)).setCheckState(state)


def row_of(box, words: str) -> int:
    texts = [box.ui.trainedList.item(row).text() for row in range(box.ui.trainedList.count())]
    return next(row for row, text in enumerate(texts) if text.startswith(words))


def choose_cases(box, words: str) -> None:
    combo = box.ui.predictCasesCombo
    combo.setCurrentIndex(combo.findText(words, Qt.MatchStartsWith))


def state(box) -> str:
    return box.ui.predictStateLabel.text()


def run(host, button) -> None:
    click(button)
    assert host.widget.workbench.isBusy
    wait_until(host, lambda: not host.widget.workbench.isBusy)


def test_the_configurations_and_folds_of_a_results_folder_are_listed(predict):
    item = predict.ui.trainedList.item(row_of(predict, SMALL))
    assert "nnU-Net" in item.text()
    assert "folds 0, 1" in item.text()
    assert "Channels: t1n, t1c, t2w, t2f" in item.toolTip()


def test_a_model_that_cannot_be_used_is_listed_without_a_tick_and_says_why(predict):
    item = predict.ui.trainedList.item(row_of(predict, UNFINISHED))
    assert not item.flags() & Qt.ItemIsEnabled
    assert "finish the training" in item.toolTip()


def test_a_folder_without_models_says_what_is_understood(predict, tmp_path):
    predict.ui.modelsEdit.setText(str(tmp_path))
    click(predict.ui.lookButton)
    assert "no trained model" in state(predict)
    assert predict.ui.trainedList.count() == 1, "what is ticked stays"


@pytest.mark.parametrize(
    ("edit", "text", "why"),
    [
        ("foldsEdit", "0, 7", "has no fold 7; it has 0, 1"),
        ("predictNameEdit", "a name", "letters, digits"),
        ("predictNameEdit", "fold_0", "in the cohort already"),
    ],
)
def test_a_button_that_cannot_be_pressed_says_why(predict, edit, text, why):
    getattr(predict.ui, edit).setText(text)
    for button in (predict.ui.predictButton, predict.ui.estimateButton):
        assert not button.isEnabled()
        assert why in button.toolTip()
    assert why in state(predict)


def test_without_a_model_nothing_can_be_started(predict):
    tick(predict, SMALL, Qt.Unchecked)
    assert not predict.ui.predictButton.isEnabled()
    assert predict.ui.predictButton.toolTip() == "Tick a trained model"


def test_the_worst_the_list_the_centres_and_all_cases_can_be_chosen(host, bench, predict):
    choices = {one.words: one.cases for one in predict._cases}
    assert choices["this case"] == (bench.session.case,)
    assert len(choices["centre center_2 (3)"]) == 3
    assert choices["all (6)"] == tuple(bench.session.caseNames)
    bench.worstCases.ui.filterEdit.setText("center_2")
    bench.refresh()
    assert len({one.words: one.cases for one in predict._cases}["the list of worst cases (3)"]) == 3


def test_the_cost_is_told_before_the_start_and_leaves_no_model(host, bench, predict):
    predict.ui.ttaCombo.setCurrentIndex(1)
    models = bench.session.models
    run(host, predict.ui.estimateButton)
    assert "forward passes of 16 members" in state(predict)
    assert "on cpu" in state(predict)
    assert "of disk" in state(predict)
    assert bench.session.models == models
    assert bench.jobs.lastMessage.startswith("estimate finished")
    predict.ui.ttaCombo.setCurrentIndex(0)
    assert "forward passes" not in state(predict), "another choice has another cost"


def test_predict_makes_a_new_model_with_before_and_after_and_maps_of_its_own(host, bench, predict):
    case, shown = bench.session.case, bench.session.model
    run(host, predict.ui.predictButton)
    assert bench.session.model == SMALL
    assert host.widget.ui.modelCombo.currentText() == SMALL
    assert bench.session.case == case
    refine = bench.panelNamed("Refine")
    assert refine.ui.resultTable.isVisible()
    assert refine.ui.runCombo.currentText() == SMALL
    assert f"Before: {shown}" in refine.ui.resultLabel.text()
    assert "3d_fullres is a model of the cohort now" in refine.ui.refineStateLabel.text()
    uncertainty = bench.panelNamed("Uncertainty")
    offered = [uncertainty.ui.mapCombo.itemText(row) for row in range(uncertainty.ui.mapCombo.count())]
    assert "expected entropy of 3d_fullres" in offered
    assert "disagreement" in offered, "the cohort's own stay"
    assert (bench.uncertainty.model, bench.uncertainty.members) == (SMALL, 2)
    assert "3d_fullres: Entropy of the mean of 2 probability maps" in uncertainty.ui.legendLabel.text()


def test_one_steps_through_the_folds_that_predicted_together(host, bench, predict):
    from BraTSRefineLib.cohort import read_label_map
    from BraTSRefineLib.jobs.predicted import Predicted

    run(host, predict.ui.predictButton)
    host.settle()
    comparing = bench.views.comparing
    assert (comparing.names, comparing.isEnsemble) == (["fold_0", "fold_1"], True), (
        "not the cohort's models of that name"
    )
    assert bench.views.bar.ui.memberLabel.text() == "2 members"
    files = list(Predicted(bench.session.workspace, SMALL).members(bench.session.case).values())
    for place, path in enumerate(files, start=1):
        press(host, Qt.Key_BracketRight)
        assert np.array_equal(comparing.member.labels.tissues, read_label_map(path))
        assert f"member {place} of 2: fold_{place - 1}, Dice" in bench.views.corners.words("BraTSRefineT1c")
    press(host, Qt.Key_BracketRight)
    assert comparing.member is None
    files[0].unlink()
    press(host, Qt.Key_BracketRight)
    assert comparing.member.problem, "a file that is gone is told"


def test_what_a_fast_mode_loses_stands_beside_it_once_it_is_measured(host, bench, predict):
    loss = predict.ui.modeLossLabel
    assert not loss.isVisible(), "exact loses nothing"
    predict.ui.modeCombo.setCurrentIndex(1)
    assert "not measured yet; that takes 2 cases" in loss.text()
    choose_cases(predict, THREE_CASES)
    assert "the first case, which is predicted exactly too, measures it" in loss.text()
    run(host, predict.ui.predictButton)
    refine_step(host, "predict")
    assert "fast-window was " in loss.text()
    assert "WT Dice " in loss.text()
    predict.ui.ttaCombo.setCurrentIndex(1)
    assert "not measured yet" in loss.text(), "other members lose something else"
    predict.ui.modeCombo.setCurrentIndex(0)
    assert not loss.isVisible()


def test_adaptation_is_off_until_it_is_chosen_and_the_estimate_counts_it(host, bench, predict):
    assert predict.choice().parameters(bench.session, isEstimate=True)["adapt"] == ""
    predict.ui.adaptCombo.setCurrentIndex(1)
    assert predict.choice().parameters(bench.session, isEstimate=True)["adapt"] == "tent"
    assert predict.choice().modelName == "3d_fullres-tent"
    run(host, predict.ui.estimateButton)
    assert "to adapt the models" in state(predict)


def test_the_own_maps_of_a_prediction_are_flagged_within_a_budget(host, bench, predict):
    bench.setModel(SMALL)
    panel = bench.panelNamed("Uncertainty")
    host.widget.showPanel("Uncertainty")
    click(panel.ui.flagsStepButton)
    panel.ui.budgetEdit.setText("much")
    assert not panel.ui.ownFlagsButton.isEnabled()
    assert "a number above 0" in panel.ui.ownFlagsButton.toolTip()
    panel.ui.budgetEdit.setText("40")
    run(host, panel.ui.ownFlagsButton)
    assert (bench.jobs.kind, bench.jobs.parameters["budget_ml"]) == ("uncertainty", 40.0)
    assert bench.jobs.summary["flags_of"] == SMALL
    own = [flag for flag in bench.session.flags() if flag.model == SMALL]
    assert len(own) > 0
    assert bench.session.flags()[: len(own)] == own, "they come first"
    assert "(own maps)" in panel.ui.flagsTable.item(0, 1).text()
    assert sum(flag.milliliters for flag in bench.session.caseFlags() if flag.model == SMALL) <= 40
    panel.ui.budgetEdit.clear()
    bench.setModel("fold_0")
    assert not any(flag.model for flag in bench.session.flags())
    assert "no maps of its own" in panel.ui.ownFlagsButton.toolTip()


def test_the_cohorts_own_map_can_be_chosen_and_stays_chosen(host, bench, predict):
    bench.setModel(SMALL)
    combo = bench.panelNamed("Uncertainty").ui.mapCombo
    combo.setCurrentIndex(combo.findText("disagreement"))
    assert bench.uncertainty.model == ""
    bench.setRegion("WT")
    assert (bench.uncertainty.quantity, bench.uncertainty.model) == ("disagreement", "")


def test_a_cancelled_prediction_keeps_its_finished_cases_and_goes_on_later(host, bench, predict):
    predict.ui.predictNameEdit.setText("mine")
    predict.ui.ttaCombo.setCurrentIndex(1)
    choose_cases(predict, THREE_CASES)
    click(predict.ui.predictButton)
    assert "are kept" in host.widget.ui.cancelJobButton.toolTip()
    wait_until(host, lambda: host.widget.ui.jobLabel.text().startswith("1/3 · pass"))
    assert "hundred times as fast" in state(predict)
    click(host.widget.ui.cancelJobButton)
    wait_until(host, lambda: not bench.isBusy)
    words = host.widget.ui.statusLabel.text()
    assert "predict cancelled; 1 finished case is kept, starting again goes on with the rest" in words
    assert "mine" in bench.session.models
    assert "1 of 3 cases are there as mine" in state(predict)
    run(host, predict.ui.predictButton)
    assert bench.jobs.summary["unchanged"] == 1
    assert bench.jobs.summary["cases"] == 3
    assert bench.session.model == "mine"


def test_other_settings_under_a_name_that_is_there_are_refused_before_the_start(bench, predict):
    predict.ui.predictNameEdit.setText("mine")
    assert "predicted with other settings" in predict.ui.predictButton.toolTip()


def test_a_case_that_lacks_an_image_is_named_before_and_after(host, bench, predict, phantom_cohort, tmp_path):
    data = shutil.copytree(phantom_cohort, tmp_path / "cohort")
    missing = next(data.rglob("BraTS-SIM-00003-000-t2f.nii.gz"))
    missing.unlink()
    host.widget.openWorkspace(data, tmp_path / "workspace")
    bench.showCase("BraTS-SIM-00003-000")
    refine_step(host, "predict")
    assert "1 of 1 cases lack an image" in state(predict)
    assert "t2f" in state(predict)
    run(host, predict.ui.predictButton)
    told = bench.panelNamed("Refine").ui.refineStateLabel.text()
    assert "predict failed" in told
    assert "t2f" in told


def test_a_cohort_without_any_prediction_gets_its_first_model_here(host, bench, predict, phantom_cohort, tmp_path):
    shutil.copytree(phantom_cohort / "cases", tmp_path / "cohort" / "cases")
    host.widget.openWorkspace(tmp_path / "cohort", tmp_path / "workspace")
    assert bench.session.models == []
    refine = refine_step(host, "fuse")
    assert "predict first" in refine.ui.refineStateLabel.text()
    refine_step(host, "predict")
    run(host, predict.ui.predictButton)
    assert bench.session.model == SMALL
    assert predict.widget.isVisible(), "there is no before and after to show"
    assert host.widget.ui.modelCombo.currentText() == SMALL
    assert any(row.values for row in bench.session.rows())
