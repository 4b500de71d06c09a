"""A cohort is opened from the window: it goes on meanwhile, says how far it is, and what was open stays if it fails."""

from __future__ import annotations

import shutil

import pytest
from driving import click, press, wait_until
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest


@pytest.fixture
def start_page(host, bench):
    host.widget.showPanel("Cohort")
    host.settle()
    return bench.cohortPanel.ui


def open_place(ui, folder, workspace) -> None:
    """As a person types both and presses Open."""
    ui.folderEdit.setText(str(folder))
    ui.workspaceEdit.setText(str(workspace))
    click(ui.openFolderButton)


def looked_at(host, bench, folder, workspace) -> None:
    """An opening whose folder was looked at and of which the window has not read anything yet."""
    bench.opening._timer.setInterval(60_000)
    bench.opening.start(str(folder), str(workspace))
    while bench.opening.runner.isRunning:
        host.app.processEvents()
    assert bench.opening.isRunning


@pytest.fixture(autouse=True)
def at_once_again(bench):
    yield
    bench.opening._timer.setInterval(0)


def test_the_former_cohort_stays_until_the_new_one_is_there(host, bench, start_page, phantom_cohort, tmp_path):
    case, events = bench.session.case, []
    told = bench.opening.row.tell
    bench.opening.row.tell = lambda event: (events.append(event), told(event))
    open_place(start_page, phantom_cohort, tmp_path / "new")
    assert bench.isBusy
    assert not start_page.openFolderButton.isEnabled()
    assert start_page.openFolderButton.toolTip() == "A job is running"
    assert host.widget.ui.jobProgress.isVisible() and host.widget.ui.cancelJobButton.isVisible()
    assert "Looking at the folder" in start_page.cohortStateLabel.text()
    assert bench.session.case == case and bench.session.hasScores
    wait_until(host, lambda: not host.widget.isReading())
    steps = [event["step"] for event in events if event["event"] == "progress"]
    assert steps == list(range(1, len(bench.session.caseNames) + 1))
    assert bench.session.workspace.root == tmp_path / "new"
    assert not bench.session.hasScores
    assert bench.session.case == bench.session.worstCase()
    assert start_page.openFolderButton.isEnabled() and start_page.scoreButton.isEnabled()
    assert not host.widget.ui.jobProgress.isVisible()


def test_one_goes_on_reviewing_while_another_cohort_is_opened(host, bench, start_page, phantom_cohort, tmp_path):
    open_place(start_page, phantom_cohort, tmp_path / "new")
    host.widget.showPanel("Worst cases")
    host.window.activateWindow()
    host.app.processEvents()
    case = bench.session.case
    QTest.keyClick(host.window.windowHandle(), Qt.Key_N)
    host.app.processEvents()
    assert bench.isBusy
    assert bench.session.case != case
    wait_until(host, lambda: not host.widget.isReading())
    assert bench.session.workspace.root == tmp_path / "new"


def test_cancelling_keeps_what_was_open_and_leaves_no_cohort(host, bench, start_page, phantom_cohort, tmp_path):
    case, root = bench.session.case, bench.session.workspace.root
    open_place(start_page, phantom_cohort, tmp_path / "new")
    click(host.widget.ui.cancelJobButton)
    wait_until(host, lambda: not bench.isBusy)
    host.settle(200)
    assert (bench.session.case, bench.session.workspace.root) == (case, root)
    assert not (tmp_path / "new" / "cohort.csv").exists()
    assert "cancelled" in host.widget.ui.statusLabel.text()
    assert start_page.openFolderButton.isEnabled()
    host.widget.showPanel("Worst cases")
    press(host, Qt.Key_N)
    assert bench.session.case != case


def test_cancelling_what_was_looked_at_already_keeps_what_was_open(host, bench, start_page, phantom_cohort, tmp_path):
    root = bench.session.workspace.root
    looked_at(host, bench, phantom_cohort, tmp_path / "new")
    bench.cancelJob()
    host.settle(100)
    assert not bench.isBusy
    assert bench.session.workspace.root == root
    assert "cancelled" in host.widget.ui.statusLabel.text()


def test_a_misspelt_folder_is_told_and_nothing_is_made_beside_it(host, bench, start_page, tmp_path):
    case = bench.session.case
    open_place(start_page, tmp_path / "misspelt" / "cohort", "")
    wait_until(host, lambda: not bench.isBusy)
    assert "no such folder" in start_page.cohortStateLabel.text()
    assert "Not opened" in host.widget.ui.statusLabel.text()
    assert start_page.folderEdit.text() == str(tmp_path / "misspelt" / "cohort")
    assert bench.session.case == case
    assert not (tmp_path / "misspelt").exists()


