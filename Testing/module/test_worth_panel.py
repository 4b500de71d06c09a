"""Is the uncertainty worth anything: the evaluation is started from its tab, and its tables are shown."""

from __future__ import annotations

import pandas as pd
import pytest
from BraTSRefineUI.worth import readWorth
from driving import click, wait_until

from BraTSRefineLib.cohort import Workspace


def test_nothing_is_known_before_an_evaluation(tmp_path):
    assert readWorth(Workspace(tmp_path), "ET") is None


def test_tables_are_read_for_one_region_and_missing_ones_leave_gaps(tmp_path):
    folder = tmp_path / "evaluation"
    folder.mkdir()
    (folder / "report.html").touch()
    rows = {"source": ["votes", "mine", "votes"], "region": ["ET", "ET", "WT"], "cases": [3, 3, 4]}
    pd.DataFrame({**rows, "qu_brats": 0.9, "aurc": 0.1, "ece": 0.2}).to_csv(folder / "sources.csv", index=False)
    flags = {"source": ["votes"] * 2, "region": "ET", "way": ["plain", "calibrated"], "coverage": [0.1, 0.5]}
    pd.DataFrame({**flags, "precision": [0.2, 0.6]}).to_csv(folder / "flags.csv", index=False)
    curve = {"source": "mine", "region": "ET", "coverage": [0.5, 1.0], "risk": [0.0, 0.1]}
    pd.DataFrame(curve).to_csv(folder / "risk-coverage.csv", index=False)
    worth = readWorth(Workspace(tmp_path), "ET")
    votes, mine = worth.sources
    assert (votes.scores["coverage"], votes.scores["precision"]) == (0.5, 0.6)
    assert "coverage" not in mine.scores
    assert mine.riskCoverage == ((0.5, 0.0), (1.0, 0.1))
    assert mine.reliability == ()
    assert worth.quality is None


def test_sources_are_shown_by_the_cases_that_all_of_them_have(tmp_path):
    folder = tmp_path / "evaluation"
    folder.mkdir()
    (folder / "report.html").touch()
    rows = {"source": ["tta", "dropout"], "region": "ET", "qu_brats": 0.9, "aurc": 0.1, "ece": 0.2}
    pd.DataFrame({**rows, "cases": [9, 6]}).to_csv(folder / "sources.csv", index=False)
    compared = {**rows, "cases": 6, "rank_correlation": [0.5, None]}
    pd.DataFrame(compared).to_csv(folder / "compared.csv", index=False)
    tta, dropout = readWorth(Workspace(tmp_path), "ET").sources
    assert (tta.cases, tta.scores["rank_correlation"]) == (6, 0.5)
    assert "rank_correlation" not in dropout.scores


@pytest.fixture
def panel(host, bench):
    host.widget.showPanel("Uncertainty")
    click(bench.panelNamed("Uncertainty").ui.worthStepButton)
    return bench.panelNamed("Uncertainty")


def test_evaluate_shows_sources_and_curves_of_the_region(host, bench, panel):
    ui = panel.ui
    assert not ui.worthTable.isVisible()
    assert not ui.worthPageButton.isEnabled()
    assert "Evaluate" in ui.worthLabel.text()
    click(ui.evaluateButton)
    assert "job is running" in ui.evaluateButton.toolTip()
    wait_until(host, lambda: not bench.isBusy)
    assert "evaluate finished" in ui.uncertaintyStateLabel.text()
    sources = {ui.worthTable.item(row, 0).text() for row in range(ui.worthTable.rowCount())}
    assert sources == {"votes of the models", "probabilities of the models"}
    assert ui.curvesPlace.isVisible()
    assert ui.worthPageButton.isEnabled()
    click(host.widget.ui.regionWTButton)
    assert ui.worthLabel.text().startswith("WT of ")


def test_a_cohort_without_references_says_that_it_takes_some(host, bench, panel, monkeypatch):
    monkeypatch.setattr(type(bench.session), "hasReferences", property(lambda session: False))
    panel.refresh()
    assert not panel.ui.evaluateButton.isEnabled()
    assert panel.ui.evaluateButton.toolTip() == "It takes cases with a reference"
