"""A job from its start to whichever end: finished, failed, cancelled, killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from BraTSRefineLib import jobs
from BraTSRefineLib.jobs import JobCancelled, JobError

REPOSITORY = Path(__file__).resolve().parents[2]
CANCELLED_WITHIN_S = 2.0
ENVIRONMENT = os.environ | {"PYTHONPATH": str(REPOSITORY)}


def start(job_json: Path, *options: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "BraTSRefineLib.jobs", str(job_json), *options]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    )


def read_until(supervisor: subprocess.Popen, event: str) -> list[dict]:
    """Events up to the first of that name."""
    seen = []
    for line in supervisor.stdout:
        seen.append(json.loads(line))
        if seen[-1]["event"] == event:
            return seen
    raise AssertionError(f"no '{event}' in {seen}")


def rest(supervisor: subprocess.Popen) -> list[dict]:
    return [json.loads(line) for line in supervisor.stdout]


def descendants(supervisor: subprocess.Popen) -> list[psutil.Process]:
    return psutil.Process(supervisor.pid).children(recursive=True)


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    """A zombie whose new parent has not looked yet does nothing any more."""
    alive = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            alive += [process] if process.status() != psutil.STATUS_ZOMBIE else []
    return alive


def gone_soon(processes: list[psutil.Process], within_s: float = 2.0) -> bool:
    deadline = time.monotonic() + within_s
    while living(processes) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not living(processes)


def test_a_job_tells_start_progress_and_end_and_keeps_the_record(fused):
    progress = [(e["step"], e["of"], e["case"]) for e in fused.events if e["event"] == "progress"]
    assert fused.events[0] == {"event": "started", "kind": "fuse", "name": "mine"}
    assert progress == [(1, 3, "A"), (2, 3, "B"), (3, 3, "C")]
    assert fused.events[-1] == {"event": "finished", "summary": fused.summary, "outputs": str(fused.outputs)}
    assert jobs.events(fused.folder) == fused.events


def test_a_finished_job_has_outputs_and_nothing_partial(fused):
    names = ["events.jsonl", "job.json", "log.txt", "outputs", "running.lock"]
    assert jobs.state(fused.folder) == "finished"
    assert sorted(path.name for path in fused.folder.iterdir()) == names


def test_a_finished_job_is_not_done_again(fused):
    with pytest.raises(JobError, match="finished and keeps its outputs"):
        jobs.run(fused.folder / "job.json")
    assert jobs.state(fused.folder) == "finished"


def test_the_data_folder_is_left_as_it_was(fused):
    assert {path: path.stat().st_mtime_ns for path in fused.data.rglob("*")} == fused.files_before


def test_one_bad_case_is_a_problem_and_the_others_go_on(data, workspace):
    path = data / "predictions" / "left" / "B.nii.gz"
    path.write_bytes(path.read_bytes()[:200])
    seen = []
    summary = jobs.run(jobs.create(workspace, "fuse", {"method": "majority"}), on_event=seen.append)
    problems = [event for event in seen if event["event"] == "problem"]
    assert [problem["case"] for problem in problems] == ["B"]
    assert "left/B.nii.gz" in problems[0]["message"]
    assert "truncated" in problems[0]["message"]
    assert summary["cases"] == 2


def test_a_failed_job_says_why_and_keeps_the_traceback_in_the_log(workspace, leftovers):
    for npz in workspace.root.parent.rglob("*.npz"):
        npz.unlink()
    job_json = jobs.create(workspace, "fuse", {"method": "mean"})
    with pytest.raises(JobError, match="no case could be done"):
        jobs.run(job_json)
    assert jobs.state(job_json.parent) == "failed"
    assert "Traceback" in (job_json.parent / "log.txt").read_text(encoding="utf-8")
    assert leftovers(workspace) == []


def test_a_failed_job_can_be_run_again(data, workspace):
    job_json = jobs.create(workspace, "select", {"k": 1})
    with pytest.raises(JobError, match="run the uncertainty job first"):
        jobs.run(job_json)
    jobs.run(jobs.create(workspace, "uncertainty"))
    assert jobs.run(job_json)["asked_for"] == 1
    assert jobs.state(job_json.parent) == "finished"


@pytest.mark.parametrize("moment", ["started", "progress"])
@pytest.mark.parametrize("way", ["SIGTERM", "SIGINT", "end of input"])
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX; on Windows the end of input cancels")
def test_cancel_takes_less_than_two_seconds_and_leaves_nothing(long_workspace, leftovers, way, moment):
    job_json = jobs.create(long_workspace, "uncertainty")
    supervisor = start(job_json, *(["--stop-when-stdin-closes"] if way == "end of input" else []))
    read_until(supervisor, moment)
    family = descendants(supervisor)
    asked = time.monotonic()
    supervisor.stdin.close() if way == "end of input" else supervisor.send_signal(getattr(signal, way))
    events = rest(supervisor)
    supervisor.wait()
    took = time.monotonic() - asked
    assert took < CANCELLED_WITHIN_S
    assert events[-1] == {"event": "cancelled"}
    assert supervisor.returncode == 130
    assert jobs.state(job_json.parent) == "cancelled"
    assert leftovers(long_workspace) == []
    assert family or moment == "started"
    assert living(family) == []


def test_cancel_ends_the_worker_s_own_children_too(long_workspace, leftovers):
    supervisor = start(jobs.create(long_workspace, "score"), "--stop-when-stdin-closes")
    read_until(supervisor, "progress")
    family = descendants(supervisor)
    supervisor.stdin.close()
    assert rest(supervisor)[-1] == {"event": "cancelled"}
    assert len(family) > 2
    assert gone_soon(family)
    assert leftovers(long_workspace) == []


def test_a_job_runs_on_when_its_input_closes_unless_told_otherwise(workspace):
    supervisor = start(jobs.create(workspace, "fuse", {"method": "majority"}))
    supervisor.stdin.close()
    assert rest(supervisor)[-1]["event"] == "finished"


def test_a_worker_killed_from_outside_is_a_failure_without_partial_output(long_workspace, leftovers):
    job_json = jobs.create(long_workspace, "uncertainty")
    supervisor = start(job_json)
    read_until(supervisor, "progress")
    worker = descendants(supervisor)[0]
    worker.kill()
    end = rest(supervisor)[-1]
    assert end["event"] == "failed"
    assert "ended by signal 9 (SIGKILL); it may have run out of memory" in end["message"]
    assert supervisor.wait() == 1
    assert jobs.state(job_json.parent) == "failed"
    assert leftovers(long_workspace) == []


def test_a_killed_supervisor_takes_the_worker_along_and_the_job_can_be_run_again(long_workspace):
    job_json = jobs.create(long_workspace, "uncertainty", {"cases": ["case-000", "case-001", "case-002", "case-003"]})
    supervisor = start(job_json)
    read_until(supervisor, "progress")
    assert jobs.state(job_json.parent) == "running"
    family = descendants(supervisor)
    supervisor.kill()
    assert gone_soon(family)
    assert jobs.state(job_json.parent) == "interrupted"
    assert jobs.run(job_json)["cases"] == 4
    assert jobs.state(job_json.parent) == "finished"


def test_a_job_that_runs_is_not_started_a_second_time(long_workspace):
    job_json = jobs.create(long_workspace, "uncertainty")
    supervisor = start(job_json, "--stop-when-stdin-closes")
    read_until(supervisor, "started")
    with pytest.raises(JobError, match="already running"):
        jobs.run(job_json)
    assert jobs.state(job_json.parent) == "running"
    supervisor.stdin.close()
    assert rest(supervisor)[-1] == {"event": "cancelled"}


def test_an_error_while_waiting_cancels_the_job(long_workspace, leftovers):
    job_json = jobs.create(long_workspace, "uncertainty")

    def stop_at_first_progress(event: dict) -> None:
        if event["event"] == "progress":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        jobs.run(job_json, on_event=stop_at_first_progress)
    assert jobs.state(job_json.parent) == "cancelled"
    assert leftovers(long_workspace) == []


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_a_cancelled_job_is_told_apart_from_a_failed_one(long_workspace):
    supervisors = []

    def cancel_once(event: dict) -> None:
        if event["event"] == "progress" and not supervisors:
            supervisors.extend(psutil.Process().children())
            threading.Timer(0, supervisors[-1].terminate).start()

    with pytest.raises(JobCancelled, match="cancelled"):
        jobs.run(jobs.create(long_workspace, "uncertainty"), on_event=cancel_once)


def test_a_reader_that_goes_away_does_not_stop_the_job(workspace):
    job_json = jobs.create(workspace, "fuse", {"method": "majority"})
    supervisor = start(job_json)
    supervisor.stdout.close()
    assert supervisor.wait() == 0
    assert jobs.state(job_json.parent) == "finished"


def test_a_broken_description_is_one_failed_event(workspace):
    job_json = jobs.create(workspace, "report")
    job_json.write_text("{}")
    supervisor = start(job_json)
    (event,) = rest(supervisor)
    assert event["event"] == "failed"
    assert "has no 'kind'" in event["message"]
    assert supervisor.wait() == 1


def test_wrong_arguments_explain_the_usage():
    done = subprocess.run(
        [sys.executable, "-m", "BraTSRefineLib.jobs"], capture_output=True, text=True, env=ENVIRONMENT
    )
    assert done.returncode == 2
    assert "usage: python -m BraTSRefineLib.jobs RUN/job.json" in done.stderr
