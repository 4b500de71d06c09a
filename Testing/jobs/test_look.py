"""A data folder is looked at by a process of its own, for a window that must not wait."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from BraTSRefineLib.cohort import discover, load_cohort
from BraTSRefineLib.cohort.workspace import Workspace

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(REPOSITORY)}
ENDS_WITHIN_S = 2.0

SLOW_SAVING = """
import sys, time
from BraTSRefineLib.cohort import opening
from BraTSRefineLib.jobs import look

keep = opening.keep

def keepSlowly(cohort, workspace):
    print("SAVING", flush=True)
    time.sleep(1)
    keep(cohort, workspace)

opening.keep = keepSlowly
sys.exit(look.main(sys.argv[1:]))
"""

SLOW_LOOK = """
import sys, time
from BraTSRefineLib.cohort import checks
from BraTSRefineLib.jobs import look

checks._check_geometry = lambda *_: time.sleep(0.5)
sys.exit(look.main(sys.argv[1:]))
"""


def start(*arguments: object, code: str = "") -> subprocess.Popen:
    """``code``: the same with something slowed down."""
    how = ["-c", code] if code else ["-m", "BraTSRefineLib.jobs.look"]
    command = [sys.executable, *how, *map(str, arguments)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(command, **pipes, env=ENVIRONMENT)


def events(looking: subprocess.Popen) -> list[dict]:
    return [json.loads(line) for line in looking.stdout]


def test_each_case_is_told_and_the_cohort_is_kept(phantom_cohort, tmp_path):
    told = events(start(phantom_cohort, tmp_path / "workspace", "auto"))
    found = discover(phantom_cohort)
    number = len(found.cases)
    assert [(event["step"], event["of"]) for event in told[:-1]] == [(step, number) for step in range(1, number + 1)]
    assert {event["case"] for event in told[:-1]} == {case.case for case in found.cases}
    assert told[-1] == {"event": "finished", "summary": {"workspace": str(tmp_path / "workspace")}}
    assert load_cohort(Workspace(tmp_path / "workspace")) == found


def test_what_is_known_is_not_looked_at_unless_asked_and_stays_as_old_as_it_is(phantom_cohort, tmp_path):
    where = phantom_cohort, tmp_path / "workspace", "auto"
    events(start(*where))
    written = Workspace(tmp_path / "workspace").cohort_csv.stat().st_mtime_ns
    assert [event["event"] for event in events(start(*where))] == ["finished"]
    assert len(events(start(*where, "again"))) == len(discover(phantom_cohort).cases) + 1
    assert Workspace(tmp_path / "workspace").cohort_csv.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("folder", "labels", "why"),
    [("nowhere", "auto", "no such folder"), ("nowhere.csv", "auto", "no such manifest"), ("", "NCR=x", "label")],
)
def test_what_cannot_be_opened_is_told_in_a_line(phantom_cohort, tmp_path, folder, labels, why):
    looking = start(tmp_path / folder if folder else phantom_cohort, tmp_path / "workspace", labels)
    (told,) = [event for event in events(looking) if event["event"] != "progress"]
    assert told["event"] == "failed" and why in told["message"]
    assert looking.wait() == 1
    assert looking.stderr.read() == b""
    assert not folder or not (tmp_path / "workspace").exists()


@pytest.mark.parametrize("how", ["input ends", "signal"])
def test_cancelling_ends_it_at_once_and_keeps_nothing(phantom_cohort, tmp_path, how):
    looking = start(phantom_cohort, tmp_path / "workspace", "auto", code=SLOW_LOOK)
    looking.stdout.readline()
    started = time.monotonic()
    if how == "signal":
        looking.send_signal(signal.SIGTERM)
    else:
        looking.stdin.close()
    assert looking.wait(timeout=20) == 130
    assert time.monotonic() - started < ENDS_WITHIN_S
    assert list((tmp_path / "workspace").iterdir()) == []


@pytest.mark.parametrize("how", ["input ends", "signal"])
def test_cancelling_in_the_middle_of_saving_leaves_files_that_belong_together(phantom_cohort, tmp_path, how):
    looking = start(phantom_cohort, tmp_path / "workspace", "auto", code=SLOW_SAVING)
    while looking.stdout.readline() != b"SAVING\n":
        pass
    if how == "signal":
        looking.send_signal(signal.SIGTERM)
    else:
        looking.stdin.close()
    looking.wait(timeout=20)
    assert load_cohort(Workspace(tmp_path / "workspace")) == discover(phantom_cohort)
    assert not list((tmp_path / "workspace").glob(".partial-*"))