def test_an_empty_line_asks_for_a_folder(bench, start_page):
    open_place(start_page, "", "")
    assert not bench.isBusy
    assert "choose a data folder" in start_page.cohortStateLabel.text()


def test_a_cohort_that_is_damaged_when_it_is_read_is_told(
    host, bench, start_page, phantom_cohort, scored_workspace, tmp_path
):
    """Somebody else writes into the workspace between the look and the reading."""
    folder, root = shutil.copytree(scored_workspace, tmp_path / "copy"), bench.session.workspace.root
    looked_at(host, bench, phantom_cohort, folder)
    (folder / "cohort.json").write_text("{}")
    bench.opening._timer.setInterval(0)
    wait_until(host, lambda: not bench.isBusy)
    assert "damaged" in start_page.cohortStateLabel.text()
    assert bench.session.workspace.root == root
    assert start_page.openFolderButton.isEnabled()
    assert not host.widget.ui.jobProgress.isVisible()


def test_what_a_workspace_keeps_damaged_is_told_and_looked_at_again_on_request(
    host, bench, start_page, phantom_cohort, scored_workspace, tmp_path
):
    folder = shutil.copytree(scored_workspace, tmp_path / "copy")
    (folder / "cohort.json").write_text("{}")
    open_place(start_page, phantom_cohort, folder)
    wait_until(host, lambda: not bench.isBusy)
    assert "damaged" in start_page.cohortStateLabel.text()
    assert start_page.folderEdit.text() == str(phantom_cohort)
    click(start_page.lookAgainButton)
    wait_until(host, lambda: not host.widget.isReading())
    assert bench.session.workspace.root == folder
    assert bench.session.hasScores, "they are still there"


def test_a_manifest_is_opened_and_stays_in_its_line_and_among_the_recent(
    host, bench, start_page, tmp_path, phantom_cohort
):
    import slicer

    from BraTSRefineLib.cohort import discover

    manifest = tmp_path / "some.csv"
    table = discover(phantom_cohort).table().head(2)
    columns = [name for name in table if name == "reference" or "/" in name]
    for name in columns:
        table[name] = [str(path).replace(str(phantom_cohort), "cohort") for path in table[name]]
    (tmp_path / "cohort").symlink_to(phantom_cohort)
    table[["case", "center", *columns]].to_csv(manifest, index=False)
    open_place(start_page, manifest, tmp_path / "workspace")
    wait_until(host, lambda: not host.widget.isReading())
    assert len(bench.session.caseNames) == 2
    assert start_page.folderEdit.text() == str(manifest)
    assert slicer.app.userSettings().value("BraTSRefine/recent")[0] == str(manifest)


def test_look_again_finds_a_model_that_came_since(host, bench, start_page, phantom_cohort, tmp_path):
    cohort = shutil.copytree(phantom_cohort, tmp_path / "cohort")
    host.widget.openWorkspace(cohort, tmp_path / "workspace")
    host.widget.showPanel("Cohort")
    models = list(bench.session.models)
    shutil.copytree(cohort / "predictions" / models[0], cohort / "predictions" / "newer")
    click(start_page.openFolderButton)
    wait_until(host, lambda: not host.widget.isReading())
    assert bench.session.models == models  # what the workspace knows is used
    click(start_page.lookAgainButton)
    wait_until(host, lambda: not host.widget.isReading())
    assert bench.session.models == sorted([*models, "newer"])


def test_a_script_that_opens_another_folder_comes_first(host, bench, phantom_cohort, workspace, tmp_path):
    host.widget.beginOpening(phantom_cohort, tmp_path / "new")
    assert bench.isBusy
    host.widget.openWorkspace(phantom_cohort, workspace)
    wait_until(host, lambda: not bench.isBusy)
    host.settle(200)
    assert bench.session.workspace.root == workspace


def test_a_store_that_is_asked_for_is_that_of_the_cohort_that_is_opened(
    host, bench, phantom_cohort, workspace, tmp_path
):
    url = f"sqlite:///{tmp_path / 'elsewhere.sqlite'}"
    host.widget.beginOpening(phantom_cohort, workspace, url)
    wait_until(host, lambda: not host.widget.isReading())
    assert bench.review.url == url


def test_a_window_that_is_closed_meanwhile_leaves_no_process(bench, phantom_cohort, tmp_path):
    import psutil

    bench.opening.start(str(phantom_cohort), str(tmp_path / "new"))
    looking = psutil.Process(bench.opening.runner._process.processId())
    bench.opening.cleanup()
    assert not looking.is_running() or looking.status() == psutil.STATUS_ZOMBIE
    assert not bench.opening.isRunning
