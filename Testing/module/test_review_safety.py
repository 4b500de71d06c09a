"""The review through what befalls a window: a kill, files that are cut short, another window, a team's server."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from driving import cells, click, click_row, press, wait_until
from own_process import run_apart
from PySide6.QtCore import Qt
from review_driving import open_as

from BraTSRefineLib.review import Event, open_store
from BraTSRefineLib.review.store_places import STORE_FILE

MODULE = Path(__file__).resolve().parents[2] / "BraTSRefine"


@pytest.fixture
def cohort(phantom_cohort, tmp_path):
    """A copy of the phantom's files that a test may spoil."""
    return shutil.copytree(phantom_cohort, tmp_path / "cohort")


@pytest.fixture
def host(window):
    yield window
    window.widget.workbench.panelNamed("Review").showStep("cases")
    window.widget.workbench.review.setBlind(True)
    window.widget.workbench.review.reviewing.close()
    assert not window.failures


DECIDE_AND_DIE = """
import json, os, signal, sys
from BraTSRefine.Standalone.host import start
host = start("BraTSRefine", offscreen=True, size=(1280, 800))
from driving import press
from PySide6.QtCore import Qt
host.widget.openWorkspace(sys.argv[1], sys.argv[2])
bench = host.widget.workbench
host.widget.showPanel("Review")
bench.review.setReader("Ann")
bench.setModel(bench.session.models[-1])
host.window.setFocus()
for key in (Qt.Key_N, Qt.Key_F, Qt.Key_2, Qt.Key_0, Qt.Key_3, Qt.Key_N, Qt.Key_1, Qt.Key_A, Qt.Key_N):
    press(host, key)
told = [(e.kind, e.case, e.flag, e.decision) for e in bench.review.reviewing.followed.events() if e.kind != "opened"]
print(json.dumps([bench.session.case, bench.session.model, sorted(told)]), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_after_a_kill_the_window_opens_where_it_stopped_and_nothing_told_is_lost(host, phantom_cohort, folder):
    died = run_apart(DECIDE_AND_DIE, phantom_cohort, folder)
    assert died.returncode == -signal.SIGKILL, died.stderr
    case, model, told = json.loads(died.stdout.splitlines()[-1])
    assert [kind for kind, *_rest in told] == ["approve", "decision", "decision", "flag decision"]
    open_as(host, phantom_cohort, folder, "Ann")
    bench, panel = host.widget.workbench, host.widget.workbench.panelNamed("Review")
    assert (bench.session.case, bench.session.model) == (case, model)
    assert bench.panelInFront() is panel
    events = bench.review.reviewing.followed.store.events()
    assert sorted([e.kind, e.case, e.flag, e.decision] for e in events if e.kind != "opened") == told
    states = dict(zip(panel.shownCases, cells(panel.ui.queueView, 2), strict=True))
    assert {case: states[case] for kind, case, _flag, _decision in told if kind == "decision"} == {
        case: decision for kind, case, _flag, decision in told if kind == "decision"
    }
    assert host.widget.ui.decisionTargetLabel.text().endswith(f"2 of {len(panel.shownCases)} decided")


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("ahead", [False, True], ids=["read by the window", "read ahead by another process"])
@pytest.mark.parametrize("part", ["prediction", "images"])
def test_a_case_whose_files_are_cut_short_is_passed_over_in_red_and_the_queue_goes_on(
    host, cohort, folder, tmp_path, part, ahead, monkeypatch
):
    from BraTSRefineUI import colours

    bench = host.widget.workbench
    monkeypatch.setattr(bench.reading, "smallBytes", 0 if ahead else bench.reading.smallBytes)
    open_as(host, cohort, tmp_path / "new workspace", "Ann")
    panel, session = bench.panelNamed("Review"), bench.session
    names = [name for name in panel.shownCases if not session.cohort[name].error_of(session.model)]
    bench.showCase(names[0])
    broken = next(name for name in bench.review.reviewing.queue.following(1, names[0]) if name in names)
    before, after = neighbours_of(panel, broken)
    case = session.cohort[broken]
    files = [case.predictions[session.model]] if part == "prediction" else list(case.images.values())
    whole = {path: path.read_bytes() for path in files}
    bench.showCase(before)
    host.settle()
    for path in files:
        cut(path)
    press(host, Qt.Key_N)
    wait_until(host, lambda: session.case == after)
    row = panel.shownCases.index(broken)
    assert broken in host.widget.ui.statusLabel.text()
    assert cells(panel.ui.queueView, 2)[row] == "not readable"
    assert cells(panel.ui.queueView, 1, Qt.ForegroundRole)[row].color().name() == colours.BAD.lower()
    assert files[0].name in cells(panel.ui.queueView, 2, Qt.ToolTipRole)[row]
    press(host, Qt.Key_1)
    assert bench.review.reviewing.decisionOf(None).decision == "accept"
    press(host, Qt.Key_P)
    wait_until(host, lambda: session.case == before)
    for path, content in whole.items():
        path.write_bytes(content)
    click_row(panel.ui.queueView, row)
    wait_until(host, lambda: session.case == broken)
    assert cells(panel.ui.queueView, 2)[row] == "open"


def neighbours_of(panel, case: str) -> tuple[str, str]:
    """The cases of the queue before and behind one, among those that can be shown."""
    session, shown = panel.session, panel.shownCases
    sound = [name for name in shown if name == case or not session.cohort[name].error_of(session.model)]
    place = sound.index(case)
    return sound[place - 1], sound[(place + 1) % len(sound)]


DECIDE_ELSEWHERE = """
import sys
import BraTSRefine.Standalone
sys.path.append(sys.argv[1])
from BraTSRefineUI.reviewing import Reviewing
from BraTSRefineUI.session import Session
session = Session()
session.open(sys.argv[2], sys.argv[3])
session.setModel(sys.argv[5])
session.loadCase(sys.argv[4])
reviewing = Reviewing(session)
reviewing.reader = "Ann"
reviewing.open()
reviewing.decide("major", "from the other window")
print([e.decision for e in reviewing.followed.events() if e.kind == "decision"])
reviewing.close()
"""


def test_two_windows_record_at_once_and_each_sees_the_other_by_itself(host, phantom_cohort, folder):
    open_as(host, phantom_cohort, folder, "Ann")
    bench, panel = host.widget.workbench, host.widget.workbench.panelNamed("Review")
    first, second = panel.shownCases[:2]
    bench.showCase(first)
    press(host, Qt.Key_2)
    other = run_apart(DECIDE_ELSEWHERE, MODULE, phantom_cohort, folder, second, bench.session.model)
    assert other.stdout.strip() == "['minor', 'major']", other.stderr
    wait_until(host, lambda: cells(panel.ui.queueView, 2)[:2] == ["minor", "major"])
    assert host.widget.ui.decisionTargetLabel.text().endswith(f"2 of {len(panel.shownCases)} decided")
    assert bench.session.case == first
    press(host, Qt.Key_N)
    assert host.widget.ui.majorButton.isChecked()


def test_a_team_s_server_keeps_what_is_decided_and_the_window_resumes_from_it(
    host, phantom_cohort, folder, new_database
):
    open_as(host, phantom_cohort, folder, "Ann", new_database)
    bench, panel = host.widget.workbench, host.widget.workbench.panelNamed("Review")
    assert new_database.partition("@")[2].split("?")[0] in bench.review.reviewing.place
    press(host, Qt.Key_N)
    case = bench.session.case
    press(host, Qt.Key_3)
    bench.review.reviewing.close()
    open_as(host, phantom_cohort, folder, "Ann", new_database)
    assert bench.session.case == case
    assert host.widget.ui.majorButton.isChecked()
    assert cells(panel.ui.queueView, 2)[panel.shownCases.index(case)] == "major"
    assert not (folder / STORE_FILE).exists()
    with open_store(new_database) as team:
        team.record(Event("decision", case, "Ann", decision="minor", model=bench.session.model))
    wait_until(host, lambda: host.widget.ui.minorButton.isChecked())


def test_a_team_s_server_that_hangs_is_told_and_asked_rarely_until_it_answers(
    host, phantom_cohort, folder, new_database, hung
):
    open_as(host, phantom_cohort, folder, "Ann", new_database)
    bench, ui = host.widget.workbench, host.widget.ui
    ui.noteEdit.setText("keep me")
    with hung():
        wait_until(host, lambda: "The records cannot be read" in ui.statusLabel.text())
        click(ui.minorButton)
        assert "Not saved:" in ui.statusLabel.text()
        assert "no connection to the server" in ui.statusLabel.text()
        case = bench.session.case
        press(host, Qt.Key_N)
        assert bench.session.case != case
        press(host, Qt.Key_P)
    assert ui.noteEdit.text() == "keep me"
    click(ui.minorButton)
    assert bench.review.reviewing.decisionOf(None).note == "keep me"
    bench.review.lookForNews()
    assert "can be read again" in ui.statusLabel.text()


def test_a_server_that_does_not_answer_at_the_opening_is_told_and_a_key_tries_it_again(
    host, phantom_cohort, folder, new_database, hung
):
    bench = host.widget.workbench
    with hung():
        open_as(host, phantom_cohort, folder, "Ann", new_database)
        assert "no connection to the server" in bench.panelNamed("Review").ui.reviewStateLabel.text()
        assert not host.widget.ui.minorButton.isEnabled()
        case = bench.session.case
        press(host, Qt.Key_N)
        assert bench.session.case != case
    press(host, Qt.Key_2)
    assert "saved" in host.widget.ui.statusLabel.text()
    assert host.widget.ui.minorButton.isEnabled()
    assert bench.review.reviewing.decisionOf(None).decision == "minor"


SECRETS = ("Ben", "unacceptable", "bad image", "near the ventricle", "corrected by", "1 corrections")


def words_of(host, bench) -> str:
    """Everything that the window says of the shown case, hovering included."""
    from PySide6.QtWidgets import QAbstractButton, QLabel, QTableView, QWidget

    roles = (Qt.DisplayRole, Qt.ToolTipRole)
    said = []
    for name in host.widget.panelNames():
        host.widget.showPanel(name)
        host.settle(20)
        for widget in host.window.panel.findChildren(QWidget):
            said.append(widget.toolTip())
            if isinstance(widget, QLabel) or (isinstance(widget, QAbstractButton) and widget.isChecked()):
                said.append(widget.text())
            if isinstance(widget, QTableView):
                model = widget.model()
                places = ((row, column) for row in range(model.rowCount()) for column in range(model.columnCount()))
                said += [str(model.data(model.index(*place), role) or "") for place in places for role in roles]
    said += [bench.views.corners.words(view) for view in bench.views.corners._actors]
    return "\n".join(map(str, said))


@pytest.mark.parametrize("asked", ["by a second reader's case", "in a blind order"])
def test_a_blind_read_tells_nothing_of_what_another_reader_decided_wrote_or_corrected(
    host, phantom_cohort, folder, asked
):
    from BraTSRefineLib.review import save_correction, start_from_prediction

    open_as(host, phantom_cohort, folder, "Ann")
    bench = host.widget.workbench
    session, reviewing = bench.session, bench.review.reviewing
    case = next(row.case for row in reviewing.queue.rows if row.flags > 2 and not row.failed)
    bench.showCase(case)
    host.settle()
    said = {"who": "Ben", "model": session.model}
    start = start_from_prediction(session.cohort[case], session.model)
    edited = start.labels.copy()
    edited[0, 0, :3] = edited.max()
    correction = save_correction(folder, start, edited, "Ben")
    with open_store(folder) as other:
        other.record(correction.event)
        for flag in reviewing.flags():
            other.record(Event("flag decision", case, decision="bad image", flag=flag.id, **said))
        other.record(Event("decision", case, decision="unacceptable", note="near the ventricle", **said))
        other.record(Event("approve", case, **said))
        if asked == "by a second reader's case":
            other.record(Event("second reader", case, note="near the ventricle", **said))
    bench.review.lookForNews()
    if asked == "in a blind order":
        bench.panelNamed("Review").ui.orderCombo.setCurrentIndex(2)
    bench.showAgain()
    bench.showCase(case)
    bench.review.goToFlag(0)
    host.settle()
    flags = {flag.kind for flag in reviewing.flags()}
    said = words_of(host, bench)
    assert [secret for secret in SECRETS if secret in said] == []
    assert reviewing.state(case).progress == ("second reader" if "second" in asked else "open")
    assert flags, "what the models say of themselves is no secret"
    assert session.versions.shown(case, session.model) is None
    bench.review.wholeCase()
    bench.review.decide("accept")
    ui = bench.panelNamed("Review").ui
    bench.panelNamed("Review").showStep("readers")
    assert not ui.agreementButton.isEnabled()
    assert "read blind" in ui.agreementButton.toolTip()
    assert ui.disputesView.model().rowCount() == 0
    bench.review.setBlind(False)
    bench.showAgain()
    told = words_of(host, bench)
    assert [secret for secret in ("Ben", "bad image", "corrected by") if secret not in told] == []
    assert ui.agreementButton.isEnabled()
